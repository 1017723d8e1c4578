"""A gateway that takes its mail from an IMAP mailbox, and what came of it."""
import re

from gateway import Gateway
from harness import eventually

USER, PASSWORD = "dewline", "correct horse"


def mail(number, size=0):
    return (f"From: somebody@example.org\r\nTo: gateway@gw.example\r\nSubject: number {number}\r\n"
            f"Message-ID: <{number}@example.org>\r\n\r\nThis is number {number}.\r\n"
            + ("x" * 70 + "\r\n") * (size // 72)).encode()


def imap_settings(t, server, password=PASSWORD, **more):
    """The group imap of a configuration, for a Dovecot or an Imapd."""
    secret = t.dir / "imap-password"
    secret.write_text(f"{password}\n")
    secret.chmod(0o600)
    return {"server": "localhost", "port": getattr(server, "tls_port", server.port),
            "tls": "implicit", "ca_file": str(server.authority.ca), "user": USER,
            "password_file": str(secret), **more}


class Mailroom:
    """The gateway; `server` is a Dovecot or an Imapd."""

    def __init__(self, t, server, start=True, settings=None, password=PASSWORD, **imap):
        """settings: other groups of the configuration than imap."""
        self.server = server
        imap = imap_settings(t, server, password, **imap)
        self.gateway = Gateway(t, None, start, {"imap": imap, **(settings or {})})

    def taken(self):
        """The numbers of the mails in the store, sorted: each as often as it was recorded."""
        rows = self.gateway.store_rows("SELECT raw FROM arrival_raw")
        return sorted(int(re.search(rb"This is number (\d+)", raw)[1]) for (raw,) in rows)

    def wait(self, numbers, seconds=60):
        wanted = sorted(numbers)
        try:
            eventually(lambda: self.taken() == wanted, "", seconds)
        except AssertionError:
            raise AssertionError(f"in the store: {self.taken()}, not {wanted}") from None

    def log_says(self, pattern, count=1, seconds=30):
        eventually(lambda: len(re.findall(pattern, self.gateway.text_of_log())) >= count,
                   f"{count} times in the log: {pattern}", seconds)

    def log_count(self, pattern):
        return len(re.findall(pattern, self.gateway.text_of_log()))

    def finds(self, result, words=""):
        """What the pre-flight says of the mailbox, in the end: it may come after the log's line."""
        seen = {}

        def does():
            rows = self.gateway.rows("check", may_fail=True)["findings"]
            seen.update(next(row for row in rows if row["what"] == "mailbox"))
            return seen["result"] == result and words in seen["detail"]

        try:
            eventually(does, "")
        except AssertionError:
            raise AssertionError(f"{seen}, not {result}: {words}") from None

    def events(self, event):
        return [row for row in self.gateway.audit() if row["event"] == event]
