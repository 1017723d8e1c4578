"""What is known of a certificate and what comes are merged: nothing that was revoked comes back."""
import subprocess

import keys
import letters
import openpgp
from official import payload
from scene import Scene
from test_keylife import key_mail

USER_ID = 13


def revocation(person):
    """As gpg keeps it with each key: with words before it, and a colon that has to go."""
    return (person.home.path / "openpgp-revocs.d" / f"{person.fingerprint}.rev").read_bytes()


def subkeys(person):
    """The fingerprints of the subkeys."""
    rows = [row.split(":") for row in person.home.gpg(
        "--with-colons", "--with-subkey-fingerprint", "--list-keys",
        person.fingerprint).out.decode().splitlines()]
    return [after[9] for row, after in zip(rows, rows[1:])
            if row[0] == "sub" and after[0] == "fpr"]


def revoke_subkey(person, number):
    person.home.gpg("--command-fd", "0", "--edit-key", person.fingerprint,
                    given=f"key {number}\nrevkey\ny\n1\n\ny\nsave\n".encode())


def without_user_ids(certificate):
    """As keys.openpgp.org gives it of a key whose owner published no address."""
    kept, under = [], None
    for tag, body in openpgp.parse(openpgp.dearmor(certificate)):
        under = tag if tag != openpgp.SIGNATURE else under
        if under != USER_ID:
            kept.append((tag, body))
    return openpgp.armor(openpgp.join(kept), "PUBLIC KEY BLOCK")


def sealed_for(raw):
    """The key IDs that a mail is encrypted for."""
    return [body[1:9].hex().upper() for tag, body in openpgp.parse(openpgp.dearmor(payload(raw)))
            if tag == openpgp.PKESK]


def results(gateway, *arguments):
    return [(row["result"], row["state"]) for row in gateway.rows(*arguments)]


def thief(t, person):
    """The same secret keys, in a home that knows of no revocation."""
    home = keys.Home(t.dir / "thief")
    t.later(home.stop)
    home.copy_from(person.home)
    return home


def stolen_reply(person, home, opened, subkey, shape):
    own, person.home = person.home, home
    raw = person.reply(opened, shape=shape, signers=[f"{subkey}!"])
    person.home = own
    return raw


def test_stale_copy_neither_is_sealed_for_nor_signs(t):
    scene = Scene(t, 1)
    gateway = scene.gateway
    person = t.official("own@fr.example", own_key=True)
    person.home.gpg("--quick-add-key", person.fingerprint, "ed25519", "sign")
    person.certificate = person.home.certificate(person.fingerprint)
    gateway.admit(person)
    home = thief(t, person)
    old = t.dir / "old.asc"
    old.write_bytes(person.certificate)
    encrypting, signing = subkeys(person)
    revoke_subkey(person, 1)
    revoke_subkey(person, 2)
    person.home.gpg("--quick-add-key", person.fingerprint, "cv25519", "encr")
    new = t.dir / "new.asc"
    new.write_bytes(person.home.certificate(person.fingerprint))
    assert results(gateway, "key", "add", new) == [("updated", "confirmed")]
    assert results(gateway, "key", "refresh", old) == [("unchanged", "confirmed")]
    gateway.ctl("key", "add", old)
    row = scene.drop(key_mail(person, person.certificate))
    assert row["reason"] == "unchanged", row
    said = scene.opened(person)
    assert "nothing new" in said.text and person.fingerprint in said.text, said.text
    scene.release()
    raw = scene.smarthost.wait(2, person.address)[1].raw
    assert sealed_for(raw) == [subkeys(person)[2][-16:]] != [encrypting[-16:]]
    opened = scene.opened(person, 2)
    row = scene.drop(stolen_reply(person, home, opened, signing, "signed"))
    assert (row["state"], row["reason"]) == ("refused", "the signing key is revoked"), row
    # The keyring is a cache of the store.
    gateway.stop()
    for shard in (gateway.dir / "state" / "gnupg").glob("shard-*"):
        subprocess.run(["rm", "-r", shard], check=True)
    gateway.start()
    row = scene.drop(stolen_reply(person, home, opened, signing, "inline-signed"))
    assert (row["state"], row["reason"]) == ("refused", "the signing key is revoked"), row
    assert scene.drop(person.reply(opened))["state"] == "done"


def test_revocations_of_every_form_hold_at_once_and_admins_are_told(t):
    scene = Scene(t, 2)
    gateway, (first, second) = scene.gateway, scene.officials
    admin = t.official("admin@gw.example")
    gateway.add_key(admin)
    gateway.ctl("admin", "add", admin.address, "--key", admin.fingerprint)
    admin.meet(gateway)
    alone = t.dir / "alone.rev"
    alone.write_bytes(revocation(first))
    assert results(gateway, "key", "refresh", alone) == [("retired", "retired")]
    assert first.address in gateway.said and "cannot be served" in gateway.said
    scene.poke()
    opened = scene.opened(admin)
    assert first.address in opened.text and first.fingerprint in opened.text, opened.text
    assert "out of use" in opened.subject
    # A copy without user IDs, by the web or from a key server, and then an old one.
    aside = t.official("aside@jp.example").home
    aside.add(second.certificate)
    aside.gpg("--import", given=revocation(second).replace(b":-----BEGIN", b"-----BEGIN"),
              may_fail=True)
    bare = t.dir / "bare.asc"
    bare.write_bytes(without_user_ids(aside.certificate(second.fingerprint)))
    assert results(gateway, "key", "refresh", bare) == [("retired", "retired")]
    old = t.dir / "old.asc"
    old.write_bytes(second.certificate + first.certificate)
    assert results(gateway, "key", "refresh", old) == [("unchanged", "retired")] * 2
    number = scene.release()["number"]
    rows = gateway.deliveries(number)
    assert {row["state"] for row in rows} == {"failed"}, rows
    checked = gateway.ctl("check", may_fail=True)
    assert first.address in checked and second.address in checked, checked
    scene.smarthost.wait(2, admin.address)


def mail_about_keys(person, text, attached):
    """As a mail program sends it: its own certificate is attached unasked."""
    parts = [letters.text_part("Key: update\n\n" + text)]
    parts += [letters.attachment(name, content, kind) for name, content, kind in attached]
    return person.message(letters.encrypted_entity(
        person.encrypt(letters.multipart("mixed", parts))))


def test_every_certificate_of_a_key_mail_is_looked_at(t):
    scene = Scene(t, 2)
    gateway, (person, other) = scene.gateway, scene.officials
    new = person.home.make_key(f"New <{person.address}>")
    certificate = person.home.certificate(new)
    own = ("OpenPGP_0x12.asc", person.certificate, "application/pgp-keys")
    row = scene.drop(mail_about_keys(person, certificate.decode(), [own]))
    assert row["reason"] == "a new key waits for an admin", row
    opened = scene.opened(person)
    assert "waits" in opened.subject
    assert f"{new}\n      a new key: it waits for an admin" in opened.text, opened.text
    assert f"{person.fingerprint}\n      your key, with nothing new" in opened.text, opened.text
    assert [row["fingerprint"] for row in gateway.rows("key", "pending")] == [new]
    # In other places and types; and what cannot be read is named.
    second = person.home.make_key(f"Second <{person.address}>")
    binary = openpgp.dearmor(person.home.certificate(second))
    row = scene.drop(mail_about_keys(person, "", [
        own, ("second.gpg", binary, "application/octet-stream"),
        ("gateway.asc", gateway.certificate, "application/pgp-keys"),
        ("broken.asc", certificate.replace(b"\n\n", b"\n\n!"), "application/pgp-keys")]))
    assert row["reason"] == "a new key waits for an admin", row
    text = scene.opened(person, 2).text
    assert "the attachment broken.asc\n      not looked at: " in text, text
    assert f"{gateway.fingerprint}\n      the gateway's own key" in text, text
    assert [row["fingerprint"] for row in gateway.rows("key", "pending")] == [second]
    # Two new ones: nobody guesses. And somebody else's is none.
    row = scene.drop(mail_about_keys(person, certificate.decode(), [
        own, ("second.gpg", binary, "application/octet-stream"),
        ("other.asc", other.certificate, "application/pgp-keys")]))
    assert row["state"] == "refused", row
    text = scene.opened(person, 3).text
    assert text.count("more than one new key") >= 2 and "ask an admin" in text, text
    # A revocation holds whatever else stands there; as gpg keeps it.
    row = scene.drop(mail_about_keys(person, revocation(person).decode(), [
        own, ("second.gpg", binary, "application/octet-stream")]))
    assert row["reason"] == f"revoked; with it came {second}, which is not taken", row
    assert gateway.rows("key", "show", person.fingerprint)["state"] == "retired"
