"""OpenPGP across versions and programs: what newer ones ask for, what they send, and that the
gateway sends what all of them open (DESIGN, "Sealing")."""
import re
import subprocess

import foreign
import letters
import openpgp
from harness import cases
from official import Opened, payload
from scene import Scene, packets, sealed_for
from test_acknowledge import is_none, only_ack, settle_receipts
from test_passphrase import passphrase_file
from test_property import session_key

OCB = 20
# The subkeys of fixtures/keys/additional-subkey.asc; the second one is archive.asc's.
OWN, ADDITIONAL = "1FCC3EC15FCB1C6B", "FC92DC0C86A0043F"


class Versions(Scene):
    """Officials whose keys other programs made: {address: armored secret key}."""

    def __init__(self, t, secrets=None):
        super().__init__(t, 0 if secrets else 1)
        self.officials += [self.gateway.admit(t.official(address, secret=secret))
                           for address, secret in (secrets or {}).items()]

    def send(self):
        self.release()
        for official in self.officials:
            self.smarthost.wait(1, official.address)
        settle_receipts(self)
        return {o.address: self.smarthost.only(o.address).raw for o in self.officials}


def made_by_gnupg(t):
    """A key that asks for OCB: made here where GnuPG can, else one that 2.4 made."""
    if foreign.gnupg_version() < (2, 3, 0):
        return foreign.ready_key("asks-for-ocb")
    home = t.official("maker@de-by.example", own_key=True).home
    home.gpg("--compliance", "gnupg", "--quick-gen-key", "Otto <otto@de-by.example>", "default",
             "default", "never")
    return home.secret("otto@de-by.example")


def asks_for_aead(certificate):
    """What the features in a certificate say (key features 0x02 and 0x08)."""
    said = subprocess.run(["gpg", "--list-packets", "--batch", "--no-options", "--homedir",
                           "/nonexistent"], input=certificate, capture_output=True).stdout
    features = re.findall(r"features: ([0-9A-F]{2})", said.decode("utf-8", "replace"))
    assert features, said
    return any(int(feature, 16) & 0x0a for feature in features)


def read_by_all(official, raw):
    for way in (official.open, official.open_with_sqop, official.open_with_rnp):
        opened = way(raw)
        assert opened.good and opened.token, way.__name__


# What goes out.

def test_recipients_who_all_ask_for_ocb_get_what_every_program_opens(t):
    t.needs("sqop", "rnp")
    secrets = {"cert@fr.example": foreign.ready_key("asks-for-ocb")}
    if foreign.gnupg_version() >= (2, 3, 0):
        secrets["cert@de-by.example"] = made_by_gnupg(t)
    scene = Versions(t, secrets)
    mails = scene.send()
    for official in scene.officials:
        assert asks_for_aead(official.certificate)
        sealed_for(mails[official.address], *official.key_ids())
        read_by_all(official, mails[official.address])


def test_recipient_alone_who_asks_for_ocb_gets_what_every_program_opens(t):
    """One batch, one letter and one traced copy for one."""
    t.needs("sqop", "rnp")
    scene = Versions(t, {"cert@de-by.example": made_by_gnupg(t)})
    official = scene.official
    scene.send()
    row = scene.drop(official.reply(scene.opened(), "affected"))
    assert row["state"] == "done", row
    scene.release("Traced", "Yours alone.\n", trace="yes")
    for mail in scene.smarthost.wait(2, official.address):
        sealed_for(mail.raw, *official.key_ids())
        read_by_all(official, mail.raw)


@cases("5", "6")
def test_user_of_openpgpjs_who_asks_for_aead_opens_and_answers(t, line):
    address = "cert@fr.example"
    person = foreign.OpenPGPjs(t, int(line), "Cert", address)
    scene = Versions(t, {address: person.secret})
    person.meet(scene.gateway)
    official = scene.official
    assert asks_for_aead(official.certificate)
    raw = scene.send()[address]
    sealed_for(raw, *official.key_ids())
    inner = person.open(payload(raw))
    opened = scene.opened()
    assert Opened(inner).text == opened.text
    entity = letters.text_part(official.reply_text(opened, "affected", "by OpenPGP.js"))
    row = scene.drop(official.message(letters.encrypted_entity(person.seal(entity, "mdc"))))
    assert (row["state"], row["meaning"]) == ("done", "acknowledgment"), row
    assert only_ack(scene)["comment"].startswith("by OpenPGP.js")


def test_additional_decryption_subkey_of_a_recipient_opens_their_message(t):
    """GnuPG 2.2.41 and newer encrypts for it; to an older one the certificate is like any other."""
    scene = Versions(t, {"cert@fr.example": foreign.ready_key("additional-subkey"),
                         "cert@jp.example": foreign.ready_key("archive")})
    fay, archive = scene.officials
    mails = scene.send()
    sealed_for(mails[archive.address], *archive.key_ids())
    tags, key_ids = packets(mails[fay.address])
    if foreign.gnupg_version() < (2, 2, 41):
        assert (tags, key_ids) == ([1, 18], [OWN]), (tags, key_ids)
        return
    assert (tags, key_ids) == ([1, 1, 18], [OWN, ADDITIONAL]), (tags, key_ids)
    for official in (fay, archive):
        assert official.open(mails[fay.address]).good, official.address


# What comes in.

def ocb_by_gnupg(t, scene, data):
    if foreign.gnupg_version() < (2, 3, 0):
        key = session_key(scene)
        signed = scene.official.home.gpg("-u", scene.official.fingerprint, "--sign",
                                         given=data).out
        return foreign.OCB(key.key).message(key.pkesk, signed)
    return scene.official.home.gpg("--armor", "--compliance", "gnupg", "--force-ocb", "-r",
                                   scene.gateway.fingerprint, "--sign", "--encrypt",
                                   given=data).out


def ocb_by_rnp(t, scene, data):
    t.needs("rnp")
    return foreign.seal_with_rnp(scene.official, data, "OCB")


PROGRAMS = {"gnupg": ocb_by_gnupg, "rnp": ocb_by_rnp}


def reply_with(scene, seal):
    """A reply, encrypted by `seal`, a function of its bytes."""
    official = scene.official
    official.encrypt = lambda data, sign=True, signers=(): seal(data)
    return official.reply(scene.opened(), "affected", "with OCB")


@cases(*PROGRAMS)
def test_reply_with_ocb_counts_where_gnupg_opens_it(t, program):
    scene = Versions(t)
    scene.send()
    raw = reply_with(scene, lambda data: PROGRAMS[program](t, scene, data))
    assert [tag for tag, _ in openpgp.parse(openpgp.dearmor(payload(raw)))] == [1, OCB]
    if foreign.gnupg_version() < (2, 2, 21):
        is_none(scene, raw, "unreadable", "ocb", "install gnupg 2.4")
        return
    row = scene.drop(raw)
    assert (row["state"], row["meaning"]) == ("done", "acknowledgment"), row
    assert only_ack(scene)["comment"].startswith("with OCB")


def test_reply_with_ocb_by_openpgpjs_counts_where_gnupg_opens_it(t):
    address = "cert@fr.example"
    person = foreign.OpenPGPjs(t, 5, "Cert", address)
    scene = Versions(t, {address: person.secret})
    person.meet(scene.gateway)
    scene.send()
    raw = reply_with(scene, lambda data: person.seal(data, "aead"))
    assert [tag for tag, _ in openpgp.parse(openpgp.dearmor(payload(raw)))] == [1, OCB]
    row = scene.drop(raw)
    assert (row["state"], row["meaning"]) == ("done", "acknowledgment"), row
    only_ack(scene)


CHANGES = {
    "a byte of a chunk": lambda body: body[:40] + bytes([body[40] ^ 1]) + body[41:],
    "two chunks swapped": lambda body: body[:19] + body[99:179] + body[19:99] + body[179:],
    "the last chunk cut off": lambda body: body[:19 + (len(body) - 19) // 80 * 80 - 80],
    "the last tag cut off": lambda body: body[:-16],
    "the last tag changed": lambda body: body[:-1] + bytes([body[-1] ^ 1]),
}


@cases(*CHANGES)
def test_changed_ocb_packet_counts_for_nothing(t, change):
    scene = Versions(t)
    scene.send()
    key = session_key(scene)

    def seal(data):
        signed = scene.official.home.gpg("-u", scene.official.fingerprint, "--sign",
                                         given=data).out
        return foreign.OCB(key.key).message(key.pkesk, signed, CHANGES[change])

    is_none(scene, reply_with(scene, seal), "unreadable")


def test_reply_in_the_form_of_rfc_9580_is_refused_by_what_to_do(t):
    address = "cert@fr.example"
    person = foreign.OpenPGPjs(t, 6, "Cert", address)
    scene = Versions(t, {address: person.secret})
    person.meet(scene.gateway)
    scene.send()
    raw = reply_with(scene, lambda data: person.seal(data, "aead"))
    data = openpgp.parse(openpgp.dearmor(payload(raw)))[1]
    assert (data[0], data[1][0]) == (openpgp.SEIPD, 2)
    is_none(scene, raw, "unreadable", "rfc 9580", "ask the sender")


# The gateway's own key.

def test_gateways_key_that_asks_for_ocb_is_told_of_and_mended(t):
    scene = Versions(t)
    gateway = scene.gateway
    assert not asks_for_aead(gateway.certificate)
    if foreign.gnupg_version() < (2, 3, 0):  # which never writes one, and cannot make such a key
        gateway.stop()
        assert "nothing was changed" in gateway.ctl("key", "preferences")
        return
    ask_for_ocb(gateway)
    told = [row for row in gateway.rows("check", may_fail=True)["findings"]
            if row["result"] == "warning" and "key preferences" in row["detail"]]
    assert told, "dewctl check says nothing of it"
    gateway.ctl("key", "preferences", may_fail=True)
    assert gateway.code != 0 and "stop it first" in gateway.said
    gateway.stop()
    assert "any more" in gateway.ctl("key", "preferences")
    ask_for_ocb(gateway)
    said = gateway.ctl("init", may_fail=True)
    assert "any more" in said and "nothing else was changed" in gateway.said
    assert not asks_for_aead(gateway.ctl("key", "export").encode())
    gateway.start()
    scene.send()


def ask_for_ocb(gateway):
    """As a key that GnuPG 2.4 made elsewhere does."""
    subprocess.run(
        ["gpg", "--homedir", gateway.dir / "state" / "gnupg", "--no-options", "--no-tty",
         "--compliance", "gnupg", "--yes", "--pinentry-mode", "loopback", "--passphrase-file",
         passphrase_file(gateway), "--command-fd", "0", "--edit-key", gateway.fingerprint],
        input=b"setpref AES256 AES192 AES SHA512 SHA384 SHA256 ZLIB ZIP OCB\ny\nsave\n",
        capture_output=True, check=True)
