"""Thousands of bad mails with a few good ones among them, through a whole gateway with real gpg.

In `check` a slice; the whole, DEWLINE_FLOOD=10000, by `make flood`.
"""
import itertools
import os
import pathlib
import random
import re
import secrets
import signal
import time

import letters
from harness import eventually, limit, now, patience
from scene import Scene

SIZE = int(os.environ.get("DEWLINE_FLOOD", "500"))
GOOD = max(SIZE // 100, 10)
PUBLISHED = max(GOOD // 10, 2)  # of the good ones; the others are acknowledgments
OFFICIALS = max(GOOD // 5, 4)
KILLED = 5                      # vaults and readers ended from outside on the way
LOOKS = [part for part in (100, 500, 1000, 5000, 10000) if part <= SIZE]
GROWTH_KB = 16_000              # of the gate, from the first look to the last
VAULT_KB, READER_KB, GATE_KB = 400_000, 400_000, 400_000
SECONDS = 600 + SIZE // 4       # what this machine may need for all of it


def bad_mails(t, scene, captured):
    """Endless bad mails, each with another header: every kind in turn, bombs seldom."""
    stranger = t.publisher("stranger@nowhere.example")
    stranger.meet(scene.gateway)
    contact = scene.officials[0]
    text = letters.text_part("Cheap watches!\n" * 20)
    garbage = (b"-----BEGIN PGP MESSAGE-----\n\n" + b"QUJD" * 400 +
               b"\n=AAAA\n-----END PGP MESSAGE-----\n")
    signed = stranger.encrypt(stranger.entity(f"{stranger.block()}\nforged\n", "forged"))
    unsigned = stranger.encrypt(stranger.entity(f"{stranger.block()}\nforged\n"), False)
    cut = signed[:len(signed) // 2]
    bomb = stranger.encrypt(letters.text_part("\n" * 100_000_000), False)
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n)
                    for n in range(2000)) + text
    many = (b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' +
            b"--b\r\n\r\nx\r\n" * 20_000 + b"--b--\r\n")
    clear = stranger.sign(letters.crlf("received\n"), "--clearsign").decode()
    report = letters.multipart("report", [
        letters.text_part("It came back.\n"),
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x.example\r\n\r\n"
        b"Final-Recipient: rfc822; cert@us-de.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"],
        parameters="; report-type=delivery-status")
    entities = {
        "text": text,
        "html": letters.text_part("<table>" * 300 + "<b>Win</b>", subtype="html"),
        "garbage": letters.encrypted_entity(garbage),
        "cut": letters.encrypted_entity(cut),
        "unsigned": letters.encrypted_entity(unsigned),
        "signed": letters.encrypted_entity(signed),
        "cleartext": letters.text_part(clear),
        "deep": deep,
        "many": many,
        "parentheses": b"X-A: " + b"(" * 20_000 + b"\r\n" + text,
        "fields": b"X-A: b\r\n" * 5_000 + text,
        "boundary": b'Content-Type: multipart/mixed; boundary="\\""\r\n\r\n--"\r\n\r\nx\r\n',
        "report": report,
        "attached": letters.attachment("a.pgp", garbage),
    }
    for number in itertools.count():
        kind, entity = list(entities.items())[number % len(entities)]
        sender = "a@b.example"
        if number % 5 == 0:  # who says that he is somebody known
            sender = f"{contact.name} <{contact.address}>"
        if number % 200 == 7:
            entity = letters.encrypted_entity(bomb)
        if number % 50 == 11:  # what a publisher once signed, in a cover of its own
            yield letters.message(sender, scene.gateway.address, captured,
                                  secrets.token_hex(8))
            continue
        yield letters.message(sender, scene.gateway.address, entity, f"{kind} {number}")


def entity_of(raw):
    """The MIME part of a mail: its Content- fields and all that follows them."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    fields = re.split(rb"\n(?![ \t])", head)
    kept = [field for field in fields if field.lower().startswith(b"content-")]
    return letters.crlf(b"\n".join(kept) + b"\n\n" + body)


def good_mails(scene):
    opened = [(official, mail) for official in scene.officials
              for mail in (official.open(received.raw) for received in
                           scene.smarthost.received(official.address))]
    mails = [official.reply(mail, "received") for official, mail in opened]
    mails = mails[:GOOD - PUBLISHED]
    answers = len(mails)
    mails += [scene.publisher.publish(f"title {number}", f"Text {number}.\n", audience="us-de")
              for number in range(GOOD - answers)]
    random.Random(1).shuffle(mails)
    return mails, answers


def put(gateway, mails):
    """Into the drop, all at once."""
    for number, raw in enumerate(mails):
        name = f"{now():.6f}.{number}.x"
        draft = gateway.drop_dir / "tmp" / name
        draft.write_bytes(raw.replace(b"\r\n", b"\n"))
        draft.rename(gateway.drop_dir / "new" / name)


def memory(gateway):
    """{role: (RSS, VmHWM) in kB}, the largest of each."""
    found = {}
    for pid, role in gateway.processes().items():
        try:
            status = pathlib.Path("/proc", str(pid), "status").read_text()
        except OSError:
            continue
        figures = [int(figure) for name in ("VmRSS", "VmHWM")
                   for figure in re.findall(rf"{name}:\s*(\d+) kB", status)]
        if len(figures) == 2:
            before = found.get(role, (0, 0))
            found[role] = tuple(max(pair) for pair in zip(before, figures))
    return found


class Watch:
    """Looks on while the flood is worked off."""

    def __init__(self, t, scene, before):
        self.t, self.gateway, self.before = t, scene.gateway, before
        self.begun, self.most, self.looks, self.killed = time.monotonic(), {}, [], []
        self.good_after = None

    def look(self, title):
        figures = memory(self.gateway)
        self.looks.append(figures)
        self.t.note(f"{title} after {time.monotonic() - self.begun:.0f} s: " + ", ".join(
            f"{role} RSS {rss} HWM {most} kB" for role, (rss, most) in sorted(figures.items())
            if role in ("dewlined", "gate", "reader", "vault", "courier", "gpg-agent")))

    def kill_one(self):
        role = ("vault", "reader")[len(self.killed) % 2]
        for pid, name in self.gateway.processes().items():
            if name == role:
                os.kill(pid, signal.SIGKILL)
                self.killed.append(role)
                return

    def count(self):
        return self.gateway.store_rows("SELECT count(*) FROM arrival"
                                       " WHERE state NOT IN ('received', 'judged')"
                                       f" AND id > {self.before}")[0][0]

    def good(self):
        return self.gateway.store_rows("SELECT count(*) FROM arrival WHERE state = 'done' AND"
                                       " meaning IN ('advisory', 'acknowledgment')"
                                       f" AND id > {self.before}")[0][0]

    def run(self, expected, good):
        allowed = SECONDS * patience()
        looks, kills = list(LOOKS), [expected * (n + 1) // (KILLED + 2) for n in range(KILLED)]
        while (done := self.count()) < expected:
            assert time.monotonic() - self.begun < allowed, f"{done} of {expected}"
            if self.good_after is None and self.good() >= good:
                self.good_after = done
            for role, figures in memory(self.gateway).items():
                self.most[role] = max(self.most.get(role, 0), figures[1])
            if looks and done >= looks[0]:
                self.look(f"{looks.pop(0)} mails")
            if kills and done >= kills[0]:
                kills.pop(0)
                self.kill_one()
            time.sleep(0.25)
        self.look("all mails")


def losses(gateway, role):
    return len(re.findall(rf"gate: warning: {role} \d+ lost", gateway.text_of_log()))


@limit(SECONDS + 300)
def test_flood_of_bad_mail_stops_no_good_mail_and_causes_none(t):
    scene = Scene(t, min(OFFICIALS, 6))
    gateway = scene.gateway
    for number in range(len(scene.officials), OFFICIALS):
        scene.officials.append(gateway.admit(t.official(f"cert@m{number}.example")))
    earlier = -(-(GOOD - PUBLISHED) // OFFICIALS)
    for number in range(earlier):
        publication = scene.publisher.publish(f"earlier {number}", "Text.\n")
        assert scene.drop(publication)["state"] == "done"
    scene.smarthost.wait(earlier * (OFFICIALS + 2), seconds=120)
    good, answers = good_mails(scene)
    bad = bad_mails(t, scene, entity_of(publication))
    mails = list(itertools.islice(bad, SIZE))
    for mail in good:
        mails.insert(random.Random(len(mails)).randrange(SIZE // 4, len(mails)), mail)
    before = len(scene.smarthost.received())

    watch = Watch(t, scene, scene.mails)
    watch.look("start")
    put(gateway, mails)
    watch.run(len(mails), len(good))

    # All the good ones, and nothing of the bad ones.
    meanings = dict(gateway.store_rows("SELECT meaning || ' ' || state, count(*) FROM arrival"
                                       f" WHERE id > {scene.mails} GROUP BY 1"))
    assert watch.good() == len(good), meanings
    assert meanings["acknowledgment done"] == answers
    assert meanings["advisory done"] == len(good) - answers
    new = len(good) - answers
    us_de = scene.officials[0]
    # Each advisory to one official, and two receipts of it to the publisher.
    sent = eventually(lambda: len(scene.smarthost.received()) >= before + 3 * new and
                      scene.smarthost.received(), "all that is to be sent", 120)[before:]
    time.sleep(2)
    assert len(scene.smarthost.received()) == before + 3 * new
    assert {mail.recipient for mail in sent} == {us_de.address, scene.publisher.address}

    # Nobody died who was not killed, and all who were are accounted for: but for a reader whose
    # work was done, and whose end had come anyway.
    lost = {role: losses(gateway, role) for role in ("reader", "vault", "courier")}
    killed = {role: watch.killed.count(role) for role in lost}
    assert lost["vault"] == killed["vault"] and lost["courier"] == 0, (lost, killed)
    assert lost["reader"] <= killed["reader"], (lost, killed)
    gateway.stop()
    gateway.start()
    row = next(row for row in gateway.rows("check", may_fail=True)["findings"]
               if row["what"] == "processes")
    assert f"{lost['reader']} readers, {lost['vault']} vaults" in row["detail"], row
    assert gateway.rows("audit", "verify")["sound"]

    # Memory stays flat.
    grown = watch.looks[-1]["gate"][0] - watch.looks[1]["gate"][0]
    t.note(f"{len(mails)} mails in {time.monotonic() - watch.begun:.0f} s, the last good one "
           f"before {watch.good_after}; lost {lost} of {killed} killed here; most {watch.most}; "
           f"gate grew by {grown} kB; {meanings}")
    assert grown < GROWTH_KB, grown
    assert watch.most["gate"] < GATE_KB and watch.most["vault"] < VAULT_KB, watch.most
    assert watch.most["reader"] < READER_KB, watch.most
