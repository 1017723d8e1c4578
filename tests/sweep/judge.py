"""What must hold after a fault, whatever it was: the end is that of a run without one."""
import base64
import collections
import contextlib
import json
import pathlib
import re
import sqlite3

MARK = "Quittungszeichen"  # stands in every text and title: never to be seen in the clear

# What differs from run to run, or with the number of attempts, and tells nothing of what became of a mail.
VOLATILE = re.compile(r"^id$|_at$|^at$|hash$|digest$|^token$|^message_id$|^head$|^tail$|^data$|^stash$"
                      r"|^tag$|^findings$|^lost_to$|^title$|^comment$|^raw$|^mark$|^content$|^file$|^pkesk$|^detail$|^minimal$"
                      r"|^(arrival|message|batch|delivery|report|shard|receipt|notice|instead)$"
                      r"|^(attempts|ambiguous|generation|sequence|value|size|acknowledge_by|required_from)$")
APART = {"value", "clock_witness", "shard", "batch", "delivery_key", "audit", "message", "sqlite_sequence"}
# Entries of the log that a fault may add, and messages: to tell of it is right.
TELLING = re.compile(r"^(gate\.start|message\.sealed|drop\.(stuck|free)|mailbox\.(lost|reached)|delivery\.ambiguous|mail\.unsent|mail\.sendable|queue\.|store\.|worker\.)")
TELLING_MAIL = re.compile(r"^(alarm|unsent|stuck|mailbox)")

UNDER_WAY = re.compile(r"^(arrival|delivery) .* state=(received|judged|queued|sending|deferred)\b"
                       r"|^advisory .* state=(released|sealed|delivering)\b")


@contextlib.contextmanager
def opened(gateway):
    path = gateway.dir / "state" / "store.db"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        store.row_factory = sqlite3.Row
        yield store


def steady(table, row):
    """A row without what is volatile, as text. Why a try failed that a later one made good is none
    of the end."""
    fields = {name: row[name] for name in row.keys() if not VOLATILE.search(name)}
    if table == "arrival":
        fields["wait_until"] = fields["wait_until"] > 0
    if table == "delivery" and fields["state"] in ("sent", "acknowledged"):
        del fields["reason"], fields["about"], fields["told"]
    return f"{table} " + " ".join(f"{name}={value}" for name, value in sorted(fields.items()))


def rows(store):
    tables = [name for (name,) in store.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in set(tables) - APART:
        for row in store.execute(f"SELECT * FROM {table}"):
            yield steady(table, row)
    for row in store.execute("SELECT event, subject FROM audit"):
        if not TELLING.search(row["event"]):
            subject = re.sub(r"[0-9A-F]{16,}|\d+|^B[B-Z]{2}$", "#", row["subject"])
            yield f"log {row['event']} {subject}"
    for row in store.execute("SELECT kind, count(*) AS count FROM message GROUP BY kind"):
        if not TELLING_MAIL.search(row["kind"]):
            yield f"messages {row['kind']}: {row['count']}"


def picture(gateway):
    """What the store says, as a sorted list of lines that two runs with the same end share."""
    with opened(gateway) as store:
        telling = {row[0] for row in store.execute("SELECT id, kind FROM message")
                   if TELLING_MAIL.search(row[1])}
        told = {steady("delivery", row) for row in store.execute("SELECT * FROM delivery")
                if row["message"] in telling}
        return sorted(line for line in rows(store) if line not in told)


def rests(lines):
    """Nothing of what the store says is under way."""
    return not any(UNDER_WAY.search(line) for line in lines)


def differences(expected, found):
    """Lines that are too many (+) and that are missing (-)."""
    if expected is None:
        return ["nothing is known of what is to be"]
    expected, found = collections.Counter(expected), collections.Counter(found)
    return ([f"- {line}" for line in (expected - found).elements()]
            + [f"+ {line}" for line in (found - expected).elements()])


def names_below(folder):
    """Names of all files of a gateway, with what is drawn or counted taken out."""
    found = set()
    for top in ("state", "drop"):
        for path in (folder / top).rglob("*"):
            if not path.is_socket():
                found.add(re.sub(r"[0-9A-Fa-f]{6,}|\d+|(?<=before-)[A-Z]+", "#",
                                 str(path.relative_to(folder))))
    # gpg keeps chance in a file where it likes.
    return sorted(name for name in found - {"state/store.db-wal", "state/store.db-shm"}
                  if not name.endswith("/random_seed"))


def files(gateway):
    return names_below(gateway.dir)


# The oracles: each gives what is wrong, a line each.

def delivered(gateway, smarthost):
    """Lost and copies: whatever is sent is there, as often as it may be, and each time the same."""
    copies = collections.defaultdict(list)
    for mail in smarthost.received():
        copies[mail.headers["Message-ID"].strip("<> "), mail.recipient].append(mail.raw)
    with opened(gateway) as store:
        known = store.execute("SELECT message_id, address, state, ambiguous, d.id FROM delivery d"
                              " JOIN message m ON m.id = d.message").fetchall()
    before = gateway.delivered_before
    for row in known:
        found = copies.pop((row["message_id"], row["address"]), [])
        name = f"delivery {row['id']} to {row['address']}"
        if row["state"] in ("sent", "acknowledged") and row["id"] > before and not found:
            yield f"lost: {name} is {row['state']}, and the smarthost has nothing"
        if len(found) > 1 + row["ambiguous"]:
            yield f"copies: {len(found)} of {name}, with {row['ambiguous']} ambiguous"
        if len(set(found)) > 1:
            yield f"copies: those of {name} differ"
    for message_id, recipient in copies:
        yield f"false: a mail for {recipient} that the store does not know: {message_id}"


def spellings(mark):
    """The mark in the clear, and in base64 at each of its three alignments."""
    yield mark.encode()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + mark.encode())
        yield coded[4 if shift else 0:-4]


def in_the_clear(gateway, smarthost):
    places = [(mail.number, mail.raw) for mail in smarthost.received()]
    for path in (gateway.dir / "state").rglob("*"):
        if path.is_file():
            places.append((str(path), path.read_bytes()))
    places.append(("the log", gateway.text_of_log().encode()))
    for name, raw in places:
        if any(spelling in raw for spelling in spellings(MARK)):
            yield f"clear: the text stands in {name}"


def sound(gateway):
    """The store and the log of what happened hold."""
    gateway.ctl("audit", "verify", may_fail=True)
    if gateway.code:
        yield f"unsound: audit verify: {gateway.said}"
    with opened(gateway) as store:
        for pragma, good in (("integrity_check", [("ok",)]), ("foreign_key_check", [])):
            said = [tuple(row) for row in store.execute(f"PRAGMA {pragma}")]
            if said != good:
                yield f"unsound: {pragma}: {said}"


def findings(gateway):
    """What check says that is not well."""
    out = gateway.ctl("check", "--json", may_fail=True)
    return {(row["what"], row.get("name", ""), row["result"]) for row in json.loads(out)["findings"]
            if row["result"] != "ok"}


def waits_in_drop(gateway):
    return [str(path) for place in ("new", "cur", "refused")
            for path in pathlib.Path(gateway.drop_dir, place).glob("*")]
