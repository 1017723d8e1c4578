"""The gateway's key has a passphrase: a copy of the state opens nothing; without it nothing is lost."""
import contextlib
import fcntl
import os
import pathlib
import pty
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time

from harness import eventually, limit, sanitized
from scene import TITLE, Scene

ENOUGH_LETTERS = 26  # of base32, five bits each: 128 bits


def passphrase_file(gateway):
    return gateway.dir / "dewline.passphrase"


def own_gpg(home, *arguments, given=b"", passphrase=""):
    """gpg in a copy of the gateway's home; the passphrase on the command line is the test's."""
    return subprocess.run(["gpg", "--homedir", home, "--batch", "--no-tty", "--pinentry-mode",
                           "loopback", "--passphrase", passphrase, *arguments], input=given,
                          capture_output=True)


def copy_of_home(t, gateway):
    home = pathlib.Path(tempfile.mkdtemp(prefix="copy-", dir=t.dir))
    shutil.copytree(gateway.dir / "state" / "gnupg", home, dirs_exist_ok=True,
                    ignore=lambda _, names: [name for name in names if name.startswith("S.")])
    t.later(lambda: subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"],
                                   capture_output=True))
    return home


def test_copy_of_the_state_alone_opens_nothing(t):
    scene = Scene(t)
    scene.release()
    scene.opened()
    scene.gateway.stop()
    file = passphrase_file(scene.gateway)
    secret = file.read_text().strip()
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(secret) >= ENOUGH_LETTERS and len(set(secret)) > 8, "no random passphrase"
    home = copy_of_home(t, scene.gateway)
    stash = scene.gateway.store_rows("SELECT title FROM revision")[0][0]
    for wrong in ("", "guess"):
        assert own_gpg(home, "--decrypt", given=stash, passphrase=wrong).returncode != 0
        assert own_gpg(home, "--sign", given=b"x", passphrase=wrong).returncode != 0
    opened = own_gpg(home, "--decrypt", given=stash, passphrase=secret)
    assert opened.stdout.decode() == TITLE, opened.stderr
    assert own_gpg(home, "--sign", given=b"x", passphrase=secret).returncode == 0


@sanitized
def test_passphrase_stands_nowhere_but_in_its_file(t):
    scene = Scene(t, 2)
    secret = passphrase_file(scene.gateway).read_bytes().strip()
    seen, looks, over = set(), [0], threading.Event()

    def watch():
        while not over.is_set():
            for pid, role in scene.gateway.processes().items():
                for name in ("cmdline", "environ"):
                    try:
                        if secret in pathlib.Path("/proc", str(pid), name).read_bytes():
                            seen.add((role, name))
                        looks[0] += role in ("gpg", "gpg-agent", "vault")
                    except OSError:
                        pass  # it has ended, or hides
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        scene.release()
        scene.drop(scene.official.reply(scene.opened(), "acting"))
        scene.gateway.ctl("advisory", "list")
    finally:
        over.set()
        watcher.join()
    assert not seen and looks[0] > 0, (seen, looks)
    scene.gateway.stop()
    holding = {path.name for path in scene.gateway.dir.rglob("*")
               if path.is_file() and secret in path.read_bytes()}
    assert holding == {"dewline.passphrase"}, holding


def put(file, content):
    file.write_bytes(content)
    file.chmod(0o600)


def key_finding(gateway):
    """What dewctl check finds about the gateway's key."""
    return next(row for row in gateway.rows("check", may_fail=True)["findings"]
                if row["what"] == "gateway-key")


def starts(gateway, *options):
    return subprocess.run([gateway.test.build / "dewlined", "-c", gateway.configuration, *options],
                          capture_output=True, timeout=60)


@sanitized
def test_without_the_right_passphrase_nothing_starts_and_nothing_is_lost(t):
    scene = Scene(t)
    gateway, file = scene.gateway, passphrase_file(scene.gateway)
    gateway.stop()
    right = file.read_bytes()
    gateway.drop(scene.publisher.publish(TITLE, "text\n"))
    for wrong in (b"another one\n", b"\n", None):
        file.unlink()
        if wrong is not None:
            put(file, wrong)
        for options in (["-t"], []):
            done = starts(gateway, *options)
            said = done.stderr.decode()
            assert done.returncode == 1 and "the gateway's key is locked" in said, (wrong, done)
            assert str(file) in said, said
        assert len(list((gateway.drop_dir / "new").iterdir())) == 1
        found = key_finding(gateway)
        assert found["result"] == "bad" and str(file) in found["detail"], found
        put(file, right)
    done = starts(gateway, "-t")
    assert done.returncode == 0 and b": good" in done.stdout, done
    gateway.start()
    gateway.released(1)
    scene.opened()


@sanitized
def test_passphrase_that_everybody_can_read_is_refused(t):
    scene = Scene(t)
    gateway, file = scene.gateway, passphrase_file(scene.gateway)
    scene.release()
    file.chmod(0o644)
    found = key_finding(gateway)
    assert found["result"] == "bad" and f"chmod 600 {file}" in found["detail"], found
    scene.release()  # what runs is not cut off
    scene.opened(count=2)
    gateway.stop()
    for options in (["-t"], []):
        done = starts(gateway, *options)
        said = done.stderr.decode()
        assert done.returncode == 1 and f"chmod 600 {file}" in said, (options, done)
    file.chmod(0o600)
    done = starts(gateway, "-t")
    assert done.returncode == 0 and b": good\n" in done.stdout, done
    assert key_finding(gateway)["result"] == "ok"


@sanitized
def test_wrong_credential_is_named(t):
    scene = Scene(t)
    gateway = scene.gateway
    gateway.stop()
    credentials = t.dir / "credentials"
    credentials.mkdir()
    (credentials / "gateway-passphrase").write_text("another one\n")
    os.environ["CREDENTIALS_DIRECTORY"] = str(credentials)
    for options in (["-t"], []):
        done = starts(gateway, *options)
        assert done.returncode == 1 and b"credentials/gateway-passphrase" in done.stderr, done


def test_configuration_is_good_before_init_and_says_what_is_missing(t):
    configuration, state = t.dir / "dewline.cfg", t.dir / "state"
    done = subprocess.run([t.build / "dewlined", "-c", configuration, "-t"], capture_output=True)
    assert done.returncode == 1 and b"name one with -c FILE" in done.stderr, done
    configuration.write_text(f"""
        state = "{state}"; drop = "{t.dir}/drop";
        gateway: {{ address = "g@gw.example"; list = "all@gw.example"; }};
        smarthost: {{ host = "localhost"; }};
    """)

    def tested():
        done = subprocess.run([t.build / "dewlined", "-c", configuration, "-t"],
                              capture_output=True)
        assert done.returncode == 0, done
        return done.stdout.decode()
    said = tested()
    assert f"{state} does not exist yet: run dewctl init" in said and "good" in said, said
    state.mkdir(0o700)
    said = tested()
    assert f"{state} holds no gateway yet: run dewctl init" in said and "good" in said, said


def waiting(gateway):
    """What the pre-flight says of work that waits."""
    return next(row for row in gateway.rows("check", may_fail=True)["findings"]
                if row["what"] == "waiting")


@limit(180)
def test_passphrase_lost_while_it_runs_delays_and_loses_nothing(t):
    scene = Scene(t)
    gateway, file = scene.gateway, passphrase_file(scene.gateway)
    right = file.read_bytes()
    scene.release()
    scene.opened()
    file.write_bytes(b"another one\n")
    eventually(lambda: gateway.kill("vault") or True, "the vaults end")
    gateway.drop(scene.publisher.publish("Another title", "text\n"))
    eventually(lambda: "the gateway's key is locked" in gateway.text_of_log(), "the complaint")
    time.sleep(1)
    assert [row["state"] for row in gateway.arrivals()][0] == "received", gateway.arrivals()
    assert waiting(gateway)["result"] == "ok", waiting(gateway)
    gateway.stop()
    with sqlite3.connect(gateway.dir / "state" / "store.db") as store:
        store.execute("UPDATE arrival SET received_at = received_at - 301 WHERE state = 'received'")
    assert (waiting(gateway)["result"] == "warning"
            and "to be opened: 1, to be sealed: 0" in waiting(gateway)["detail"]), waiting(gateway)
    file.write_bytes(right)
    gateway.start()
    gateway.released(2, 90)
    assert waiting(gateway)["result"] == "ok", waiting(gateway)
    scene.opened(count=2)


def test_withdrawal_waits_for_the_passphrase_and_reaches_everybody(t):
    scene = Scene(t)
    gateway, file = scene.gateway, passphrase_file(scene.gateway)
    number = scene.release()["number"]
    scene.opened()
    right = file.read_bytes()
    file.write_bytes(b"another one\n")
    eventually(lambda: gateway.kill("vault") or True, "the vaults end")
    gateway.ctl("advisory", "withdraw", number)
    eventually(lambda: f"{number} cannot be withdrawn now, and is tried again" in
               gateway.text_of_log(), "the complaint")
    file.write_bytes(right)
    letter = scene.opened(count=2)
    assert letter.good and TITLE in letter.subject and "withdrawn" in letter.text.lower(), letter


def test_file_in_place_of_the_one_at_the_start_is_told(t):
    """It is another one to the sandbox, whose rules name files and not paths."""
    scene = Scene(t)
    gateway, file = scene.gateway, passphrase_file(scene.gateway)
    scene.release()
    scene.opened()
    other = file.with_suffix(".other")
    other.write_bytes(file.read_bytes())
    other.chmod(0o600)
    other.rename(file)
    eventually(lambda: gateway.kill("vault") or True, "the vaults end")
    gateway.drop(scene.publisher.publish("Another title", "text\n"))
    eventually(lambda: "does not reach it: restart dewlined" in gateway.text_of_log(), "what to do")
    gateway.restart()
    gateway.released(2, 90)
    scene.opened(count=2)


@sanitized
def test_credential_goes_before_the_file(t):
    scene = Scene(t)
    gateway, file = scene.gateway, passphrase_file(scene.gateway)
    gateway.stop()
    credentials = t.dir / "credentials"
    credentials.mkdir()
    (credentials / "gateway-passphrase").write_bytes(file.read_bytes())
    file.unlink()
    os.environ["CREDENTIALS_DIRECTORY"] = str(credentials)
    gateway.start()
    scene.release()
    scene.opened()
    gateway.stop()
    gateway.settings["gateway"]["passphrase_file"] = "credential:other"
    gateway.configure()
    done = starts(gateway)
    assert done.returncode == 1 and b"credentials/other" in done.stderr, done
    (credentials / "gateway-passphrase").rename(credentials / "other")
    gateway.start()
    scene.release()


def test_gateway_whose_key_has_none_keeps_working(t):
    scene = Scene(t, gateway={"passphrase_file": ""})
    assert "NO passphrase" in scene.gateway.said or not passphrase_file(scene.gateway).exists()
    scene.release()
    scene.opened()
    assert scene.gateway.ctl("advisory", "list").count(TITLE) == 1
    scene.gateway.stop()
    # With the default there would be a file; that there is none does not matter to this key.
    del scene.gateway.settings["gateway"]["passphrase_file"]
    scene.gateway.configure()
    assert starts(scene.gateway, "-t").returncode == 0
    scene.gateway.start()
    scene.release()
    scene.opened(count=2)


def at_terminal(gateway, typed, *arguments):
    """dewctl on a terminal of its own, where somebody types once it asks; what stood there."""
    pid, terminal = pty.fork()
    if pid == 0:
        program = str(gateway.test.build / "dewctl")
        os.execv(program, [program, "-c", str(gateway.configuration), *arguments])
    shown, told = b"", False
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
        if b"Passphrase of the gateway's key:" in shown and not told:
            os.write(terminal, typed)
            told = True
    os.waitpid(pid, 0)
    os.close(terminal)
    return shown.decode()


def test_dewctl_asks_at_the_terminal_without_showing_it(t):
    scene = Scene(t)
    scene.release()
    scene.opened()
    file = passphrase_file(scene.gateway)
    secret = file.read_bytes()
    file.unlink()
    shown = at_terminal(scene.gateway, secret, "advisory", "list")
    assert TITLE in shown and secret.decode().strip() not in shown, shown
    assert TITLE not in at_terminal(scene.gateway, b"wrong\n" * 3, "advisory", "list")
    # And without a terminal it says what is missing.
    scene.gateway.ctl("advisory", "list")
    assert str(file) in scene.gateway.said, scene.gateway.said


def key_passphrase(t, scene):
    """The former and the new passphrase."""
    file = passphrase_file(scene.gateway)
    former = file.read_text() if file.exists() else ""
    said = scene.gateway.ctl("key", "passphrase")
    assert str(file) in said
    assert file.stat().st_mode & 0o777 == 0o600
    assert not file.with_name(file.name + ".next").exists()
    return former.strip(), file.read_text().strip()


def goes_on(scene, count):
    scene.gateway.start()
    scene.release()
    scene.opened(count=count)
    assert scene.gateway.ctl("advisory", "list").count(TITLE) == count  # the old stashes, too
    scene.gateway.stop()


def opens_with(t, scene, passphrase):
    stash = scene.gateway.store_rows("SELECT title FROM revision")[0][0]
    return own_gpg(copy_of_home(t, scene.gateway), "--decrypt", given=stash,
                   passphrase=passphrase).returncode == 0


def test_passphrase_is_changed_and_set(t):
    scene = Scene(t, gateway={"passphrase_file": ""})
    scene.gateway.stop()
    goes_on(scene, 1)
    del scene.gateway.settings["gateway"]["passphrase_file"]
    scene.gateway.configure()
    assert opens_with(t, scene, "")
    _, first = key_passphrase(t, scene)
    assert not opens_with(t, scene, "") and opens_with(t, scene, first)
    goes_on(scene, 2)
    former, second = key_passphrase(t, scene)
    assert former == first != second
    assert not opens_with(t, scene, first) and opens_with(t, scene, second)
    goes_on(scene, 3)
    events = [row["event"] for row in scene.gateway.audit()]
    assert events.count("gateway.passphrase") == events.count("gateway.passphrase.begin") == 2


@contextlib.contextmanager
def held(directory):
    """The lock of a directory, which is ours for a while."""
    fd = os.open(directory, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    yield
    os.close(fd)


def test_change_that_was_not_ended_is_on_record_and_is_completed(t):
    """As after a kill between the change of the key and what says that it is done."""
    scene = Scene(t)
    gateway, file = scene.gateway, passphrase_file(scene.gateway)
    gateway.stop()
    former = file.read_bytes()

    def events():
        return [row["event"].rpartition(".")[2] for row in gateway.audit()
                if row["event"].startswith("gateway.passphrase")]

    with contextlib.closing(sqlite3.connect(gateway.dir / "state" / "store.db")) as store:
        store.execute("CREATE TRIGGER no_end BEFORE INSERT ON audit WHEN "
                      "NEW.event = 'gateway.passphrase' BEGIN SELECT RAISE(ABORT, 'cut'); END")
        key_passphrase(t, scene)
        assert events() == ["begin"], "the key is changed, and nobody wrote it down"
        store.execute("DROP TRIGGER no_end")
    file.rename(file.with_name(file.name + ".next"))
    put(file, former)
    assert "dewline.passphrase" in gateway.ctl("key", "passphrase")
    assert events() == ["begin", "passphrase"], events()
    assert "interrupted" in gateway.audit()[-1]["detail"]
    goes_on(scene, 1)


def test_passphrase_is_not_changed_while_the_daemon_runs_or_with_a_wrong_one(t):
    scene = Scene(t)
    scene.release()
    file = passphrase_file(scene.gateway)
    former = file.read_text()
    scene.gateway.ctl("key", "passphrase", may_fail=True)
    said = scene.gateway.said
    assert scene.gateway.code == 1 and "stop it first" in said, said
    assert "the passphrase is what it was" in said and said.count("\n") == 1, said
    assert "warning" not in said, said
    assert file.read_text() == former and not file.with_name(file.name + ".next").exists()
    scene.gateway.stop()
    file.write_text("wrong\n")
    scene.gateway.ctl("key", "passphrase", may_fail=True)
    said = scene.gateway.said
    assert scene.gateway.code == 1 and f"{file} does not open it" in said, said
    assert said.count("\n") == 1, said
    assert file.read_text() == "wrong\n" and opens_with(t, scene, former.strip())
    file.write_text(former)
    # One that was interrupted before the last step is completed.
    key_passphrase(t, scene)
    only = file.with_name(file.name + ".next")
    file.rename(only)
    put(file, former.encode())
    state = scene.gateway.dir / "state"
    with held(state):
        scene.gateway.ctl("key", "passphrase", may_fail=True)
        said = scene.gateway.said
        assert f"process {os.getpid()}" in said and str(state) in said, said
        assert only.exists(), "the only passphrase of the key is gone"
    assert starts(scene.gateway, "-t").returncode == 1
    key_passphrase(t, scene)
    goes_on(scene, 2)


def test_init_by_root_gives_the_file_to_the_user_of_the_gateway(t):
    if os.geteuid() != 0:
        t.skip("only root can give a file away")
    t.dir.chmod(0o711)
    configuration, state = t.dir / "dewline.cfg", t.dir / "state"
    configuration.write_text(f"""
        user = "nobody"; state = "{state}"; drop = "{t.dir}/drop";
        gateway: {{ address = "g@gw.example"; list = "all@gw.example"; }};
        smarthost: {{ host = "localhost"; }};
    """)
    t.later(lambda: subprocess.run(["gpgconf", "--homedir", state / "gnupg", "--kill", "all"],
                                   capture_output=True))
    done = subprocess.run([t.build / "dewctl", "-c", configuration, "init"], capture_output=True)
    assert done.returncode == 0, done.stderr
    file = t.dir / "dewline.passphrase"
    assert file.owner() == "nobody" == state.owner()
    assert file.stat().st_mode & 0o777 == 0o600
    assert str(file).encode() in done.stdout
