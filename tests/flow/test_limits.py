"""What a mail may be, how much of it is opened, and how long that of strangers is kept."""
import contextlib
import sqlite3
import struct
import zlib

import letters
from harness import eventually, limit
from scene import Scene

MEGABYTE = 1_000_000
BOMB_BYTES = 1_000_000_000
VAULT_KB = 60_000  # with a limit of 4 MB for what a mail opens to


def cover(entity, head=b""):
    raw = letters.message("a@b.example", "gateway@gw.example", entity)
    return head + raw


def multipart(parts, boundary="b"):
    return (f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'.encode()
            + b"".join(f"--{boundary}\r\n".encode() + part for part in parts)
            + f"--{boundary}--\r\n".encode())


def nested(depth):
    return b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
                    for n in range(depth)) + letters.text_part("x\n")


OVER = {
    "header of more than 4096 bytes": lambda text: cover(text, b"X-A: abcdef\r\n" * 400),
    "more than 20 header fields": lambda text: cover(text, b"A: b\r\n" * 30),
    "header line of more than 1000 bytes": lambda text: cover(text, b"A: " + b"b" * 1500 + b"\r\n"),
    "more than 5 parentheses": lambda text: cover(text, b"A: ((((((x))))))\r\n"),
    "more than 6 parts": lambda text: cover(multipart([text] * 8)),
    "nested more than 3 deep": lambda text: cover(nested(5)),
    "character in a boundary": lambda text: cover(
        b'Content-Type: multipart/mixed; boundary="\\""\r\n\r\n--"\r\n\r\nx\r\n'),
    "boundary of more than 70": lambda text: cover(multipart([text], "x" * 71)),
    "two types or two encodings": lambda text: cover(
        b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx\r\n"),
    "NUL in a header": lambda text: cover(text, b"A: b\0c\r\n"),
}
SMALL = {"header": 4096, "headers": 20, "header_line": 1000, "comments": 5, "parts": 6,
         "nesting": 3}


def test_mail_over_a_limit_is_refused_for_that_reason(t):
    scene = Scene(t, limits=SMALL)
    for reason, make in OVER.items():
        row = scene.drop(make(letters.text_part("x\n")))
        assert row["state"] == "refused" and reason in row["reason"], (reason, row)
    assert scene.drop(cover(letters.text_part("x\n"), b"A: (((b)))\r\n"))["state"] == "done"
    scene.release()
    scene.opened()


def compressed(data):
    """A compressed data packet (RFC 9580 section 5.6), ZIP, of indeterminate length."""
    return b"\xa3\x01" + data


def deflate(blocks):
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(squeeze.compress(block) for block in blocks) + squeeze.flush()


def gigabyte_bomb():
    """A literal packet of a gigabyte, compressed twice: some kilobytes."""
    def literal():
        yield (b"\xcb\xff" + struct.pack(">I", 6 + BOMB_BYTES) + b"b\0" + b"\0" * 4)
        for _ in range(BOMB_BYTES // MEGABYTE):
            yield b"\n" * MEGABYTE
    return compressed(deflate([compressed(deflate(literal()))]))


@limit(300)
def test_bomb_of_a_gigabyte_stops_at_the_limit_in_little_memory(t):
    scene = Scene(t, limits={"plaintext": 4 * MEGABYTE})
    person = scene.official
    packets = gigabyte_bomb()
    assert len(packets) < 50_000, len(packets)
    armored = person.home.gpg("--armor", "-r", scene.gateway.fingerprint, "--no-literal", "-z", "0",
                              "--encrypt", given=packets).out
    rows = [scene.drop(person.message(letters.encrypted_entity(armored), more=[("X-N", number)]))
            for number in range(3)]
    assert all(row["state"] == "unreadable" for row in rows), rows
    assert "more than 4000000 bytes" in rows[0]["reason"], rows[0]
    most = {role: scene.gateway.memory(role) for role in ("vault", "gate", "reader")}
    t.note(f"{len(armored)} bytes that open to {BOMB_BYTES}; most memory in kB: {most}")
    assert 0 < most["vault"] < VAULT_KB, most
    assert most["gate"] < VAULT_KB and most["reader"] < VAULT_KB, most
    scene.release()
    scene.opened()


def age(gateway, seconds):
    """Lets all that came in be older, while the daemon does not run."""
    path = gateway.dir / "state" / "store.db"
    with contextlib.closing(sqlite3.connect(path)) as store, store:
        store.execute("UPDATE arrival SET received_at = received_at - ?", (seconds,))


def restart_later(gateway, seconds):
    gateway.stop()
    age(gateway, seconds)
    gateway.start()


def kept(gateway):
    return {row["id"]: row["kept"] for row in gateway.arrivals()}


def removed(gateway):
    return [row for row in gateway.audit() if row["event"] == "arrival.removed"]


def test_mail_of_strangers_goes_in_time_and_evidence_stays(t):
    scene = Scene(t, keep={"strangers": "2d"})
    gateway = scene.gateway
    number = scene.release()["number"]
    opened = scene.opened()
    scene.drop(scene.official.reply(opened, "received"))
    scene.drop(scene.official.reply(opened, "received", token="AAAABBBBCCCCDDDD"))
    for text in ("one\n", "two\n"):
        scene.drop(cover(letters.text_part(text)))
    restart_later(gateway, 86400)
    scene.drop(cover(letters.text_part("three\n")))
    assert all(kept(gateway).values()) and not removed(gateway)
    restart_later(gateway, 86400 + 60)
    eventually(lambda: removed(gateway), "what is old is removed")
    found = kept(gateway)
    assert found == {1: True, 2: True, 3: True, 4: False, 5: False, 6: True}, found
    detail = removed(gateway)[0]["detail"]
    assert detail.startswith("2 mails") and detail.endswith("arrivals 4 to 5"), detail
    gateway.ctl("inbox", "show", 4, "--raw", may_fail=True)
    assert gateway.code != 0 and "kept no more" in gateway.said, gateway.said
    gateway.ctl("ack", "export", number, scene.official.address, t.dir / "evidence")
    assert (t.dir / "evidence" / "reply.eml").exists()
    assert gateway.rows("audit", "verify")["sound"]


def test_too_much_of_strangers_goes_the_oldest_first(t):
    scene = Scene(t, keep={"strangers_mb": 1})
    gateway = scene.gateway
    for text in "abc":
        scene.drop(cover(letters.text_part(f"{text}\n" * 300_000)))
    restart_later(gateway, 60)
    eventually(lambda: removed(gateway), "what is too much is removed")
    assert kept(gateway) == {1: False, 2: False, 3: True}, kept(gateway)


@limit(200)
def test_mail_of_somebody_known_does_not_wait_behind_a_flood(t):
    scene = Scene(t, 2)
    gateway = scene.gateway
    scene.release()
    opened = {person: scene.opened(person) for person in scene.officials}
    stranger = t.publisher("stranger@nowhere.example")
    stranger.meet(gateway)
    armored = stranger.encrypt(stranger.entity("x\n"))
    gateway.stop()
    flood = 240
    for number in range(flood):
        # Half of them say that they are from the first official, who then has to wait as well.
        sender = scene.officials[0].address if number % 2 else "a@b.example"
        gateway.drop(letters.message(sender, gateway.address, letters.encrypted_entity(armored)))
    gateway.drop(scene.officials[1].reply(opened[scene.officials[1]], "received"))
    gateway.start()
    before = eventually(lambda: gateway.store_rows(
        "SELECT count(*) FROM arrival WHERE state NOT IN ('received', 'judged') AND id > 1")
        if gateway.store_rows("SELECT 1 FROM acknowledgment") else None, "it is counted", 100)[0][0]
    t.note(f"{before} of {flood} mails were dealt with when the answer was")
    assert before < flood // 2, before
    gateway.settled(flood + 2, 150)
