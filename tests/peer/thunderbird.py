"""Somebody who uses real Thunderbird, with the settings that it comes with.

It runs on a screen that nobody sits at and with a profile of its own, fetches from an IMAP mailbox
(Dovecot) and sends to the fake smarthost. The person's key and the gateway's are in its key store.
Keys are pressed and buttons clicked as a person does; what it makes of that is its own.
"""
import os
import pathlib
import signal
import subprocess

from dovecot import Dovecot
from harness import eventually
from marionette import Failed, Marionette
from screen import Screen

SCRIPT = pathlib.Path(__file__).with_suffix(".js").read_text("utf-8")
PASSWORD = "correct horse"
REPLY, REPLY_ALL = "hdrReplyButton", "hdrReplyAllButton"

# The account, and what keeps it from asking the network or whoever starts it for the first time. The
# rest is as it comes.
PREFERENCES = {
    "mail.accountmanager.accounts": "account1",
    "mail.accountmanager.defaultaccount": "account1",
    "mail.account.account1.server": "server1",
    "mail.account.account1.identities": "id1",
    "mail.server.server1.type": "imap",
    "mail.server.server1.hostname": "127.0.0.1",
    "mail.server.server1.login_at_startup": False,
    "mail.identity.id1.smtpServer": "smtp1",
    "mail.identity.id1.valid": True,
    "mail.identity.id1.attachPgpKey": True,  # as it sets it when a key is chosen
    "mail.identity.id1.fcc": False,
    "mail.smtpservers": "smtp1",
    "mail.smtp.defaultserver": "smtp1",
    "mail.smtpserver.smtp1.hostname": "127.0.0.1",
    "mail.smtpserver.smtp1.authMethod": 1,
    "mail.smtpserver.smtp1.try_ssl": 0,
    "marionette.port": 0,  # any; it tells in its profile which
    "mail.shell.checkDefaultClient": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mailnews.start_page.enabled": False,
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
}


def preference(name, value):
    written = str(value).lower() if isinstance(value, (bool, int)) else f'"{value}"'
    return f'user_pref("{name}", {written});\n'


class Thunderbird:
    def __init__(self, t, person, gateway, smarthost):
        t.needs("thunderbird")
        self.person, self.gateway, self.smarthost = person, gateway, smarthost
        self.dovecot = Dovecot(t, {person.address: PASSWORD})
        self.screen = Screen(t)
        self.dir = t.dir / "thunderbird"
        self.dir.mkdir()
        self._start(t)
        self._until(lambda: self.call("isReadyForKeys"), "Thunderbird has started OpenPGP")
        codes = self.call("takeKeys", person.home.secret(person.fingerprint).decode(),
                          person.fingerprint, gateway.certificate.decode())
        assert codes == [0, 0], codes
        self.call("login", PASSWORD)

    def _preferences(self):
        person = self.person
        return {**PREFERENCES,
                "mail.server.server1.port": self.dovecot.port,
                "mail.server.server1.userName": person.address,
                "mail.server.server1.name": person.address,
                "mail.identity.id1.fullName": person.name,
                "mail.identity.id1.useremail": person.address,
                "mail.identity.id1.openpgp_key_id": person.fingerprint[-16:],
                "mail.smtpserver.smtp1.port": self.smarthost.port}

    def _start(self, t):
        profile = self.dir / "profile"
        profile.mkdir()
        (profile / "user.js").write_text("".join(
            preference(*pair) for pair in self._preferences().items()))
        with open(t.dir / "thunderbird.log", "wb") as log:
            self.process = subprocess.Popen(
                ["thunderbird", "--profile", profile, "--no-remote", "--marionette",
                 "--remote-allow-system-access"],
                env={**os.environ, **self.screen.environment, "HOME": str(self.dir),
                     "MOZ_CRASHREPORTER_DISABLE": "1"},
                cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        t.later(self._stop)
        self.marionette = Marionette(eventually(
            lambda: self._port(profile / "MarionetteActivePort"), "Thunderbird listens", 60))

    def _port(self, path):
        assert self.process.poll() is None, "Thunderbird ended"
        return int(path.read_text() or 0) if path.exists() else 0

    def _stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def call(self, function, *arguments):
        return self.marionette.call(SCRIPT, function, *arguments)

    def _until(self, probe, what):
        try:
            return eventually(probe, what)
        except (AssertionError, Failed) as failure:
            windows = "\n".join(self.call("windows"))
            raise AssertionError(f"{failure}\nThere are:\n{windows}") from None

    # Reading.

    def open(self, mail):
        """Fetches a mail that the smarthost has and opens it; what is then seen of it."""
        name = mail.headers["Message-ID"].strip("<> ")
        self.dovecot.deliver(self.person.address, mail.raw)
        self._until(lambda: self.call("select", name), f"the mail {name} in the inbox")
        return self._until(lambda: self.call("shown", name), f"the mail {name} is shown")

    def sees(self, words):
        """Are these words of one line seen without scrolling?"""
        return self.call("visible", words)

    # Writing.

    def _composed(self, holds, what):
        """What the window of a new mail shows, once that is so."""
        def look():
            seen = self.call("composed")
            return seen if seen and holds(seen) else None
        return self._until(look, what)

    def type(self, words):
        """Presses a key for each character, and Enter for each end of a line."""
        self.call("keys", ["Enter" if letter == "\n" else letter for letter in words], False)

    def press(self, *names):
        """Presses keys with Control held."""
        self.call("keys", names, True)

    def reply(self, button=REPLY):
        """Presses a button above the mail that is open; what the window for the answer shows."""
        self.call("press", button)
        return self._composed(lambda seen: seen["sendable"], "an answer can be written")

    def write(self, subject, words):
        """Begins a new mail to the gateway, writes it and says to encrypt it."""
        self.call("compose")
        self._composed(lambda seen: True, "a mail can be written")
        self.call("focus", "toAddrInput")
        self.type(f"{self.gateway.address}\n")
        self._composed(lambda seen: seen["to"] == [self.gateway.address], "the gateway's address")
        self.call("focus", "msgSubject")
        self.type(subject)
        self.call("focus", "messageEditor")
        self.type(words)
        self.call("click", "button-encryption")
        return self._composed(lambda seen: seen["encrypts"] and seen["sendable"], "it is encrypted")

    def _sent(self):
        return [mail for mail in self.smarthost.received() if mail.sender == self.person.address]

    def send(self):
        """The mail that is sent, to whomever."""
        before = len(self._sent())
        self.call("click", "button-send")
        self._until(lambda: not self.call("composing"), "the window of the new mail closes")
        return self._until(lambda: self._sent()[before:], "the mail at the smarthost")[0].raw
