"""Mail that comes back: only our own return path counts, and even then it only flags."""
import os
import pathlib

from harness import TESTS, cases, eventually, limit
from scene import TEXT, TITLE, Scene
from test_remind import admit_admin, alarm, people

WHERE = ("To", "Delivered-To", "X-Original-To", "Envelope-To")


def report(to, action="failed", status="5.1.1", field="To", diagnostic="550 5.1.1 no such user",
           recipient="cert@us-de.example"):
    """A bounce as an MTA writes it."""
    facts = (f"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\n"
             f"Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {diagnostic}\r\n")
    fields = {"To": "somebody@gw.example", field: to}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head += "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
    return (head + "Content-Type: multipart/report; report-type=delivery-status; boundary=bb\r\n\r\n"
            "--bb\r\nContent-Type: text/plain\r\n\r\nIt did not work.\r\n"
            f"--bb\r\nContent-Type: message/delivery-status\r\n\r\n{facts}\r\n--bb--\r\n").encode()


def sent(t, **settings):
    scene = people(t, **settings)
    scene.number = scene.release()["number"]
    scene.paths = {official.address: scene.smarthost.only(official.address).sender
                   for official in scene.officials}
    eventually(lambda: all(r["state"] == "sent" for r in scene.gateway.deliveries(scene.number)),
               "all is sent")
    return scene


def state_of(scene, official):
    return next(row for row in scene.gateway.deliveries(scene.number)
                if row["address"] == official.address)


def bounces(scene):
    return scene.gateway.rows("bounce", "list")


@cases(*WHERE)
def test_report_to_our_return_path_flags_that_delivery(t, field):
    scene = sent(t)
    before = bounces(scene)
    path = scene.paths[scene.first.address]
    row = scene.drop(report(path.upper() if field == "To" else path, field=field))
    assert (row["state"], row["meaning"]) == ("done", "bounce"), row
    flagged = state_of(scene, scene.first)
    assert flagged["state"] == "bounced" and "5.1.1" in flagged["reason"], flagged
    assert "no such user" in flagged["reason"], flagged
    assert state_of(scene, scene.backup)["state"] == "sent"
    assert not before and [b["verdict"] for b in bounces(scene)] == ["bounced"]
    for person in (scene.publisher, scene.admin):
        text = alarm(scene, person).text
        assert "first@us-de.example (us-de)" in text and "5.1.1" in text, text
        assert "backup@" not in text, text
    members = scene.gateway.rows("member", "list")
    assert {member["state"] for member in members} == {"active"}, members


@limit(180)
def test_report_of_no_failure_changes_no_state_and_stands_in_the_list(t):
    scene = sent(t)
    path = scene.paths[scene.first.address]
    for action, status in (("delayed", "4.4.1"), ("relayed", "2.0.0"), ("delivered", "2.0.0"),
                           ("expanded", "2.0.0")):
        row = scene.drop(report(path, action, status))
        assert row["meaning"] == "bounce", row
    assert state_of(scene, scene.first)["state"] == "sent"
    assert [(b["verdict"], b["action"]) for b in bounces(scene)] == [
        ("noted", "delayed"), ("noted", "relayed"), ("noted", "delivered"), ("noted", "expanded")]
    assert scene.gateway.store_rows("SELECT count(*) FROM bounce WHERE told = 0") == [(0,)]
    scene.drop(report(path, "failed", "4.4.7"))
    scene.gateway.kill("gate")  # what is recorded and not told yet is told by the next one
    assert state_of(scene, scene.first)["state"] == "bounced"
    assert "given up" in alarm(scene, scene.admin).text
    assert scene.acknowledged() == []


def test_forged_reports_do_nothing(t):
    scene = sent(t)
    path = scene.paths[scene.first.address]
    local, _, domain = path.partition("@")
    head, _, mac = local.partition(".")
    other = scene.paths[scene.backup.address].partition("@")[0].partition(".")[2]
    wrong = ("A" if mac[0] != "A" else "B") + mac[1:]
    for forged in (f"{head}.{wrong}@{domain}", f"{head}.{other}@{domain}", f"{head}.@{domain}",
                   f"{head}@{domain}", f"bounce@{domain}", f"{head}.{mac}@elsewhere.example",
                   f"x{head}.{mac}@{domain}", f"{head.replace('+', '+0')}.{mac}@{domain}"):
        row = scene.drop(report(forged))
        assert row["meaning"] == "report", (forged, row)
    assert state_of(scene, scene.first)["state"] == "sent"
    assert not bounces(scene) and not scene.smarthost.received(scene.admin.address)


# What real mail systems send, each in its own form. Text in braces is filled in by the test.

QMAIL = """From: MAILER-DAEMON@mx.example
Subject: failure notice

Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{address}>:
192.0.2.5 does not like recipient.
Remote host said: 550 5.1.1 no such user
Giving up on 192.0.2.5.

--- Below this line is a copy of the message.

Return-Path: <{path}>
{copy}"""

GOOGLE_GROUPS = """From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
X-Failed-Recipients: {address}
Content-Type: text/plain; charset=UTF-8

Hello,

We're writing to let you know that the group you tried to contact may not
exist, or you may not have permission to post messages to it.
"""

OPENSMTPD = """From: MAILER-DAEMON@mx.example
Subject: Delivery status notification: error
MIME-Version: 1.0
Content-Type: multipart/mixed;boundary="BB"

--BB
Content-Type: text/plain; charset=us-ascii

    Hi!

    This is the MAILER-DAEMON, please DO NOT REPLY to this email.

--BB
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {address}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--BB
Content-Type: message/rfc822

{copy}
--BB--
"""

NO_STATUS = """From: <postmaster@mx.example>
Subject: Delivery Status
Content-Type: multipart/report; report-type=delivery-status; boundary=bb

--bb
Content-Type: text/plain

Your message was not delivered.
--bb
Content-Type: message/delivery-status

Final-Recipient: rfc822; {address}
Action: failed
Diagnostic-Code: smtp;550 5.1.1 no such user
--bb--
"""

LONG = "=" * 30 + "_Part_" + "0123456789" * 5
LONG_BOUNDARY = NO_STATUS.replace("boundary=bb", f'boundary="{LONG}"').replace("--bb", f"--{LONG}")

# By a mail system that opens mail for its people, and sends back what it has opened.
OPENED_ON_THE_WAY = """From: Mail Gateway <gateway@fr.example>
Subject: Undeliverable: [...]

The recipient is not known here.

Subject: [DEW-2026-0001 r1] {title}
TLP:AMBER
{text}
"""

# A text that nobody knows, around our own armored mail: looks like a person's encrypted mail.
UNKNOWN_TEXT = """From: <noreply@relay.example>
Subject: Zustellung fehlgeschlagen

Die Nachricht konnte nicht zugestellt werden.
\x1b[31mAlarm: all is well\x1b[0m

{copy}"""

VACATION = """From: {address}
Auto-Submitted: auto-replied (vacation)
Subject: Away until Monday

I am away until Monday. For urgent matters call my deputy.
"""

RECEIPT = """From: {address}
Subject: Read: [...]
Content-Type: multipart/report; report-type=disposition-notification; boundary=bb

--bb
Content-Type: text/plain

Your message was displayed.
--bb
Content-Type: message/disposition-notification

Final-Recipient: rfc822;{address}
Disposition: manual-action/MDN-sent-manually; displayed
--bb--
"""

WRITTEN = """From: {address}
Subject: Re: [...]

Thank you, we look into it.

On Monday gateway wrote:
Token: {token}
"""

DOMINO = """From: Postmaster@corp.example
Subject: DELIVERY FAILURE: User not listed
Content-Type: multipart/mixed; boundary=bb

--bb
Content-Type: text/plain

Your message could not be delivered.
--bb
Content-Type: message/delivery-status

Final-Recipient: rfc822;{address}
Action: failed
Diagnostic-Code: X-Notes; User not listed in public Name & Address Book
--bb--
"""

KINDS = {  # verdict, and what the letter to publisher and admins says below the address
    "qmail": (QMAIL, "bounced", "refused for good, status 5.1.1: 192.0.2.5 does not like recipient."),
    "google": (GOOGLE_GROUPS, "unreadable",
               "came back, and the reason cannot be read. It begins:\n      | Hello,\n"
               "      | We're writing to let you know that the group you tried to contact may not"),
    "opensmtpd": (OPENSMTPD, "bounced", "refused for good, status 5.1.1: 550 5.1.1 no such user"),
    "mcafee": (NO_STATUS, "bounced", "refused for good, status 5.1.1: 550 5.1.1 no such user"),
    "long": (LONG_BOUNDARY, "bounced", "refused for good, status 5.1.1: 550 5.1.1 no such user"),
    "opened": (OPENED_ON_THE_WAY, "unreadable", "came back, and the reason cannot be read.\n"),
    "text": (UNKNOWN_TEXT, "unreadable",
             "came back, and the reason cannot be read. It begins:\n"
             "      | Die Nachricht konnte nicht zugestellt werden.\n"
             "      | [31mAlarm: all is well [0m"),
    "domino": (DOMINO, "bounced",
               "refused for good: User not listed in public Name & Address Book"),
    "vacation": (VACATION, "auto-reply",
                 "a program answered by itself. It begins:\n"
                 "      | I am away until Monday. For urgent matters call my deputy."),
    "read": (RECEIPT, "auto-reply",
             "a program answered by itself. It begins:\n      | Your message was displayed."),
    "written": (WRITTEN, "written", "somebody wrote back, and signed nothing.\n"),
}


def come_back(scene, official, text):
    """The mail as an MTA delivers it: what came back of what the official was sent."""
    path = scene.paths[official.address]
    copy = scene.smarthost.only(official.address).raw.decode().replace("\r\n", "\n")
    filled = text.format(address=official.address, path=path, copy=copy, title=TITLE, text=TEXT,
                         token=scene.gateway.store_rows("SELECT token FROM revision")[0][0])
    return scene.drop(f"Return-Path: <>\nDelivered-To: {path}\nTo: {path}\n{filled}".encode())


@limit(300)
def test_whatever_comes_to_a_return_path_is_flagged_listed_and_told(t):
    """I19."""
    scene = Scene(t, 0)
    scene.admin = admit_admin(t, scene.gateway)
    scene.officials = [scene.gateway.admit(t.official(f"{kind}@fr.example")) for kind in KINDS]
    sent_to_all(scene)
    for official, (text, *_) in zip(scene.officials, KINDS.values()):
        row = come_back(scene, official, text)
        assert row["meaning"] == "bounce", (text, row)
    failures = {"bounced", "unreadable"}
    rows = {row["address"]: row for row in bounces(scene)}
    for official, (text, verdict, said) in zip(scene.officials, KINDS.values()):
        assert rows[official.address]["verdict"] == verdict, (text, rows[official.address])
        flagged = state_of(scene, official)
        assert flagged["state"] == ("bounced" if verdict in failures else "sent"), (text, flagged)
        if verdict == "unreadable":
            assert flagged["reason"] == "came back, reason unreadable", flagged
    for person in (scene.publisher, scene.admin):
        told = told_to(scene, person, len(KINDS))
        for official, (_, verdict, said) in zip(scene.officials, KINDS.values()):
            assert f"  {official.address} (fr)\n      {said}" in told, (official.address, told)
        assert "\x1b" not in told and "BEGIN PGP" not in told and TEXT.split()[2] not in told, told
    check = scene.gateway.ctl("check", may_fail=True)
    assert f"{sum(v in failures for _, v, _ in KINDS.values())} mails came back" in check, check
    # The same once more tells nobody anything new.
    come_back(scene, scene.officials[0], QMAIL + "again")
    assert scene.gateway.store_rows("SELECT count(*) FROM bounce WHERE told = 0") == [(0,)]
    assert len(bounces(scene)) == len(KINDS) + 1
    assert told_to(scene, scene.admin, len(KINDS)) == told


def sent_to_all(scene):
    scene.number = scene.release()["number"]
    scene.paths = {official.address: scene.smarthost.only(official.address).sender
                   for official in scene.officials}
    eventually(lambda: all(r["state"] == "sent" for r in scene.gateway.deliveries(scene.number)),
               "all is sent")


def told_to(scene, person, count):
    """The letters about what came back, once they name so many."""
    def look():
        letters = [person.open(mail.raw) for mail in scene.smarthost.received(person.address)]
        told = "".join(letter.text for letter in letters
                       if letter.subject.startswith(("Alarm: mail came back", "Answered,")))
        return told if told.count("@fr.example (fr)") >= count else None
    return eventually(look, f"{count} told to {person.address}", 120)


def test_signed_answer_to_a_return_path_counts_all_the_same(t):
    """A program that answers to Return-Path and not to From."""
    scene = sent(t)
    path = scene.paths[scene.first.address]
    answer = scene.first.reply(scene.opened(scene.first), "received")
    row = scene.drop(f"Delivered-To: {path}\r\n".encode() + answer)
    assert row["meaning"] == "acknowledgment", row
    assert state_of(scene, scene.first)["state"] == "acknowledged" and not bounces(scene)
    stranger = t.official("stranger@else.example")
    stranger.meet(scene.gateway)
    answer = stranger.reply(scene.opened(scene.first), "received")
    row = scene.drop(f"Delivered-To: {path}\r\n".encode() + answer)
    assert row["meaning"] == "unknown" and not bounces(scene), row


def test_answer_after_a_bounce_counts(t):
    scene = sent(t)
    scene.drop(report(scene.paths[scene.first.address]))
    assert state_of(scene, scene.first)["state"] == "bounced"
    assert scene.acknowledged() == []
    scene.drop(scene.first.reply(scene.opened(scene.first), "received"))
    assert state_of(scene, scene.first)["state"] == "acknowledged"
    assert [row["address"] for row in scene.acknowledged()] == [scene.first.address]
    scene.drop(report(scene.paths[scene.first.address], diagnostic="550 5.1.1 once more"))
    assert state_of(scene, scene.first)["state"] == "acknowledged"


@cases("true", "false", "taken away")
@limit(180)
def test_next_contact_gets_it_when_the_policy_says_so(t, case):
    scene = people(t, bounces={"next_contact": case != "false"})
    gateway = scene.gateway
    low = gateway.admit(t.official("low@us-de.example"), clearance="GREEN", rank=3)
    spare = gateway.admit(t.official("spare@us-de.example"), rank=4)
    away = ", -spare@us-de.example" if case == "taken away" else ""
    scene.number = scene.release(
        audience=f"first@us-de.example, backup@us-de.example, cert@fr.example{away}")["number"]
    path = scene.smarthost.only(scene.first.address).sender
    scene.smarthost.only(scene.backup.address)
    eventually(lambda: all(r["state"] == "sent" for r in gateway.deliveries(scene.number)), "sent")
    scene.drop(report(path))
    text = alarm(scene, scene.admin).text
    assert ("goes to spare@us-de.example instead" in text) == (case == "true"), text
    assert not scene.smarthost.received(low.address)
    if case != "true":
        assert not scene.smarthost.received(spare.address)
        return
    opened = scene.opened(spare)
    scene.drop(spare.reply(opened, "received"))
    assert [row["address"] for row in scene.acknowledged()] == [spare.address]
    scene.drop(report(path, diagnostic="550 5.1.1 again"))
    assert len(bounces(scene)) == 2 and len(scene.smarthost.received(spare.address)) == 1


def test_bounce_of_an_alarm_causes_no_mail(t):
    scene = sent(t)
    scene.drop(report(scene.paths[scene.first.address]))
    alarm(scene, scene.admin)
    eventually(lambda: len(scene.receipts(3)) >= 3, "receipts and alarm")
    before = len(scene.smarthost.received())
    scene.drop(report(scene.smarthost.only(scene.admin.address).sender))
    assert [bounce["verdict"] for bounce in bounces(scene)] == ["bounced", "bounced"]
    with_patience = eventually(lambda: scene.gateway.store_rows(
        "SELECT count(*) FROM bounce WHERE told = 1") == [(2,)], "all is told")
    assert with_patience and len(scene.smarthost.received()) == before
    assert "2 mails came back" in scene.gateway.ctl("check", may_fail=True)
    # A receipt that came back is told to the admins, and not to the publisher who has bounced.
    mine = scene.smarthost.received(scene.publisher.address)
    scene.drop(report(mine[0].sender))
    second = scene.admin.open(scene.smarthost.wait(2, scene.admin.address)[-1].raw)
    assert second.subject == 'Alarm: mail came back: a mail of the kind "receipt"', second.subject
    assert scene.publisher.address in second.text, second.text
    assert len(scene.smarthost.received(scene.publisher.address)) == len(mine)


@limit(240)
def test_real_bounces_are_no_acknowledgments_and_change_nothing(t):
    """The corpus of real ones, none of which came to our return path."""
    corpus = pathlib.Path(os.environ.get("DEWLINE_CORPUS") or
                          TESTS.parent / "../shared/corpus") / "bounces"
    files = sorted(corpus.glob("*.eml"))
    if not files:
        t.skip(f"no corpus at {corpus}")
    scene = sent(t)
    eventually(lambda: len(scene.receipts(2)) >= 2, "both receipts")
    before = len(scene.smarthost.received())
    arrived = len(scene.gateway.arrivals())
    for path in files:
        scene.gateway.drop(path.read_bytes())
    scene.gateway.settled(arrived + len(files), 120)
    assert scene.acknowledged() == [] and not bounces(scene)
    assert {row["state"] for row in scene.gateway.deliveries(scene.number)} == {"sent"}
    assert len(scene.smarthost.received()) == before
