"""Which gpg-agent serves whom: the daemon's was started by the daemon, within its sandbox, whoever
else has started one for the same key."""
import os
import signal
import subprocess

from gateway import Gateway
from harness import eventually, limit
from scene import Scene
from test_passphrase import passphrase_file
from test_sandbox import agents, send_one, status

CONFINED = ("2", "1")  # Seccomp: a filter; NoNewPrivs


def confinement(pid):
    fields = status(pid)
    return fields["Seccomp"], fields["NoNewPrivs"]


def start_by_hand(home):
    """As somebody does who runs gpg there; the agent's process."""
    asked = subprocess.run(["gpg-connect-agent", "--homedir", home, "getinfo pid", "/bye"],
                           capture_output=True, check=True).stdout.decode()
    return int(asked.split()[1])


def serving(home):
    """The process that answers at an agent's socket; 0 for none."""
    asked = subprocess.run(["gpg-connect-agent", "--no-autostart", "--homedir", home,
                            "getinfo pid", "/bye"], capture_output=True).stdout.decode().split()
    return int(asked[1]) if asked[:1] == ["D"] else 0


def is_alive(pid):
    try:
        return status(pid)["State"][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def expect_confined(gateway, *others):
    """Whoever answers in the daemon's place is confined, and is none of the others."""
    pid = eventually(lambda: serving(gateway.place), "an agent of the daemon")
    assert pid not in others, "the daemon uses an agent that it did not start"
    assert confinement(pid) == CONFINED, confinement(pid)
    for shard in gateway.gnupg.glob("shard-*"):
        said = (shard / "S.gpg-agent").read_text()
        assert said == f"%Assuan%\nsocket={gateway.place}/S.gpg-agent\n", said
    return pid


def listening_in(home):
    """The agent once it answers; 0 when there is none any more. The first process of its name ends
    as soon as the one that stays listens."""
    while agents(home):
        pid = serving(home)
        if pid:
            return pid
    return 0


def stopped_dewctl(t, gateway):
    """A dewctl in the middle of its work, its agent running: (it, the agent)."""
    for _ in range(50):
        ctl = subprocess.Popen([t.build / "dewctl", "-c", gateway.configuration, "check"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while ctl.poll() is None and not agents(gateway.gnupg / "c0"):
            pass
        if ctl.poll() is None:
            os.kill(ctl.pid, signal.SIGSTOP)
            agent = listening_in(gateway.gnupg / "c0")
            if agent and is_alive(ctl.pid):
                return ctl, agent
            os.kill(ctl.pid, signal.SIGCONT)
        ctl.wait(60)
    raise AssertionError("dewctl never had an agent")


def test_agents_that_were_there_before_serve_the_daemon_nothing(t):
    """By dewctl, by hand in the key's home, and by hand in the very place of the daemon."""
    scene = Scene(t)
    gateway = scene.gateway
    gateway.stop()
    assert agents(gateway.place) == [], "the daemon left its agent"
    by_hand, intruding = start_by_hand(gateway.gnupg), start_by_hand(gateway.place)
    ctl, of_dewctl = stopped_dewctl(t, gateway)
    try:
        for pid in (by_hand, intruding, of_dewctl):
            assert confinement(pid)[0] == "0", "this agent was to be without a sandbox"
        gateway.start()
        send_one(scene)
        expect_confined(gateway, by_hand, intruding, of_dewctl)
        assert not is_alive(intruding), "the agent in the daemon's place lives on"
        assert is_alive(by_hand) and is_alive(of_dewctl)
        # Nothing hangs on those: without them all goes on.
        for pid in (by_hand, of_dewctl):
            os.kill(pid, signal.SIGKILL)
        scene.release("Another", "text\n")
    finally:
        os.kill(ctl.pid, signal.SIGCONT)
        ctl.wait(60)


@limit(240)
def test_agents_started_at_the_worst_moment_serve_the_daemon_nothing(t):
    """The daemon's agent has just died, and before it has a new one others start theirs."""
    scene = Scene(t)
    gateway = scene.gateway
    send_one(scene)
    for number in range(4):
        os.kill(expect_confined(gateway), signal.SIGKILL)
        raw = scene.publish(f"Number {number}", "text\n")
        ctl = subprocess.Popen([t.build / "dewctl", "-c", gateway.configuration, "check"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        by_hand = start_by_hand(gateway.gnupg)
        assert confinement(by_hand)[0] == "0"
        assert scene.drop(raw)["state"] == "done"
        ctl.wait(60)
        expect_confined(gateway, by_hand)
        assert is_alive(by_hand)
        os.kill(by_hand, signal.SIGKILL)


def test_dewctl_leaves_no_agent_and_the_next_one_meets_none(t):
    gateway = Gateway(t, start=False)
    file = passphrase_file(gateway)
    for _ in range(4):
        right = file.read_text()
        file.write_text("wrong\n")
        gateway.ctl("check", may_fail=True)
        assert "does not open it" in gateway.ctl("check", may_fail=True)
        file.write_text(right)
        gateway.ctl("key", "passphrase")
        assert file.read_text() != right
        for place in gateway.gnupg.glob("c*"):
            assert agents(place) == [], f"an agent is left in {place.name}"
    assert agents(gateway.gnupg) == [] == agents(gateway.place)


def test_several_dewctl_at_once_have_an_agent_each(t):
    scene = Scene(t)
    scene.release("Title", "text\n")
    commands = [subprocess.Popen([t.build / "dewctl", "-c", scene.gateway.configuration,
                                  "advisory", "list"], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE) for _ in range(6)]
    for command in commands:
        out, err = command.communicate(timeout=60)
        assert command.returncode == 0 and b"Title" in out and not err, (out, err)


def test_agent_of_a_dewctl_that_was_killed_is_ended_by_the_next(t):
    gateway = Gateway(t, start=False)
    ctl, agent = stopped_dewctl(t, gateway)
    ctl.kill()
    ctl.wait(30)
    assert is_alive(agent)
    gateway.ctl("check", may_fail=True)
    assert not is_alive(agent)
    assert agents(gateway.gnupg / "c0") == []
