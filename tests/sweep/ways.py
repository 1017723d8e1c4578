"""The ways of the gateway that are swept, each from its mail to its end."""
import contextlib
import sqlite3
import time

from imapd import Imapd
from mailroom import imap_settings


class Way:
    """By a mail in the drop, while the gateway is at rest."""
    settings = {}
    is_command = from_the_start = False

    def __init__(self, name):
        self.name = name

    def prepare(self, t, gateway, world):
        """Before the gateway is started."""

    def go(self, gateway, world):
        gateway.drop(world.mail(self.name))

    def verify(self, course):
        """What is wrong beside what the store says; a line each."""
        return []


class Release(Way):
    """The hour of a held advisory comes: no mail sets it going, but the next look at what is due."""

    def prepare(self, t, gateway, world):
        path = gateway.dir / "state" / "store.db"
        with contextlib.closing(sqlite3.connect(path)) as store, store:
            store.execute("UPDATE hold SET release_at = ? WHERE state = 'held'",
                          (int(time.time()) + 2,))

    def go(self, gateway, world):
        time.sleep(2)
        gateway.ctl("queue", "retry")


class Start(Way):
    """The gateway starts, and mail is there already. Its processes are counted from their first call."""
    from_the_start = True

    def prepare(self, t, gateway, world):
        for way in ("answer", "advisory"):
            gateway.drop(world.mail(way))

    def go(self, gateway, world):
        pass


class Mailbox(Way):
    """The mail comes from a mailbox of an IMAP server."""

    def prepare(self, t, gateway, world):
        self.imapd = Imapd(t)
        gateway.settings["imap"] = imap_settings(t, self.imapd)
        gateway.configure()

    def go(self, gateway, world):
        self.imapd.deliver(world.mail("answer"))

    def verify(self, course):
        return [f"lost: {len(self.imapd.messages)} are left in the mailbox"] if self.imapd.messages else []


GATEWAY_WAYS = (
    *(Way(name) for name in (
        "advisory", "refusal", "hold", "withdrawal", "answer", "open-answer", "approval", "rejection",
        "bounce", "key", "new-key", "report", "agreement", "stranger")),
    Release("release"), Start("start"), Mailbox("imap"))
