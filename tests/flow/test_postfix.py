"""A real Postfix as smarthost and as the way into the drop: what the other side's sources say a
mail server does, done by one."""
import email
import os
import re
import socketserver
import threading

from harness import TESTS, eventually, limit
from postfix import readme_lines
from scene import TEXT, TITLE
from served import PASSWORD, Served
from test_refusals import finding
from test_remind import admit_admin
from test_smarthost import delivery, in_state


def hears_no_word(scene, where, said):
    """Asserts: nothing of the advisory and no password in what Postfix keeps or logs."""
    number = scene.gateway.advisories()[0]["number"]
    for word in (TITLE, *TEXT.splitlines(), number, "AMBER", PASSWORD):
        data = said if isinstance(said, bytes) else said.encode()
        assert word.encode() not in data, f"{word} stands in {where}"


@limit(180)
def test_advisory_goes_by_starttls_and_auth_into_real_mailboxes(t):
    t.needs("sqop", "rnp")
    scene = Served(t, 6, postfix={"settings": {"defer_transports": "officials"}})
    scene.release(attachments=[("list.csv", b"plant;version\n7;2.0\n" * 100)])
    eventually(lambda: len(scene.postfix.deferred()) >= 6, "six mails wait in Postfix's queue")
    scene.postfix.stop()  # it moves files about
    for path in scene.postfix.deferred():
        hears_no_word(scene, "the queue", path.read_bytes())
    del scene.postfix.settings["defer_transports"]
    scene.postfix.configure()
    scene.postfix.start()
    scene.postfix.flush()
    openers = ["open", "open_with_sqop", "open_with_rnp", "open", "open", "open"]
    for official, opener in zip(scene.officials, openers):
        mail = scene.postfix.only(official.address)
        opened = getattr(official, opener)(mail.raw)
        assert opened.good and TEXT in opened.text and TITLE in opened.subject
        head = mail.headers
        assert "with ESMTPSA" in head["Received"], head["Received"]  # TLS and AUTH, RFC 3848
        assert head["Subject"] == "[...]" and not set(head) & {"Bcc", "Sender", "X-Mailer"}
        assert mail.sender.startswith("bounce+") and mail.sender.endswith("@gw.example")
        hears_no_word(scene, "a mailbox", mail.raw)
    hears_no_word(scene, "Postfix's log", scene.postfix.text_of_log())
    hears_no_word(scene, "Dovecot's log", scene.dovecot.text_of_log())
    assert PASSWORD not in scene.gateway.text_of_log()
    assert scene.postfix.logged(r"sasl_method=PLAIN, sasl_username=dewline\b")


@limit(180)
def test_wrong_password_defers_everybody_and_names_the_reason(t):
    scene = Served(t, 2, password="not that one")
    scene.release()
    for official in scene.officials:
        row = in_state(scene, "deferred", official)
        assert "AUTH" in row["reason"] and "535 5.7.8" in row["reason"], row
    assert "535 5.7.8" in scene.gateway.ctl("queue", "list")
    assert "535 5.7.8" in scene.gateway.text_of_log()
    said = scene.postfix.logged(r"submission/smtpd\[\d+\]: disconnect .*auth=0/.*")
    assert said and not any("mail=" in line for line in said), said
    scene.set_password(PASSWORD)
    scene.gateway.restart()
    scene.gateway.ctl("queue", "retry")
    for official in scene.officials:
        assert scene.opened(official).good


@limit(180)
def test_unknown_mailbox_is_refused_at_rcpt_and_named(t):
    scene = Served(t, 1)
    nobody = scene.gateway.admit(t.official("nobody@us-de.example"))
    scene.release()
    row = in_state(scene, "failed", nobody)
    assert "RCPT TO" in row["reason"] and "550 5.1.1" in row["reason"], row
    assert scene.opened().good
    eventually(lambda: any(nobody.address in receipt.text and "550 5.1.1" in receipt.text
                           for receipt in scene.receipts()), "a receipt that names who failed")


@limit(180)
def test_message_over_the_limit_of_postfix_is_said_before_it_is_sent(t):
    scene = Served(t, 1, postfix={"settings": {"message_size_limit": 60000}})
    # Postfix would not bring it in either.
    scene.put(scene.publisher.publish(TITLE, TEXT, attachments=[("noise.bin", os.urandom(60000))]))
    row = in_state(scene, "failed")
    assert "60000" in row["reason"], row
    eventually(lambda: any(scene.official.address in receipt.text and "60000" in receipt.text
                           for receipt in scene.receipts()), "a receipt that names the limit")
    assert scene.postfix.received(scene.official.address) == []
    assert not scene.postfix.logged("exceeds")


@limit(180)
def test_bounce_made_by_postfix_flags_that_one_delivery(t):
    scene = Served(t, 2)
    gone, well = scene.officials
    # Accepted at RCPT; then the delivery agent ends with EX_NOUSER, and Postfix writes a DSN.
    scene.postfix.transports = {gone.address: "nobody-there:67"}
    scene.postfix.reload()
    scene.release()
    scene.mails += 1  # the bounce, brought into the drop by Postfix as well
    row = next(row for row in scene.gateway.settled(scene.mails, 60) if row["meaning"] == "bounce")
    assert row["state"] == "done", row
    flagged = in_state(scene, "bounced", gone)
    assert "5.1.1" in flagged["reason"], flagged
    assert delivery(scene, well)["state"] == "sent"
    assert [bounce["verdict"] for bounce in scene.gateway.rows("bounce", "list")] == ["bounced"]
    assert scene.opened(well).good
    raw = scene.gateway.ctl("inbox", "show", row["id"], "--raw")
    report = email.message_from_string(raw)
    assert report.get_content_type() == "multipart/report" and report["Return-Path"] == "<>"
    assert "BEGIN PGP MESSAGE" not in raw, "RET=HDRS was not heeded"


class Alarming(Served):
    """Its admin is told after a second of refusals."""

    def __init__(self, t, *arguments, **options):
        super().__init__(t, *arguments, **options)
        self.admin = admit_admin(t, self.gateway, "admin@ops.example")

    def smarthost_settings(self):
        return {**super().smarthost_settings(), "alarm": "1s"}


# Each is said at RCPT TO (smtpd_delay_reject = yes), but for the last one.
REFUSALS = {
    "client": ({"smtpd_client_restrictions": "reject"},
               "RCPT TO: 554 5.7.1 <localhost[127.0.0.1]>: Client host rejected: Access denied"),
    "sender": ({"smtpd_sender_login_maps": "static:somebody",
                "smtpd_sender_restrictions": "reject_sender_login_mismatch"},
               "Sender address rejected: not owned by user dewline"),
    "relaying": ({"relay_domains": "nowhere.example",
                  "smtpd_recipient_restrictions": "reject_unauth_destination"},
                 "Relay access denied"),
    "full disk": ({"queue_minfree": str(10**15)},
                  "MAIL FROM: 452 4.3.1 Insufficient system storage"),
}


def refused_for_a_while(scene, settings, words):
    """Publishes; the advisory's number, once everybody waits and the admin's mail is written."""
    scene.postfix.settings.update(settings)
    scene.postfix.reload()
    assert scene.put(scene.publish(TITLE, TEXT))["state"] == "done"
    number = scene.gateway.advisories()[0]["number"]
    for official in scene.officials:
        eventually(lambda: words in delivery(scene, official)["reason"], words)
    eventually(lambda: not scene.gateway.store_rows(
        "SELECT 1 FROM delivery AS d JOIN revision AS r ON r.message = d.message"
        " WHERE d.state <> 'sent' AND d.told = 0"), "the mail about it is written", 60)
    found = finding(scene)
    assert found["result"] == "bad" and words in found["detail"], found
    for official in scene.officials:
        assert delivery(scene, official)["state"] in ("deferred", "queued", "sending")
    for name in settings:
        del scene.postfix.settings[name]
    return number


def read(person, mails):
    return [person.open(mail.raw) for mail in mails]


@limit(300)
def test_refusals_of_the_gateway_and_a_full_disk_lose_nothing_and_are_told(t):
    scene = Alarming(t, 2, postfix={"settings": {"smtpd_delay_reject": "yes"}},
                     retry={"first": "1s", "most": "2s"})
    for count, (settings, words) in enumerate(REFUSALS.values(), 1):
        number = refused_for_a_while(scene, settings, words)
        scene.postfix.reload()
        for official in scene.officials:
            in_state(scene, "sent", official)
            mails = scene.postfix.wait(count, official.address)
            assert len(mails) == count and official.open(mails[-1].raw).good
        told = eventually(lambda: [mail for mail in read(
            scene.admin, scene.postfix.received(scene.admin.address))
            if number in mail.text and words in mail.text], f"the admin is told of {number}", 60)
        assert all(official.address in told[0].text for official in scene.officials)
        eventually(lambda: any(mail.subject.startswith(f"Complete: {number}") for mail in read(
            scene.publisher, scene.postfix.received(scene.publisher.address))), "a receipt", 60)
        eventually(lambda: finding(scene)["result"] == "ok", "check is content", 60)
    assert scene.gateway.rows("queue", "list", "--failed") == []


def handovers(copies):
    """Under which names Postfix took them from us: each is one time that we sent. When virtual(8)
    is killed between delivering and saying so, a mail taken once lies in the mailbox twice."""
    return {re.search(r"\bid ([0-9A-Za-z]+)", copy.headers["Received"])[1] for copy in copies}


def refused_at_the_dot(scene, official):
    """How often Postfix answered 4xx to a whole message: it does when cleanup(8) is killed after it
    has kept the message and before it has told smtpd(8), and then delivers what it refused."""
    return len(re.findall(rf"{re.escape(official.address)}.*\b451 4\.3\.0 ",
                          scene.gateway.text_of_log()))


@limit(240)
def test_postfix_that_is_stopped_meanwhile_gets_everything_afterwards(t):
    scene = Served(t, 6, retry={"first": "1s", "most": "1s"})
    scene.postfix.stop()
    scene.put(scene.publisher.publish(TITLE, TEXT))
    eventually(lambda: delivery(scene)["state"] == "deferred", "a deferred delivery")
    assert "Connection refused" in delivery(scene)["reason"]
    for _ in range(3):  # it comes and goes while mails are under way
        scene.postfix.start()
        eventually(scene.postfix.received, "the first mails")
        scene.postfix.stop()
    scene.postfix.start()
    for official in scene.officials:
        in_state(scene, "sent", official)
    ambiguous = scene.gateway.ambiguous()
    for official in scene.officials:
        copies = scene.postfix.wait(1, official.address)
        taken = handovers(copies)
        refused = refused_at_the_dot(scene, official)
        if len(copies) > 1:
            t.note(f"{official.address}: {len(copies)} copies, taken as {taken}, "
                   f"{ambiguous[official.address]} ambiguous, {refused} refused at the final dot")
        assert len(taken) <= 1 + ambiguous[official.address] + refused, (official.address, taken)
        assert len({copy.raw.partition(b"\n\n")[2] for copy in copies}) == 1
        assert official.open(copies[0].raw).good


class Greylist(socketserver.ThreadingTCPServer):
    """A policy server (Postfix SMTPD_POLICY_README) that lets nobody in who did not come twice."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self):
        self.seen, self.turned_away = {}, 0
        super().__init__(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def action(self, request):
        who = request.get("sender"), request.get("recipient")
        self.seen[who] = self.seen.get(who, 0) + 1
        if self.seen[who] > 2:
            return "dunno"
        self.turned_away += 1
        return "defer_if_permit 4.7.1 Greylisted, come back later"


class Answers(socketserver.StreamRequestHandler):
    def handle(self):
        request = {}
        for line in self.rfile:
            name, _, value = line.decode().rstrip("\n").partition("=")
            if name:
                request[name] = value
            else:
                self.wfile.write(f"action={self.server.action(request)}\n\n".encode())
                request = {}


@limit(180)
def test_greylisting_is_waited_out(t):
    greylist = Greylist()
    t.later(greylist.server_close)
    t.later(greylist.shutdown)
    port = greylist.server_address[1]
    scene = Served(t, 3, postfix={"settings": {
        "smtpd_recipient_restrictions": f"check_policy_service inet:127.0.0.1:{port}"}})
    scene.put(scene.publisher.publish(TITLE, TEXT))
    for official in scene.officials:
        row = in_state(scene, "sent", official)
        assert row["attempts"] == 3, row
        scene.postfix.only(official.address)
    assert greylist.turned_away >= 6 and re.search("450 4.7.1 .*Greylisted",
                                                   scene.gateway.text_of_log())


def test_manual_and_readme_tell_the_same_lines(t):
    """The scene above runs with those of INSTALL.md."""
    manual = (TESTS.parent / "src" / "dewlined" / "dewlined.8").read_text("utf-8")
    for first in ("recipient_delimiter = +", "gateway@advisory.example.org "):
        lines = readme_lines(first)
        assert len(lines) >= 3
        for line in lines:
            assert f"\n    {line}\n" in manual, line
