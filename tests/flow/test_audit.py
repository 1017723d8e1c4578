"""What `dewctl audit verify` finds when somebody who may write the store edits it."""
import contextlib
import hashlib
import re
import sqlite3

from harness import eventually, sanitized
from scene import Scene

BARRIERS = ("audit_is_not_edited", "audit_is_not_cut", "audit_only_grows")
COLUMNS = "sequence, at, actor, event, subject, detail"


def answered(t):
    """A gateway at rest whose log and store hold an advisory, its receipts and an answer."""
    scene = Scene(t, 2)
    scene.release()
    first, second = scene.officials
    scene.drop(first.reply(scene.opened(first), "affected", "two stations"))
    scene.opened(second)
    scene.checkpoint = checkpoint_of(scene)
    scene.gateway.stop()
    assert verified(scene)["differences"] == 0
    return scene


def checkpoint_of(scene):
    """Number and hash of an entry, from the receipt that says all is handed over."""
    def found():
        text = next((r.text for r in scene.receipts() if "Complete:" in r.subject), "")
        return re.search(r"^\d+:[0-9A-F]{64}$", text, re.MULTILINE)
    return eventually(found, "the last receipt, with a checkpoint")[0]


def edit(scene, *statements):
    """As an admin with sqlite3, who knows what is in the way."""
    path = scene.gateway.dir / "state" / "store.db"
    with contextlib.closing(sqlite3.connect(path)) as store, store:
        for name in BARRIERS:
            store.execute(f"DROP TRIGGER IF EXISTS {name}")
        for statement in statements:
            done = store.execute(*statement) if isinstance(statement, tuple) else (
                store.execute(statement))
            assert done.rowcount != 0, f"changes nothing: {statement}"


@contextlib.contextmanager
def undone(scene):
    """Brings the store back to what it was."""
    path = scene.gateway.dir / "state" / "store.db"
    with contextlib.closing(sqlite3.connect(":memory:")) as copy:
        with contextlib.closing(sqlite3.connect(path)) as store:
            store.backup(copy)
        yield
        with contextlib.closing(sqlite3.connect(path)) as store:
            copy.backup(store)
    verified(scene)


def verified(scene, *arguments):
    """What `audit verify` says where all is well."""
    row = scene.gateway.rows("audit", "verify", *arguments)
    assert row["sound"] is True and scene.gateway.code == 0, row
    return row


def is_found(scene, *words, arguments=()):
    """Exit status 1, and the words are on standard error and in the reason; what it said."""
    row = scene.gateway.rows("audit", "verify", *arguments, may_fail=True)
    assert scene.gateway.code == 1, row
    for word in words:
        assert word in row["reason"], (word, row)
        assert word in scene.gateway.said, (word, scene.gateway.said)
    assert "keep a copy" in scene.gateway.said
    return row


def entry_of(scene, event):
    """Number and fields of the first entry of a kind."""
    return scene.gateway.store_rows(
        f"SELECT {COLUMNS} FROM audit WHERE event = '{event}' ORDER BY sequence LIMIT 1")[0]


def digest(previous, fields):
    """An entry's hash, as src/store/audit.h describes it."""
    form = b"dewline audit 1\n"
    for field in (previous, *fields):
        field = str(field).encode()
        form += b"%d:%s\n" % (len(field), field)
    return hashlib.sha256(form).hexdigest().upper()


def chained_anew(scene):
    """Statements that give every entry the hash that belongs to what stands there now."""
    previous, statements = "0" * 64, []
    for fields in scene.gateway.store_rows(f"SELECT {COLUMNS} FROM audit ORDER BY sequence"):
        previous = digest(previous, fields)
        statements.append(("UPDATE audit SET hash = ? WHERE sequence = ?", (previous, fields[0])))
    return statements


# The log.

def test_edited_entry_is_named(t):
    scene = answered(t)
    number = entry_of(scene, "acknowledgment.accepted")[0]
    for column in ("at", "actor", "event", "subject", "detail", "hash"):
        value = "at - 3600" if column == "at" else f"'not ' || {column}"
        with undone(scene):
            edit(scene, f"UPDATE audit SET {column} = {value} WHERE sequence = {number}")
            row = is_found(scene, f"entry {number} was changed")
            assert row["sound"] is False and row["bad"] == number, (column, row)


def test_removed_entry_is_named(t):
    scene = answered(t)
    number = entry_of(scene, "delivery.sent")[0]
    edit(scene, f"DELETE FROM audit WHERE sequence = {number}")
    assert is_found(scene, f"entry {number} is missing")["bad"] == number


def test_removed_entry_whose_place_was_closed_is_named(t):
    scene = answered(t)
    number = entry_of(scene, "delivery.sent")[0]
    edit(scene, f"DELETE FROM audit WHERE sequence = {number}",
         f"UPDATE audit SET sequence = -sequence WHERE sequence > {number}",
         "UPDATE audit SET sequence = -sequence - 1 WHERE sequence < 0")
    assert is_found(scene, f"entry {number} was changed")["bad"] == number


def test_inserted_entry_is_named(t):
    """With a hash that fits what stands before it: then the next one does not."""
    scene = answered(t)
    number, at = entry_of(scene, "delivery.sent")[:2]
    previous = scene.gateway.store_rows(
        f"SELECT hash FROM audit WHERE sequence = {number - 1}")[0][0]
    fields = (number, at, "gate", "delivery.sent", "DEW-2026-0001 r1 eve@x.example", "250 ok")
    edit(scene, f"UPDATE audit SET sequence = -sequence WHERE sequence >= {number}",
         "UPDATE audit SET sequence = -sequence + 1 WHERE sequence < 0",
         (f"INSERT INTO audit ({COLUMNS}, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
          (*fields, digest(previous, fields))))
    assert is_found(scene, f"entry {number + 1} was changed")["bad"] == number + 1


def test_reordered_entries_are_named(t):
    scene = answered(t)
    number = entry_of(scene, "delivery.sent")[0]
    edit(scene, f"UPDATE audit SET sequence = -1 WHERE sequence = {number}",
         f"UPDATE audit SET sequence = {number} WHERE sequence = {number + 1}",
         f"UPDATE audit SET sequence = {number + 1} WHERE sequence = -1")
    assert is_found(scene, f"entry {number} was changed")["bad"] == number


def test_cut_tail_shows_against_a_receipt(t):
    scene = answered(t)
    number = int(scene.checkpoint.split(":")[0])
    verified(scene, "--checkpoint", scene.checkpoint)
    edit(scene, f"DELETE FROM audit WHERE sequence >= {number}",
         "DELETE FROM acknowledgment")  # so that nothing in the store contradicts it
    row = scene.gateway.rows("audit", "verify", may_fail=True)
    assert row["sound"] is True, "the rest is whole: it takes a checkpoint to see the cut"
    row = is_found(scene, f"entry {number} is missing", "checkpoint",
                   arguments=("--checkpoint", scene.checkpoint))
    assert row["bad"] == number


def test_log_written_anew_as_a_whole_shows_against_a_receipt(t):
    """One word changed in an entry, and every hash from there on made to fit."""
    scene = answered(t)
    number = int(scene.checkpoint.split(":")[0])
    edit(scene, "UPDATE audit SET detail = replace(detail, 'AMBER', 'GREEN')"
         " WHERE event = 'advisory.new'", "UPDATE revision SET tlp = 'GREEN'")
    edit(scene, *chained_anew(scene))
    verified(scene)
    row = is_found(scene, f"entry {number} ", "checkpoint",
                   arguments=("--checkpoint", scene.checkpoint))
    assert row["bad"] == number


# The tables behind the log's back.

EDITS = {
    "answer changed": ("UPDATE acknowledgment SET status = 'not affected'",
                       "stands as answered"),
    "answer passed to another": (
        "UPDATE acknowledgment SET contact = (SELECT max(id) FROM contact)", "stands as answered"),
    "answer made up": (
        "INSERT INTO acknowledgment (revision, contact, arrival, status, signed_at, received_at,"
        " fingerprint, clear, comment) SELECT 1, max(id), 1, 'received', 1, 1, fingerprint, '', x''"
        " FROM contact", "stands as answered"),
    "answer removed": ("DELETE FROM acknowledgment", "no such answer"),
    "mail of an answer changed": (
        "UPDATE arrival_raw SET raw = CAST(raw || x'0a' AS BLOB) WHERE arrival ="
        " (SELECT arrival FROM acknowledgment)", "another mail"),
    "mail of an answer removed": (
        "DELETE FROM arrival_raw WHERE arrival = (SELECT arrival FROM acknowledgment)",
        "another mail"),
    "delivery removed": (
        "DELETE FROM delivery WHERE state = 'sent' AND contact IS NOT NULL", "no such delivery"),
    "delivery moved to another address": (
        "UPDATE delivery SET address = 'eve@x.example' WHERE state = 'sent'"
        " AND contact IS NOT NULL", "eve@x.example stands as sent"),
    "revision relabelled": ("UPDATE revision SET tlp = 'CLEAR'", "is not the revision"),
    "audience changed": ("UPDATE revision SET audience = 'us-de'", "is not the revision"),
    "pinned key of a contact changed": (
        "UPDATE contact SET fingerprint = 'A' || substr(fingerprint, 2, 38) || '0'"
        " WHERE id = 1", "another key"),
    "pinned key of a publisher changed": (
        "UPDATE publisher SET fingerprint = 'A' || substr(fingerprint, 2, 38) || '0'",
        "another key"),
    "clearance raised": ("UPDATE contact SET clearance = 'CLEAR' WHERE id = 1",
                         "another clearance"),
}


@sanitized
def test_edit_behind_the_log_is_named(t):
    scene = answered(t)
    for what, (statement, words) in EDITS.items():
        with undone(scene):
            edit(scene, statement)
            row = is_found(scene, words)
            assert row["sound"] is True and row["differences"] >= 1, (what, row)


def test_certificate_confirmed_behind_the_log_is_named(t):
    scene = Scene(t)
    eve = t.official("eve@x.example")
    scene.gateway.add_key(eve, confirm=False)
    scene.gateway.stop()
    edit(scene, f"UPDATE certificate SET state = 'confirmed' WHERE fingerprint = '{eve.fingerprint}'")
    is_found(scene, eve.fingerprint, "counts as confirmed")


def test_what_admins_do_agrees_with_the_log(t):
    """Rekeying, removing and adding again, admins, an update, a withdrawal: nothing is reported.
    I14."""
    scene = Scene(t, 2)
    gateway, (first, second) = scene.gateway, scene.officials
    number = scene.release()["number"]
    scene.drop(first.reply(scene.opened(first), "acting"))
    new = t.official("new-key@us-de.example")
    gateway.add_key(new)
    gateway.ctl("contact", "rekey", first.address.upper(), "--key", new.fingerprint)
    gateway.ctl("contact", "remove", second.address)
    gateway.admit(t.official("again@us-ca.example"), clearance="AMBER+STRICT")
    admin = t.official("admin@gw.example")
    gateway.add_key(admin)
    gateway.ctl("admin", "add", admin.address, "--name", "Admin", "--key", admin.fingerprint)
    scene.release(advisory=f"update {number}", audience=first.address, text="Now in 2.2.\n")
    gateway.ctl("advisory", "withdraw", number)
    eventually(lambda: gateway.advisories()[0]["state"] == "withdrawn", "it is withdrawn")
    gateway.stop()
    assert verified(scene)["differences"] == 0, gateway.said
