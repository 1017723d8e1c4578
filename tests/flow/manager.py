#!/usr/bin/env python3
"""The units under a real systemd, in namespaces of its own: manager.py BUILD, started by unshare.

A manager of this program's own, of the kind that users have but run as root, so that it can do what
the units ask for. It has its own processes, mounts, /run and /srv; the gateway lies below /srv,
because its services have no /tmp. Ends with a line "skip: WHY" and 77 where such a manager cannot be had.
"""
import contextlib
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import traceback

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / name) for name in ("flow", "peer", "interop")]
import harness  # noqa: E402
from gateway import Smarthost  # noqa: E402
from scene import TITLE  # noqa: E402
from served import OwnUsersGateway  # noqa: E402

RUN, TOP = pathlib.Path("/run/manager"), pathlib.Path("/srv/dewline")
DEBIAN_12 = 252  # the version of its systemd
PASSPHRASE = "LoadCredentialEncrypted=gateway-passphrase"


def run(*command, **options):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)


def mount(*arguments):
    done = run("mount", *arguments)
    if done.returncode:
        raise harness.Skip(f"mounting is not allowed here: {done.stderr.strip()}")


def make_places():
    """What the system's own manager makes at boot, and /var/lib/systemd for the host's key."""
    mount("--make-rshared", "/")
    for place in ("/run", "/srv", "/var/lib/systemd"):
        mount("-t", "tmpfs", "-o", "mode=755", "none", place)
    hidden = pathlib.Path("/run/systemd/inaccessible")
    for path in (hidden / "dir", pathlib.Path("/run/systemd/system"), RUN, TOP):
        path.mkdir(parents=True)
    (hidden / "reg").touch(0)
    run("mknod", "-m", "0", hidden / "chr", "c", "0", "0")


def makes_users_first():
    """A manager for users of systemd 257 puts each process of a service into a user namespace of its
    own before all else. One that comes second may not enter the network namespace that the first one
    made, and is left in the machine's. The system's manager makes user namespaces last."""
    version = run("systemctl", "--version").stdout.split()[1]
    return int(re.match(r"\d+", version)[0]) > DEBIAN_12


def write_units(gateway, encrypted):
    """The units with the places of the test instead of their own."""
    units = RUN / "config" / "systemd" / "user"
    units.mkdir(parents=True)
    places = {"/usr/sbin/dewlined": gateway.programs / "dewlined",
              "/etc/dewline.cfg": gateway.configuration,
              "/etc/dewline.passphrase": gateway.dir / "dewline.passphrase",
              "/var/lib/dewline/drop": gateway.drop_dir,
              "/var/lib/dewline": gateway.dir,
              "Group=dewline": "Group=nogroup", "User=dewline": "User=nobody",
              PASSPHRASE: f"{PASSPHRASE}:{encrypted}",
              "[Service]": f"[Service]\nStandardError=append:{TOP}/services.log"}
    if makes_users_first():
        places["ExecStartPre="] = "# "  # so that ExecStart is the first
    for path in (TESTS.parent / "conf").glob("dewline*.s*"):
        text = path.read_text()
        for place, ours in places.items():
            text = text.replace(place, str(ours))
        (units / path.name).write_text(text)
    (units / "all.target").write_text("[Unit]\nWants=dewlined.service\n")


def make_groups():
    """A control group of the manager's own in each hierarchy in which it looks for itself: in one and the
    same, two managers that run at a time would take each other's. Empty where none can be made."""
    rows = [row.split(":", 2) for row in pathlib.Path("/proc/self/cgroup").read_text().splitlines()]
    top, name, made = pathlib.Path("/sys/fs/cgroup"), f"dewline-{secrets.token_hex(6)}", []
    for _, kinds, path in rows:
        place = {"name=systemd": top / "systemd", "": top / "unified"}.get(kinds)
        if place is None:
            continue
        place = (place if place.is_dir() else top) / path.lstrip("/")
        with contextlib.suppress(OSError):
            (place / name).mkdir()
            made.append(place / name)
    return made


def remove_groups(groups):
    """With what the manager made below."""
    for group in groups:
        for below in sorted(group.rglob("*/"), reverse=True):
            with contextlib.suppress(OSError):
                below.rmdir()
        with contextlib.suppress(OSError):
            group.rmdir()


class Manager:
    def __init__(self):
        self.groups = make_groups()
        self.environment = dict(os.environ, XDG_RUNTIME_DIR=str(RUN), HOME=str(RUN),
                                XDG_CONFIG_HOME=str(RUN / "config"))
        self.process = subprocess.Popen(
            ["/lib/systemd/systemd", "--user", "--unit=all.target", "--log-target=null"],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, preexec_fn=self._move)

    def _move(self):
        os.umask(0)
        for group in self.groups:
            (group / "cgroup.procs").write_text("0")

    def ctl(self, *arguments):
        return run("systemctl", "--user", *arguments, env=self.environment)

    def state(self):
        """Of the gateway's service; "" where there is no manager to ask."""
        return self.ctl("is-active", "dewlined.service").stdout.strip()

    def stop(self):
        self.ctl("stop", "dewlined.service", "dewline-courier.socket")
        self.process.terminate()
        self.process.wait(20)
        harness.eventually(lambda: not self._is_used(), "the services have ended")
        remove_groups(self.groups)

    def _is_used(self):
        return any((below / "cgroup.procs").read_text() for group in self.groups
                   for below in (group, *group.rglob("*/")))


def encrypt_passphrase(gateway):
    """As INSTALL.md tells; the file itself is gone then."""
    file, encrypted = gateway.dir / "dewline.passphrase", TOP / "passphrase.encrypted"
    done = run("systemd-creds", "encrypt", "--with-key=host", "--name=gateway-passphrase", file,
               encrypted)
    assert done.returncode == 0, done.stderr
    shutil.move(file, TOP / "kept-elsewhere")
    return encrypted


def look_at_processes():
    """The gateway's processes have no network but the courier's, and nobody has privileges."""
    own, seen = os.readlink("/proc/self/ns/net"), set()
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            role = (entry / "comm").read_text().strip() if entry.name.isdigit() else ""
            line = (entry / "cmdline").read_bytes() if role else b""
            if str(TOP).encode() not in line or b"gw/dewline.cfg" not in line:
                continue
            apart = os.readlink(entry / "ns" / "net") != own
            assert apart == (b"--courier" not in line), (role, line)
            status = dict(row.split(":\t", 1) for row in
                          (entry / "status").read_text().splitlines() if ":\t" in row)
            assert int(status["CapBnd"], 16) == 0 and status["NoNewPrivs"] == "1", (role, status)
            assert status["Uid"].split()[0] != "0", role
            seen.add(role)
    assert {"dewlined", "gate", "vault", "courier"} <= seen, seen


def whole_run(t):
    gateway = OwnUsersGateway(t, Smarthost(t), False,
                              {"courier": {"socket": "/run/dewline/courier"}})
    publisher = gateway.admit_publisher(t.publisher())
    official = gateway.admit(t.official("cert@us-de.example"))
    write_units(gateway, encrypt_passphrase(gateway))
    manager = Manager()
    t.later(manager.stop)
    harness.eventually(lambda: manager.state() or manager.process.poll() is not None, "systemd")
    if not manager.state():
        raise harness.Skip("systemd cannot run here")
    harness.eventually(lambda: manager.state() == "active", "dewlined.service is ready", 60)
    gateway.drop(publisher.publish(TITLE, "text\n"))
    opened = official.open(gateway.smarthost.wait(1, official.address)[0].raw)
    assert opened.good
    look_at_processes()
    gateway.drop(official.reply(opened, "acting"))
    number = gateway.advisories()[0]["number"]
    harness.eventually(lambda: gateway.acknowledgments(number), "the acknowledgment")
    couriers = manager.ctl("list-units", "--plain", "dewline-courier@*").stdout
    assert "dewline-courier@" in couriers, couriers
    manager.ctl("stop", "dewlined.service")
    assert manager.state() == "inactive", manager.state()
    harness.eventually(lambda: "dewline-courier@" not in manager.ctl(
        "list-units", "--plain", "dewline-courier@*").stdout, "no courier is left")


def main(build):
    make_places()
    t, code = harness.Test(TOP, build), 1
    try:
        whole_run(t)
        code = 0
    except harness.Skip as reason:
        code, last = harness.SKIPPED, f"skip: {reason}"
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        log = TOP / "services.log"
        print(log.read_text("utf-8", "replace") if log.exists() else "no service said a word")
    if not t.clean():
        code = 1
    if code == harness.SKIPPED:
        print(last)
    return code


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
