"""The life of keys: warnings before they expire, renewal by mail, new keys, revocation."""
import base64
import os
import subprocess
import time

import letters
from harness import eventually, future
from scene import TEXT, TITLE, Scene
from turning import DAY

DAYS_OF_KEY = 40


class Clock:
    """A scene whose daemon can be moved in time."""

    def __init__(self, t, **options):
        self.calendar = t.calendar()
        self.scene = Scene(t, 0, **options)
        self.gateway = self.scene.gateway

    def go(self, days, *people):
        """Stops the daemon, and starts it so many days after the beginning."""
        self.gateway.stop()
        stop_agent(self.gateway)
        for person in people:
            person.home.stop()
        self.calendar.forward(int(days * DAY) - self.calendar.turned)
        self.gateway.start()


def stop_agent(gateway):
    subprocess.run(["gpgconf", "--homedir", str(gateway.dir / "state" / "gnupg"), "--kill", "all"],
                   capture_output=True)


def expiring(t, scene, address="cert@us-de.example"):
    person = t.official(address, own_key=True, expires=f"{DAYS_OF_KEY}d")
    scene.officials.append(scene.gateway.admit(person))
    return person


def key_mail(person, certificate, text="Key: update\n\n", encrypted=True, attach=True, faked=None):
    """A signed mail about a key."""
    part = letters.attachment("key.asc", certificate, "application/pgp-keys")
    inner = (letters.multipart("mixed", [letters.text_part(text), part]) if attach
             else letters.text_part(text + certificate.decode()))
    if encrypted:
        return person.message(letters.encrypted_entity(person.encrypt(inner)))
    return person.message(letters.signed_entity(
        inner, person.sign(inner, "--detach-sign", (), faked)))


def renew(person, days):
    """Also subkeys that have expired, which gpg's "*" passes over."""
    rows = [row.split(":") for row in person.home.gpg(
        "--with-colons", "--with-subkey-fingerprint", "--list-keys",
        person.fingerprint).out.decode().splitlines()]
    subkeys = [after[9] for row, after in zip(rows, rows[1:])
               if row[0] == "sub" and after[0] == "fpr"]
    for keys in ([], subkeys):
        person.home.gpg("--quick-set-expire", person.fingerprint, f"{days}d", *keys)
    return person.home.certificate(person.fingerprint)


def mails(scene, person):
    return scene.smarthost.received(person.address)


def told(scene):
    return scene.gateway.store_rows("SELECT stage FROM key_told ORDER BY told_at, stage DESC")


def wait_told(scene, count):
    eventually(lambda: len(told(scene)) == count, f"{count} stages told, not {told(scene)}")


def test_warnings_at_30_7_and_1_days_each_once_and_a_notice_without_content(t):
    clock = Clock(t)
    scene = clock.scene
    person = expiring(t, scene)
    scene.release(title=TITLE, text=TEXT)
    scene.opened(person)
    number = scene.gateway.advisories()[0]["number"]
    assert not told(scene)
    stages = []
    for days, stage in ((11, 30), (34, 7), (39.5, 1)):
        clock.go(days, person)
        stages.append((stage,))
        wait_told(scene, len(stages))
        opened = scene.opened(person, 1 + len(stages))
        assert "expires" in opened.subject and person.fingerprint in opened.text
        assert "gpg --quick-set-expire" in opened.text and "Key: update" in opened.text
        scene.gateway.restart()
        time.sleep(2)
        assert len(mails(scene, person)) == 1 + len(stages), "a warning was sent twice"
        assert told(scene) == stages
    clock.go(DAYS_OF_KEY + 2, person)
    wait_told(scene, 4)
    raw = scene.smarthost.wait(5, person.address)[4].raw
    scene.gateway.restart()
    time.sleep(2)
    assert len(mails(scene, person)) == 5, "the notice was sent twice"
    check_notice(scene, person, raw, number)
    events = [row["event"] for row in scene.gateway.audit()]
    assert events.count("key.expiring") == 3 and events.count("key.expired") == 1


def check_notice(scene, person, raw, number):
    """Signed in the clear by the gateway, and not a word of any advisory."""
    said = raw.decode("ascii")
    for word in (number, TITLE, "AMBER", "TLP", "firmware", "Install", "advisor", "DEW-"):
        assert word not in said, word
    assert "multipart/signed" in said and "Example early warning" in said
    boundary = said.split('boundary="')[1].split('"')[0]
    _, entity, signature = raw.split(b"\r\n--" + boundary.encode())[0:3]
    entity = entity[2:]
    armored = signature.split(b"\r\n\r\n", 1)[1]
    signed, detached = person.home.path / "entity", person.home.path / "entity.asc"
    signed.write_bytes(entity)
    detached.write_bytes(armored)
    run = person.home.gpg("--verify", detached, signed)
    assert run.lines("VALIDSIG")[0][-1] == scene.gateway.fingerprint
    assert len(entity) < 1000


@future
def test_admins_are_told_of_every_stage(t):
    clock = Clock(t)
    scene = clock.scene
    person, admin = expiring(t, scene), t.official("admin@gw.example")
    scene.gateway.add_key(admin)
    scene.gateway.ctl("admin", "add", admin.address, "--key", admin.fingerprint)
    admin.meet(scene.gateway)
    clock.go(11, person)
    opened = scene.opened(admin)
    assert "expires soon" in opened.subject and person.address in opened.text
    scene.opened(person)
    clock.go(DAYS_OF_KEY + 2, person)
    opened = scene.opened(admin, 2)
    assert "has expired" in opened.subject and person.address in opened.text
    assert b"multipart/signed" in scene.smarthost.wait(2, person.address)[1].raw
    assert len(told(scene)) == 2


def test_renewal_by_mail_reaches_the_contact_again(t):
    clock = Clock(t)
    scene = clock.scene
    person = expiring(t, scene)
    clock.go(DAYS_OF_KEY + 2, person)
    wait_told(scene, 1)
    scene.smarthost.wait(1, person.address)
    row = scene.drop(key_mail(person, renew(person, 100)))
    assert (row["state"], row["meaning"], row["reason"]) == ("done", "key", "renewed"), row
    opened = scene.opened(person, 2)
    assert "renewed" in opened.subject and person.fingerprint in opened.text
    assert scene.gateway.rows("contact", "show", person.address)["reachable"]
    scene.drop(scene.publisher.publish(TITLE, TEXT))
    opened = scene.opened(person, 3)
    assert opened.token


def test_armored_certificate_in_unencrypted_signed_mail_is_taken(t):
    clock = Clock(t)
    person = expiring(t, clock.scene)
    row = clock.scene.drop(key_mail(person, renew(person, 300), encrypted=False, attach=False))
    assert row["reason"] == "renewed", row
    assert "renewed" in clock.scene.opened(person).subject
    again = clock.scene.drop(key_mail(person, b"", attach=False))
    assert again["state"] == "refused", again
    assert "no certificate" in clock.scene.opened(person, 2).text


def test_new_key_waits_for_the_admin(t):
    scene = Scene(t)
    person, gateway = scene.official, scene.gateway
    new = person.home.make_key(f"New <{person.address}>")
    row = scene.drop(key_mail(person, person.home.certificate(new)))
    assert row["reason"] == "a new key waits for an admin", row
    assert "waits" in scene.opened(person).subject
    assert [(one["address"], one["fingerprint"], one["former"])
            for one in gateway.rows("key", "pending", "list")] == [
                (person.address, new, person.fingerprint)]
    assert gateway.rows("contact", "show", person.address)["fingerprint"] == person.fingerprint
    gateway.ctl("contact", "rekey", person.address, "--key", new)
    shown = gateway.rows("contact", "show", person.address)
    assert shown["fingerprint"] == new and shown["reachable"]
    assert not gateway.rows("key", "pending")
    assert gateway.rows("key", "show", person.fingerprint)["state"] == "retired"
    person.home.gpg("--delete-secret-keys", person.fingerprint)
    scene.release()
    opened = scene.opened(person, 2)
    person.fingerprint = new
    assert opened.good and scene.drop(person.reply(opened))["state"] == "done"


def test_expired_key_cannot_vouch_for_another_one(t):
    clock = Clock(t)
    scene = clock.scene
    person = expiring(t, scene)
    clock.go(DAYS_OF_KEY + 2, person)
    new = person.home.make_key(f"New <{person.address}>")
    renew(person, 100)  # so that gpg signs with it; the gateway does not know
    row = scene.drop(key_mail(person, person.home.certificate(new)))
    assert row["state"] == "refused", row
    assert not scene.gateway.rows("key", "pending")


def test_revocation_by_mail_holds_at_once(t):
    scene = Scene(t, 2)
    person, other = scene.officials
    raw = person.home.path / "openpgp-revocs.d" / f"{person.fingerprint}.rev"
    revocation = raw.read_text().replace(":-----BEGIN", "-----BEGIN").encode()
    home = t.official("aside@jp.example").home
    home.add(person.certificate)
    home.gpg("--import", given=revocation, may_fail=True)  # which wants a trust database
    row = scene.drop(key_mail(person, home.certificate(person.fingerprint)))
    assert row["reason"] == "revoked", row
    assert scene.gateway.rows("key", "show", person.fingerprint)["state"] == "retired"
    number = scene.release()["number"]
    scene.opened(other)
    rows = {one["address"]: one for one in scene.gateway.deliveries(number)}
    assert rows[person.address]["state"] == "failed" and "retired" in rows[person.address]["reason"]
    assert not mails(scene, person)


def test_revoked_encryption_subkey_is_not_sealed_for(t):
    scene = Scene(t, 1)
    gateway = scene.gateway
    person = gateway.admit(t.official("own@fr.example", own_key=True))
    person.home.gpg("--command-fd", "0", "--edit-key", person.fingerprint,
                    given=b"key 1\nrevkey\ny\n0\n\ny\nsave\n")
    row = scene.drop(key_mail(person, person.home.certificate(person.fingerprint)))
    assert row["reason"] == "the encryption subkey is revoked", row
    number = scene.release()["number"]
    rows = {one["address"]: one for one in gateway.deliveries(number)}
    assert rows[person.address]["state"] == "failed", rows
    person.home.gpg("--quick-add-key", person.fingerprint, "cv25519", "encr")
    row = scene.drop(key_mail(person, person.home.certificate(person.fingerprint)))
    assert row["reason"] == "renewed", row
    assert gateway.rows("contact", "show", person.address)["reachable"]


def test_revoked_encryption_subkey_by_key_add_is_not_sealed_for(t):
    scene = Scene(t, 0)
    gateway = scene.gateway
    person = gateway.admit(t.official("own@fr.example", own_key=True))
    person.home.gpg("--command-fd", "0", "--edit-key", person.fingerprint,
                    given=b"key 1\nrevkey\ny\n0\n\ny\nsave\n")
    gateway.ctl("key", "add", "-", given=person.home.certificate(person.fingerprint),
                may_fail=True)
    number = scene.release()["number"]
    rows = {one["address"]: one for one in gateway.deliveries(number)}
    assert rows[person.address]["state"] == "failed", rows


def test_refresh_takes_what_is_known_and_names_the_rest(t):
    scene = Scene(t, 1)
    gateway, same = scene.gateway, scene.official
    person = gateway.admit(t.official("own@fr.example", own_key=True, expires="40d"))
    unknown = t.official("unknown@jp.example")
    out = t.dir / "keys"
    out.mkdir()
    (out / "a.asc").write_bytes(renew(person, 300))
    (out / "b.asc").write_bytes(same.certificate + unknown.certificate)
    (out / "notes.txt").write_text("no certificate\n")
    rows = {row["fingerprint"]: row["result"] for row in gateway.rows("key", "refresh", out)}
    assert rows == {person.fingerprint: "updated", same.fingerprint: "unchanged",
                    unknown.fingerprint: "skipped"}, rows
    assert "notes.txt" in gateway.said
    said = gateway.ctl("key", "refresh", out / "a.asc")
    assert "0 updated, 0 retired, 1 unchanged, 0 skipped, 0 refused" in said


def test_key_mail_of_a_stranger_does_nothing(t):
    scene = Scene(t)
    stranger = t.official("stranger@nowhere.example")
    stranger.meet(scene.gateway)
    before = scene.smarthost.received()
    row = scene.drop(key_mail(stranger, stranger.certificate))
    assert row["meaning"] == "unknown", row
    person = scene.official
    row = scene.drop(key_mail(stranger, person.certificate))
    assert row["meaning"] == "unknown", row
    time.sleep(1)
    assert scene.smarthost.received() == before == []
    assert not scene.gateway.rows("key", "pending")
    assert stranger.fingerprint not in scene.gateway.ctl("key", "list")


def test_key_mail_with_an_error_is_answered_once_naming_the_line(t):
    scene = Scene(t)
    person = scene.official
    raw = key_mail(person, person.certificate, "Key: replace\n\n")
    assert scene.drop(raw)["state"] == "refused"
    assert "Line 1" in scene.opened(person).text
    other = raw.replace(b"Subject: ...", b"Subject: again")
    assert scene.drop(other)["reason"].startswith("the same signed text")
    assert len(mails(scene, person)) == 1


def test_four_eyes_take_two_users(t):
    scene = Scene(t, 1, admin={"four_eyes": False})
    gateway, person = scene.gateway, t.official("second@fr.example")
    gateway.settings["admin"] = {"four_eyes": True}
    gateway.configure()
    gateway.member("fr")
    try:
        os.environ["SUDO_UID"], os.environ["SUDO_USER"] = "20001", "alice"
        gateway.add_key(person)
        gateway.ctl("contact", "add", "fr", person.address, "--key", person.fingerprint)
        assert gateway.rows("key", "show", person.fingerprint)["state"] == "pending"
        number = gateway.rows("approval", "list")[0]["number"]
        gateway.ctl("approve", number, may_fail=True)
        assert gateway.code == 1 and "another admin" in gateway.said
        os.environ["SUDO_UID"], os.environ["SUDO_USER"] = "20002", "bob"
        gateway.ctl("approve", number)
    finally:
        del os.environ["SUDO_UID"], os.environ["SUDO_USER"]
    assert gateway.rows("key", "show", person.fingerprint)["state"] == "confirmed"
    done = [row for row in gateway.audit() if row["event"] == "approval.done"]
    assert "admin alice" in done[0]["detail"] and "admin bob" in done[0]["detail"]
    scene.release()
    person.meet(gateway)
    scene.opened(person)


def test_rekey_and_new_publisher_wait_for_a_second_admin(t):
    scene = Scene(t, 1)
    gateway, person = scene.gateway, scene.official
    new, publisher = t.official("new@fr.example"), t.publisher("other@vendor.example")
    for one in (new, publisher):
        gateway.add_key(one, confirm=False)
    gateway.settings["admin"] = {"four_eyes": True}
    gateway.configure()
    gateway.ctl("contact", "rekey", person.address, "--key", new.fingerprint)
    gateway.ctl("publisher", "add", publisher.address, "--key", publisher.fingerprint)
    assert gateway.rows("contact", "show", person.address)["fingerprint"] == person.fingerprint
    assert len(gateway.rows("publisher", "list")) == 1
    first, second = [row["number"] for row in gateway.rows("approval", "list")]
    try:
        os.environ["SUDO_UID"], os.environ["SUDO_USER"] = "20002", "bob"
        gateway.ctl("approval", "reject", second)
        gateway.ctl("approve", first)
        gateway.ctl("approve", second, may_fail=True)
        assert gateway.code == 1 and "rejected already" in gateway.said
    finally:
        del os.environ["SUDO_UID"], os.environ["SUDO_USER"]
    assert gateway.rows("contact", "show", person.address)["fingerprint"] == new.fingerprint
    assert len(gateway.rows("publisher", "list")) == 1
    assert not gateway.rows("approval", "list")
    assert gateway.rows("approval", "show", second)["state"] == "rejected"


def addresses_of(home, certificate):
    """The addresses in the user IDs of a certificate, the primary one first."""
    listed = home.gpg("--show-keys", "--with-colons", given=certificate).out.decode()
    return [row.split(":")[9].rpartition("<")[2].rstrip(">") for row in listed.splitlines()
            if row.startswith("uid:")]


def change_list(gateway, address):
    gateway.settings["gateway"]["list"] = address
    gateway.configure()
    return [row["detail"] for row in gateway.rows("check", may_fail=True)["findings"]
            if row["what"] == "gateway-key"][0]


def test_gateways_key_has_a_user_id_for_each_address_that_people_answer_to(t):
    """Who answers to all writes to the list address too, and finds the gateway's key for it."""
    scene = Scene(t)
    gateway, home, listed = scene.gateway, scene.official.home, "advisories@gw.example"
    assert addresses_of(home, gateway.ctl("key", "export").encode()) == [gateway.address, listed]
    scene.release()
    mail = scene.smarthost.only(scene.official.address)
    keydata = "".join(mail.headers["Autocrypt"].partition("keydata=")[2].split())
    assert addresses_of(home, base64.b64decode(keydata)) == [gateway.address]
    row = scene.drop(answer_to(scene, listed))
    assert row["meaning"] == "acknowledgment" and len(scene.acknowledged()) == 1, row
    # The configuration names another one, and the certificate that people have goes on working.
    told = change_list(gateway, "all@gw.example")
    assert "no user ID for all@gw.example" in told and "dewctl key addresses" in told, told
    gateway.ctl("key", "addresses", may_fail=True)
    assert gateway.code != 0 and "stop it first" in gateway.said, gateway.said
    gateway.stop()
    assert "dewctl key export" in gateway.ctl("key", "addresses")
    assert "nothing was changed" in gateway.ctl("key", "addresses")
    assert change_list(gateway, "news@gw.example") != gateway.fingerprint
    said = gateway.ctl("init", may_fail=True)
    assert "a user ID for each of its addresses" in said and "nothing else" in gateway.said, said
    assert addresses_of(home, gateway.ctl("key", "export").encode()) == [
        gateway.address, listed, "all@gw.example", "news@gw.example"]
    assert change_list(gateway, gateway.address) == gateway.fingerprint
    gateway.start()
    scene.release(title="Once more")
    opened = scene.opened(count=2)
    assert opened.headers["To"] == gateway.address, opened.headers["To"]
    scene.drop(scene.official.reply(opened, "received"))
    assert len(scene.gateway.acknowledgments("DEW-2026-0002")) == 1


def answer_to(scene, address):
    """Signed, and encrypted to the key that gpg finds for an address."""
    scene.official.home.add(scene.gateway.ctl("key", "export").encode())
    text = scene.official.reply_text(scene.opened(), "received")
    sealed = scene.official.home.gpg(
        "--armor", "--trust-model", "always", "-u", scene.official.fingerprint, "--sign",
        "--encrypt", "-r", f"<{address}>", given=text.encode()).out
    return (f"From: {scene.official.address}\r\nTo: {address}\r\nSubject: ...\r\n"
            "Content-Type: text/plain\r\n\r\n").encode() + sealed


def test_exported_web_key_directory_is_where_gpg_looks(t):
    scene = Scene(t, 0)
    gateway = scene.gateway
    out = t.dir / "wkd"
    gateway.ctl("key", "export", "--wkd", out)
    home = t.official("reader@fr.example").home
    home.add(gateway.ctl("key", "export").encode())
    listed = home.gpg("--with-wkd-hash", "--list-keys", gateway.fingerprint).out.decode()
    local, domain = gateway.address.split("@")
    files = sorted(out.glob(f".well-known/openpgpkey/{domain}/hu/*"))
    assert len(files) == 2, files  # of the gateway's address, and of the programme's list
    for found in files:
        assert f"{found.name}@{domain}" in listed, listed
    assert (out / ".well-known" / "openpgpkey" / domain / "policy").exists()
    shown = home.gpg("--show-keys", "--with-colons", found).out.decode()
    assert gateway.fingerprint in shown
