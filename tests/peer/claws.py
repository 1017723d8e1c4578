"""An official who uses real Claws Mail with its PGP/MIME plugin, with the settings that it comes with.

It runs on a screen that nobody sits at, with its keys pressed there (xdotool), reads a mailbox of its
own and sends to the fake smarthost. It has no protected subjects, and signs nothing by itself.
"""
import glob
import os
import signal
import subprocess

from harness import eventually, patience
from screen import Screen

MAIN, LETTER, EDITED = "Claws Mail [0-9]", "Compose message", r"\[Edited\]"
SIGN, SEND = ("alt+o", "g"), "ctrl+Return"  # in the menu of options; the button
NAMES = {" ": "space", "\n": "Return", ".": "period", "-": "minus", ":": "colon"}

ACCOUNT = """\
[Account: 1]
account_name={address}
is_default=1
name={name}
address={address}
protocol=5
smtp_server=127.0.0.1
set_smtpport=1
smtp_port={port}
use_smtp_auth=0
ssl_smtp=0
default_privacy_system=pgpmime
"""
SETTINGS = """\
[Common]
enable_aspell=0
[Plugins_GTK3]
{plugins}
"""
FOLDERS = """\
<?xml version="1.0" encoding="UTF-8"?>
<folderlist><folder type="mh" name="Mail" path="Mail">
<folderitem type="inbox" name="inbox" path="inbox" />
</folder></folderlist>
"""


class Claws:
    def __init__(self, t, official, gateway, smarthost):
        t.needs("claws-mail", "xdotool")
        plugins = [path for name in ("pgpcore", "pgpmime") for path in glob.glob(
            f"/usr/lib/*/claws-mail/plugins/{name}.so")]
        if len(plugins) != 2:
            t.skip("claws-mail-pgpmime is not installed")
        self.gateway, self.smarthost = gateway, smarthost
        self.screen = Screen(t)
        self.dir = t.dir / "claws"
        self.inbox, self.settings = self.dir / "Mail" / "inbox", self.dir / "settings"
        for path in (self.inbox, self.settings, self.dir / "run"):
            path.mkdir(parents=True, mode=0o700)
        (self.settings / "accountrc").write_text(ACCOUNT.format(
            address=official.address, name=official.name, port=smarthost.port))
        (self.settings / "clawsrc").write_text(SETTINGS.format(plugins="\n".join(plugins)))
        (self.settings / "folderlist.xml").write_text(FOLDERS)
        self.environment = {**official.home.environment(), **self.screen.environment,
                            "HOME": str(self.dir), "XDG_RUNTIME_DIR": str(self.dir / "run")}
        self.process, self.log = None, t.dir / "claws-mail.log"
        t.later(self._stop)

    def _stop(self):
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    # The screen.

    def _xdotool(self, *words):
        return subprocess.run(["xdotool", *words], env=self.environment, capture_output=True,
                              text=True, timeout=60 * patience()).stdout.split()

    def _windows(self, title):
        """The windows on the screen whose title holds that."""
        return self._xdotool("search", "--onlyvisible", "--name", title)

    def _await(self, title):
        return eventually(lambda: self._windows(title), f"a window of Claws Mail: {title}")[-1]

    def _press(self, window, *keys):
        self._xdotool("windowfocus", "--sync", window, "key", "--delay", "1", *keys)

    # What a person does.

    def open(self, mail):
        """Starts it with a mail in its inbox, and opens that."""
        (self.inbox / "1").write_bytes(mail.raw.replace(b"\r\n", b"\n"))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["claws-mail", "--alternate-config-dir", self.settings, "--select",
                 "#mh/Mail/inbox/1"], env=self.environment, cwd=self.dir, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        eventually(lambda: list(self.settings.glob("mimetmp/plaintext*")), "the mail is decrypted")

    def reply(self, text, sign=False, above=False):
        """Ctrl+R, types text below the quotation, where the cursor is, or above it, ticks Sign or
        not, sends and answers what it asks; the mail that the gateway is sent."""
        sent = len(self.smarthost.received(self.gateway.address))

        def begun():
            self._press(self._await(MAIN), "ctrl+r")  # not taken before it has shown the mail
            try:
                return eventually(lambda: self._windows(LETTER), "", 5)
            except AssertionError:
                return None
        window = eventually(begun, "a window to answer in", 60)[0]
        self._press(window, *(["ctrl+Home"] if above else []),
                    *(NAMES.get(letter, letter) for letter in text))
        eventually(lambda: window in self._windows(EDITED), "the text is taken")
        self._press(window, *(SIGN if sign else []), SEND)
        self._press(self._await("Encryption warning"), "Return")
        self._press(self._await("Encrypt to"), "alt+y")  # a key that nobody has vouched for
        mails = self.smarthost.wait(sent + 1, self.gateway.address)
        eventually(lambda: window not in self._windows(LETTER), "the window closes")
        return mails[-1].raw
