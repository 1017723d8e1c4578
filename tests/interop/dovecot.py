"""A real Dovecot (IMAP) on loopback with a configuration of its own, in a directory of its own.

    dovecot = Dovecot(t, {"dewline": "secret"})
    dovecot.port        IMAP with STARTTLS (not demanded: it holds loopback for safe)
    dovecot.tls_port    IMAP with TLS from the first byte
    dovecot.authority   .ca is the file that vouches for its certificate, made for `localhost`
    dovecot.maildir("dewline")    INBOX: an MTA that runs as dovecot.uid may deliver into it
    dovecot.deliver("dewline", raw)

Dovecot runs with the rights of whoever runs the test; for root, which it refuses to serve, with
those of `nobody`.
"""
import contextlib
import grp
import imaplib
import os
import pathlib
import pwd
import re
import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile

from certificates import Authority
from harness import eventually, free_port, now

PROGRAM = "/usr/sbin/dovecot"
STOP_SECONDS = 15

# What both forms of its configuration share.
COMMON = """\
protocols = imap
listen = 127.0.0.1
base_dir = {dir}/run
state_dir = {dir}/state
instance_name = {name}
log_path = /dev/stderr
log_timestamp = "%H:%M:%S "
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
ssl = required
ssl_min_protocol = {tls_minimum}
ssl_cipher_list = ALL:@SECLEVEL=0
auth_mechanisms = plain login
auth_failure_delay = 0
mailbox_idle_check_interval = 1 s
maildir_very_dirty_syncs = no
namespace inbox {{
  inbox = yes
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
"""

# Dovecot 2.4 takes nothing of the form before it, and wants its version in the first line.
FORM_2_3 = """\
ssl_cert = <{dir}/server.pem
ssl_key = <{dir}/server.key
disable_plaintext_auth = yes
mail_location = maildir:~/Maildir
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {dir}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/home/%u
}}
"""
FORM_2_4 = """\
ssl_server_cert_file = {dir}/server.pem
ssl_server_key_file = {dir}/server.key
auth_allow_cleartext = no
mail_driver = maildir
mail_path = ~/Maildir
passdb passwd-file {{
  default_password_scheme = PLAIN
  auth_username_format = %{{user}}
  passwd_file_path = {dir}/users
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {dir}/home/%{{user}}
  }}
}}
"""
VERSIONS_2_4 = "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n"


def is_new():
    """Does the installed Dovecot want the configuration of 2.4?"""
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", said).groups()) >= (2, 4)


def inet_listener(port, name="inet"):
    """The lines of a listener on loopback."""
    address = "listen" if is_new() else "address"
    return f"  inet_listener {name} {{\n    {address} = 127.0.0.1\n    port = {port}\n  }}\n"


class Dovecot:
    def __init__(self, t, users, certificate=None, tls_minimum="TLSv1.2", more="", start=True):
        """users: {name: password}. certificate: (certificate, key), paths of PEM files; by default
        one for localhost, of an authority of its own. more: further lines of
        configuration, of whichever form is_new() tells."""
        if not os.access(PROGRAM, os.X_OK):
            t.skip("dovecot is not installed")
        self.t, self.users = t, dict(users)
        owner = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        self.uid, self.gid = owner.pw_uid, owner.pw_gid
        self.user, self.group = owner.pw_name, grp.getgrgid(owner.pw_gid).gr_name
        # Not below the test's own directory, into which `nobody` has no way.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="dl.", dir="/tmp"))
        t.later(shutil.rmtree, self.dir, True)
        self.authority = None
        if certificate is None:
            self.authority = Authority(t, f"dovecot-{secrets.token_hex(2)}")
            certificate = self.authority.issue()
        self.port, self.tls_port = free_port(), free_port()
        self.tls_minimum, self.more = tls_minimum, more
        self.log_path = t.dir / f"dovecot-{secrets.token_hex(2)}.log"
        self.process = None
        for name in ("run", "state", "home"):
            (self.dir / name).mkdir()
        for name in self.users:
            (self.dir / "home" / name).mkdir()
            for place in ("tmp", "new", "cur"):
                (self.maildir(name) / place).mkdir(parents=True)
        self.use_certificate(*certificate)
        self.configure()
        t.later(self.stop)
        if start:
            self.start()

    def _own(self):
        if os.getuid() == 0:
            for path in (self.dir, *self.dir.rglob("*")):
                os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def use_certificate(self, certificate, key):
        """Takes effect with the next start."""
        shutil.copyfile(certificate, self.dir / "server.pem")
        shutil.copyfile(key, self.dir / "server.key")

    def configure(self):
        """Takes effect with the next start."""
        form = VERSIONS_2_4 + COMMON + FORM_2_4 if is_new() else COMMON + FORM_2_3
        (self.dir / "dovecot.conf").write_text(form.format(
            dir=self.dir, name=self.dir.name, user=self.user, group=self.group, uid=self.uid,
            gid=self.gid, port=self.port, tls_port=self.tls_port,
            tls_minimum=self.tls_minimum) + self.more)
        (self.dir / "users").write_text(
            "".join(f"{name}:{password}\n" for name, password in self.users.items()))

    def start(self):
        self._own()
        self.log = open(self.log_path, "ab")
        rights = ({"user": self.uid, "group": self.gid, "extra_groups": []}
                  if os.getuid() == 0 else {})
        self.process = subprocess.Popen(
            [PROGRAM, "-F", "-c", self.dir / "dovecot.conf"], cwd=self.dir, stdout=self.log,
            stderr=self.log, stdin=subprocess.DEVNULL, start_new_session=True, **rights)
        eventually(self._answers, "Dovecot answers on both its ports")

    def _answers(self):
        assert self.process.poll() is None, f"dovecot ended: {self.text_of_log()}"
        try:
            for port in (self.port, self.tls_port):
                socket.create_connection(("127.0.0.1", port), 5).close()
        except ConnectionError:
            return False
        return True

    def stop(self):
        """Ends it and all its sessions."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process = None
            self.log.close()

    def restart(self):
        self.stop()
        self.start()

    def text_of_log(self):
        return self.log_path.read_text("utf-8", "replace")

    def maildir(self, user, mailbox="INBOX"):
        """Where a mailbox's messages lie (Maildir++)."""
        inbox = self.dir / "home" / user / "Maildir"
        return inbox if mailbox == "INBOX" else inbox / f".{mailbox}"

    def deliver(self, user, raw, mailbox="INBOX"):
        """Delivers as an MTA does: written in tmp, moved to new."""
        name = f"{now():.6f}.{secrets.token_hex(6)}.test"
        draft = self.maildir(user, mailbox) / "tmp" / name
        draft.write_bytes(raw.replace(b"\r\n", b"\n"))
        if os.getuid() == 0:
            os.chown(draft, self.uid, self.gid)
        draft.rename(self.maildir(user, mailbox) / "new" / name)

    @contextlib.contextmanager
    def client(self, user, mailbox=None):
        """A logged-in imaplib client of a user, with the mailbox selected when one is named."""
        trust = ssl.create_default_context(cafile=self.authority.ca if self.authority else None)
        trust.check_hostname = self.authority is not None
        trust.verify_mode = ssl.CERT_REQUIRED if self.authority else ssl.CERT_NONE
        client = imaplib.IMAP4_SSL("localhost", self.tls_port, ssl_context=trust)
        try:
            client.login(user, self.users[user])
            if mailbox is not None:
                assert client.select(mailbox)[0] == "OK"
            yield client
        finally:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                client.logout()

    def messages(self, user, mailbox="INBOX"):
        """What lies in a mailbox, as an IMAP client sees it: a list of raw messages."""
        with self.client(user, mailbox) as client:
            found = client.search(None, "ALL")[1][0].split()
            return [client.fetch(number, "(BODY.PEEK[])")[1][0][1] for number in found]
