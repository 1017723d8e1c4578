"""Somebody who has no program of ours: real mutt, with its keys pressed in a pseudo terminal.

The mailbox is a Maildir, the editor a script that types above what mutt quoted, and sendmail a
script that keeps what was sent. Nothing else of the mail is made by the test.
"""
import contextlib
import fcntl
import os
import pty
import re
import secrets
import select
import socket
import struct
import subprocess
import termios
import time

from harness import now, patience

ESCAPES = re.compile(r"\x1b\][^\x07]*\x07|\x1b[\[(][0-9;?]*[A-Za-z]|\x1b[=>]")
ROWS, COLUMNS = 100, 120
QUIET = 0.25  # seconds without output after which a screen is taken as drawn
ENTER, LAST, CLEAR_LINE = "\r", "*", "\x15"

MUTTRC = """\
set mbox_type=Maildir folder="{mailbox}" spoolfile="{mailbox}" record="" header_cache=""
set realname="{name}" from="{address}" use_from=yes envelope_from=no
set crypt_use_gpgme=yes pgp_sign_as=0x{key} pgp_autoinline=no
set crypt_protected_headers_write={protect}
ignore *
unignore from date subject
crypt-hook {gateway} 0x{gateway_key}
unset crypt_confirmhook markers wait_key beep mark_old
set editor="{editor}" sendmail="{sendmail}" edit_headers=no signature="" sort=mailbox-order
set include=yes fast_reply=yes abort_unmodified=no abort_nosubject=no recall=no
set quit=yes move=no delete=no confirmappend=no timeout=1 sleep_time=0 ssl_force_tls=no
"""


class Mutt:
    program = "mutt"

    def __init__(self, person, gateway, protect=True):
        """protect: mutt hides the subject of what it encrypts, which it does only when told to."""
        self.person, self.gateway = person, gateway
        self.dir = person.home.path / "mutt"
        self.dir.mkdir(mode=0o700, exist_ok=True)
        self.typed, self.edited = self.dir / "typed", self.dir / "edited"
        self.sent = self.dir / "sent"
        self.mailbox = self.dir / "mail"
        for name in ("tmp", "new", "cur"):
            (self.mailbox / name).mkdir(parents=True, exist_ok=True)
        editor = self._script("editor", f'cat "{self.typed}" "$1" > "$1.new" && cat "$1.new" > '
                              f'"$1" && rm "$1.new" && touch "{self.edited}"')
        sendmail = self._script("sendmail", f'cat > "{self.sent}.part" && '
                                f'mv "{self.sent}.part" "{self.sent}"')
        self.configuration = self.dir / "muttrc"
        self.configuration.write_text(MUTTRC.format(
            mailbox=self.mailbox, name=person.name, address=person.address,
            key=person.fingerprint, gateway=gateway.address, gateway_key=gateway.fingerprint,
            protect="yes" if protect else "no", editor=editor, sendmail=sendmail))

    def _script(self, name, command):
        path = self.dir / name
        path.write_text(f"#!/bin/sh\nset -e\n{command}\n")
        path.chmod(0o700)
        return path

    def deliver(self, mail):
        """Puts what the smarthost received into the mailbox, as the only mail there."""
        for path in [*(self.mailbox / "new").iterdir(), *(self.mailbox / "cur").iterdir()]:
            path.unlink()
        name = f"{now():.6f}.{secrets.token_hex(6)}.{socket.gethostname()}"
        (self.mailbox / "tmp" / name).write_bytes(mail.raw.replace(b"\r\n", b"\n"))
        (self.mailbox / "tmp" / name).rename(self.mailbox / "new" / name)

    # The terminal.

    def _start(self):
        """Starts mutt in its own terminal; self.screen is all that it ever wrote there."""
        self.terminal, tty = pty.openpty()
        fcntl.ioctl(tty, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = dict(self.person.home.environment(), TERM="xterm", EDITOR="false")

        def control():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        command = [self.program, "-n", "-F", str(self.configuration), "-f", str(self.mailbox)]
        self.process = subprocess.Popen(command, stdin=tty, stdout=tty, stderr=tty, close_fds=True,
                                        preexec_fn=control, env=environment, cwd=self.dir)
        os.close(tty)
        self.screen, self.read_from = "", 0

    def _read(self, seconds):
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.terminal, 65536)
        except OSError:  # mutt has closed it
            return False
        self.screen += ESCAPES.sub("", data.decode("utf-8", "replace"))
        return bool(data)

    def _until(self, done, what, seconds=20):
        """Reads the terminal until done() holds and mutt has been silent for a moment."""
        begun = time.monotonic()
        while self._read(QUIET) or not done():
            if time.monotonic() - begun > seconds * patience() or self.process.poll() is not None:
                raise AssertionError(f"{self.program}: {what} never came; its last screen:\n"
                                     f"{self.screen[-3000:]}")
        self.read_from = len(self.screen)

    def _shows(self, text, seconds=20):
        self._until(lambda: text in self.screen[self.read_from:], f'"{text}"', seconds)

    def _press(self, keys):
        os.write(self.terminal, keys.encode())

    @contextlib.contextmanager
    def _ended(self):
        """Ends mutt: with "q" to the pager and to the index, or by force when a step failed."""
        try:
            yield
            begun = time.monotonic()
            while self.process.poll() is None and (
                    time.monotonic() - begun < 10 * patience()):
                self._press("q")
                self._read(QUIET)
            assert self.process.poll() is not None, f"{self.program} stays:\n{self.screen[-2000:]}"
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
            os.close(self.terminal)

    # What a person does.

    def _open(self, mail):
        self.deliver(mail)
        self._start()
        self._shows("q:Quit")
        self._press(ENTER)
        self._shows("[-- End of PGP/MIME signed and encrypted data --]")

    def read(self, mail):
        """Opens a mail; all that mutt said and showed of it."""
        with self._ended():
            self._open(mail)
        return self.screen

    def reply(self, mail, typed, attach=(), subject=None):
        """Opens a mail, r, types above the quotation, chooses to encrypt and sign, y: the mail
        that mutt sent. subject: what the subject is changed to before that."""
        with self._ended():
            self._open(mail)
            return self._write("r", typed, attach, subject)

    def write(self, subject, typed, attach=()):
        """m and a new mail to the gateway: the mail that mutt sent."""
        with self._ended():
            self._start()
            self._shows("q:Quit")
            return self._write(f"m{self.gateway.address}{ENTER}{subject}{ENTER}", typed, attach)

    def _write(self, keys, typed, attach, subject=None):
        self.typed.write_text(typed if typed.endswith("\n") else typed + "\n")
        self.edited.unlink(missing_ok=True)
        self.sent.unlink(missing_ok=True)
        self._press(keys)
        self._until(self.edited.exists, "the editor")
        for path in attach:
            self._press("a")
            self._shows("Attach file")
            self._press(f"{CLEAR_LINE}{path}{ENTER}")
            self._shows(path.name)
        if subject:
            self._press("s")
            self._shows("Subject: ")
            self._press(f"{CLEAR_LINE}{subject}{ENTER}")
            self._shows(subject)
        self._press("p")
        self._shows("(b)oth")
        self._press("b")
        self._shows("Sign, Encrypt")
        self._press("y")
        self._until(self.sent.exists, "the mail")
        return self.sent.read_bytes()


class Neomutt(Mutt):
    """Takes the same settings and keys."""
    program = "neomutt"
