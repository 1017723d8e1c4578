"""Readers and messages in an attacker's hands: only the attacker's own mail comes to harm."""
import contextlib
import re
import sqlite3
import time

import letters
import openpgp
from harness import eventually, limit, now
from scene import Scene
from test_agree import asks, stranger_of
from test_keylife import key_mail
from test_release import Timed
from test_remind import admit_admin, alarm
from turning import HOUR, MINUTE

PROGRAM = "dewlined-hostile"
GATHERED = 6  # seconds after which a mail about such mails does not wait for more of them
GATE_KB = 200_000  # the test's mails are small; a hostile answer of 500 MB is not taken in

# What the reader of a mail may answer (tests/peer/hostile_reader.c), and what the mail comes to.
FATAL = ("received", "fatal")  # and it is tried again later
OUTLINES = {
    "never": FATAL, "garbage": FATAL, "empty": FATAL, "zeroes": FATAL, "lengths": FATAL,
    "short": FATAL, "behind": FATAL, "shape": FATAL, "big": FATAL, "descriptor": FATAL,
    "ends": FATAL, "crashes": FATAL, "closes": FATAL, "in-parts": FATAL, "ready-again": FATAL,
    "other-request": FATAL, "twice": ("done", "unknown"), "bounce": ("done", "report"),
    "nonsense": ("unreadable", "unknown"),
}
# By a contact, in what he signed: his mail, and nobody else's.
CONTENTS = {
    "content-garbage": FATAL, "content-empty": FATAL, "content-lengths": FATAL,
    "content-big": FATAL, "content-crashes": FATAL, "content-in-parts": FATAL,
    "content-parts": FATAL, "content-many": FATAL,
    "content-twice": ("refused", "acknowledgment"),
    "content-advisory": ("refused", "acknowledgment"),
    "content-answer": ("refused", "acknowledgment"),
    "content-wrapped": ("refused", "acknowledgment"),
}
# By nobody, in what he encrypted and did not sign.
UNSIGNED = {"content-wrapped": ("unreadable", "unknown")}


def stranger_mail(mode, body="nothing\n"):
    return letters.message("somebody@nowhere.example", "gateway@gw.example",
                           letters.text_part(body), more=[("X-Reader", mode)])


def signed_mail(person, mode, signed=True):
    return person.message(letters.encrypted_entity(
        person.encrypt(letters.text_part(f"X-Reader: {mode}\n"), signed)))


def another_mail(raw):
    """A mail whose reader answers as if it were `raw`."""
    return (letters.message("somebody@nowhere.example", "gateway@gw.example",
                            letters.text_part("x\n"), more=[("X-Reader", "another-mail")])
            .replace(b"\r\n", b"\n") + b"\n=====\n" + raw.replace(b"\r\n", b"\n"))


def truth(gateway):
    """What must not change by a stranger's mail: every table but those about mail that came in."""
    rows = {}
    names = [row[0] for row in gateway.store_rows("SELECT name FROM sqlite_schema"
                                                  " WHERE type = 'table'")]
    for name in names:
        if name not in ("arrival", "arrival_raw", "audit", "clock_witness", "value",
                        "sqlite_sequence"):
            rows[name] = sorted(map(repr, gateway.store_rows(f"SELECT * FROM {name}")))
    return rows


def gate_pid(gateway):
    return [pid for pid, name in gateway.processes().items() if name == "gate"]


@limit(400)
def test_hostile_readers_change_nothing_but_their_own_mail(t):
    scene = Scene(t, 3, program=PROGRAM)
    gateway = scene.gateway
    first, second, contact = scene.officials
    publication = scene.publisher.publish("a title", "A text.\n")
    scene.drop(publication)
    opened = {person: scene.opened(person) for person in scene.officials}
    answer = first.reply(opened[first], "received")
    assert scene.drop(answer)["state"] == "done"
    scene.receipts(2)
    eventually(lambda: gateway.advisories()[0]["state"] == "complete", "it is complete")
    gate, before, sent = gate_pid(gateway), truth(gateway), len(scene.smarthost.received())

    expected = []
    for mode, end in OUTLINES.items():
        gateway.drop(stranger_mail(mode))
        expected.append(end)
    for mode, end in CONTENTS.items():
        gateway.drop(signed_mail(contact, mode))
        gateway.drop(signed_mail(contact, mode, False))
        expected += [end, FATAL if end == FATAL else UNSIGNED.get(mode, ("done", "unknown"))]
    for captured in (publication, answer):
        gateway.drop(another_mail(captured))
        expected.append(("done", "duplicate"))
    scene.mails += len(expected)
    rows = gateway.settled(scene.mails, 150)
    found = [(row["state"], row["meaning"]) for row in rows[:len(expected)]]
    assert sorted(found) == sorted(expected), sorted(found)
    assert truth(gateway) == before
    assert len(scene.smarthost.received()) == sent, "a mail went out"
    assert gate_pid(gateway) == gate, "the gate has not lived through it"
    assert gateway.memory("gate") < GATE_KB, gateway.memory("gate")

    # And all goes on.
    assert scene.drop(second.reply(opened[second], "affected"))["meaning"] == "acknowledgment"
    number = gateway.advisories()[0]["number"]
    scene.release(advisory=f"update {number}", text="Now in 2.2.\n")
    assert scene.opened(contact, 2).text.count("Now in 2.2.") == 1
    assert gateway.rows("audit", "verify")["sound"]
    t.note(f"gate at most {gateway.memory('gate')} kB after {len(expected)} hostile mails")


@limit(200)
def test_good_mail_between_hostile_ones_is_handled(t):
    """Ones that take their reader down at once, so that there is hardly a living reader about."""
    scene = Scene(t, 3, program=PROGRAM)
    scene.release()
    opened = {person: scene.opened(person) for person in scene.officials}
    for number, person in enumerate(scene.officials):
        for mode in ("crashes", "ends", "garbage", "closes", "in-parts") * 6:
            scene.gateway.drop(stranger_mail(mode, f"{number} {scene.mails}\n"))
            scene.mails += 1
        scene.gateway.drop(person.reply(opened[person], "received"))
        scene.mails += 1
    rows = scene.gateway.settled(scene.mails, 60)
    assert sum(row["meaning"] == "fatal" for row in rows) == 90, rows
    assert len(scene.acknowledged()) == 3
    lost = re.findall(r"reader \d+ lost", scene.gateway.text_of_log())
    assert len(lost) == 180, len(lost)


def test_other_reading_than_the_approved_one_is_not_released(t):
    """An author who has the reader in his hands shows one text and would send another."""
    scene = Timed(t, publishers=2, program=PROGRAM)
    later = int(now()) + HOUR
    row = scene.drop(scene.publisher.publish(
        "a title", f"What is approved.\nX-Reader: content-later\nX-After: {later}\n",
        approval="yes"))
    assert row["state"] == "done", row
    request = scene.mail_of(scene.others[0], 1)[0]
    assert "What is approved." in request.text, request.text
    scene.calendar.to(later + MINUTE)
    token = re.search(r"Approve: ([A-Z2-7]{16})", request.text)[1]
    assert scene.decide(scene.others[0], "Approve", token)["meaning"] == "approval"
    told = eventually(lambda: [mail for mail in scene.mail_of(scene.publisher, 1)
                               if mail.subject.startswith("Not sent")], "the author is told", 60)
    assert "does not read as it did" in " ".join(told[0].text.split()), told[0].text
    scene.nobody_has_it()
    assert scene.state()["state"] == "withdrawn", scene.state()


def tell_later(gateway, seconds):
    """Lets time pass since the admins were told."""
    path = gateway.dir / "state" / "store.db"
    with contextlib.closing(sqlite3.connect(path)) as store, store:
        last, at = store.execute(
            "SELECT CAST(value AS TEXT) FROM value WHERE name = 'fatal-told'").fetchone()[0].split()
        store.execute("UPDATE value SET value = CAST(? AS BLOB) WHERE name = 'fatal-told'",
                      (f"{last} {int(at) - seconds}",))


@limit(240)
def test_admins_are_told_of_mails_that_end_their_reader_once_in_a_while(t):
    """I19."""
    scene = Scene(t, 1, program=PROGRAM, admin={"warn_every": "1h"})
    gateway = scene.gateway
    admin = admit_admin(t, gateway)
    for number in range(25):
        gateway.drop(stranger_mail("crashes", f"{number}\n"))
    gateway.drop(stranger_mail("nothing"))
    scene.mails += 26
    gateway.settled(26)
    told = alarm(scene, admin)
    assert told.text.startswith("25 mails ended"), told.text
    assert told.text.count("failed 2 times: the reader was killed by signal 11") == 20
    assert {mail.recipient for mail in scene.smarthost.received()} == {admin.address}
    gateway.drop(stranger_mail("ends"))
    scene.mails += 1
    gateway.settled(27)
    time.sleep(GATHERED)
    gateway.stop()
    gateway.start()  # looks at once
    scene.drop(stranger_mail("ends", "another\n"))
    time.sleep(3)
    gateway.stop()
    assert len(scene.smarthost.received()) == 1, "more than one in the time"
    tell_later(gateway, 3600)
    gateway.start()
    mails = scene.smarthost.wait(2, admin.address, 60)
    assert len(mails) == 2
    assert admin.open(mails[1].raw).text.startswith("2 mails ended")
    row = [row for row in gateway.rows("check", may_fail=True)["findings"]
           if row["what"] == "processes"][0]
    assert row["result"] == "warning" and "54 readers" in row["detail"], row


def stopping(person):
    """His certificate as no program makes it: gpg ends before it has read 160 kB."""
    return openpgp.armor(openpgp.stopping(openpgp.dearmor(person.certificate), 160_000),
                         "PUBLIC KEY BLOCK")


def test_certificates_that_gpg_does_not_read_to_their_end_hold_up_nobody(t):
    """A vault that was given one used to go round at full load until its deadline, twice."""
    scene = Scene(t, 1)
    gateway, contact = scene.gateway, scene.official
    stranger = stranger_of(scene)
    joins = [asks(stranger, certificate=stopping(stranger), block=
                  f"Join: State of Ohio {number}\nAddress: cert@us-oh.example\nName: Erika\n")
             for number in range(4)]
    # One of them goes by the name of somebody known.
    joins[3] = joins[3].replace(stranger.address.encode(), contact.address.encode(), 1)
    update = key_mail(contact, stopping(contact))
    for raw in (*joins, update, scene.publish("a title", "A text.\n")):
        gateway.drop(raw)
    scene.opened(count=2)  # the advisory, and why the certificate is not taken
    found = {row["meaning"]: row for row in gateway.settled(6)}
    assert {"advisory", "key", "join"} == set(found), found
    assert found["advisory"]["state"] == "done", found
    assert found["key"]["state"] == found["join"]["state"] == "refused", found
    assert not re.search(r"vault \d+ lost", gateway.text_of_log())
    t.note(f"told: {found['join']['reason']}")
