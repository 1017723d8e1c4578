"""What publishers, officials, strangers, mail servers and the admin do, one thing at a time."""
import datetime
import re
import secrets
import sqlite3
import time

import crowd
import letters
from harness import now
from ledger import MARK, HandedIn, Promise, digest
from official import REPLY_SHAPES, Opened
from test_bounce import report as delivery_report
from test_keylife import key_mail

TEXT = f"{MARK.decode()} in the text. Install version 2.1.\n"
TITLE = f"{MARK.decode()} in the title"
GROUPS = {"energy": 3, "water": 2}  # of how many members
TRACED = 12                          # contacts that a traced advisory may go to


class Traffic:
    """Everything is dropped through `deliver`, which keeps what the disk has no room for, as a mail
    server does. Whatever it does stands in the book."""

    may_wait = False  # whether what needs an approval may be left without one
    later = 20  # seconds until a held advisory goes, at least; twice that at most

    def __init__(self, t, gateway, post, book, chance):
        self.t, self.gateway, self.post, self.book, self.chance = t, gateway, post, book, chance
        self.waiting, self.done, self.publishers, self.renewers = [], {}, [], []
        self.people, self.answered, self.kinds, self.spares = {}, [], {}, []
        self.asked, self.withdrawn, self.numbered, self.there = set(), set(), 0, {}

    # The cast.

    def settle_in(self, officials, members):
        gateway, t = self.gateway, self.t
        self.publishers = [gateway.admit_publisher(t.publisher(f"publisher{n}@vendor.example"))
                           for n in range(3)]
        self.members = [f"m{n:02}" for n in range(members)]
        crowd_of = crowd.make(t, gateway, officials, self.members)
        crowd.admit(gateway, crowd_of)
        self.people = {one.address: one for one in crowd_of}
        self.post.officials = set(self.people)
        self.spares = crowd.make(t, gateway, 8, ["coming"], officials)
        self.stranger = crowd.make(t, gateway, 1, ["nowhere"], 9999)[0]
        self.renewers = [gateway.admit(t.official(f"renewer@k{n}.example", own_key=True))
                         for n in range(2)]
        self.book.coming_and_going = {one.address for one in self.spares}
        for name, count in GROUPS.items():
            gateway.ctl("group", "add", name, *self.members[:count])

    def agree(self):
        """A version that need not be signed for long: all are asked, and answer as they come to it."""
        path = self.t.dir / "agreement.txt"
        path.write_text("Keep it to yourself until it is public.\n")
        moment = datetime.datetime.fromtimestamp(now() + 30 * 86400, datetime.timezone.utc)
        self.promise("an agreement was published", "SELECT 1 FROM agreement", "agreement", "publish",
                     path, "--required-from", moment.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def stable(self, members=None):
        return {address for address, one in self.people.items()
                if members is None or one.member in members}

    # Mail in.

    def deliver(self, raw, mail):
        self.book.write(raw, mail)
        self.done[mail.what] = self.done.get(mail.what, 0) + 1
        self.waiting.append(raw)
        self.flush()

    def flush(self):
        """What a full disk did not take before; how much still waits."""
        while self.waiting:
            try:
                self.gateway.drop(self.waiting[0])
            except OSError:
                for torso in (self.gateway.drop_dir / "tmp").iterdir():
                    torso.unlink()
                break
            self.book.times[digest(self.waiting.pop(0))] = time.time()
        return len(self.waiting)

    def rows(self, statement):
        return self.gateway.store_rows(statement)

    # Publishers.

    def publish(self, what="new", audience=None, whom=None, sure=True, text=TEXT, **fields):
        if audience is None:
            audience, whom = self.choose_audience()
        publisher = self.chance.choice(self.publishers)
        self.numbered += 1  # so that no two say the same
        raw = publisher.publish(f"{TITLE} {self.numbered}", f"{text}Number {self.numbered}.\n",
                                audience=audience, **fields)
        mail = HandedIn(f"advisory {what}", "advisory", sure, whom)
        mail.may_wait = self.may_wait and "approval" in fields
        self.deliver(raw, mail)

    def choose_audience(self):
        kind = self.chance.choices(("all", "group", "members", "but"), (1, 3, 8, 1))[0]
        if kind == "all":
            return "all", self.stable()
        if kind == "group":
            name = self.chance.choice(sorted(GROUPS))
            return name, self.stable(self.members[:GROUPS[name]])
        some = self.chance.sample(self.members, min(3, len(self.members)))
        if kind == "members":
            return ", ".join(some), self.stable(some)
        return f"all, -{some[0]}", self.stable(set(self.members) - {some[0]})

    def publish_exercise(self):
        self.publish("exercise", exercise="yes", acknowledge="4h")

    def publish_traced(self):
        member = self.chance.choice(self.members)
        whom = self.stable([member])
        if len(whom) <= TRACED:
            self.publish("traced", member, whom, trace="yes")

    def publish_held(self):
        moment = datetime.datetime.fromtimestamp(
            now() + self.later + self.chance.randrange(self.later), datetime.timezone.utc)
        self.publish("held", release=moment.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def publish_for_approval(self):
        self.publish("to be approved", approval="yes")

    def newest(self):
        """Numbers of advisories that are out and may be updated or withdrawn."""
        rows = self.rows("SELECT number FROM advisory WHERE state IN ('delivering', 'complete')"
                         " ORDER BY id DESC LIMIT 40")
        return [number for number, in rows if number not in self.withdrawn]

    def update(self):
        if numbers := self.newest():
            self.publish("update", sure=False, advisory=f"update {self.chance.choice(numbers)}")

    def withdraw(self):
        if len(numbers := self.newest()) > 5:
            number = self.chance.choice(numbers)
            self.withdrawn.add(number)
            who = {address for address, in self.rows(
                "SELECT DISTINCT d.address FROM delivery d JOIN revision r ON r.message = d.message"
                f" JOIN advisory a ON a.id = r.advisory WHERE a.number = '{number}'"
                " AND d.state IN ('sent', 'acknowledged')")}
            publisher = self.chance.choice(self.publishers)
            raw = publisher.publish(f"{TITLE} withdrawn", f"{TEXT}Not {number}.\n", audience=None,
                                    tlp=None, advisory=f"withdraw {number}")
            self.deliver(raw, HandedIn("advisory withdrawal", "advisory", False,
                                       who & self.stable()))

    def check_only(self):
        raw = self.chance.choice(self.publishers).publish(
            f"{TITLE} to check", f"{TEXT}{secrets.token_hex(4)}\n", check="yes")
        self.deliver(raw, HandedIn("check of an advisory", None))

    def publish_badly(self):
        """Forged, unsigned, replayed, in the open, or wrong: none of it is an advisory."""
        publisher = self.chance.choice(self.publishers)
        block = f"{publisher.block()}\nFalse {secrets.token_hex(4)}.\n"
        forms = {
            "by a stranger": lambda: self.stranger.message(letters.encrypted_entity(
                self.stranger.encrypt(letters.text_part(block, [("Subject", "False")])))),
            "by a contact": lambda: self.somebody().reply(None, text=block, token=""),
            "unsigned": lambda: publisher.publish("False", block, signed=False),
            "in the open": lambda: publisher.publish("False", block, encrypted=False),
            "text outside": lambda: publisher.publish("False", block, outside="more\n"),
            "unknown field": lambda: publisher.publish("False", block, colour="red"),
        }
        name = self.chance.choice(sorted(forms))
        self.deliver(forms[name](), HandedIn(f"no advisory: {name}", None))

    # Officials.

    def somebody(self):
        return self.people[self.chance.choice(sorted(self.people))]

    def kind_of(self, message_id):
        if message_id not in self.kinds:
            rows = self.rows(f"SELECT kind FROM message WHERE message_id = '{message_id}'")
            self.kinds[message_id] = rows[0][0] if rows else ""
        return self.kinds[message_id]

    def read_mail(self, most=6):
        """Some of those who got mail open it, and do what it asks for."""
        self.read_requests()
        for _ in range(most):
            if not self.post.unread:
                return
            message_id, address, raw = self.post.unread.popleft()
            kind = self.kind_of(message_id)
            if address in self.people and kind == "agreement":
                self.accept(self.people[address], raw)
            elif address in self.people and kind == "advisory":
                self.answer(self.people[address], message_id, raw)

    def read_requests(self):
        """Publishers approve what they are asked to."""
        while self.post.unread_others:
            message_id, address, raw = self.post.unread_others[0]
            if self.kind_of(message_id) == "approval":
                self.approve(address, raw)
            self.post.unread_others.popleft()

    def opened(self, one, raw):
        inner = one.read(raw)
        assert MARK in inner or b"agreement" in inner, inner[:2000]
        return Opened(inner, True)

    def answer(self, one, message_id, raw):
        opened = self.opened(one, raw)
        if self.chance.random() < 0.35:
            self.answer_badly(one, message_id, opened)
            return
        status, shape = self.chance.choice(crowd.STATUSES), self.chance.choice(REPLY_SHAPES)
        sealed = shape in ("encrypted", "signed-inside", "inline-encrypted")
        comment = f"{MARK.decode() if sealed else 'plain'} {secrets.token_hex(4)}"
        quoted = None if sealed else f"{status}\n\n{comment}\n\n> Token: {opened.token}\n"
        raw = one.reply(opened, status, comment, shape, text=quoted,
                        protected=None if sealed else ())
        self.deliver(raw, HandedIn("answer", "answer", address=one.address, status=status,
                                   about=message_id))
        self.answered.append(raw)
        del self.answered[:-50]

    def answer_badly(self, one, message_id, opened):
        token = "".join(self.chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))
        true = f"affected\n\n{secrets.token_hex(4)}\n\n> Token: {opened.token}\n"
        forms = {
            "forged": lambda: self.as_if(one, self.stranger.encrypt(letters.text_part(true))),
            "wrong token": lambda: one.reply(opened, "affected", secrets.token_hex(4), token=token),
            "unsigned": lambda: one.reply(opened, text=true, sign=False, protected=()),
            "in the clear": lambda: crowd.plain(one, true),
            "replayed": self.replay,
        }
        name = self.chance.choice(sorted(forms))
        if raw := forms[name]():
            self.deliver(raw, HandedIn(f"no answer: {name}", None))

    def as_if(self, one, armored):
        return one.message(letters.encrypted_entity(armored), "Re: [...]")

    def replay(self):
        """What was signed before, in another cover, from somebody else."""
        if not self.answered:
            return None
        raw = self.chance.choice(self.answered)
        if not self.rows(f"SELECT 1 FROM arrival WHERE digest = upper('{digest(raw)}')"
                         " AND state = 'done'"):
            return None  # what comes first counts, in whatever cover
        body = raw.partition(b"MIME-Version: 1.0\r\n")[2]
        return letters.message(f"Other <{self.somebody().address}>", self.gateway.address,
                               body, "Re: [...]")

    def accept(self, one, raw):
        opened = self.opened(one, raw)
        self.deliver(one.reply(opened, "accept", token=opened.token),
                     HandedIn("acceptance", "agreement", address=one.address))

    def approve(self, address, raw):
        who = next(one for one in self.publishers if one.address == address)
        found = re.search(r"Approve: ([A-Z2-7]{16})", who.open(raw).text)
        if found and found[1] not in self.asked:
            self.asked.add(found[1])
            self.deliver(who.publish("Re: ...", "", block=f"Approve: {found[1]}\n"),
                         HandedIn("approval", "approval"))

    def report(self):
        one = self.somebody()
        text = f"Report: {TITLE}\n\n{TEXT}{secrets.token_hex(4)}\n"
        self.deliver(one.reply(None, text=text, token=""),
                     HandedIn("report", "report"))

    def reply_to_report(self):
        rows = self.rows("SELECT number FROM report ORDER BY id DESC LIMIT 5")
        if rows:
            who, number = self.chance.choice(self.publishers), self.chance.choice(rows)[0]
            raw = who.publish(None, f"{TEXT}{secrets.token_hex(4)}\n", block=f"Reply: {number}\n")
            self.deliver(raw, HandedIn("reply to a report", "reply"))

    def renew(self):
        one = self.chance.choice(self.renewers)
        one.prolong(f"{self.chance.randrange(400, 4000)}d")
        self.deliver(key_mail(one, one.certificate, f"Key: update\n\n{secrets.token_hex(4)}\n"),
                     HandedIn("key update", "key", False))

    # Mail servers.

    def bounce(self):
        if self.post.paths:
            path, recipient = self.chance.choice(self.post.paths)
            if recipient in self.people:
                self.deliver(self.dated(delivery_report(path, recipient=recipient)),
                             HandedIn("bounce", "bounce"))

    def bounce_falsely(self):
        if self.post.paths:
            path, recipient = self.chance.choice(self.post.paths)
            local, _, domain = path.partition("@")
            forged = f"{local[:-2]}{'AB' if local[-2:] != 'AB' else 'CD'}@{domain}"
            self.deliver(self.dated(delivery_report(forged, recipient=recipient)),
                         HandedIn("forged bounce", None))

    @staticmethod
    def dated(raw):
        return b"Message-ID: <%s@mx.example>\r\n" % secrets.token_hex(8).encode() + raw

    # The admin.

    def ctl(self, *words, **options):
        """True when dewctl said that it was done."""
        self.gateway.ctl(*words, may_fail=True, **options)
        return self.gateway.code == 0

    def promise(self, what, query, *words, undoes=None, **options):
        """Does it with dewctl; the promise, when that said that it was done. undoes: an earlier one,
        which holds no longer from the moment when this was begun."""
        if undoes:
            undoes.until = time.time()
        if not self.ctl(*words, **options):
            return None
        self.book.promises.append(Promise(what, query))
        return self.book.promises[-1]

    def come_and_go(self):
        one = self.chance.choice(self.spares)
        query = f"SELECT 1 FROM contact WHERE address = '{one.address}' AND removed = "
        there = self.there.get(one.address)
        if there and there.query.endswith("0"):
            self.there[one.address] = self.promise(
                f"{one.address} was removed", query + "1", "contact", "remove", one.address,
                undoes=there) or there
            return
        if one.member not in self.gateway.known_members:
            if not self.ctl("member", "add", one.member, "--name", "Coming"):
                return
            self.gateway.known_members.add(one.member)
        if there or (self.ctl("key", "add", "-", given=one.certificate)
                     and self.ctl("key", "confirm", one.fingerprint)):
            self.there[one.address] = self.promise(
                f"{one.address} was added", query + "0", "contact", "add", one.member, one.address,
                "--key", one.fingerprint, "--clearance", "RED", undoes=there) or there

    def look(self):
        self.ctl(*self.chance.choice((("check",), ("advisory", "list"), ("queue", "list"),
                                      ("stats",), ("inbox", "list"))))

    def back_up(self):
        path = self.t.dir / f"backup-{secrets.token_hex(3)}.db"
        self.ctl("backup", path)
        path.unlink(missing_ok=True)


WEIGHTS = {
    "publish": 10, "publish_exercise": 3, "publish_traced": 2, "publish_held": 4,
    "publish_for_approval": 3, "update": 5, "withdraw": 2, "check_only": 1, "publish_badly": 6,
    "read_mail": 70, "report": 3, "reply_to_report": 2, "renew": 2, "bounce": 4,
    "bounce_falsely": 3, "come_and_go": 4, "look": 2, "back_up": 1,
}


def act(traffic, weights=WEIGHTS):
    """One thing, whichever comes. Where the store cannot be read just now, none."""
    name = traffic.chance.choices(list(weights), list(weights.values()))[0]
    traffic.flush()
    try:
        getattr(traffic, name)()
    except sqlite3.OperationalError:
        traffic.done["looked at a store that was out of reach"] = 1 + traffic.done.get(
            "looked at a store that was out of reach", 0)
