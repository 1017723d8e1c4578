"""Throw-away GnuPG homes. Making keys takes time, so each kind is made once a run and copied."""
import os
import pathlib
import re
import shutil
import subprocess

import once
from harness import now

AGE = 400 * 86400  # of a ready key, so that tests can sign in the past

CONFIGURATION = """\
no-greeting
no-permission-warning
trust-model always
no-auto-key-locate
no-auto-key-retrieve
disable-dirmngr
no-auto-check-trustdb
personal-digest-preferences SHA256
"""


class Run:
    """What one gpg run gave."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.status = [line[9:].split() for line in err.decode("utf-8", "replace").splitlines()
                       if line.startswith("[GNUPG:] ")]

    def lines(self, keyword):
        """The arguments of each status line of this kind."""
        return [fields[1:] for fields in self.status if fields[0] == keyword]


class Home:
    """A GnuPG home of its own, its agent included."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.path / "gpg.conf").exists():
            (self.path / "gpg.conf").write_text(CONFIGURATION)

    def environment(self):
        return dict(os.environ, GNUPGHOME=str(self.path), HOME=str(self.path), LC_ALL="C.UTF-8")

    def gpg(self, *arguments, given=b"", may_fail=False, faked=None):
        """Runs gpg; `faked` is the time it believes in, seconds since 1970."""
        command = ["gpg", "--homedir", str(self.path), "--batch", "--no-tty", "--yes",
                   "--status-fd", "2", "--pinentry-mode", "loopback", "--passphrase", ""]
        if faked is not None:
            command += [f"--faked-system-time={int(faked)}", "--ignore-time-conflict"]
        done = subprocess.run([*command, *map(str, arguments)], input=given, capture_output=True,
                              env=self.environment())
        if done.returncode and not may_fail:
            raise AssertionError(f"gpg {' '.join(map(str, arguments))}: {done.stderr.decode()}")
        return Run(done.returncode, done.stdout, done.stderr)

    def make_key(self, user_id, algorithm="ed25519", expires="0", faked=None):
        """A key to sign and one to encrypt; the fingerprint of the primary."""
        first, second = (("ed25519", "cv25519") if algorithm == "ed25519"
                         else (algorithm, algorithm))
        run = self.gpg("--quick-gen-key", user_id, first, "sign", expires, faked=faked)
        fingerprint = run.lines("KEY_CREATED")[0][1]
        if faked is not None:  # the first run's clock went on: no subkey is older than its key
            faked += 10
        self.gpg("--quick-add-key", fingerprint, second, "encr", expires, faked=faked)
        return fingerprint

    def certificate(self, fingerprint):
        return self.gpg("--armor", "--export", fingerprint).out

    def secret(self, fingerprint):
        return self.gpg("--armor", "--export-secret-keys", fingerprint).out

    def add(self, certificate):
        self.gpg("--import", given=certificate)

    def keys(self):
        """Rows of --with-colons about public keys."""
        out = self.gpg("--with-colons", "--with-subkey-fingerprint", "--list-keys").out
        return [row.split(":") for row in out.decode("utf-8", "replace").splitlines()]

    def copy_from(self, other):
        for name in ("pubring.kbx", "private-keys-v1.d", "openpgp-revocs.d"):
            source = other.path / name
            if source.is_dir():
                shutil.copytree(source, self.path / name)
            elif source.exists():
                shutil.copy2(source, self.path / name)

    def stop(self):
        if self.path.exists():
            subprocess.run(["gpgconf", "--homedir", str(self.path), "--kill", "all"],
                           env=self.environment(), capture_output=True)


def ready_home(path, user_id, algorithm):
    """A home at path with a key for user_id, copied from the run's store of keys when it has it;
    the home and the key's fingerprint."""
    home, born = Home(path), now() - AGE
    if not once.store():
        return home, home.make_key(user_id, algorithm, faked=born)
    with once.alone(re.sub(r"[^a-z0-9]+", "-", f"{algorithm}-{user_id}".lower())) as made:
        if not made.exists():
            with once.draft(made) as folder:
                first = Home(folder)
                fingerprint = first.make_key(user_id, algorithm, faked=born)
                first.stop()
                (folder / "fingerprint").write_text(fingerprint)
    home.copy_from(Home(made))
    return home, (made / "fingerprint").read_text()
