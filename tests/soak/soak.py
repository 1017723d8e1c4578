"""A gateway at work for minutes or hours: traffic, trouble, and a judgment whenever all is quiet.

The first third is a storm: everything is killed, the disk is full, the smarthost fails. Then the
gateway is started anew, and until the end the gate and dewlined are left alive, so that what they
take can be measured: first when a quarter of that time has passed, ten minutes at most, and at the
end, each time with all mail dealt with. Workers are killed and the smarthost fails all the time.
"""
import collections
import random
import sqlite3
import sys
import time

import traffic
import watch
from gateway import Gateway, Smarthost
from harness import patience
from ledger import Book, Judge, Post
from trouble import Trouble, Volume

GROWTH_MOST = 1.05
CROWDED = 150         # open mails or 4 times as many deliveries: people wait
STUCK = 120           # seconds without any progress
SHARD = 50            # certificates in a keyring: hundreds of officials are some of them
AGAIN = 5             # judgments, until no mail is under way
CALM = 3              # looks in which nothing moved
MINUTE = 60
FIRST_LOOK = 10 * MINUTE  # into the life of a gate, at most
LOOK_EVERY = 10 * MINUTE

OPEN = {
    "mails": "SELECT count(*) FROM arrival WHERE state IN ('received', 'judged')",
    "deliveries": "SELECT count(*) FROM delivery WHERE state IN ('queued', 'sending', 'deferred')",
    "holds": "SELECT count(*) FROM hold WHERE state IN ('held', 'waiting')",
    "receipts": "SELECT count(*) FROM revision WHERE reported < 2",
    "bounces": "SELECT count(*) FROM bounce WHERE told = 0",
}
PROGRESS = ("SELECT (SELECT max(sequence) FROM audit), (SELECT max(id) FROM message),"
            " (SELECT total(attempts) FROM delivery), (SELECT count(*) FROM arrival)")


def in_drop(gateway):
    return sum(len(list((gateway.drop_dir / name).iterdir())) for name in ("new", "cur"))


def settle(gateway, post, look, wanted=OPEN):
    """Waits until nothing is open and nothing moves. What is left when that does not come: {} when
    it is well. look: called all the time; how many mails still wait to be dropped."""
    before, since, calm = None, time.monotonic(), 0
    while calm < CALM:
        time.sleep(0.5)
        post.fetch()
        try:
            outside = look()
            left = {name: gateway.store_rows(query)[0][0] for name, query in wanted.items()}
            left["mails in the drop"] = in_drop(gateway) + outside
            progress = (gateway.store_rows(PROGRESS)[0], left["mails in the drop"])
        except sqlite3.OperationalError as error:
            left, progress = {str(error): 1}, None
        left = {name: count for name, count in left.items() if count}
        calm = calm + 1 if not left and progress == before else 0
        if progress != before:
            before, since = progress, time.monotonic()
        elif time.monotonic() - since > STUCK * patience():
            return left
    return {}


def judged(judge, rest, moment=None):
    """Lets all come to rest, and judges it; again where something more began in between, as an alarm
    does by itself."""
    for _ in range(AGAIN):
        left = rest()
        verdict = judge().judge(moment)
        if left:
            verdict.add("lost", f"nothing moves any more, and there is {left}")
        if left or not verdict.unfinished:
            break
    return verdict


class Soak:
    def __init__(self, t, seed, officials, members, volume=False, say=print):
        self.t, self.say, self.chance = t, say, random.Random(seed)
        self.begun = time.monotonic()
        self.volume = Volume(t) if volume else None
        smarthost = Smarthost(t, ["# as ever"])
        self.gateway = Gateway(t, smarthost, False, {
            "retry": {"first": "1s", "most": "4s", "give_up": "1d"},
            "smarthost": {"alarm": "5s"}, "reminders": {"stages": ""},
            "sealing": {"shard": SHARD}},
            directory=(self.volume.top / "gw") if self.volume else None)
        self.gateway.log_path = t.dir / "dewlined.log"
        self.post, self.book = Post(smarthost), Book()
        self.traffic = traffic.Traffic(t, self.gateway, self.post, self.book, self.chance)
        self.gateway.start()
        self.traffic.settle_in(officials, members)
        self.trouble = Trouble(self.gateway, self.book, self.chance, self.volume,
                               self.traffic.people)
        self.phase, self.verdicts, self.looks, self.told = "soak", [], [], 0
        self.fault_ends = None

    # What is open.

    def open(self):
        return {name: self.gateway.store_rows(statement)[0][0] for name, statement in OPEN.items()}

    def crowded(self):
        try:
            found = self.open()
        except sqlite3.OperationalError:
            return True
        return (found["mails"] > CROWDED or found["deliveries"] > 4 * CROWDED
                or len(self.traffic.waiting) > CROWDED)

    def quiet(self):
        """Ends all trouble and waits until everything is done. What is left when nothing moves any
        more: {} when it is well."""
        self.trouble.clear()
        self.fault_ends = None

        def look():
            self.trouble.keep_alive()
            self.traffic.read_requests()
            self.minute()
            return self.traffic.flush()
        return settle(self.gateway, self.post, look)

    # Phases.

    def step(self, harmless):
        """One thing that people do, and at times one that goes wrong."""
        now = time.monotonic()
        self.trouble.keep_alive()
        if self.fault_ends is not None and now >= self.fault_ends:
            self.trouble.clear()
            self.fault_ends = None
        elif self.fault_ends is None and self.chance.random() < 0.06:
            self.trouble.begin(harmless)
            self.fault_ends = now + self.chance.uniform(2, 12)
        self.post.fetch()
        if self.crowded():
            time.sleep(0.2)
        else:
            traffic.act(self.traffic)
        self.minute()

    def storm(self, seconds):
        self.phase = "storm"
        self.until(time.monotonic() + seconds, False)
        self.judge("after the storm")

    def until(self, end, harmless):
        while time.monotonic() < end:
            self.step(harmless)

    def steady(self, seconds):
        self.phase = "steady"
        self.gateway.restart()
        self.end_before = len(self.trouble.ends)
        end = time.monotonic() + seconds
        look = time.monotonic() + min(FIRST_LOOK, seconds / 4)
        while look < end:
            self.until(look, True)
            self.judge("steady")
            self.look()
            look = time.monotonic() + LOOK_EVERY
        self.until(end, True)
        self.judge("at the end")
        self.look()

    def look(self):
        self.looks.append(watch.settled(self.gateway))
        self.say(f"  {self.clock()} {watch.line(self.looks[-1])}")

    def judge(self, title):
        verdict = judged(lambda: Judge(self.gateway, self.book, self.post), self.quiet)
        self.verdicts.append(verdict)
        counts = ", ".join(f"{kind} {len(faults)}" for kind, faults in verdict.faults.items())
        self.say(f"  {self.clock()} judged {title}: {counts}")
        for faults in verdict.faults.values():
            for fault in faults[:10]:
                self.say(f"    FAULT {fault}")
        return verdict

    # What is said of it.

    def clock(self):
        seconds = int(time.monotonic() - self.begun)
        return f"{seconds // 60}:{seconds % 60:02}"

    def minute(self):
        if time.monotonic() - self.begun < MINUTE * (self.told + 1):
            return
        self.told = int((time.monotonic() - self.begun) / MINUTE)
        try:
            mails, advisories, answers = self.gateway.store_rows(
                "SELECT (SELECT count(*) FROM arrival), (SELECT count(*) FROM revision),"
                " (SELECT count(*) FROM acknowledgment)")[0]
            left = ", ".join(f"{count} {name}" for name, count in self.open().items() if count)
        except sqlite3.OperationalError:
            return
        self.say(f"{self.clock()} {self.phase}: {mails} mails in, {advisories} revisions, {answers} "
                 f"answers, {self.post.taken} mails out; open: {left or 'nothing'}; "
                 f"{sum(self.trouble.counts.values())} troubles; "
                 f"gate {watch.look(self.gateway).private['gate']} kB")

    def faults(self):
        """All that was found, each once."""
        found = collections.defaultdict(list)
        for verdict in self.verdicts:
            for kind, faults in verdict.faults.items():
                found[kind] += [fault for fault in faults if fault not in found[kind]]
        if len(self.looks) > 1:
            found["growth"] = watch.growth(self.looks[0], self.looks[-1], GROWTH_MOST)
        if self.trouble.ends and not self.volume:
            found["ends"] = [f"dewlined ended by itself with {code}" for code in self.trouble.ends]
        return {kind: faults for kind, faults in found.items() if faults}

    def table(self):
        figures = self.verdicts[-1].figures
        rows = [("mails by what they were", ""), *sorted(self.traffic.done.items()),
                ("contacts added and removed by dewctl", len(self.book.promises)),
                ("", ""), ("troubles", ""), *sorted(self.trouble.counts.items()),
                ("dewlined started again by the service manager", len(self.trouble.ends)),
                ("", ""), ("in the store", ""),
                *((name, figures[name]) for name in sorted(figures)
                  if name.startswith("deliveries ") or name in (
                      "answers counted", "mails with their effect", "refused with a reason")),
                ("copies at the smarthost", figures["copies"]),
                ("ambiguous attempts", figures["ambiguous"]), ("", "")]
        return "\n".join(f"{name:48}{value:>9}" if name else "" for name, value in rows)


def whole(t, minutes, seed, officials, volume):
    """The whole of it; True when nothing was found."""
    def say(text):
        print(text, flush=True)
    say(f"seed {seed}, {minutes} minutes, {officials} officials"
        f"{'' if volume else ', without full disks: these take root and a loop device'}")
    soak = Soak(t, seed, officials, max(officials // 10, 2), volume, say)
    say(f"{soak.clock()} all are admitted")
    soak.begun, soak.told = time.monotonic(), 0
    soak.traffic.agree()
    soak.storm(minutes * MINUTE / 3)
    soak.steady(minutes * MINUTE * 2 / 3)
    say(soak.table())
    return finish(soak, say)


def finish(soak, say):
    faults = soak.faults()
    for kind in ("lost", "false", "copies", "clear", "store", "growth", "ends"):
        say(f"{kind:48}{len(faults.get(kind, [])):>9}")
        for fault in faults.get(kind, [])[:20]:
            say(f"  {fault}")
    for role in ("dewlined", "gate"):
        if len(soak.looks) > 1:
            first, last = soak.looks[0].private[role], soak.looks[-1].private[role]
            say(f"private memory of {role}: {first} kB at first, {last} kB at the end, "
                f"{last / first:.3f}")
    say("well" if not faults else "NOT WELL")
    sys.stdout.flush()
    return not faults
