"""What was handed in and what must come of it; what came at the smarthost; and whether both agree.

The invariants that are judged here, all of them from outside (I1 to I9, I13, I14 and I24):
    lost      every mail in the drop is an arrival with an end; one that counts has its effect; whoever
              is in an audience has the message or stands there failed, with the reason; what dewctl
              called done is there
    false     no effect without a mail that was meant to have it, no mail that is no delivery
    copies    at most 1 + ambiguous of each delivery, all with the same bytes, for one key alone
    clear     no word of an advisory, an answer or a report in any mail or file
"""
import base64
import collections
import hashlib
import re
import time

import crowd
from gateway import Received

MARK = b"QuietHeronMarker"  # stands in all that must never be seen: texts, titles, comments


def in_base64(word):
    """The three forms that a word takes in base64, but for their first and last letters."""
    return [base64.b64encode(b"x" * shift + word)[4 if shift else 0:-4] for shift in range(3)]


MARKS = (MARK, *in_base64(MARK), MARK.hex().encode(), "QuietHeronMarker".encode("utf-16-le"))

# Where an arrival's effect stands: each is a table with the arrival in it.
EFFECTS = {
    "advisory": "SELECT arrival FROM revision WHERE arrival IS NOT NULL"
                " UNION SELECT arrival FROM hold",
    "answer": "SELECT arrival FROM acknowledgment",
    "agreement": "SELECT arrival FROM agreement_answer",
    "report": "SELECT arrival FROM report",
    "reply": "SELECT arrival FROM report_reply",
    "bounce": "SELECT arrival FROM bounce",
    "key": "SELECT id FROM arrival WHERE meaning = 'key' AND state = 'done'",
    "approval": "SELECT id FROM arrival WHERE meaning = 'approval' AND state = 'done'",
}


def digest(raw):
    return hashlib.sha256(raw.replace(b"\r\n", b"\n")).hexdigest()


class HandedIn:
    """One mail. effect: which of EFFECTS it must have, None: none at all. sure: False where it may
    rightly be refused, as long as it is said. audience: addresses that must be in the deliveries.
    more: for an answer `address`, `status` and `about`, the Message-ID that it answers."""

    def __init__(self, what, effect, sure=True, audience=(), **more):
        self.what, self.effect, self.sure, self.audience = what, effect, sure, set(audience)
        self.more, self.may_wait = more, False


class Book:
    """What people and the admin did."""

    def __init__(self):
        self.mails = {}       # digest: HandedIn
        self.may_fail = set()  # addresses that the smarthost refused for good at some time
        self.coming_and_going = set()
        self.times = {}       # digest: when it was in the drop for good
        self.promises = []    # what dewctl said was done, see Promise

    def write(self, raw, mail):
        self.mails.setdefault(digest(raw), mail)


class Promise:
    """What must stand in the store from the moment when dewctl said that it was done, until somebody
    began to undo it: a query that must find something."""

    def __init__(self, what, query):
        self.what, self.query, self.since, self.until = what, query, time.time(), float("inf")


class Copies:
    """Of one delivery."""
    __slots__ = ("count", "unsure", "bytes", "key")

    def __init__(self):
        self.count, self.unsure, self.bytes, self.key = 0, 0, set(), None


class Post:
    """What the smarthost took. Each file is read once and removed. remembers: all mails are kept."""

    def __init__(self, smarthost, remembers=False):
        self.remembers = remembers
        self.smarthost, self.taken, self.faults = smarthost, 0, []
        self.copies = collections.defaultdict(Copies)  # of (Message-ID, recipient)
        # (Message-ID, recipient, mail): of officials as many as are worth to be opened, of others all.
        self.unread, self.unread_others = collections.deque(maxlen=600), collections.deque()
        self.officials, self.history = set(), []  # (when it came, mail), of all
        self.paths = collections.deque(maxlen=600)     # (return path, recipient)

    def fetch(self):
        for path in sorted(self.smarthost.store.glob("*.eml")):
            came, mail = path.stat().st_mtime, Received(path)
            self.take(mail)
            if self.remembers:
                self.history.append((came, mail))
            path.unlink()

    def take(self, mail, sure=True):
        """sure: it is certain that it came before the moment that matters."""
        self.taken += 1
        if any(mark in mail.raw for mark in MARKS):
            self.faults.append(f"in the clear: a mail to {mail.recipient}")
        message_id = re.search(rb"^Message-ID: <(.+)>", mail.raw, re.M)[1].decode()
        copies = self.copies[message_id, mail.recipient]
        copies.count += 1
        copies.unsure += not sure
        copies.bytes.add(hashlib.sha256(mail.raw).digest())
        copies.key = crowd.recipient_key(mail.raw)
        if copies.count == 1:
            unread = self.unread if mail.recipient in self.officials else self.unread_others
            unread.append((message_id, mail.recipient, mail.raw))
            self.paths.append((mail.sender, mail.recipient))


class Verdict:
    """The faults that were found, by kind, and the figures to it."""
    KINDS = ("lost", "false", "copies", "clear", "store")

    def __init__(self):
        self.faults, self.unfinished = {kind: [] for kind in self.KINDS}, 0
        self.figures = collections.Counter()

    def add(self, kind, text):
        self.faults[kind].append(text)

    @property
    def well(self):
        return not any(self.faults.values())


class Judge:
    """One reading of the store, once all is quiet."""

    def __init__(self, gateway, book, post):
        self.gateway, self.book, self.post = gateway, book, post

    def judge(self, moment=None):
        """moment: since when nothing was done any more, unless it is now."""
        self.verdict = Verdict()
        self.post.fetch()
        came = set(self.post.copies)
        self.rows = {name: self.gateway.store_rows(statement) for name, statement in ALL.items()}
        self.post.fetch()  # what was sent while that was read
        self.arrivals = {row[0].lower(): row[1:] for row in self.rows["arrivals"]}
        self.effects = {name: {row[0] for row in self.rows[name]} for name in EFFECTS}
        self.judge_mails()
        self.judge_strangers()
        self.judge_answers()
        self.judge_audiences()
        self.judge_deliveries(came)
        self.judge_promises(moment or time.time())
        self.judge_store()
        for fault in self.post.faults:
            self.verdict.add("clear", fault)
        return self.verdict

    def judge_mails(self):
        for name, mail in self.book.mails.items():
            self.verdict.figures[f"{mail.what}"] += 1
            if name not in self.arrivals:
                self.verdict.add("lost", f"{mail.what}: not among the arrivals")
                continue
            self.judge_mail(mail, *self.arrivals[name])

    def judge_mail(self, mail, arrival, state, meaning, reason):
        said = f"{mail.what}, arrival {arrival}: {state} {meaning} {reason}"
        has = {name for name, arrivals in self.effects.items() if arrival in arrivals}
        if state in ("received", "judged"):
            self.verdict.unfinished += 1
            self.verdict.add("lost", f"no end: {said}")
        if has - {mail.effect}:
            self.verdict.add("false", f"{', '.join(has)} of {said}")
        if mail.effect is None or mail.effect in has:
            self.verdict.figures["mails with their effect"] += mail.effect is not None
            return
        if mail.sure or not reason:
            self.verdict.add("lost", f"no effect: {said}")
        self.verdict.figures["refused with a reason"] += not mail.sure

    def judge_strangers(self):
        for name in self.arrivals.keys() - self.book.mails.keys():
            self.verdict.add("false", f"an arrival that nobody sent: {self.arrivals[name]}")

    def judge_answers(self):
        meant = {self.arrivals[name][0]: mail.more for name, mail in self.book.mails.items()
                 if mail.effect == "answer" and name in self.arrivals}
        for arrival, address, status, message_id in self.rows["answers"]:
            more = meant.get(arrival)
            self.verdict.figures["answers counted"] += 1
            if more is None or (address, status, message_id) != (
                    more["address"], more["status"], more["about"]):
                self.verdict.add("false", f"arrival {arrival} counts as {status} of {address} to "
                                 f"{message_id}, and was {more}")

    def judge_audiences(self):
        delivered = collections.defaultdict(set)
        for row in self.rows["deliveries"]:
            delivered[row[0]].add(row[1])
        messages = dict(self.rows["revisions"])
        held = {row[0] for row in self.rows["held"]}
        for name, mail in self.book.mails.items():
            arrival = self.arrivals.get(name, (None,))[0]
            if arrival in held and not mail.may_wait:
                self.verdict.add("lost", f"{mail.what}, arrival {arrival}, is held still")
            for address in mail.audience - delivered[messages.get(arrival)]:
                if arrival in messages:
                    self.verdict.add("lost", f"{address} was left out of arrival {arrival}")

    def judge_deliveries(self, came):
        known = set()
        for message_id, address, state, reason, ambiguous, key, kind in self.rows["deliveries"]:
            known.add((message_id, address))
            copies = self.post.copies.get((message_id, address), Copies())
            said = f"{kind} {message_id} to {address}, {state} {reason}"
            self.verdict.figures[f"deliveries {state}"] += 1
            self.verdict.figures["copies"] += copies.count
            self.verdict.figures["ambiguous"] += ambiguous
            if copies.count - copies.unsure > 1 + ambiguous:
                self.verdict.add("copies", f"{copies.count} copies, {ambiguous} ambiguous: {said}")
            if len(copies.bytes) > 1:
                self.verdict.add("copies", f"copies differ: {said}")
            if copies.key and copies.key != key:
                self.verdict.add("false", f"sealed for {copies.key}, not {key}: {said}")
            self.judge_end(state, address, copies, said)
        for message_id, address in came - known:
            self.verdict.add("false", f"a mail that is no delivery: {message_id} to {address}")

    def judge_end(self, state, address, copies, said):
        if state in ("queued", "sending", "deferred"):
            self.verdict.unfinished += 1
            self.verdict.add("lost", f"no end: {said}")
        elif state == "failed":
            if address not in self.book.may_fail | self.book.coming_and_going:
                self.verdict.add("lost", f"failed, and nothing was done to it: {said}")
        elif copies.count == 0:
            self.verdict.add("lost", f"never came: {said}")

    def judge_promises(self, moment):
        """What dewctl had said by then."""
        for promise in self.book.promises:
            if promise.since <= moment < promise.until and not self.gateway.store_rows(promise.query):
                self.verdict.add("lost", f"dewctl said that it was done: {promise.what}")

    def judge_store(self):
        for statement in ("PRAGMA integrity_check", "PRAGMA foreign_key_check"):
            found = self.gateway.store_rows(statement)
            if found not in ([], [("ok",)]):
                self.verdict.add("store", f"{statement}: {found[:3]}")
        self.gateway.ctl("audit", "verify", may_fail=True)
        if self.gateway.code:
            self.verdict.add("store", f"audit verify: {self.gateway.said}")
        for kind, path in found_in_files(self.gateway):
            self.verdict.add("clear", f"{kind} in {path}")


ALL = {
    **EFFECTS,
    "arrivals": "SELECT digest, id, state, meaning, reason FROM arrival",
    "answers": "SELECT a.arrival, c.address, a.status, m.message_id FROM acknowledgment a"
               " JOIN contact c ON c.id = a.contact JOIN revision r ON r.id = a.revision"
               " JOIN message m ON m.id = r.message",
    "revisions": "SELECT r.arrival, m.message_id FROM revision r JOIN message m ON m.id = r.message"
                 " WHERE r.arrival IS NOT NULL",
    "held": "SELECT arrival FROM hold WHERE state IN ('held', 'waiting')",
    "deliveries": "SELECT m.message_id, d.address, d.state, d.reason, d.ambiguous, d.key_id, m.kind"
                  " FROM delivery d JOIN message m ON m.id = d.message",
}
PIECE = 1 << 22


def found_in_files(gateway):
    """(what, path) of all files of the gateway in which a marker stands."""
    longest = max(map(len, MARKS))
    for top in (gateway.dir / "state", gateway.drop_dir, gateway.log_path):
        for path in (top, *top.rglob("*")):
            if not path.is_file():
                continue
            with open(path, "rb") as file:
                before = b""
                while piece := file.read(PIECE):
                    if any(mark in before + piece for mark in MARKS):
                        yield "marker", path
                        break
                    before = piece[-longest:]
