"""A whole gateway for a test: configuration, dewctl, the daemon and its fake smarthost."""
import contextlib
import datetime
import email
import json
import os
import pathlib
import re
import secrets
import signal
import socket
import sqlite3
import subprocess

from harness import command_line, descendants, eventually, now
from turning import SHARED

SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer")
STOP_SECONDS = 20
MANY = 100000


class Received:
    """One message that the smarthost answered for."""

    def __init__(self, path):
        raw = path.read_bytes()
        fields, self.raw = {}, raw
        while self.raw.startswith(b"X-Envelope-"):
            line, _, self.raw = self.raw.partition(b"\n")
            name, _, value = line.decode().rstrip("\r").partition(":")
            fields[name] = value.strip().strip("<>")
        self.sender = fields["X-Envelope-From"]
        self.recipient = fields["X-Envelope-To"]
        self.number = path.stem

    @property
    def headers(self):
        return email.message_from_bytes(self.raw)


class Smarthost:
    """The fake smarthost of tests/peer/smarthost.c. script: rules `STEP PATTERN COUNT ACTION`."""

    def __init__(self, test, script=(), options=()):
        self.test = test
        self.dir = test.dir / f"smarthost-{secrets.token_hex(3)}"
        self.store = self.dir / "mail"
        self.store.mkdir(parents=True)
        self.options = list(map(str, options))
        if script:
            (self.dir / "script").write_text("".join(f"{rule}\n" for rule in script))
            self.options += ["--script", str(self.dir / "script")]
        self.process, self.port = None, 0
        self.start()
        test.later(self.stop)

    def start(self):
        port_file = self.dir / "port"
        port_file.unlink(missing_ok=True)
        program = next(path for path in (self.test.build / "tests/peer/smarthost",
                                         self.test.build / "smarthost") if path.exists())
        options = list(self.options)
        if self.port:
            options += ["--port", str(self.port)]
        self.log = open(self.dir / "smarthost.log", "ab")
        self.process = subprocess.Popen(
            [program, "--port-file", port_file, "--store", self.store, *options],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        self.port = int(eventually(lambda: port_file.exists() and port_file.read_text().strip(),
                                   "the smarthost says its port"))

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None
            self.log.close()

    def received(self, recipient=None):
        found = [Received(path) for path in sorted(self.store.glob("*.eml"))]
        return [mail for mail in found if recipient in (None, mail.recipient)]

    def wait(self, count, recipient=None, seconds=30):
        """The messages, once there are `count`."""
        def enough():
            found = self.received(recipient)
            return found if len(found) >= count else None
        who = recipient or "anybody"
        return eventually(enough, f"{count} messages for {who} at the smarthost, "
                          f"not {len(self.received(recipient))}", seconds)

    def only(self, recipient, seconds=30):
        """The one message for a recipient."""
        found = self.wait(1, recipient, seconds)
        assert len(found) == 1, f"{len(found)} messages for {recipient}"
        return found[0]


def setting(value):
    """A value in the configuration file's form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + " ".join(f"{n} = {setting(v)};" for n, v in value.items()) + " }"
    return str(value) if isinstance(value, int) else json.dumps(str(value))


class Gateway:
    log_before = 0  # bytes of the log when the daemon was last started

    def __init__(self, test, smarthost=None, start=True, settings=None, directory=None,
                 known=None):
        """settings: groups of the configuration file, such as {"retry": {"first": 1}}. known: what
        `knows` said of a gateway whose state is there already."""
        self.test = test
        self.dir = pathlib.Path(directory or test.dir / "gw")
        self.dir.mkdir(mode=0o700, exist_ok=True)
        self.smarthost = smarthost or Smarthost(test)
        self.address, self.process = "gateway@gw.example", None
        self.program, self.wrapper = "dewlined", []
        self.known_members = set()
        self.drop_dir = self.dir / "drop"
        for name in ("tmp", "new", "cur"):
            (self.drop_dir / name).mkdir(parents=True, exist_ok=True)
        self.settings = {
            "gateway": {"name": "Example early warning", "prefix": "DEW",
                        "address": self.address, "list": "advisories@gw.example",
                        "return_path": "bounce@gw.example"},
            "smarthost": {"host": "127.0.0.1", "port": self.smarthost.port, "tls": "none",
                          "connections": 2},
            "retry": {"first": "1s", "most": "2s", "give_up": "1h"},
        }
        for group, values in (settings or {}).items():
            self.settings[group] = ({**self.settings.get(group, {}), **values}
                                    if isinstance(values, dict) else values)
        self.configuration = self.dir / "dewline.cfg"
        self.configure()
        self.log_path = self.dir / "dewlined.log"
        test.later(self.finish)
        test.gateways.append(self)
        if known:
            self.certificate = known["certificate"].encode()
            self.fingerprint, self.known_members = known["fingerprint"], set(known["members"])
        else:
            self.ctl("init")
            self.certificate, self.fingerprint = self._own_key()
        if start:
            self.start()

    def knows(self):
        """What must be handed over with the state directory, for JSON."""
        return {"certificate": self.certificate.decode(), "fingerprint": self.fingerprint,
                "members": sorted(self.known_members)}

    def _allow_faketime(self):
        """libfaketime shares memory between the programs that it is loaded into."""
        if "LD_PRELOAD" not in os.environ:
            return
        self.settings["sandbox_write"] = SHARED
        if "FAKETIME_TIMESTAMP_FILE" in os.environ:
            self.settings["sandbox_read"] = os.path.dirname(os.environ["FAKETIME_TIMESTAMP_FILE"])
        self.configure()

    def configure(self):
        lines = [f'state = "{self.dir}/state";', f'drop = "{self.drop_dir}";',
                 'log_level = "debug";']
        lines += [f"{name}: {setting(value)};" if isinstance(value, dict)
                  else f"{name} = {setting(value)};" for name, value in self.settings.items()]
        self.configuration.write_text("\n".join(lines) + "\n")

    # The admin.

    def ctl(self, *arguments, given=b"", may_fail=False):
        """Runs dewctl; what it printed."""
        done = subprocess.run([self.test.build / "dewctl", "-c", self.configuration,
                               *map(str, arguments)], input=given, capture_output=True)
        said = done.stderr.decode("utf-8", "replace")
        assert not SANITIZER.search(said), said
        self.said = said
        if done.returncode and not may_fail:
            raise AssertionError(f"dewctl {' '.join(map(str, arguments))}: exit status "
                                 f"{done.returncode}\n{said}{done.stdout.decode()}")
        self.code = done.returncode
        return done.stdout.decode("utf-8", "replace")

    def confirm_clock(self):
        if (self.dir / "state" / "store.db").exists():
            self.ctl("clock", "confirm")

    def rows(self, *arguments, may_fail=False):
        """Runs dewctl with --json: a list of rows, or one record with its tables."""
        return json.loads(self.ctl(*arguments, "--json", may_fail=may_fail))

    @staticmethod
    def seconds(text):
        """Seconds since 1970 of a time in JSON."""
        if isinstance(text, (int, float)):
            return text
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()

    def _own_key(self):
        """The gateway's certificate, as its admin exports it, and the fingerprint of it."""
        gpg = ["gpg", "--homedir", str(self.dir / "state" / "gnupg"), "--batch", "--no-tty"]
        export = subprocess.run([*gpg, "--armor", "--export"], capture_output=True, check=True)
        listed = subprocess.run([*gpg, "--with-colons", "--list-keys"], capture_output=True,
                                check=True).stdout.decode()
        return export.stdout, next(row.split(":")[9] for row in listed.splitlines()
                                   if row.startswith("fpr"))

    def member(self, name, **options):
        words = [word for pair in options.items() for word in (f"--{pair[0]}", pair[1])]
        self.ctl("member", "add", name, "--name", f"Country of {name}", *words)
        self.known_members.add(name)

    def add_key(self, person, confirm=True):
        self.ctl("key", "add", "-", given=person.certificate)
        if confirm:
            self.ctl("key", "confirm", person.fingerprint)

    def admit(self, official, member=None, clearance="RED", **options):
        """Key, member (the first label of the address's domain unless given) and contact."""
        member = member or official.address.split("@")[1].split(".")[0]
        if member not in self.known_members:
            self.member(member)
        self.add_key(official)
        words = [word for pair in options.items() for word in (f"--{pair[0]}", pair[1])]
        self.ctl("contact", "add", member, official.address, "--name", official.name, "--key",
                 official.fingerprint, "--clearance", clearance, *words)
        official.meet(self)
        return official

    def admit_publisher(self, publisher):
        self.add_key(publisher)
        self.ctl("publisher", "add", publisher.address, "--name", publisher.name, "--key",
                 publisher.fingerprint)
        publisher.meet(self)
        return publisher

    def advisories(self):
        return self.rows("advisory", "list", "--all")

    def deliveries(self, number):
        """Rows of who gets the newest revision."""
        rows = self.rows("advisory", "show", number)["deliveries"]
        newest = max((row["revision"] for row in rows), default=0)
        return [row for row in rows if row["revision"] == newest]

    def acknowledgments(self, number):
        """Rows of those in the audience who have answered."""
        return [row for row in self.rows("ack", "list", number) if row["status"]]

    def arrivals(self):
        return self.rows("inbox", "list", "--most", MANY)

    def audit(self):
        return self.rows("audit", "show", "--from", 1, "--most", MANY)

    def store_rows(self, statement):
        """What the store itself holds, read beside the daemon: for what dewctl does not tell."""
        path = self.dir / "state" / "store.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            return store.execute(statement).fetchall()

    def ambiguous(self):
        """{address: attempts that nobody knows the end of}, of the newest advisory's message."""
        return dict(self.store_rows(
            "SELECT address, ambiguous FROM delivery WHERE message ="
            " (SELECT max(id) FROM message WHERE kind = 'advisory')"))

    def gpg_runs(self):
        """How often gpg ran to seal, as the store counts it."""
        rows = self.store_rows("SELECT value FROM value WHERE name = 'gpg-runs'")
        return int(rows[0][0]) if rows else 0

    # The daemon.

    def start(self):
        self._allow_faketime()
        self.log = open(self.log_path, "ab")
        self.log_before = self.log_path.stat().st_size
        self.process = subprocess.Popen(
            [*self.wrapper, self.test.build / self.program, "-c", self.configuration],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)

    def _await_first_line(self):
        """A signal that comes before the program itself runs ends it in bad order."""
        eventually(lambda: self.process.poll() is not None or
                   self.log_path.stat().st_size > self.log_before, "dewlined says a word")

    def stop(self):
        """Asks it to end, as systemd does, and holds it to ending well."""
        if not self.process:
            return
        self._await_first_line()
        below = {pid: self._born(pid) for pid in descendants(self.process.pid)}
        self.process.terminate()
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        self.process = None
        self.log.close()
        assert code == 0, f"dewlined ended with {code} on SIGTERM"
        left = [pid for pid, born in below.items()
                if born and self._born(pid) == born and "gpg-agent" not in command_line(pid)]
        assert not left, f"outlived dewlined: {[command_line(pid) for pid in left]}"

    @staticmethod
    def _born(pid):
        """When it was started, as numbers are given out anew; None for one that does not live."""
        try:
            stat = pathlib.Path("/proc", str(pid), "stat").read_text()
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()
        return fields[19] if fields[0] != "Z" else None

    def finish(self):
        """The end of the test: stops everything and looks for a sanitizer's complaints."""
        try:
            self.stop()
        finally:
            for home in (self.gnupg, *self.gnupg.glob("[rtc]*/")):
                if (home / "S.gpg-agent").exists():
                    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"],
                                   capture_output=True)
        said = SANITIZER.search(self.text_of_log())
        assert not said, "a sanitizer spoke in dewlined.log"

    @property
    def gnupg(self):
        """The home of the gateway's key."""
        return self.dir / "state" / "gnupg"

    @property
    def place(self):
        """Where the daemon's gpg and gpg-agent run."""
        return self.gnupg / "r"

    def restart(self):
        self.stop()
        self.start()

    def text_of_log(self):
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""

    def processes(self):
        """{pid: role} of the daemon and all below it; gpg and gpg-agent by these names."""
        if not self.process:
            return {}
        found = {self.process.pid: "dewlined"}
        for pid in descendants(self.process.pid):
            try:
                found[pid] = pathlib.Path("/proc", str(pid), "comm").read_text().strip()
            except OSError:
                continue
        return found

    def memory(self, role):
        """The most memory (VmHWM, in kB) that any process of a role has taken so far."""
        most = 0
        for pid, name in self.processes().items():
            if role == name:
                try:
                    status = pathlib.Path("/proc", str(pid), "status").read_text()
                except OSError:
                    continue
                found = re.search(r"VmHWM:\s*(\d+) kB", status)
                most = max(most, int(found.group(1)) if found else 0)
        return most

    def kill(self, role, number=signal.SIGKILL):
        """Sends a signal to every process of a role; how many there were."""
        pids = [pid for pid, name in self.processes().items() if role in name]
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        return len(pids)

    def kill_everything(self):
        """kill -9 of the daemon and all below it at once, then waits until they are gone."""
        pids = [self.process.pid, *descendants(self.process.pid)]
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        self.process = None
        self.log.close()

    # Mail in.

    def drop(self, raw):
        """Delivers as an MTA does: written in tmp, synced, moved to new."""
        name = f"{now():.6f}.{secrets.token_hex(6)}.{socket.gethostname()}"
        draft = self.drop_dir / "tmp" / name
        with open(draft, "wb") as out:
            out.write(raw.replace(b"\r\n", b"\n"))
            out.flush()
            os.fsync(out.fileno())
        draft.rename(self.drop_dir / "new" / name)

    # To wait for the store itself costs nothing; dewctl is asked once, when there is an answer.

    def settled(self, count, seconds=30):
        """The arrivals, newest first, once there are `count` and all have been dealt with, or wait
        to be tried again."""
        def done():
            total, at_work = self.store_rows(
                "SELECT count(*), total(state IN ('received', 'judged') AND"
                " (tries = 0 OR wait_until = 0)) FROM arrival")[0]
            return total >= count and not at_work
        eventually(done, f"{count} arrivals dealt with", seconds)
        return self.arrivals()

    def count_advisories(self):
        return self.store_rows("SELECT count(*) FROM advisory")[0][0]

    def released(self, count=1, seconds=30):
        """The advisories, newest first, once there are `count`."""
        eventually(lambda: self.count_advisories() >= count, f"{count} advisories", seconds)
        return self.advisories()
