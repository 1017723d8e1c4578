"""What is an advisory and what is none, and how the publisher is told."""
import pathlib

import letters
from harness import cases, future, now, sanitized
from scene import Scene
from test_csaf import OWN


def is_refused(scene, raw, *words, line=None):
    """Refused as a whole: no advisory, nobody else gets mail, and the publisher is told in one
    encrypted and signed receipt what is wrong, and in which line of the signed text."""
    row = scene.drop(raw)
    assert row["state"] == "refused", row
    assert scene.gateway.advisories() == []
    receipt = scene.receipts(1)[0]
    everybody = scene.smarthost.received()
    assert [mail.recipient for mail in everybody] == [scene.publisher.address], everybody
    assert "refused" in receipt.text.lower()
    for word in words:
        assert word.lower() in receipt.text.lower(), (word, receipt.text)
    if line is not None:
        assert f"Line {line} " in receipt.text, receipt.text
    return receipt


def test_signed_by_a_contact_is_no_advisory(t):
    scene = Scene(t, 2)
    official = scene.officials[0]
    author = t.publisher("author@nowhere.example")
    inner = author.entity(f"{author.block()}\ntext\n", "a title")
    row = scene.drop(official.message(letters.encrypted_entity(official.encrypt(inner))))
    assert row["state"] == "refused" or row["meaning"] == "unknown", row
    assert scene.gateway.advisories() == [] and scene.smarthost.received() == []


def test_signed_but_not_encrypted_is_refused(t):
    scene = Scene(t)
    is_refused(scene, scene.publisher.publish("a title", "text\n", encrypted=False), "encrypted")


def test_encrypted_but_not_signed_causes_no_mail(t):
    scene = Scene(t)
    row = scene.drop(scene.publisher.publish("a title", "text\n", signed=False))
    assert scene.gateway.advisories() == [] and row["state"] in ("done", "refused"), row
    assert scene.smarthost.received() == []


def test_signature_around_a_part_of_the_mail_is_refused(t):
    scene = Scene(t)
    is_refused(scene, scene.publisher.publish("a title", "text\n", outside="More text.\n"))


def test_control_block_in_the_unsigned_part_is_refused(t):
    """The block stands in clear beside a well signed and encrypted text without one."""
    scene = Scene(t)
    publisher = scene.publisher
    inner = letters.text_part("only text, no block\n", [("Subject", "a title")])
    sealed = letters.encrypted_entity(publisher.encrypt(inner))
    mixed = letters.multipart("mixed", [letters.text_part(f"{publisher.block()}\ntext\n"), sealed])
    row = scene.drop(publisher.message(mixed))
    assert row["state"] == "refused", row
    assert scene.gateway.advisories() == []
    assert {mail.recipient for mail in scene.smarthost.received()} <= {publisher.address}


def test_signed_part_inside_the_encryption_with_more_beside_it_is_refused(t):
    scene = Scene(t)
    publisher = scene.publisher
    signed = letters.text_part(f"{publisher.block()}\ntext\n", [("Subject", "a title")])
    inner = letters.signed_entity(signed, publisher.sign(signed, "--detach-sign"))
    both = letters.multipart("mixed", [letters.text_part("Audience: nobody\n"), inner])
    row = scene.drop(publisher.message(letters.encrypted_entity(publisher.encrypt(both, False))))
    assert row["state"] in ("refused", "done") and scene.gateway.advisories() == [], row


@future
def test_signed_inside_the_encryption_is_taken(t):
    scene = Scene(t)
    publisher = scene.publisher
    signed = publisher.entity(f"{publisher.block()}\ntext of it\n", "a title")
    inner = letters.signed_entity(signed, publisher.sign(signed, "--detach-sign"))
    row = scene.drop(publisher.message(letters.encrypted_entity(publisher.encrypt(inner, False))))
    assert (row["state"], row["meaning"]) == ("done", "advisory"), row
    assert "text of it" in scene.opened().text


def test_tlp_that_contradicts_the_csaf_is_refused(t):
    scene = Scene(t)
    raw = scene.publisher.publish("a title", "text\n", tlp="GREEN", attachments=[
        (OWN.name, OWN.read_bytes(), "application/json")])
    is_refused(scene, raw, "TLP", "GREEN", "AMBER", line=2)


def test_broken_csaf_is_refused(t):
    scene = Scene(t)
    broken = OWN.read_bytes()[:-40]
    raw = scene.publisher.publish("a title", "text\n", attachments=[
        (OWN.name, broken, "application/json")])
    is_refused(scene, raw, "CSAF")


@cases("audience=nobody-knows=3", "tlp=PURPLE=2", "acknowledge=soon=4", "release=tomorrow=4",
       "exercise=perhaps=4", "colour=blue=4", "advisory=update=1",
       "advisory=update DEW-1999-0001=1", "audience=all, -all=3")
@sanitized
def test_bad_line_is_named(t, case):
    field, value, line = case.split("=")
    scene = Scene(t)
    raw = scene.publisher.publish("a title", "text\n", **{field: value})
    is_refused(scene, raw, field, line=int(line))


def test_no_text_and_no_csaf_is_refused(t):
    scene = Scene(t)
    is_refused(scene, scene.publisher.publish("a title", ""), "text")


def test_no_title_is_refused(t):
    scene = Scene(t)
    is_refused(scene, scene.publisher.publish(None, "text\n"), "title")


def test_mail_without_a_control_block_is_refused(t):
    scene = Scene(t)
    is_refused(scene, scene.publisher.publish("a title", "text\n", block="Hello there,\n"))


@sanitized
def test_same_drop_mail_again_with_other_headers_is_one_advisory(t):
    """I2."""
    scene = Scene(t)
    raw = scene.publisher.publish("a title", "text\n")
    first = scene.drop(raw)
    entity = raw.partition(b"MIME-Version: 1.0\r\n")[2]
    again = letters.message("elsewhere@other.example", "x@y.example", entity, "new subject")
    row = scene.drop(again)
    assert first["state"] == "done", first
    assert "duplicate" in row["meaning"] or "before" in row["reason"], row
    assert len(scene.gateway.advisories()) == 1
    scene.smarthost.only(scene.official.address)


def test_old_drop_mail_is_refused(t):
    """A recorded mail cannot be played months later to a gateway that never saw it."""
    scene = Scene(t)
    raw = scene.publisher.publish("a title", "text\n", faked=now() - 90 * 86400)
    is_refused(scene, raw)


@cases("plain", "signed", "encrypted", "garbage", "bomb")
def test_unknown_sender_causes_no_mail_at_all(t, kind):
    """I11."""
    scene = Scene(t)
    stranger = t.publisher("stranger@nowhere.example")
    stranger.meet(scene.gateway)
    if kind == "garbage":
        raw = stranger.message(letters.encrypted_entity(
            b"-----BEGIN PGP MESSAGE-----\n\nAAAA\n=AAAA\n-----END PGP MESSAGE-----\n"))
    elif kind == "bomb":
        big = scene.publisher.encrypt(letters.text_part("\n" * 120_000_000), sign=False)
        raw = stranger.message(letters.encrypted_entity(big))
    else:
        raw = stranger.publish("a title", "text\n", encrypted=kind == "encrypted",
                               signed=kind != "plain")
    row = scene.drop(raw)
    assert row["state"] in ("done", "refused", "unreadable"), row
    assert scene.gateway.advisories() == [] and scene.smarthost.received() == []
    released = scene.release()  # and the gateway is well
    assert released["number"] in scene.opened().subject


def test_publisher_who_was_removed_publishes_nothing(t):
    scene = Scene(t)
    scene.gateway.ctl("publisher", "remove", scene.publisher.address)
    scene.drop(scene.publisher.publish("a title", "text\n"))
    assert scene.gateway.advisories() == [] and scene.smarthost.received() == []


def test_exercise_says_so_at_the_top(t):
    scene = Scene(t)
    scene.release(exercise="yes")
    opened = scene.opened()
    assert "EXERCISE" in opened.subject and "EXERCISE" in "".join(opened.text.splitlines()[:3])


def test_mail_that_is_no_mail_ends_unreadable_or_unknown_and_stays(t):
    scene = Scene(t)
    for number, raw in enumerate((b"\x00\xff" * 500, b"\n", b"Subject: x\n\n", b"(" * 100000)):
        row = scene.drop(raw)
        assert row["state"] in ("done", "refused", "unreadable"), (number, row)
    assert scene.smarthost.received() == []
    assert not list(pathlib.Path(scene.gateway.drop_dir / "new").iterdir())
    scene.release()
    scene.opened()
