"""Mail from an IMAP mailbox, with a real Dovecot."""
import re

from dovecot import Dovecot
from gateway import Gateway
from harness import eventually

USER, PASSWORD = "dewline", "correct horse"


def mail(number, size=0):
    return (f"From: somebody@example.org\r\nTo: gateway@gw.example\r\nSubject: number {number}\r\n"
            f"Message-ID: <{number}@example.org>\r\n\r\nThis is number {number}.\r\n"
            + "x" * 70 * (size // 70)).encode()


def imap_settings(t, dovecot, **more):
    password = t.dir / "imap-password"
    password.write_text(f"{PASSWORD}\n")
    password.chmod(0o600)
    return {"server": "localhost", "port": dovecot.tls_port, "tls": "implicit",
            "ca_file": str(dovecot.authority.ca), "user": USER, "password_file": str(password),
            **more}


class Mailroom:
    """A Dovecot with the gateway's mailbox, and the gateway that empties it."""

    def __init__(self, t, start=True, dovecot=None, limits=None, **imap):
        self.dovecot = dovecot or Dovecot(t, {USER: PASSWORD})
        settings = {"imap": imap_settings(t, self.dovecot, **imap)}
        if limits:
            settings["limits"] = limits
        self.gateway = Gateway(t, None, start, settings)

    def deliver(self, *numbers, **options):
        for number in numbers:
            self.dovecot.deliver(USER, mail(number, **options))

    def taken(self):
        """The numbers of the mails in the store, sorted: each as often as it was recorded."""
        rows = self.gateway.store_rows("SELECT raw FROM arrival_raw")
        return sorted(int(re.search(rb"This is number (\d+)", raw)[1]) for (raw,) in rows)

    def wait(self, numbers, seconds=30):
        wanted = sorted(numbers)
        eventually(lambda: self.taken() == wanted or None,
                   f"the mails {wanted[:10]}... in the store", seconds)

    def left(self, mailbox="INBOX"):
        return len(self.dovecot.messages(USER, mailbox))

    def reached(self, count=1):
        eventually(lambda: self.gateway.text_of_log().count("is open with") >= count,
                   f"the mailbox was opened {count} times")

    def finding(self):
        rows = self.gateway.rows("check", may_fail=True)["findings"]
        return next(row for row in rows if row["what"] == "mailbox")


def test_mail_that_comes_while_the_courier_idles_is_taken_at_once(t):
    room = Mailroom(t)
    room.deliver(1)
    room.wait([1])
    room.reached()
    room.deliver(2, 3)
    room.wait([1, 2, 3], 10)
    assert "(IDLE)" in room.gateway.text_of_log()
    eventually(lambda: room.left() == 0, "an empty mailbox")


def test_starttls_serves_as_well(t):
    dovecot = Dovecot(t, {USER: PASSWORD})
    room = Mailroom(t, dovecot=dovecot, tls="starttls", port=dovecot.port)
    room.deliver(1)
    room.wait([1])
    assert "TLS" in dovecot.text_of_log()
