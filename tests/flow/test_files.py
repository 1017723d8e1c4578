"""What the gateway does with files: its own, those in its way, and none anywhere else."""
import contextlib
import os
import pathlib
import sqlite3
import subprocess
import sys
import threading

import letters
from harness import cases, eventually, sanitized
from scene import Scene
from served import OwnUsersGateway
from test_remind import admit_admin, alarm
from turning import MINUTE

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
    rows = scene.gateway.arrivals()
    assert [row["meaning"] for row in rows] == ["unknown", "aside"], rows
    assert "it is a directory" in rows[1]["reason"] and "as folder" in rows[1]["reason"], rows
    assert secret.exists() and (scene.gateway.dir / "state" / "store.db").exists()
    assert [path.name for path in refused.iterdir()] == ["folder"]
    assert refused.stat().st_mode & 0o777 == 0o700
    removed = {row["subject"] for row in scene.gateway.audit() if row["event"] == "arrival.removed"}
    assert removed == {"link", "away", "own", "pipe"}


def put(scene, place, name, raw, owner=None, mode=0o600):
    """Delivers by this name, whole from the first moment that it is seen; as root's unless told."""
    draft = scene.gateway.drop_dir / "tmp" / name
    draft.write_bytes(raw)
    draft.chmod(mode)
    if owner:
        os.chown(draft, *owner)
    return draft.rename(scene.gateway.drop_dir / place / name)


def found_of_drop(scene):
    return next(row for row in scene.gateway.rows("check", may_fail=True)["findings"]
                if row["what"] == "drop")


def test_place_of_the_drop_that_is_gone_holds_up_nothing_and_is_told(t):
    """An admin tidies up, or a volume is not mounted: the gateway must not end in a loop."""
    calendar = t.calendar()
    scene = Scene(t, 0)
    admin = admit_admin(t, scene.gateway)
    gone = scene.gateway.drop_dir / "cur"
    gone.rmdir()
    scene.gateway.restart()
    scene.drop(letters.message("e@f.example", "c@d.example", letters.text_part("y")))
    eventually(lambda: "cannot be taken from the drop" in scene.gateway.text_of_log(), "is told")
    calendar.forward(10 * MINUTE)
    scene.poke()
    text = alarm(scene, admin).text
    assert f"cannot read the drop {gone}" in text, text
    gone.mkdir()
    put(scene, "cur", "1.x",
        letters.message("g@h.example", "c@d.example", letters.text_part("z")))
    scene.drop(letters.message("i@j.example", "c@d.example", letters.text_part("x")))
    scene.gateway.settled(3)
    all_is_free(scene)


HOARD = """
import ctypes, os, sys, time
os.setuid(int(sys.argv[1]))
libc = ctypes.CDLL(None)
while libc.inotify_init() >= 0:
    pass
print("all are taken", flush=True)
sys.stdin.read()
"""


def test_machine_without_inotify_to_spare_only_makes_it_slower(t):
    """There are 128 for a user on most machines, and a mail server or two may have all of them."""
    scene = Scene(t, make=OwnUsersGateway)
    scene.gateway.stop()
    hoard = subprocess.Popen([sys.executable, "-c", HOARD, str(scene.gateway.owner[0])],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    t.later(lambda: hoard.communicate())
    assert hoard.stdout.readline() == b"all are taken\n"
    scene.gateway.start()
    scene.release()
    assert scene.opened().text
    assert "cannot watch the drop: Too many open files" in scene.gateway.text_of_log()


def all_is_free(scene):
    def events():
        return [row["event"] for row in scene.gateway.audit() if row["event"].startswith("drop.")]
    eventually(lambda: events() == ["drop.stuck", "drop.free"], "nothing is stuck any more")
    assert found_of_drop(scene)["result"] == "ok"


def test_advisory_under_a_wrong_owner_waits_until_the_rights_are_mended(t):
    """As where the mail server delivers with another user's rights. I6."""
    scene = Scene(t, 2, make=OwnUsersGateway)
    first, second = (scene.publish(title, "Text.\n") for title in ("One", "Two"))
    path = put(scene, "new", "1.wrong", first)
    eventually(lambda: found_of_drop(scene)["result"] == "bad", "dewctl check finds it")
    detail = found_of_drop(scene)["detail"]
    assert f"cannot open {path}: Permission denied" in detail, detail
    put(scene, "new", "2.right", second, scene.gateway.owner)
    assert scene.gateway.released(1)[0]["title"] == "Two"
    assert path.read_bytes() == first
    os.chown(path, *scene.gateway.owner)
    scene.poke()
    assert scene.gateway.released(2, 90)[0]["title"] == "One"
    for official in scene.officials:
        scene.smarthost.wait(2, official.address)
    all_is_free(scene)


def test_file_that_cannot_be_removed_holds_up_nothing_and_counts_once(t):
    """I1, I21."""
    scene = Scene(t, 1, make=OwnUsersGateway)
    new = scene.gateway.drop_dir / "new"
    os.chown(new, 0, 0)
    new.chmod(0o1777)  # here only the owner of a file may remove it
    stranger = letters.message("e@f.example", "c@d.example", letters.text_part("y"))
    for number in range(70):  # more than one transaction takes
        put(scene, "new", f"{number}.stays", stranger + b"%d" % number, mode=0o644)
    scene.gateway.settled(70)
    scene.gateway.drop(scene.publish("One", "Text.\n"))
    scene.smarthost.only(scene.official.address)
    detail = eventually(lambda: found_of_drop(scene)["result"] == "bad" and
                        found_of_drop(scene)["detail"], "dewctl check finds it")
    assert "cannot remove" in detail and "Operation not permitted" in detail, detail
    assert len(scene.gateway.arrivals()) == 71


@cases("state", "drop/tmp")
def test_link_in_the_place_of_the_folder_for_refused_mail_leads_nowhere(t, where):
    """Else a file of anybody's making could be moved over one of the gateway's own."""
    scene = Scene(t, 0, limits={"message": 2048})
    drop = scene.gateway.drop_dir
    (drop / "refused").symlink_to(scene.gateway.dir / where)
    (drop / "tmp" / "draft").write_bytes(b"too large\n" * 500)
    (drop / "tmp" / "draft").rename(drop / "new" / "store.db")
    eventually(lambda: "cannot open the directory" in scene.gateway.text_of_log(), "it is told")
    finding = found_of_drop(scene)
    assert finding["result"] == "bad" and "cannot open the directory" in finding["detail"], finding
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


# System calls of `dewctl backup` at which it is killed: while the pages are written, before they are
# synced, before the rename, and before the name itself is synced.
KILLED_AT = ("pwrite64:when=1", "pwrite64:when=9", "fsync,fdatasync:when=1", "fsync,fdatasync:when=3",
             "rename,renameat,renameat2:when=1")


def test_backup_that_is_killed_leaves_no_torso_under_its_name(t):
    """I23."""
    t.needs("strace")
    scene = Scene(t)
    scene.release()
    copy = t.dir / "copy.db"
    for point in KILLED_AT:
        done = subprocess.run(
            ["strace", "-f", "-qq", "-o", t.dir / "trace", "-e", f"inject={point.split(':')[0]}:"
             f"signal=KILL:{point.split(':')[1]}", t.build / "dewctl", "-c",
             scene.gateway.configuration, "backup", copy], capture_output=True)
        assert done.returncode != 0, point
        assert not copy.exists(), point
    scene.gateway.ctl("backup", copy)
    left = [path.name for path in t.dir.iterdir() if "unfinished" in path.name]
    assert not left, left
    with contextlib.closing(sqlite3.connect(copy)) as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_newer_store_is_refused_by_name_and_left_as_it_is(t):
    """I22. After a step back to an older program."""
    gateway = Scene(t).gateway
    gateway.stop()
    store = gateway.dir / "state" / "store.db"
    with contextlib.closing(sqlite3.connect(store)) as newer:
        newer.execute("PRAGMA user_version = 99")
    before = store.read_bytes()
    words = (f"{store}: the store has version 99 and this program knows only", "nothing was changed",
             "use the dewline that it was last used with, or a newer one")
    for command in (("check",), ("queue", "retry"), ("audit", "verify")):
        gateway.ctl(*command, may_fail=True)
        assert gateway.code == 1 and all(word in gateway.said for word in words), gateway.said
    gateway.start()
    eventually(lambda: gateway.text_of_log().count(words[0]) >= 2, "the daemon says why, and again")
    assert all(word in gateway.text_of_log() for word in words)
    gateway.stop()
    assert store.read_bytes() == before
