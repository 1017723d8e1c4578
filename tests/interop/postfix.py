"""A real Postfix on loopback with a configuration of its own, in the test's own directory.

    postfix = Postfix(t, dovecot, domains=["us-de.example"], drop=(drop_directory, "gw.example"))
    postfix.port          what a gateway's smarthost is: STARTTLS demanded, then AUTH at Dovecot
    postfix.inbound_port  what port 25 is to the world: no relaying
    postfix.authority     .ca is the file that vouches for its certificate, made for `localhost`
    postfix.received("cert@us-de.example")    what lies in a mailbox

Mailboxes of officials are Maildirs of the private Dovecot; mail to the gateway goes into its drop
the way INSTALL.md says, by the very lines that stand there. Nothing of the machine's own Postfix is
read or touched. It needs root, as Postfix's master does.
"""
import grp
import os
import pathlib
import pwd
import re
import shutil
import smtplib
import subprocess

from gateway import Received
from harness import TESTS, eventually, free_port

DAEMONS = pathlib.Path("/usr/lib/postfix/sbin")
STOP_SECONDS = 15
QUEUES = ("incoming", "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold",
          "private", "saved", "trace")

MAIN = """\
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
default_privs = nobody
maillog_file = {dir}/mail.log
maillog_file_prefixes = {dir}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example
myorigin = mail.example
mydestination =
mynetworks =
alias_maps =
local_transport = error:no mail is for this machine
default_transport = error:no mail leaves this machine
relay_domains = {domains}
relay_transport = officials
relay_recipient_maps = texthash:{dir}/officials
transport_maps = texthash:{dir}/transport
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_tls_cert_file = {dir}/server.pem
smtpd_tls_key_file = {dir}/server.key
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_loglevel = 1
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth_port}
smtpd_error_sleep_time = 0
minimal_backoff_time = 1s
queue_run_delay = 1s
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
    -o syslog_name=postfix/submission
    -o smtpd_tls_security_level={security}
    -o smtpd_sasl_auth_enable=yes
    -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
127.0.0.1:{inbound_port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
officials unix - n n - - virtual
    -o virtual_mailbox_base={homes}
    -o virtual_mailbox_maps=texthash:{dir}/officials
    -o virtual_uid_maps=static:{uid}
    -o virtual_gid_maps=static:{gid}
nobody-there unix - n n - - pipe
    user=nobody argv=/bin/sh -c {{exit ${{nexthop}}}}
"""


def readme_lines(first):
    """The indented block of INSTALL.md that begins with this line, as a list."""
    lines = (TESTS.parent / "INSTALL.md").read_text("utf-8").splitlines()
    found = []
    for line in lines:
        if found and not line.strip():
            break
        if found or line.strip().startswith(first):
            found.append(line.strip())
    assert found, f"INSTALL.md has no line {first}"
    return found


def setting(line):
    name, _, value = line.partition("=")
    return name.strip(), value.strip()


class Mailbox(Received):
    """A message as virtual(8) wrote it: the envelope stands in fields at its front."""

    def __init__(self, path):
        self.raw, self.number, self.path = path.read_bytes(), path.name, path
        headers = self.headers
        self.sender = headers["Return-Path"].strip().strip("<>")
        self.recipient = headers["Delivered-To"].strip()


class Postfix:
    def __init__(self, t, dovecot, auth_port, domains=(), drop=None, certificate=None, settings=None,
                 security="encrypt", start=True):
        """dovecot: has the mailboxes, and answers AUTH at auth_port. drop: (Maildir, domain) of a
        gateway. settings: what else main.cf says, by name. security: smtpd_tls_security_level of
        the submission port."""
        if os.getuid() != 0:
            t.skip("Postfix's master runs as root only")
        if not os.access(DAEMONS / "master", os.X_OK):
            t.skip("postfix is not installed")
        self.t, self.dovecot, self.auth_port = t, dovecot, auth_port
        self.domains, self.drop, self.security = list(domains), drop, security
        self.settings = dict(settings or {})
        self.port, self.inbound_port, self.process = free_port(), free_port(), None
        os.chmod(t.dir, 0o711)  # Postfix's own users must get through
        self.dir = t.dir / "postfix"
        self.dir.mkdir(0o755)
        self._make_queue()
        self.authority = dovecot.authority
        self.use_certificate(*(certificate or self.authority.issue("postfix")))
        self.transports = {}
        self.configure()
        t.later(self.stop)
        if start:
            self.start()

    def _make_queue(self):
        owner = pwd.getpwnam("postfix")
        group = grp.getgrnam("postdrop").gr_gid
        queue = self.dir / "queue"
        for name in ("", "pid"):
            (queue / name).mkdir(0o755)
        for name in QUEUES:
            (queue / name).mkdir(0o700)
            os.chown(queue / name, owner.pw_uid, -1)
        for name, mode in (("maildrop", 0o730), ("public", 0o710)):
            (queue / name).mkdir()
            os.chown(queue / name, owner.pw_uid, group)
            (queue / name).chmod(mode)
        (self.dir / "data").mkdir(0o700)
        os.chown(self.dir / "data", owner.pw_uid, owner.pw_gid)

    def use_certificate(self, certificate, key):
        """Takes effect with the next start."""
        shutil.copyfile(certificate, self.dir / "server.pem")
        shutil.copyfile(key, self.dir / "server.key")

    def _drop_lines(self):
        """What INSTALL.md says about the drop, with this gateway's places and names."""
        if not self.drop:
            return []
        place, domain = pathlib.Path(self.drop[0]), self.drop[1]
        owner = place.parent.stat()
        changes = (("advisory.example.org", domain), ("/var/lib/dewline", str(place.parent)),
                   ("UID", str(owner.st_uid)), ("GID", str(owner.st_gid)),
                   ("/etc/postfix/dewline", str(self.dir / "dewline")))

        def ours(lines):
            for old, new in changes:
                lines = [line.replace(old, new) for line in lines]
            return lines

        mailboxes = ours(readme_lines("gateway@advisory.example.org "))
        (self.dir / "dewline").write_text("".join(f"{line}\n" for line in mailboxes))
        return ours(readme_lines("recipient_delimiter = +"))

    def configure(self):
        """Takes effect with the next start or reload."""
        places = {"dir": self.dir, "daemons": DAEMONS, "domains": ", ".join(self.domains),
                  "auth_port": self.auth_port, "port": self.port, "security": self.security,
                  "inbound_port": self.inbound_port, "uid": self.dovecot.uid,
                  "gid": self.dovecot.gid, "homes": self.dovecot.dir / "home"}
        lines = [*MAIN.format(**places).splitlines(), *self._drop_lines()]
        settings = {**dict(map(setting, lines)), **self.settings}
        (self.dir / "main.cf").write_text("".join(
            f"{name} = {value}\n" for name, value in settings.items()))
        (self.dir / "master.cf").write_text(MASTER.format(**places))
        (self.dir / "officials").write_text("".join(
            f"{user} {user}/Maildir/\n" for user in self.dovecot.users if "@" in user))
        (self.dir / "transport").write_text("".join(
            f"{domain} {way}\n" for domain, way in self.transports.items()))
        if self.drop:
            self.run("postmap", f"hash:{self.dir}/dewline")

    def run(self, program, *arguments, given=b""):
        """One of Postfix's own commands, with our configuration; what it printed."""
        environment = dict(os.environ, MAIL_CONFIG=str(self.dir))
        done = subprocess.run([program, "-c", self.dir, *map(str, arguments)], input=given,
                              capture_output=True, env=environment)
        assert done.returncode == 0, f"{program}: {done.stderr.decode()}"
        return done.stdout.decode("utf-8", "replace")

    def start(self):
        self.log = open(self.dir / "master.log", "ab")
        self.process = subprocess.Popen(
            [DAEMONS / "master", "-c", self.dir, "-d"], cwd=self.dir, stdout=self.log,
            stderr=self.log, stdin=subprocess.DEVNULL, start_new_session=True)
        eventually(self._answers, "Postfix answers on both its ports")

    def _answers(self):
        assert self.process.poll() is None, f"master ended: {self.text_of_log()}"
        try:
            for port in (self.port, self.inbound_port):
                with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
                    client.noop()
        except (OSError, smtplib.SMTPException):
            return False
        return True

    def stop(self):
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

    def reload(self):
        """New files take effect for every connection from now on."""
        self.configure()
        self.stop()
        self.start()

    def text_of_log(self):
        return "".join(path.read_text("utf-8", "replace")
                       for path in (self.dir / "master.log", self.dir / "mail.log")
                       if path.exists())

    # Mail in, and what became of it.

    def submit(self, sender, recipient, raw):
        """Hands a mail over at the port for the world, as another mail server does."""
        with smtplib.SMTP("127.0.0.1", self.inbound_port, timeout=60) as client:
            client.sendmail(sender, [recipient], raw)

    def deferred(self):
        """Files of the mails that Postfix could not deliver yet."""
        return [path for path in (self.dir / "queue" / "deferred").rglob("*") if path.is_file()]

    def flush(self):
        self.run("postqueue", "-f")

    def received(self, recipient=None):
        """What lies in an official's mailbox, or in all of them, oldest first."""
        users = [recipient] if recipient else [name for name in self.dovecot.users if "@" in name]
        paths = [path for user in users for part in ("new", "cur")
                 if (self.dovecot.dir / "home" / user).exists()
                 for path in (self.dovecot.maildir(user) / part).iterdir()]
        return [Mailbox(path) for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns)]

    def wait(self, count, recipient=None, seconds=30):
        """The messages, once there are `count`."""
        def enough():
            found = self.received(recipient)
            return found if len(found) >= count else None
        return eventually(enough, f"{count} messages for {recipient or 'anybody'} behind Postfix",
                          seconds)

    def only(self, recipient, seconds=30):
        found = self.wait(1, recipient, seconds)
        assert len(found) == 1, f"{len(found)} messages for {recipient}"
        return found[0]

    def logged(self, pattern):
        return re.findall(pattern, self.text_of_log())
