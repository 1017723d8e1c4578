"""The admin's commands that write, each as a way of the sweep: run with the fault, and when that did
not end well, run again without it. The end is that of one run without a fault: not half, not twice.

Words in braces are names of the world (world.py), and {files}, {out}: its files, and where to write.
"""
import contextlib
import hashlib
import os
import shutil
import sqlite3
import time

import judge
from harness import eventually
from ways import Way


@contextlib.contextmanager
def environment(changes):
    former = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class Command(Way):
    is_command = True

    def __init__(self, name, line, before=(), users=None, **settings):
        """line: the words of the command; before: lines of commands that make what it needs, in each
        run; users: (number, name) of the user who gives it, where another one gave those before."""
        super().__init__(f"ctl-{name}")
        self.line, self.before, self.users, self.settings = line, before, users, settings

    def words(self, line, course):
        place = {"files": course.world.folder / "files", "out": course.t.dir / "out"}
        return [word.format(**course.world.names, **place) for word in line.split()]

    def prepare(self, t, gateway, world):
        (t.dir / "out").mkdir()

    def give(self, course, line, number=1, may_fail=False):
        """Its exit status, negative for a signal."""
        user = self.users[number] if self.users else None
        given = dict(zip(("SUDO_UID", "SUDO_USER"), user or ()))
        with environment(given):
            course.gateway.ctl(*self.words(line, course), may_fail=may_fail)
        return course.gateway.code

    def first(self, course):
        for line in self.before:
            self.give(course, line, 0)

    def go(self, course, watched):
        """The command with the fault, and once more when it did not end well."""
        with environment(watched):
            code = self.give(course, self.line, may_fail=True)
        course.control.disarm()
        if code != 0:
            self.give(course, self.line, may_fail=True)

    def verify(self, course):
        """What is wrong beside what the store says; a line each."""
        return []


class Init(Command):
    """In a place where nothing is yet. Half a key is set aside, and is not removed."""
    may_leave = "state/gnupg.unfinished-"

    def prepare(self, t, gateway, world):
        super().prepare(t, gateway, world)
        shutil.rmtree(gateway.dir / "state")
        shutil.rmtree(gateway.drop_dir)
        (gateway.dir / "dewline.passphrase").unlink(missing_ok=True)

    def verify(self, course):
        keys = course.gateway.ctl("key", "export", may_fail=True)
        if course.gateway.code or "BEGIN PGP PUBLIC KEY" not in keys:
            yield f"half: there is no key: {course.gateway.said}"


class Passphrase(Command):
    def verify(self, course):
        """The key opens with the passphrase that there is now."""
        rows = course.gateway.rows("advisory", "list", "--all", may_fail=True)
        if course.gateway.code or not all(row["title"] for row in rows):
            yield f"lost: the key is locked: {course.gateway.said}"


class Backup(Command):
    def verify(self, course):
        copy = course.t.dir / "out" / "copy"
        if not copy.exists():
            return ["lost: there is no copy"]
        names = sorted(os.listdir(copy.parent))
        with contextlib.closing(sqlite3.connect(f"file:{copy}?immutable=1", uri=True)) as store:
            try:
                sound = store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                count = store.execute("SELECT count(*) FROM delivery").fetchone()[0]
            except sqlite3.DatabaseError as error:
                return [f"half: a torso stands under the name of the copy: {error}"]
        whole = course.gateway.store_rows("SELECT count(*) FROM delivery") == [(count,)]
        return ([] if sound and whole else
                ["half: the copy is not whole"]) + [
                    f"left over: {name}" for name in names if name != "copy"]


class Written(Command):
    """Writes files: all of them, whole."""

    def verify(self, course):
        out = course.t.dir / "out"
        found = {str(path.relative_to(out)): path.stat().st_size for path in out.rglob("*")
                 if path.is_file()}
        if course.gateway.code:
            return []  # it said that it is not well
        return ([] if found else ["lost: nothing is written"]) + [
            f"half: {name} is empty" for name, size in found.items()
            if size == 0 and not name.endswith("/policy")] + [
            f"left over: {name}" for name in found if ".tmp." in name]


def starts(course):
    """A gateway starts on what is there, comes to rest, and ends."""
    course.start()
    eventually(course.is_ready, "the gateway is ready afterwards")
    eventually(lambda: judge.rests(judge.picture(course.gateway)), "the gateway comes to rest", 60)
    course.stop()


class Restore(Command):
    """To a backup of before something was added and somebody was removed: one new epoch."""

    def verify(self, course):
        epochs = course.gateway.store_rows("SELECT number FROM epoch")
        if course.gateway.code or epochs != [(2,)]:
            yield f"twice: epochs {epochs}: {course.gateway.said}"
        beside = [path.name for path in (course.gateway.dir / "state").glob("store.db.*")]
        yield from (f"half: {name}" for name in beside if ".restor" in name)
        if sum(name.count("-") == 1 for name in beside if ".before-" in name) != 1:
            yield f"lost: of the store that was in place there is {beside}"
        starts(course)


class Retry(Command):
    """Of an answer that could not be read when it came: it counts once."""

    def first(self, course):
        raw = course.world.mail("answer")
        with contextlib.closing(sqlite3.connect(course.gateway.dir / "state" / "store.db")) as store, store:
            number = store.execute(
                "INSERT INTO arrival (digest, received_at, size, state, reason)"
                " VALUES (?, ?, ?, 'unreadable', 'the vault ended')",
                (hashlib.sha256(raw).hexdigest(), int(time.time()), len(raw))).lastrowid
            store.execute("INSERT INTO arrival_raw (arrival, raw) VALUES (?, ?)", (number, raw))

    def verify(self, course):
        answers = "SELECT count(*) FROM acknowledgment"
        before = course.gateway.store_rows(answers)[0][0]
        starts(course)
        after = course.gateway.store_rows(answers)[0][0]
        if after != before + 1:
            yield f"lost: {after - before} answers count and not one"


ALICE, BOB = ("20001", "alice"), ("20002", "bob")
FOUR_EYES = {"admin": {"four_eyes": True}}

COMMANDS = (
    Init("init", "init"),
    Backup("backup", "backup {out}/copy"),
    Restore("restore", "restore {out}/copy --replace",
            before=("backup {out}/copy", "member add de-by --name Bavaria --kind local",
                    "contact remove cert@us-ca.example")),
    Retry("inbox-retry", "inbox retry --all"),
    Command("key-add", "key add {files}/three.asc"),
    Command("key-confirm", "key confirm {pending}"),
    Command("key-retire", "key retire {unused}"),
    Command("key-refresh", "key refresh {files}/renewed.asc"),
    Written("key-export", "key export {out}/key.asc"),
    Written("key-wkd", "key export --wkd {out}/wkd"),
    Passphrase("key-passphrase", "key passphrase"),
    Passphrase("key-addresses", "key addresses",
               gateway={"name": "Example early warning", "prefix": "DEW", "address": "gateway@gw.example",
                        "list": "all@gw.example", "return_path": "bounce@gw.example"}),
    Passphrase("key-preferences", "key preferences"),
    Command("member-add", "member add de-by --name Bavaria --kind local"),
    Command("member-invite", "member invite fr --name France --contact cert@fr.example --key {unused}"),
    Command("member-suspend", "member suspend us-ca"),
    Command("member-resume", "member resume us-ca", before=("member suspend us-ca",)),
    Command("member-remove", "member remove us-ca"),
    Command("contact-add", "contact add us-ca two@us-ca.example --key {unused} --clearance AMBER"),
    Command("contact-rekey", "contact rekey cert@us-ca.example --key {unused}"),
    Command("contact-remove", "contact remove cert@us-ca.example"),
    Command("publisher-add", "publisher add third@vendor.example --key {unused}"),
    Command("publisher-rekey", "publisher rekey second@vendor.example --key {unused}"),
    Command("publisher-remove", "publisher remove second@vendor.example"),
    Command("admin-add", "admin add second@gw.example --key {unused}"),
    Command("admin-remove", "admin remove admin@gw.example"),
    Command("group-add", "group add coast us-ca us-de"),
    Command("group-remove", "group remove coast", before=("group add coast us-ca",)),
    Command("agreement-publish", "agreement publish {files}/agreement.txt"),
    Command("advisory-withdraw", "advisory withdraw {number}"),
    Command("material-add", "material add guide {files}/guide --for all"),
    Command("material-remove", "material remove guide",
            before=("material add guide {files}/guide --for all",)),
    Command("queue-retry", "queue retry"),
    Command("join-dismiss", "join dismiss 1"),
    Command("approval-ask", "key confirm {pending}", **FOUR_EYES),
    Command("approve", "approve 1", before=("key confirm {pending}",), users=(ALICE, BOB), **FOUR_EYES),
    Command("approval-reject", "approval reject 1", before=("key confirm {pending}",),
            users=(ALICE, BOB), **FOUR_EYES),
)
