"""Every process of the living daemon is held to what it has need of, by force."""
import ctypes
import errno
import os
import pathlib
import pwd
import re
import shutil
import socket
import struct
import subprocess
import sys

from gateway import Gateway, Smarthost
from harness import eventually, limit
from intruder import Intruder, Killed, needs_root
from scene import Scene
from turning import kept

LANDLOCK_CREATE_RULESET = 444
OWNER = "nobody"
ROLES = ("dewlined", "gate", "reader", "vault", "courier", "starter", "gpg-agent")


def status(pid):
    """The fields of /proc/PID/status."""
    text = pathlib.Path("/proc", str(pid), "status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def agents(home):
    """Agents of this home; they detach themselves from who started them."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if line[0].endswith(b"gpg-agent") and str(home).encode() in line:
                found.append(int(entry.name))
    return found


def send_one(scene):
    """A mail goes all the way, so that every process is needed."""
    scene.release()
    scene.opened()


def everybody(scene):
    """{role: [pid...]}, at least one of each."""
    home = scene.gateway.place

    def complete():
        found = {}
        for pid, role in scene.gateway.processes().items():
            found.setdefault(role, []).append(pid)
        found["gpg-agent"] = agents(home)
        return found if all(found.get(role) for role in ROLES) else None
    return eventually(complete, "all processes run")


def test_every_process_has_a_filter_and_no_way_to_privileges(t):
    scene = Scene(t)
    seen = set()

    def look():
        for role, pids in everybody(scene).items():
            for pid in pids:
                try:
                    fields = status(pid)
                except (FileNotFoundError, ProcessLookupError):
                    continue  # a reader lives for one mail
                assert fields["Seccomp"] == "2", f"{role} has no filter: {fields['Seccomp']}"
                assert fields["NoNewPrivs"] == "1", role
                seen.add(role)
        return seen == set(ROLES)
    send_one(scene)
    eventually(look, "one of each role has been looked at")


# From the inside.

AF_INET, SOCK_STREAM = 2, 1
STOPPED = "was stopped by its sandbox (SIGSYS)"


def living(scene, role):
    def find():
        home = scene.gateway.place
        pids = agents(home) if role == "gpg-agent" else [
            pid for pid, name in scene.gateway.processes().items() if name == role]
        return pids and pids[0]
    return eventually(find, f"a {role} lives")


def tries(scene, role, *attempts):
    """What each attempt gave, errors by name; "killed" where the process ended by it."""
    results, pid = [], living(scene, role)
    try:
        with Intruder(pid) as intruder:
            for attempt in attempts:
                result = intruder.call(*attempt)
                results.append(errno.errorcode[-result] if result < 0 else result)
    except Killed:
        results.append("killed")
    return results


def expect(scene, role, expected, *attempts):
    got = tries(scene, role, *attempts)
    assert got == expected, f"{role}: {got} and not {expected}"


def open_of(path):
    return ("open", os.fsencode(path), os.O_RDONLY)


def connect_to(fd, port):
    address = struct.pack("=H", AF_INET) + struct.pack(">H", port) + bytes((127, 0, 0, 1)) + bytes(8)
    return ("connect", fd, address, len(address))


INTERNET = ("socket", AF_INET, SOCK_STREAM, 0)
SHELL = ("execve", b"/bin/sh", 0, 0)


RESTLESS = """
import os, signal
signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
seen = []
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
print("ready", flush=True)
while os.read(0, 1) == b"+":
    print(len(seen), flush=True)
signal.setitimer(signal.ITIMER_REAL, 0)
"""


def test_tool_that_takes_over_reads_what_calls_gave_and_leaves_no_trace(t):
    """In a process that signals interrupt a thousand times a second; else no verdict here counts."""
    needs_root(t)
    missing, there = t.dir / "missing", t.dir / "there"
    there.write_text("x")
    with subprocess.Popen([sys.executable, "-c", RESTLESS], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        for _ in range(20):
            with Intruder(process.pid) as intruder:
                for _ in range(10):
                    assert intruder.call("getpid") == process.pid
                    assert intruder.call(*open_of(missing)) == -errno.ENOENT
                    assert intruder.call("connect", 0, 0, 0) == -errno.ENOTSOCK
                    assert intruder.call("read", 99, 0, 0) == -errno.EBADF
                fd = intruder.call(*open_of(there))
                assert os.readlink(f"/proc/{process.pid}/fd/{fd}") == str(there)
            process.stdin.write(b"+")
            process.stdin.flush()
            assert int(process.stdout.readline()) >= 0
        process.stdin.close()
        assert process.wait(30) == 0


@limit(300)
def test_process_that_is_taken_over_opens_connects_and_executes_nothing(t):
    needs_root(t)
    scene = Scene(t)
    send_one(scene)
    everybody(scene)
    state = scene.gateway.dir / "state"
    (t.dir / "foreign").write_text("x\n")
    foreign, store, key = open_of(t.dir / "foreign"), open_of(state / "store.db"), open_of(
        next((state / "gnupg" / "private-keys-v1.d").iterdir()))
    for attempt in (foreign, INTERNET, SHELL):
        expect(scene, "reader", ["killed"], attempt)
    expect(scene, "courier", ["EACCES"] * 3 + ["killed"], foreign, store, key, SHELL)
    expect(scene, "vault", ["EACCES"] * 3 + ["killed"], foreign, store, SHELL, INTERNET)
    expect(scene, "gpg-agent", ["EACCES"] * 3 + ["killed"], foreign, store, SHELL, INTERNET)
    expect(scene, "gate", ["EACCES"] * 2 + ["killed"], foreign, key, INTERNET)
    expect(scene, "gate", ["killed"], SHELL)
    for role in ("reader", "courier", "vault", "gate"):
        eventually(lambda: re.search(f"{role} \\d+ {re.escape(STOPPED)}",
                                     scene.gateway.text_of_log()), f"the log tells of the {role}")
    # All of them were replaced, and nothing is lost.
    number = scene.release(title="After the attack")["number"]
    eventually(lambda: all(row["state"] in ("sent", "acknowledged")
                           for row in scene.gateway.deliveries(number)), "it is sent")
    expect(scene, "dewlined", ["EACCES"] * 3 + ["killed"], foreign, store, key, INTERNET)
    for last in (SHELL, None):
        scene.gateway.process.wait(10)
        scene.gateway.process = None
        if last:
            scene.gateway.start()
            living(scene, "gate")
            expect(scene, "dewlined", ["killed"], last)


def test_courier_connects_to_the_configured_servers_only(t):
    """Where the kernel can tell ports apart: Landlock since Linux 6.7."""
    needs_root(t)
    version = ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, 1)
    if version < 4:
        t.skip(f"Landlock of this kernel, version {version}, knows no ports")
    scene = Scene(t)
    send_one(scene)
    everybody(scene)
    with socket.create_server(("127.0.0.1", 0)) as elsewhere, \
            Intruder(living(scene, "courier")) as intruder:
        fd = intruder.call(*INTERNET)
        assert fd > 2
        assert intruder.call(*connect_to(fd, elsewhere.getsockname()[1])) == -errno.EACCES
        assert intruder.call(*connect_to(fd, scene.smarthost.port)) == 0


def test_courier_that_is_taken_over_reaches_no_agent(t):
    """It would sign, decrypt where the key has no passphrase, and delete the key, for whoever asks."""
    needs_root(t)
    scene = Scene(t)
    send_one(scene)
    everybody(scene)
    living(scene, "gpg-agent")
    home = scene.gateway.place
    place = subprocess.run(["gpgconf", "--homedir", home, "--list-dirs", "agent-socket"],
                           capture_output=True, check=True, text=True).stdout.strip()
    address = struct.pack("=H", socket.AF_UNIX) + os.fsencode(place) + b"\0"
    with Intruder(living(scene, "courier")) as intruder:
        fd = intruder.call("socket", socket.AF_UNIX, SOCK_STREAM, 0)
        if fd >= 0:
            fd = intruder.call("connect", fd, address, len(address))
        assert fd == -errno.EAFNOSUPPORT, f"the agent takes its commands: {fd}"


def test_dewctl_executes_nothing_but_gnupg(t):
    """It runs gpg on what a vault that was taken over may have left behind, and has the network."""
    needs_root(t)
    gateway = Gateway(t, start=False)
    for _ in range(50):  # until one is met while it works
        dewctl = subprocess.Popen([t.build / "dewctl", "-c", gateway.configuration, "check"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while dewctl.poll() is None and status(dewctl.pid)["NoNewPrivs"] != "1":
            pass
        try:
            with Intruder(dewctl.pid) as intruder:
                assert intruder.call(*SHELL) == -errno.EACCES
            return
        except OSError:
            pass
        finally:
            dewctl.wait()
    raise AssertionError("dewctl ran gpg without having confined itself, or ended too soon")


# Who was started as root.

class OwnedGateway(Gateway):
    """As an admin sets it up: root runs dewctl and dewlined, and all belongs to a user."""

    def _own_key(self):
        return b"", ""

    def configure(self):
        super().configure()
        for path in (self.dir, self.drop_dir, *self.drop_dir.iterdir()):
            shutil.chown(path, OWNER, pwd.getpwnam(OWNER).pw_gid)


def test_started_as_root_it_becomes_the_user_of_the_setting_for_good(t):
    if os.geteuid() != 0:
        t.skip("not root")
    t.dir.chmod(0o711)
    smarthost = Smarthost(t)
    gateway = OwnedGateway(t, smarthost, False, {"user": OWNER})
    certificate = subprocess.run(
        ["gpg", "--homedir", gateway.dir / "state" / "gnupg", "--batch", "--armor", "--export"],
        capture_output=True, check=True, user=OWNER, env={"PATH": os.environ["PATH"], **kept()}).stdout
    assert certificate
    gateway.certificate = certificate
    gateway.fingerprint = gateway.store_rows("SELECT value FROM value WHERE name = 'gateway'")[0][0]
    if isinstance(gateway.fingerprint, bytes):
        gateway.fingerprint = gateway.fingerprint.decode()
    official = gateway.admit(t.official("cert@us-de.example"))
    publisher = gateway.admit_publisher(t.publisher())
    gateway.start()
    gateway.drop(publisher.publish("Title", "Text.\n"))
    gateway.settled(1)
    smarthost.only(official.address)
    uid = str(pwd.getpwnam(OWNER).pw_uid)
    pids = [*gateway.processes(), *agents(gateway.place)]
    looked_at = 0
    for pid in pids:
        try:
            fields = status(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue  # a gpg that has done its work since
        looked_at += 1
        who = f"{fields['Name']} ({pid})"
        assert set(fields["Uid"].split()) == {uid}, f"{who}: {fields['Uid']}"
        assert "0" not in fields["Gid"].split() + fields["Groups"].split(), who
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(fields[capabilities], 16) == 0, f"{who}: {capabilities}"
    assert looked_at >= len(ROLES)
    gateway.ctl("backup", gateway.dir / "backup")
    foreign = [path for path in gateway.dir.rglob("*") if path.lstat().st_uid == 0
               and path not in (gateway.configuration, gateway.log_path)
               and gateway.drop_dir not in path.parents]
    assert not foreign, f"root left {foreign}"
