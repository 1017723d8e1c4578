"""Every process of the living daemon is held to what it has need of, by force."""
import pathlib

from harness import eventually
from scene import Scene

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


def everybody(scene):
    """{role: [pid...]} once a mail has gone all the way, so that every process has been needed."""
    scene.release()
    scene.opened()
    home = scene.gateway.dir / "state" / "gnupg"

    def complete():
        found = {}
        for pid, role in scene.gateway.processes().items():
            found.setdefault(role, []).append(pid)
        found["gpg-agent"] = agents(home)
        return found if all(found.get(role) for role in ROLES) else None
    return eventually(complete, "all processes run")


def test_every_process_has_a_filter_and_no_way_to_privileges(t):
    scene = Scene(t)
    for role, pids in everybody(scene).items():
        for pid in pids:
            fields = status(pid)
            assert fields["Seccomp"] == "2", f"{role} has no filter: {fields['Seccomp']}"
            assert fields["NoNewPrivs"] == "1", role
