"""The services of systemd: couriers apart from the rest, and the units themselves."""
import errno
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import time

from harness import SKIPPED, descendants, eventually, limit, sanitized
from intruder import Intruder, needs_root
from scene import Scene
from test_secrets import descriptors, network_sockets
from turning import machines_time


def comm(pid):
    try:
        return pathlib.Path("/proc", str(pid), "comm").read_text().strip()
    except OSError:
        return None  # it has ended meanwhile


class Couriers:
    """What dewline-courier.socket and its service are: a process for each connection."""

    def __init__(self, t):
        t.needs("systemd-socket-activate")
        self.t, self.socket, self.process = t, t.dir / "courier", None
        self.wrapper = []
        t.later(self.stop)

    def start(self, gateway):
        self.socket.unlink(missing_ok=True)
        self.log = open(self.t.dir / "couriers.log", "ab")
        self.process = subprocess.Popen(
            ["systemd-socket-activate", "--seqpacket", "--accept", "--inetd", "-l", self.socket,
             "--setenv=PATH", *self.wrapper, self.t.build / "dewlined", "--courier", "-c",
             gateway.configuration],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        eventually(self.socket.exists, "the couriers' socket")

    def pids(self, name="courier"):
        """Workers that speak SMTP; "dewlined" names what watches over each."""
        return [pid for pid in descendants(self.process.pid) if comm(pid) == name]

    def kill(self):
        pids = self.pids()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return len(pids)

    def stop(self):
        if self.process:
            below = descendants(self.process.pid)
            self.process.kill()
            self.process.wait()
            self.process = None
            for pid in below:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.log.close()

    def text_of_log(self):
        return (self.t.dir / "couriers.log").read_text("utf-8", "replace")


def scene_apart(t, officials=1, **options):
    """A gateway whose couriers are another service's."""
    couriers = Couriers(t)
    scene = Scene(t, officials, courier={"socket": str(couriers.socket)}, **options)
    couriers.start(scene.gateway)
    return scene, couriers


@sanitized
def test_advisory_goes_out_through_couriers_of_another_service(t):
    scene, couriers = scene_apart(t, 2)
    scene.release()
    for official in scene.officials:
        scene.opened(official)
    assert couriers.pids(), "no courier of the other service is at work"
    roles = set(scene.gateway.processes().values())
    assert "courier" not in roles, roles
    # The gateway ends, and so do they, without a word to them.
    scene.gateway.stop()
    eventually(lambda: not couriers.pids(), "the couriers end with their gateway", 5)


def test_gateway_itself_has_no_network_socket(t):
    if os.geteuid() != 0:
        t.skip("only root may look at the descriptors of processes that hide theirs")
    scene, couriers = scene_apart(t)
    scene.release()
    scene.opened()
    inet, looked_at = network_sockets(), set()
    assert any(descriptors(pid) & inet for pid in couriers.pids()), "the couriers have none either"
    for pid, role in scene.gateway.processes().items():
        looked_at.add(role)
        assert not descriptors(pid) & inet, role
    assert {"dewlined", "gate"} <= looked_at, looked_at


@limit(180)
def test_vault_that_is_taken_over_reaches_no_courier_of_another_service(t):
    """They look at the user alone, who is the same: one would send whatever it is given."""
    needs_root(t)
    scene, couriers = scene_apart(t)
    scene.release()
    scene.opened()
    vault = next(pid for pid, role in scene.gateway.processes().items() if role == "vault")
    address = struct.pack("=H", socket.AF_UNIX) + os.fsencode(couriers.socket) + b"\0"
    with Intruder(vault) as intruder:
        packets = intruder.call("socket", socket.AF_UNIX, socket.SOCK_SEQPACKET, 0)
        assert packets == -errno.EPROTONOSUPPORT, f"it may speak to couriers: {packets}"
        stream = intruder.call("socket", socket.AF_UNIX, socket.SOCK_STREAM, 0)
        assert stream >= 0, f"it cannot speak to the agent: {stream}"
        reached = intruder.call("connect", stream, address, len(address))
        assert reached == -errno.EPROTOTYPE, f"it reaches the couriers: {reached}"


def test_killed_couriers_of_another_service_are_replaced(t):
    scene, couriers = scene_apart(t, 6, script=["connect * * slow 3000"])
    gateway = scene.gateway
    gateway.drop(scene.publisher.publish("a title", "text\n" * 200))
    killed = 0
    for _ in range(3):
        eventually(couriers.pids, "a courier at work", 60)
        time.sleep(0.3)
        killed += couriers.kill()
    assert killed >= 3, killed
    gateway.released(1, 60)
    number = gateway.advisories()[0]["number"]
    eventually(lambda: all(row["state"] == "sent" for row in gateway.deliveries(number)),
               "every delivery is sent", 90, 0.5)
    ambiguous = gateway.ambiguous()
    for official in scene.officials:
        mails = scene.advisory_mails(official)
        assert 1 <= len(mails) <= 1 + ambiguous[official.address], (official.address, len(mails))
        assert len({mail.headers["Message-ID"] for mail in mails}) == 1


@limit(180)
def test_courier_stuck_in_a_dialogue_ends_with_the_gate_that_is_killed(t):
    """Nothing of the former gateway goes on sending when the gateway is killed."""
    scene, couriers = scene_apart(t, script=["mail * 1 stall 100"])
    scene.gateway.drop(scene.publisher.publish("a title", "text\n"))
    stuck = eventually(couriers.pids, "a courier at work", 60)
    time.sleep(1)
    scene.gateway.kill_everything()
    eventually(lambda: not set(stuck) & set(couriers.pids()), "the stuck courier ends", 5, 0.02)
    scene.gateway.start()
    scene.opened()


@limit(180)
def test_without_the_other_service_mail_waits(t):
    scene, couriers = scene_apart(t)
    couriers.stop()
    couriers.socket.unlink()
    scene.gateway.drop(scene.publisher.publish("a title", "text\n"))
    eventually(lambda: f"cannot connect to {couriers.socket}" in scene.gateway.text_of_log(),
               "the complaint")
    assert not scene.smarthost.received()
    couriers.start(scene.gateway)
    scene.opened()


def test_gateway_without_network_and_without_the_other_service_says_so(t):
    t.needs("unshare")
    if os.geteuid() != 0:
        t.skip("only root may take a process off the network")
    scene = Scene(t)
    said = "set courier.socket to"
    assert said not in scene.gateway.text_of_log()
    scene.gateway.stop()
    scene.gateway.wrapper = ["unshare", "-n"]
    scene.gateway.start()
    eventually(lambda: said in scene.gateway.text_of_log(), "the warning")


# The units themselves.

UNITS = pathlib.Path(__file__).resolve().parents[2] / "conf"
# Of ten. The one speaks to the network, the other may ask whether the clock is synchronised.
MOST_EXPOSED = {"dewline-courier@.service": 1.0, "dewlined.service": 0.6}
EXPOSED = 0.5


def test_units_expose_as_little_as_they_say(t):
    t.needs("systemd-analyze")
    services = sorted(UNITS.glob("*.service"))
    assert len(services) >= 2, services
    for path in services:
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", path],
                              capture_output=True, text=True)
        found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
        if not found:
            t.skip(f"this systemd-analyze cannot do it: {done.stderr.strip()[:80]}")
        most = MOST_EXPOSED.get(path.name, EXPOSED)
        t.note(f"{path.name}: {found[1]}, at most {most}")
        assert float(found[1]) <= most, done.stdout
        assert "ignoring" not in done.stderr, done.stderr


def test_units_are_understood_by_systemd(t):
    t.needs("systemd-analyze")
    place = t.dir / "units"
    place.mkdir()
    for path in UNITS.glob("dewline*.s*"):
        text = path.read_text().replace("/usr/sbin/dewlined", str(t.build / "dewlined"))
        (place / path.name).write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *sorted(place.iterdir())],
                          capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "dewline" in line]
    assert done.returncode == 0 and not said, done.stderr


@limit(240)
def test_gateway_and_couriers_run_within_their_units(t):
    """A whole run under the system call filters of the units, where a call that they do not allow
    kills, and without network where they say so."""
    t.needs("systemd-analyze", "systemd-socket-activate")
    scene, couriers = scene_apart(t, 2)
    gateway = scene.gateway
    gateway.stop()
    couriers.stop()
    confine = [sys.executable, pathlib.Path(__file__).with_name("confine.py")]
    couriers.wrapper = [*confine, UNITS / "dewline-courier@.service", gateway.drop_dir]
    gateway.wrapper = [*confine, UNITS / "dewlined.service", t.dir]
    couriers.start(gateway)
    gateway.start()
    scene.release(attachments=[("a.bin", os.urandom(200000))])
    for official in scene.officials:
        scene.drop(official.reply(scene.opened(official), "acting"))
    assert len(scene.acknowledged()) == 2
    gateway.ctl("advisory", "list")
    gateway.kill("gpg-agent")
    gateway.kill("vault")
    scene.release("Another title")
    scene.opened(count=2)
    for text in (gateway.text_of_log(), couriers.text_of_log()):
        assert "SIGSYS" not in text and "signal 31" not in text, text
    if os.geteuid() == 0:
        inside = os.readlink(f"/proc/{gateway.process.pid}/ns/net")
        assert inside != os.readlink("/proc/self/ns/net"), "the gateway was not apart"


def test_service_manager_hears_ready_from_a_confined_daemon(t):
    """Through all that the daemon has given up by then; and that it ends."""
    path = t.dir / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(30)
        gateway = t.gateway(start=False)
        os.environ["NOTIFY_SOCKET"] = str(path)
        gateway.start()
        del os.environ["NOTIFY_SOCKET"]
        said = manager.recv(1000).decode().splitlines()
        assert said[:2] == ["READY=1", "WATCHDOG=1"], said
        assert "ready: mail comes in" in gateway.text_of_log()
        gateway.stop()
        assert manager.recv(1000) == b"STOPPING=1"


@limit(240)
def test_units_work_under_systemd(t):
    """All of it: sockets, readiness, an encrypted credential, and what the units forbid."""
    t.needs("unshare", "systemd-creds", "systemctl")
    if os.geteuid() != 0:
        t.skip("only root can run a systemd apart from the machine's own")
    if not pathlib.Path("/lib/systemd/systemd").exists():
        t.skip("systemd is not installed")
    apart = ["unshare", "--fork", "--pid", "--kill-child", "--mount", "--mount-proc",
             "--propagation", "private"]
    if subprocess.run([*apart, "true"], capture_output=True).returncode:
        t.skip("namespaces are not allowed here")
    done = subprocess.run([*apart, sys.executable, pathlib.Path(__file__).with_name("manager.py"),
                           t.build], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=machines_time())  # by which the services go
    if done.returncode == SKIPPED:
        t.skip(done.stdout.strip().splitlines()[-1].removeprefix("skip: "))
    assert done.returncode == 0, done.stdout + done.stderr
