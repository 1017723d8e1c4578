"""What an attacker, an accident or an admin's slip must not bring about."""
import contextlib
import sqlite3
import time

import letters
from harness import eventually
from scene import Scene


def last_receipt(scene, number):
    """The newest receipt about everybody of the revision: `number` is "DEW-2026-0001 r2"."""
    def complete():
        found = [receipt for receipt in scene.receipts()
                 if f"Complete: {number}" in receipt.subject]
        return found[-1] if found else None
    return eventually(complete, f"the last receipt for {number}")


def test_signed_text_with_other_line_ends_is_not_acted_on_again(t):
    """A signature of canonical text covers lines, but not how they end: whoever can open the mail,
    such as somebody it was sent to as well, can change that and encrypt it anew."""
    scene = Scene(t)
    publisher = scene.publisher
    entity = publisher.entity(f"{publisher.block()}\ntext of it\n", "a title")
    signature = publisher.home.gpg("--armor", "--textmode", "--digest-algo", "SHA256", "-u",
                                   publisher.fingerprint, "--detach-sign", given=entity).out
    states = []
    for text in (b"text of it\r\n", b"text of it\r\r\n", b"text of it\r\r\r\n"):
        inner = letters.signed_entity(entity.replace(b"text of it\r\n", text), signature)
        row = scene.drop(publisher.message(
            letters.encrypted_entity(publisher.encrypt(inner, False))))
        states.append((row["state"], row["meaning"]))
    assert states[0] == ("done", "advisory"), states
    assert len(scene.gateway.advisories()) == 1, states
    assert ("refused", "advisory") not in states, "a mail each time"


def test_contact_with_a_new_key_still_gets_updates_and_withdrawal(t):
    """Remove and add again is how a key is changed: the person had the first revision."""
    scene = Scene(t, 2)
    first, second = scene.officials
    number = scene.release(audience=f"{first.address}, {second.address}")["number"]
    scene.opened(first)
    scene.opened(second)
    scene.gateway.ctl("contact", "remove", first.address)
    renewed = t.official("renewed@us-de.example")
    renewed.address = first.address
    scene.gateway.admit(renewed)
    scene.release(advisory=f"update {number}", audience=second.address, text="Now in 2.2.\n")
    mails = scene.smarthost.wait(2, first.address)
    assert "Now in 2.2." in renewed.open(mails[-1].raw).text
    scene.release(advisory=f"withdraw {number}", audience=None, text="A mistake.\n")
    mails = scene.smarthost.wait(3, first.address)
    assert "withdrawn" in renewed.open(mails[-1].raw).text.lower()


def test_contact_removed_since_is_named_when_the_advisory_is_withdrawn(t):
    scene = Scene(t, 2)
    first, second = scene.officials
    number = scene.release()["number"]
    scene.opened(first)
    scene.opened(second)
    scene.gateway.ctl("contact", "remove", first.address)
    scene.release(advisory=f"withdraw {number}", audience=None, text="A mistake.\n")
    receipt = last_receipt(scene, f"{number} r2")
    assert first.address in receipt.text and "removed" in receipt.text, receipt.text
    scene.opened(second, 2)
    scene.smarthost.only(first.address)


def test_exercise_in_an_update_of_a_real_advisory_is_refused(t):
    """It would go out as a real one, and the other way round as a drill."""
    scene = Scene(t)
    number = scene.release()["number"]
    scene.opened()
    row = scene.drop(scene.publisher.publish(
        "a drill", "This is but a drill.\n", advisory=f"update {number}", exercise="yes"))
    assert row["state"] == "refused", row
    assert any("in earnest" in receipt.text for receipt in scene.receipts(3))
    scene.smarthost.only(scene.official.address)


def test_receipts_do_not_follow_a_publisher_who_was_removed(t):
    scene = Scene(t, script=["rcpt cert@us-de.example 2 reply 451 4.2.0 later"],
                  retry={"first": "1h", "most": "1h"})
    number = scene.release()["number"]
    scene.smarthost.wait(1, scene.publisher.address)
    scene.gateway.ctl("publisher", "remove", scene.publisher.address)
    eventually(lambda: scene.poke() or scene.gateway.advisories()[0]["state"] == "complete",
               "it is complete")
    scene.opened()
    time.sleep(1)
    scene.smarthost.only(scene.publisher.address)
    assert any(row["event"] == "delivery.excluded" and scene.publisher.address in row["subject"]
               for row in scene.gateway.audit()), number


def test_lower_limit_for_mails_does_not_stop_what_was_taken(t):
    """A mail that waits in the store from before must not keep the gate from starting."""
    scene = Scene(t)
    gateway = scene.gateway
    scene.drop(letters.message("a@b.example", "c@d.example", letters.text_part("line\n" * 600000)))
    gateway.kill_everything()
    with contextlib.closing(sqlite3.connect(gateway.dir / "state" / "store.db")) as store, store:
        store.execute("UPDATE arrival SET state = 'received'")
    gateway.settings["limits"] = {"message": 1024}
    gateway.configure()
    gateway.start()
    gateway.settled(1)


def test_text_that_grows_beyond_the_limit_does_not_go_out_cut(t):
    """Latin-1 doubles in UTF-8: better refused than an advisory without its text."""
    scene = Scene(t, limits={"plaintext": 300000})
    publisher = scene.publisher
    line = b"\xe9" * 72 + b"\r\n"
    entity = (b"Subject: a title\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
              b"Content-Transfer-Encoding: 8bit\r\n\r\n"
              + letters.crlf(f"{publisher.block()}\n") + line * 3000)
    row = scene.drop(publisher.message(letters.encrypted_entity(publisher.encrypt(entity))))
    if row["state"] == "done":
        assert scene.opened().text.count("\u00e9") == 72 * 3000
    else:
        assert row["state"] == "refused", row
        assert scene.smarthost.received(scene.official.address) == []


def test_empty_file_in_the_drop_harms_nobody(t):
    scene = Scene(t)
    scene.drop(b"")
    scene.release()
    scene.opened()
