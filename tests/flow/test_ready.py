"""What `dewlined -t` refuses, a start refuses at once and with the same line; and `dewctl check` says how
it goes with the gate, also when that does not live."""
import contextlib
import shutil
import subprocess

from harness import eventually, limit


def said_by(gateway, *options):
    done = subprocess.run([gateway.test.build / "dewlined", "-c", gateway.configuration, *options],
                          capture_output=True)
    lines = [line for line in done.stderr.decode().splitlines() if ": error: " in line]
    return done.returncode, lines


def refused(gateway, *words):
    tested, started = said_by(gateway, "-t"), said_by(gateway)
    assert tested == started and tested[0] == 1 and len(tested[1]) == 1, (tested, started)
    for word in words:
        assert word in tested[1][0], tested


@contextlib.contextmanager
def without(path):
    away = path.with_name(path.name + ".away")
    path.rename(away)
    yield
    shutil.rmtree(path, ignore_errors=True)  # gpg makes its own anew
    away.rename(path)


@contextlib.contextmanager
def configured(gateway, settings):
    before = gateway.settings
    gateway.settings = {**before, **{
        group: {**before.get(group, {}), **value} if isinstance(value, dict) else value
        for group, value in settings.items()}}
    gateway.configure()
    yield
    gateway.settings = before
    gateway.configure()


def finding(gateway, what):
    return next((row for row in gateway.rows("check", may_fail=True)["findings"]
                 if row["what"] == what), None)


def state_of(gateway):
    return (finding(gateway, "gate") or {"detail": ""})["detail"]


@limit(180)
def test_start_refuses_what_its_test_refuses_and_the_ends_of_a_gate_are_told(t):
    gateway = t.gateway(start=False)
    state, drop = gateway.dir / "state", gateway.drop_dir
    with configured(gateway, {"gateway": {"address": "dewline@example.org"}}):
        refused(gateway, "gateway.address is still \"dewline@example.org\" of the sample")
    with configured(gateway, {"user": "no-such-user"}):
        refused(gateway, "dewline.cfg: user: the system knows no user no-such-user")
    state.chmod(0o750)
    refused(gateway, f"{state} is open to others: chmod 700 it")
    state.chmod(0o700)
    with without(drop / "new"):
        refused(gateway, f"{drop}/new cannot be read and written", "make it")
    with without(state / "gnupg" / "private-keys-v1.d"):
        refused(gateway, f"secret key is not in {state}/gnupg: put that directory back")
    with without(state / "store.db"):
        refused(gateway, f"{state} holds no gateway yet: run `dewctl init`")
    good = said_by(gateway, "-t")
    assert good == (0, []), good
    last = finding(gateway, "daemon")
    assert last["result"] == "bad" and "it ended at 20" in last["detail"], last
    assert not finding(gateway, "gate"), "dewlined does not run"
    gateway.start()
    eventually(lambda: state_of(gateway).startswith("running since 20"), "the gate runs")
    assert "ended" not in state_of(gateway), "what was refused was no gate"
    for count in ("once", "2 times", "3 times"):
        eventually(lambda: gateway.kill("gate"), "there is a gate")
        eventually(lambda: f"ended by itself {count} in the last hour" in state_of(gateway), count)
        assert "the gate ended (killed by signal 9)" in state_of(gateway)
    eventually(lambda: state_of(gateway).startswith("running since 20"), "the gate runs again")
    assert finding(gateway, "gate")["result"] == "bad", "three times in an hour"
