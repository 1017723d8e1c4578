"""The scene behind real servers: Postfix takes the gateway's mail and brings it mail, Dovecot keeps
the mailboxes and knows the passwords. The gateway runs as a user of its own, as it does in earnest.
"""
import os
import pwd
import shutil
import subprocess

from dovecot import Dovecot, inet_listener
from gateway import Gateway
from harness import free_port
from postfix import Postfix
from scene import COUNTRIES, Scene
from turning import kept

LOGIN, PASSWORD = "dewline", "a secret, with spaces"
DOMAIN = "gw.example"


class OwnUsersGateway(Gateway):
    """Runs as `nobody`, who owns state and drop, and has programs that this user may start."""

    def __init__(self, test, *arguments, **options):
        owner = pwd.getpwnam("nobody")
        self.owner = owner.pw_uid, owner.pw_gid
        self.programs = test.dir / "programs"
        self.programs.mkdir()
        for name in ("dewlined", "dewctl"):
            shutil.copy2(test.build / name, self.programs / name)
        super().__init__(test, *arguments, **options)

    def make_state(self):
        (self.dir / "state").mkdir(mode=0o700, exist_ok=True)
        self.test.dir.chmod(0o711)
        for path in (self.dir, self.dir / "state", self.drop_dir, *self.drop_dir.iterdir()):
            path.chmod(0o700)
            self.give_away(path)

    def give_away(self, path):
        os.chown(path, *self.owner)

    def configure(self):
        self.make_state()
        super().configure()
        self.give_away(self.configuration)

    def _own_key(self):
        gpg = ["gpg", "--homedir", str(self.dir / "state" / "gnupg"), "--batch", "--no-tty"]

        def run(*arguments):
            return subprocess.run([*gpg, *arguments], capture_output=True, check=True, cwd="/",
                                  **self.rights()).stdout
        listed = run("--with-colons", "--list-keys").decode().splitlines()
        return run("--armor", "--export"), next(row.split(":")[9] for row in listed
                                                if row.startswith("fpr"))

    def rights(self):
        return {"user": self.owner[0], "group": self.owner[1], "extra_groups": []}

    def start(self):
        self._allow_faketime()
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [self.programs / "dewlined", "-c", self.configuration], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, start_new_session=True, cwd="/",
            env={"PATH": os.environ["PATH"], **kept()}, **self.rights())


def dovecot_with_auth(t, users, **options):
    """A Dovecot that also answers AUTH for Postfix, and the port of that."""
    port = free_port()
    service = f"service auth {{\n{inet_listener(port)}}}\n"
    return Dovecot(t, users, more=service, **options), port


class Served(Scene):
    """Mail in goes by SMTP to Postfix, whose delivery into the drop is the one INSTALL.md tells."""

    def __init__(self, t, officials=1, password=PASSWORD, postfix=None, make=None, plain=False,
                 **settings):
        """postfix: options of Postfix. make(postfix): what the gateway talks to, else Postfix.
        plain: without TLS and AUTH, as to a Postfix on the same machine."""
        t.needs("gpg")
        addresses = [f"cert@{country}.example" for country in COUNTRIES]
        people = {name: f"of {name}" for name in (*addresses, "publisher@vendor.example",
                                                  "admin@ops.example")}
        self.dovecot, auth_port = dovecot_with_auth(t, {LOGIN: PASSWORD, **people})
        drop = t.dir / "gw" / "drop"
        owner = pwd.getpwnam("nobody")
        drop.mkdir(parents=True)
        drop.parent.chmod(0o700)
        os.chown(drop.parent, owner.pw_uid, owner.pw_gid)
        self.postfix = Postfix(t, self.dovecot, auth_port, drop=(drop, DOMAIN),
                               domains=[name.partition("@")[2] for name in people],
                               **(postfix or {}))
        self.password_file = drop.parent / "password"
        self.set_password(password)
        self.ca_file = drop.parent / "ca.pem"
        shutil.copyfile(self.postfix.authority.ca, self.ca_file)
        self.ca_file.chmod(0o644)
        super().__init__(t, officials, make(self.postfix) if make else self.postfix,
                         smarthost_settings=None if plain else self.smarthost_settings(),
                         make=OwnUsersGateway,
                         **settings)

    def smarthost_settings(self):
        return {"host": "localhost", "tls": "starttls", "ca_file": self.ca_file,
                "user": LOGIN, "password_file": self.password_file}

    def set_password(self, password):
        self.password_file.write_text(f"{password}\n")
        self.password_file.chmod(0o600)
        owner = self.password_file.parent.stat()
        os.chown(self.password_file, owner.st_uid, owner.st_gid)

    def drop(self, raw):
        self.postfix.submit("somebody@elsewhere.example", self.gateway.address, raw)
        self.mails += 1
        return self.gateway.settled(self.mails)[0]

    def put(self, raw):
        """Past Postfix, straight into the drop; its row in the inbox once it was dealt with."""
        return super().drop(raw)
