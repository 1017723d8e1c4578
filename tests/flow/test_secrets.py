"""No plaintext of an advisory rests anywhere: not in the state, the drop, a log or another file."""
import os
import pathlib
import subprocess
import threading

from harness import eventually, sanitized
from scene import Scene

MARKS = {"title": "Quokkaphenomenon", "text": "Zebrafishlighthouse", "attachment": "Marmotwindmill",
         "comment": "Axolotltelescope", "update": "Narwhalumbrella", "report": "Pangolintrumpet"}


def places(t, scene):
    """Directories and files that a run may write, the people's own homes left out."""
    return [scene.gateway.dir, *t.dir.glob("*.log"), scene.smarthost.dir]


def found_in(paths):
    """Marks that `strings` finds below the paths, in the usual and in wide letters."""
    found = set()
    for path in paths:
        for file in ([path] if path.is_file() else path.rglob("*")):
            try:
                if not file.is_file():
                    continue
            except OSError:
                continue
            for encoding in ("s", "l", "b"):
                out = subprocess.run(["strings", "-a", "-n", "8", "-e", encoding, file],
                                     capture_output=True).stdout.decode("utf-8", "replace")
                found |= {(kind, str(file)) for kind, mark in MARKS.items() if mark in out}
            raw = file.read_bytes() if file.exists() else b""
            found |= {(kind, str(file)) for kind, mark in MARKS.items() if mark.encode() in raw}
    return found


@sanitized
def test_no_plaintext_rests_on_disk_or_in_a_log(t):
    """I24."""
    t.needs("strings")
    scene = Scene(t, 2)
    seen, over = set(), threading.Event()

    def watch():
        while not over.is_set():
            seen.update(found_in([scene.gateway.dir]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        number = scene.release(MARKS["title"], f"{MARKS['text']} is the word.\n" * 50,
                               attachments=[("a.txt", MARKS["attachment"].encode() * 20)])["number"]
        for official in scene.officials:
            scene.drop(official.reply(scene.opened(official), "acting", MARKS["comment"]))
        scene.release(MARKS["title"], f"{MARKS['update']}\n", advisory=f"update {number}")
        scene.opened(count=2)
        # The tool shows them, so they are kept, and it leaves nothing behind either.
        assert MARKS["title"] in scene.gateway.ctl("advisory", "list")
        assert MARKS["comment"] in scene.gateway.ctl("ack", "list", number)
    finally:
        over.set()
        watcher.join()
    assert not seen, seen
    assert not found_in(places(t, scene))
    scene.gateway.restart()
    eventually(lambda: scene.gateway.advisories(), "the gateway is back")
    scene.gateway.stop()
    assert not found_in(places(t, scene))


def test_marks_would_be_found(t):
    """The search itself: it finds what is there."""
    t.needs("strings")
    (t.dir / "x").mkdir()
    (t.dir / "x" / "file").write_bytes(b"\0\1" + MARKS["text"].encode() + b"\0")
    (t.dir / "x" / "wide").write_bytes(b"\0\1" + MARKS["title"].encode("utf-16-le") + b"\0")
    assert {kind for kind, _ in found_in([t.dir / "x"])} == {"text", "title"}


def test_state_is_for_its_owner_alone(t):
    scene = Scene(t)
    scene.release()
    scene.opened()
    state = scene.gateway.dir / "state"
    assert state.stat().st_mode & 0o777 == 0o700
    for path in [state, *state.rglob("*")]:
        assert path.is_socket() or path.is_symlink() or path.lstat().st_mode & 0o077 == 0, path


def test_processes_have_what_they_need_and_no_more(t):
    """The courier alone has sockets of the network; gate, reader and vaults have none."""
    if os.geteuid() != 0:
        t.skip("only root may look at the descriptors of processes that hide theirs")
    scene = Scene(t)
    scene.release()
    scene.opened()
    looked_at = set()

    def seen_all():
        inet = network_sockets()
        for pid, role in scene.gateway.processes().items():
            held = descriptors(pid)
            looked_at.add(role)
            assert role == "courier" or not held & inet, (role, held & inet)
        return {"dewlined", "gate", "reader", "vault", "courier"} <= looked_at
    eventually(seen_all, "a look at a process of each kind")


def descriptors(pid):
    held = set()
    try:
        for link in pathlib.Path("/proc", str(pid), "fd").iterdir():
            held.add(str(link.readlink()))
    except OSError:
        pass  # it has ended meanwhile
    return held


def network_sockets():
    found = set()
    for name in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        try:
            lines = pathlib.Path("/proc/net", name).read_text().splitlines()[1:]
        except OSError:
            continue
        found |= {f"socket:[{line.split()[9]}]" for line in lines}
    return found
