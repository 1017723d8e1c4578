"""Power cuts: what a disk holds at every moment of a run, and what a gateway makes of it.

A run is recorded: a gateway on a disk that remembers every write and every flush. Then the disk is
made anew as it was at a flush, with all that came before it; or torn, with some of what was written
since as well, in sectors, as a drive that lost its power has them. It is mounted, a gateway is started
on it, and once all is quiet everything is judged that the world knew before that moment.
"""
import json
import os
import random
import shutil
import time

import cutdisk
import harness
import traffic
from cutdisk import run
from gateway import Gateway, Smarthost
from harness import eventually
from ledger import Book, Judge, Post
from soak import OPEN, judged, settle

SIZE = "128M"
OFFICIALS, MEMBERS = 6, 2
SECTOR = 512
TICK = 0.01  # seconds: the clock that files are dated by is that coarse
# What waits for an approval that never came may wait on.
WANTED = {**OPEN, "holds": "SELECT count(*) FROM hold WHERE state = 'held'"}
SETTINGS = {"retry": {"first": "1s", "most": "2s", "give_up": "1d"}, "smarthost": {"alarm": "5s"},
            "reminders": {"stages": ""}}


class Durable(Gateway):
    """Mail is dropped as a good mail server does it: it says so when it is on the disk."""

    def drop(self, raw):
        super().drop(raw)
        for name in ("new", "tmp"):
            folder = os.open(self.drop_dir / name, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)


class Life:
    """The run that is recorded, and all that the world knows of it."""

    def __init__(self, t, seed):
        self.t, self.top = t, t.dir / "v"
        self.top.mkdir()
        self.image, self.base = t.dir / "image", t.dir / "base"
        self.prepare(seed)
        recorded = cutdisk.Recorded(t, self.image, self.top)
        t.later(self.gateway.finish)  # before it is unmounted, whatever happens
        self.gateway.start()
        self.live()
        self.gateway.stop()
        self.gateway.finish()
        self.post.fetch()  # also what came after all had come to rest
        recorded.leave()
        self.entries = list(cutdisk.entries(recorded.path))
        self.flushes = [at for at, entry in enumerate(self.entries) if entry[0] == b"F"]

    def prepare(self, seed):
        """The cast, on the image as it is before all."""
        run("truncate", "-s", SIZE, self.image)
        run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard,lazy_itable_init=0", self.image)
        run("mount", "-o", "loop", self.image, self.top)
        try:
            smarthost = Smarthost(self.t)
            self.gateway = Durable(self.t, smarthost, False, SETTINGS, self.top / "gw")
            self.gateway.log_path = self.t.dir / "recorded.log"
            self.book, self.post = Book(), Post(smarthost, True)
            self.traffic = traffic.Traffic(self.t, self.gateway, self.post, self.book,
                                           random.Random(seed))
            self.traffic.settle_in(OFFICIALS, MEMBERS)
            self.traffic.may_wait, self.traffic.later = True, 3
            self.gateway.finish()
        finally:
            cutdisk.unmount("umount", self.top)
        run("cp", "--sparse=always", self.image, self.base)

    def live(self):
        people, stable = self.traffic, self.traffic.stable()
        people.publish("new", "all", stable)
        people.publish_exercise()
        eventually(lambda: self.post.fetch() or len(self.post.unread) >= OFFICIALS, "it is out", 60)
        people.read_mail(4)
        people.agree()
        for deed in ("publish_held", "come_and_go", "report", "publish_badly", "publish_traced",
                     "bounce", "publish_for_approval", "come_and_go", "renew", "back_up"):
            getattr(people, deed)()
            self.post.fetch()
            people.read_mail(2)
        people.update()
        self.rest()
        people.read_mail(6)
        people.come_and_go()
        people.reply_to_report()
        people.publish_traced()
        people.bounce_falsely()
        people.read_mail(6)
        self.rest()

    def rest(self):
        def look():
            self.traffic.read_requests()
            return self.traffic.flush()
        left = settle(self.gateway, self.post, look)
        assert not left, f"the run itself does not come to rest: {left}"

    # A cut: after the flush with this number, torn with this chance, or None.

    def moment(self, flush, torn):
        """When it is: whatever the world knew until then has to be true afterwards."""
        if not torn or flush + 1 == len(self.flushes):
            return self.entries[self.flushes[flush]][1]
        return self.entries[self.flushes[flush + 1]][1] - 1e-6

    def image_at(self, flush, torn, path):
        run("cp", "--sparse=always", self.base, path)
        last = self.flushes[flush]
        with open(path, "r+b") as image:
            for kind, _, offset, data in self.entries[:last]:
                if kind == b"W":
                    image.seek(offset)
                    image.write(data)
            if torn:
                self.tear(image, last, torn)

    def tear(self, image, last, chance):
        """Of what was written until the next flush any sectors are there, and any are not."""
        for kind, _, offset, data in self.entries[last + 1:]:
            if kind == b"F":
                break
            whole = chance.random()
            for at in range(0, len(data), SECTOR):
                if whole < 0.3 or (whole < 0.6 and chance.random() < 0.5):
                    image.seek(offset + at)
                    image.write(data[at:at + SECTOR])


class Cut:
    """One cut, and the judgment on what a gateway makes of it."""

    def __init__(self, life, t, flush, torn):
        self.life, self.t, self.moment = life, t, life.moment(flush, torn)
        life.image_at(flush, torn, t.dir / "image")
        self.top = t.dir / "v"
        self.top.mkdir()
        run("mount", "-o", "loop", t.dir / "image", self.top)
        t.later(cutdisk.unmount, "umount", self.top)

    def judge(self):
        """The faults, by kind."""
        smarthost = Smarthost(self.t)
        gateway = Durable(self.t, smarthost, False, SETTINGS, self.top / "gw",
                          known=self.life.gateway.knows())
        gateway.log_path = self.t.dir / "dewlined.log"
        post = Post(smarthost)
        for came, mail in self.life.post.history:
            if came <= self.moment:
                post.take(mail, came + TICK <= self.moment)
        gateway.start()
        verdict = judged(lambda: Judge(gateway, self.known(gateway), post),
                         lambda: settle(gateway, post, lambda: 0, WANTED), self.moment)
        gateway.stop()
        return verdict

    def known(self, gateway):
        """What was in the drop for good, and what was on its way into it and came."""
        whole, book = self.life.book, Book()
        there = {digest.lower() for digest, in gateway.store_rows("SELECT digest FROM arrival")}
        book.mails = {name: mail for name, mail in whole.mails.items()
                      if whole.times[name] <= self.moment or name in there}
        book.promises, book.coming_and_going = whole.promises, whole.coming_and_going
        return book

    def check_disk(self):
        """After it was unmounted: a file system without a fault."""
        done = cutdisk.subprocess.run(["e2fsck", "-fn", self.t.dir / "image"], capture_output=True)
        return [] if done.returncode == 0 else [done.stdout.decode()]


def judge_cut(life, folder, flush, torn):
    """{kind: faults} and figures of one cut."""
    folder.mkdir(mode=0o700)
    t = harness.Test(folder, life.t.build)
    cut = verdict = None
    try:
        cut = Cut(life, t, flush, torn)
        verdict = cut.judge()
        faults = {kind: found for kind, found in verdict.faults.items() if found}
    except Exception as error:
        faults = {"lost": [f"{type(error).__name__}: {error}"]}
    except KeyboardInterrupt:
        t.clean()
        raise
    if not t.clean():
        faults.setdefault("lost", []).append("it does not end well")
    elif cut and (broken := cut.check_disk()):
        faults["store"] = faults.get("store", []) + broken
    if not faults:
        shutil.rmtree(folder, ignore_errors=True)
    return faults, {"copies": verdict.figures["copies"] if verdict else 0,
                    "ambiguous": verdict.figures["ambiguous"] if verdict else 0}


def spread(count):
    """0 to count - 1, so that any beginning of it is spread over the whole."""
    bits = max((count - 1).bit_length(), 1)
    order = (int(f"{n:0{bits}b}"[::-1], 2) for n in range(1 << bits))
    return [n for n in order if n < count]


def points(life, seed):
    """(flush, seed of the tearing or None): each flush, and each torn, in turn."""
    return [(flush, tear) for flush in spread(len(life.flushes))
            for tear in (None, seed * 100003 + flush)]


def work(life, part, end, path):
    """Judges cuts until the time is over; one line of JSON each."""
    with open(path, "w") as out:
        for flush, tear in part:
            if time.monotonic() > end:
                break
            folder = life.t.dir / f"c{flush}{'t' if tear is not None else ''}"
            faults, figures = judge_cut(life, folder, flush,
                                        random.Random(tear) if tear is not None else None)
            for found in faults.values():
                for fault in found[:5]:
                    print(f"  FAULT at flush {flush}{' torn' if tear is not None else ''}: {fault}",
                          flush=True)
            out.write(json.dumps({"flush": flush, "torn": tear is not None, "faults": faults,
                                  **figures}) + "\n")
            out.flush()
    return 0


def results(paths):
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def table(life, found):
    rows = [("flushes recorded", len(life.flushes)),
            ("writes recorded", len(life.entries) - len(life.flushes)),
            ("cuts at a flush", sum(not row["torn"] for row in found)),
            ("cuts with what came after it torn", sum(row["torn"] for row in found)),
            ("copies in all", sum(row["copies"] for row in found)),
            ("ambiguous attempts in all", sum(row["ambiguous"] for row in found))]
    for kind in ("lost", "false", "copies", "clear", "store"):
        rows.append((f"cuts with a fault: {kind}", sum(kind in row["faults"] for row in found)))
    return "\n".join(f"{name:48}{value:>9}" for name, value in rows)
