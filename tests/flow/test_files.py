"""What the gateway does with files: its own, those in its way, and none anywhere else."""
import os
import pathlib
import threading

import letters
from harness import cases, eventually, sanitized
from scene import Scene

SECRET = b"nobody's business\n"


def writable(pid):
    """Regular files that a process holds open for writing."""
    found = set()
    try:
        for info in pathlib.Path("/proc", str(pid), "fdinfo").iterdir():
            flags = next(int(line.split()[1], 8) for line in info.read_text().splitlines()
                         if line.startswith("flags:"))
            link = os.readlink(f"/proc/{pid}/fd/{info.name}")
            if flags & os.O_ACCMODE != os.O_RDONLY and link.startswith("/") and not (
                    link.startswith(("/dev/", "/memfd:", "/proc/"))):
                found.add(link)
    except (OSError, StopIteration):
        pass  # it has ended meanwhile
    return found


def test_nothing_is_written_outside_state_drop_and_log(t):
    """No temporary files: neither where TMPDIR and HOME are, nor open anywhere."""
    places = {name: t.dir / name.lower() for name in ("TMPDIR", "HOME", "XDG_RUNTIME_DIR")}
    for name, path in places.items():
        path.mkdir(mode=0o700)
        os.environ[name] = str(path)
    scene = Scene(t)
    open_files, over = set(), threading.Event()

    def watch():
        while not over.is_set():
            for pid in scene.gateway.processes():
                open_files.update(writable(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        scene.release(attachments=[("big.bin", os.urandom(3000000))])
        scene.drop(scene.official.reply(scene.opened(), "acting", "a comment"))
        scene.gateway.ctl("ack", "list", scene.gateway.advisories()[0]["number"])
    finally:
        over.set()
        watcher.join()
    own = (str(scene.gateway.dir / "state"), str(scene.gateway.drop_dir),
           str(scene.gateway.log_path))
    assert open_files and not [path for path in open_files if not path.startswith(own)], open_files
    for name, path in places.items():
        assert not [p for p in path.rglob("*") if p.is_file()], f"files where {name} is"


@sanitized
def test_links_and_pipes_in_the_drop_are_removed_unread(t):
    scene = Scene(t, 0)
    new = scene.gateway.drop_dir / "new"
    secret = t.dir / "secret"
    secret.write_bytes(letters.message("a@b.example", "c@d.example", letters.text_part("x")))
    (new / "link").symlink_to(secret)
    (new / "away").symlink_to(t.dir / "missing")
    (new / "own").symlink_to(scene.gateway.dir / "state" / "store.db")
    os.mkfifo(new / "pipe")
    (new / "folder").mkdir()
    refused = scene.gateway.drop_dir / "refused"
    eventually(lambda: list(new.iterdir()) == [], "the drop is empty")
    scene.drop(letters.message("e@f.example", "c@d.example", letters.text_part("y")))
    assert len(scene.gateway.arrivals()) == 1
    assert secret.exists() and (scene.gateway.dir / "state" / "store.db").exists()
    assert [path.name for path in refused.iterdir()] == ["folder"]
    assert refused.stat().st_mode & 0o777 == 0o700
    removed = {row["subject"] for row in scene.gateway.audit() if row["event"] == "arrival.removed"}
    assert removed == {"link", "away", "own", "pipe"}


@cases("state", "drop/tmp")
def test_link_in_the_place_of_the_folder_for_refused_mail_leads_nowhere(t, where):
    """Else a file of anybody's making could be moved over one of the gateway's own."""
    scene = Scene(t, 0, limits={"message": 2048})
    drop = scene.gateway.drop_dir
    (drop / "refused").symlink_to(scene.gateway.dir / where)
    (drop / "tmp" / "draft").write_bytes(b"too large\n" * 500)
    (drop / "tmp" / "draft").rename(drop / "new" / "store.db")
    eventually(lambda: "cannot open the directory" in scene.gateway.text_of_log(), "it is told")
    scene.drop(letters.message("e@f.example", "c@d.example", letters.text_part("y")))
    assert len(scene.gateway.arrivals()) == 1
    assert (drop / "new" / "store.db").exists()


def test_link_in_the_place_of_an_own_file_is_not_written_through(t):
    """Backups, exports and what else the admin writes: a link that waits there gets nothing."""
    scene = Scene(t)
    number = scene.release()["number"]
    scene.drop(scene.official.reply(scene.opened(), "acting"))
    victim = t.dir / "victim"
    victim.write_bytes(SECRET)
    places = t.dir / "places"
    places.mkdir()
    (places / "backup").symlink_to(victim)
    scene.gateway.ctl("backup", places / "backup", may_fail=True)
    assert victim.read_bytes() == SECRET
    scene.gateway.ctl("key", "export", places / "backup", may_fail=True)
    assert victim.read_bytes() == SECRET
    out = places / "out"
    scene.gateway.ctl("ack", "export", number, scene.official.address, out)
    files = [path for path in out.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert path.stat().st_mode & 0o077 == 0, f"{path} is for others to read"
        path.unlink()
        path.symlink_to(victim)
    scene.gateway.ctl("ack", "export", number, scene.official.address, out, may_fail=True)
    assert victim.read_bytes() == SECRET
