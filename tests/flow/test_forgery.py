"""Forged, replayed and moved mail, and what must not come of it."""
import base64
import time

import letters
import openpgp
from gateway import Gateway
from harness import cases, eventually, now
from scene import Scene, sealed_for
from test_acknowledge import is_none, released
from test_property import session_key


def entity_of(raw):
    return raw.partition(b"MIME-Version: 1.0\r\n")[2]


def outgoing(scene):
    return len(scene.smarthost.received())


# From one gateway to another.

def second_gateway(t, scene, **settings):
    settings.setdefault("gateway", {"address": "other@gw2.example"})
    other = Gateway(t, scene.smarthost, False, settings, t.dir / "g2")
    other.address = "other@gw2.example"
    other.admit_publisher(scene.publisher)
    other.admit(scene.official)
    for person in (scene.publisher, scene.official):
        person.gateway = (scene.gateway.address, scene.gateway.fingerprint)
    other.start()
    return other


def reencrypted(scene, signed, gateway):
    """What whoever could open a mail makes of it: the same signed text, encrypted to another."""
    return scene.publisher.message(letters.encrypted_entity(
        openpgp.armor(session_key(scene, gateway).encrypt(signed))))


@cases("named", "not named", "not named where it must be")
def test_advisory_signed_for_another_gateway(t, case):
    """Whoever could open it there encrypts it to this gateway, whose publisher its author is too."""
    scene = Scene(t)
    must = {"release": {"name_gateway": True}} if case == "not named where it must be" else {}
    other = second_gateway(t, scene, **must)
    publisher = scene.publisher
    named = scene.gateway.address if case == "named" else None
    inner = publisher.entity(f"{publisher.block(gateway=named)}\ntext\n", "a title")
    signed = publisher.home.gpg("-z", "0", "-u", publisher.fingerprint, "--sign", given=inner).out
    scene.drop(reencrypted(scene, signed, scene.gateway))
    assert len(scene.gateway.advisories()) == 1
    scene.opened()
    other.drop(reencrypted(scene, signed, other))
    row = other.settled(1)[0]
    if case == "not named":
        # Only the field binds it to a gateway.
        assert row["state"] == "done" and len(other.released(1)) == 1, row
        return
    assert row["state"] == "refused" and other.advisories() == [], row
    receipt, = eventually(lambda: [mail for mail in scene.smarthost.received(publisher.address)
                                   if mail.headers["From"].endswith("<other@gw2.example>")],
                          "a receipt from the second gateway")
    publisher.gateway = (other.address, other.fingerprint)
    opened = publisher.open(receipt.raw)
    assert opened.good and "other@gw2.example" in opened.text, opened.text
    assert len(scene.smarthost.received(scene.official.address)) == 1


# From and Reply-To.

def test_mail_headers_decide_neither_who_writes_nor_who_is_answered(t):
    """From the publisher, signed by a contact; from a contact, signed by the publisher."""
    scene = Scene(t, 2)
    publisher, (first, second) = scene.publisher, scene.officials
    block = f"{publisher.block()}\ntext\n"
    lure = [("Reply-To", "eve@x.example"), ("Sender", "eve@x.example"),
            ("Disposition-Notification-To", "eve@x.example"),
            ("Return-Receipt-To", "eve@x.example"), ("Errors-To", "eve@x.example")]
    forged = letters.encrypted_entity(first.encrypt(publisher.entity(block, "forged")))
    row = scene.drop(letters.message(f"Publisher <{publisher.address}>", scene.gateway.address,
                                     forged, more=lure))
    assert row["state"] == "refused" and scene.gateway.advisories() == [], row
    true = letters.encrypted_entity(publisher.encrypt(publisher.entity(block, "true")))
    scene.drop(letters.message(second.address, scene.gateway.address, true, more=lure))
    assert len(scene.gateway.released(1)) == 1
    for official in scene.officials:
        scene.opened(official)
    raw = letters.message(second.address, scene.gateway.address,
                          entity_of(first.reply(scene.opened(first), "acting")), more=lure)
    scene.drop(raw)
    assert [ack["address"] for ack in scene.acknowledged()] == [first.address]
    # A report with an error in it, which is answered.
    inner = letters.text_part("Report: yes\nNonsense: 1\n\ntext\n", [("Subject", "x")])
    scene.drop(letters.message("eve@x.example", scene.gateway.address,
                               letters.encrypted_entity(first.encrypt(inner)), more=lure))
    scene.receipts(2)
    known = {publisher.address, first.address, second.address}
    assert {mail.recipient for mail in scene.smarthost.received()} <= known


def test_acknowledgment_of_another_inside_ones_own_mail_is_not_his(t):
    """An official passes on what another one signed, as attachment, quotation, and signed anew."""
    scene = released(t, 2)
    first, second = scene.officials
    raw = first.reply(scene.opened(first), "acting", shape="signed")
    entity = entity_of(raw)
    inside = [letters.multipart("mixed", [letters.text_part("See this.\n"), entity]),
              letters.headers([("Content-Type", "message/rfc822")]) + b"\r\n" + raw]
    for part in inside:
        for sign in (True, False):
            scene.drop(second.message(letters.encrypted_entity(second.encrypt(part, sign))))
    assert first.address not in [ack["address"] for ack in scene.acknowledged()]


@cases("mime", "inline")
def test_removed_contact_is_not_brought_back_by_an_old_acknowledgment(t, case):
    scene = released(t, 2)
    first = scene.official
    shape = "signed" if case == "mime" else "inline-signed"
    old = first.reply(scene.opened(first), "acting", shape=shape)
    scene.gateway.ctl("contact", "remove", first.address)
    renewed = t.official("renewed@us-de.example")
    renewed.address = first.address
    scene.gateway.admit(renewed)
    is_none(scene, old, told=True)


# Keys.

def test_certificate_sent_along_is_not_taken_for_its_address(t):
    """By Autocrypt, as an attachment and inside a strange signed mail, under a contact's address."""
    scene = Scene(t)
    official = scene.official
    twin = t.official("twin@x.example")
    other = twin.home.make_key(official.user_id)
    certificate = twin.home.certificate(other)
    twin.meet(scene.gateway)
    key = openpgp.dearmor(certificate)
    autocrypt = [("Autocrypt", f"addr={official.address}; prefer-encrypt=mutual; keydata="
                  + base64.b64encode(key).decode())]
    attached = letters.attachment("key.asc", certificate, "application/pgp-keys")
    body = letters.multipart("mixed", [letters.text_part("My new key.\n"), attached])
    signed = letters.signed_entity(body, twin.sign(body, "--detach-sign", [other]))
    update = letters.text_part("Key: update\n\n" + certificate.decode())
    for entity in (body, signed, letters.signed_entity(
            update, twin.sign(update, "--detach-sign", [other])), letters.encrypted_entity(
            twin.encrypt(update, True, [other]))):
        scene.drop(letters.message(official.user_id, scene.gateway.address, entity, more=autocrypt))
    assert other not in scene.gateway.ctl("key", "list")
    assert outgoing(scene) == 0
    scene.release()
    sealed_for(scene.smarthost.only(official.address).raw, *official.key_ids())


@cases("rsa1024", "dsa1024")
def test_weak_key_is_not_taken(t, algorithm):
    scene = Scene(t)
    home = t.official("weak@x.example").home
    run = home.gpg("--quick-gen-key", "Weak <weak@x.example>", algorithm, "sign", "0",
                   may_fail=True)
    if run.code:
        t.skip(f"this GnuPG makes no {algorithm} key")
    weak = run.lines("KEY_CREATED")[0][1]
    home.gpg("--quick-add-key", weak, "rsa3072" if algorithm == "dsa1024" else "rsa1024", "encr")
    scene.gateway.ctl("key", "add", "-", given=home.certificate(weak), may_fail=True)
    assert scene.gateway.code != 0, scene.gateway.said
    assert weak not in scene.gateway.ctl("key", "list")


def test_key_id_names_no_key(t):
    """Key IDs can be made to collide, the short ones within minutes: only a fingerprint counts."""
    scene = Scene(t)
    other = t.official("new@us-de.example")
    scene.gateway.add_key(other, confirm=False)
    for part in (other.fingerprint[-8:], other.fingerprint[-16:], "0x" + other.fingerprint[-16:],
                 other.fingerprint[:-1], other.address):
        scene.gateway.ctl("key", "confirm", part, may_fail=True)
        assert scene.gateway.code != 0, part
        scene.gateway.ctl("contact", "add", "us-de", "new@us-de.example", "--name", "New", "--key",
                          part, may_fail=True)
        assert scene.gateway.code != 0, part
    states = {row["fingerprint"]: row["state"] for row in scene.gateway.rows("key", "list")}
    assert states[other.fingerprint] == "pending"


# What GnuPG says of itself.

def status_lines(official, at):
    """As if GnuPG had found a good signature."""
    key = official.fingerprint
    date = time.strftime("%Y-%m-%d", time.gmtime(at))
    return (f"\n[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG {key[-16:]} {official.user_id}\n[GNUPG:] VALIDSIG"
            f" {key} {date} {int(at)} 0 4 0 22 8 00 {key}\n[GNUPG:] TRUST_ULTIMATE 0 pgp\n")


@cases("file name", "notation", "armor", "user ID")
def test_status_lines_inside_a_message_sign_nothing(t, where):
    """Lines as GnuPG writes them for its callers, where a message may hold text of any kind."""
    scene = released(t)
    official = scene.official
    lines = status_lines(official, now())
    stranger = t.official("stranger@x.example")
    stranger.meet(scene.gateway)
    text = official.reply_text(scene.opened(), "acting")
    inner = letters.text_part(text)
    sealer = session_key(scene)
    if where == "file name":
        short = lines.encode()[:255]
        data = openpgp.join([openpgp.literal(inner, b"b", short)])
        signed = openpgp.parse(stranger.home.gpg("-z", "0", "-u", stranger.fingerprint, "--sign",
                                                 given=inner).out)
        named = openpgp.join([openpgp.literal(inner, b"b", short) if tag == openpgp.LITERAL
                              else (tag, body) for tag, body in signed])
        mails = [sealer.encrypt(data), sealer.encrypt(named)]
    elif where == "notation":
        # gpg itself writes no such thing: it stands in the area of the signature that is not hashed.
        signed = openpgp.parse(stranger.home.gpg("-z", "0", "-u", stranger.fingerprint, "--sign",
                                                 given=inner).out)
        mails = [sealer.encrypt(openpgp.join([
            (tag, with_notation(body, lines.encode())) if tag == openpgp.SIGNATURE else (tag, body)
            for tag, body in signed]))]
    elif where == "armor":
        mails = [sealer.encrypt(openpgp.join([openpgp.literal(inner)]))]
        comment = b"\nComment: x\r" + lines.replace("\n", "\r").encode() + b"\n\n"
    else:
        name = "Eve " + lines.replace("\n", "\v").replace("<", "(").replace(">", ")")
        key = stranger.home.make_key(f"{name} <eve@x.example>")
        mails = [sealer.encrypt(stranger.home.gpg("-z", "0", "-u", key, "--sign", given=inner).out)]
    before = outgoing(scene)
    for data in mails:
        armored = openpgp.armor(data)
        if where == "armor":
            armored = armored.replace(b"\n\n", comment, 1)
        row = scene.drop(official.message(letters.encrypted_entity(armored)))
        assert row["meaning"] == "unknown" and row["signer"] == "", row
    assert scene.acknowledged() == [] and outgoing(scene) == before


def with_notation(signature, value):
    """A version 4 signature packet with one more subpacket, RFC 9580 section 5.2.3.24."""
    at = 6 + int.from_bytes(signature[4:6], "big")
    name = b"note@x.example"
    body = (b"\x14\x80\0\0\0" + len(name).to_bytes(2, "big") + len(value).to_bytes(2, "big")
            + name + value)
    size = int.from_bytes(signature[at:at + 2], "big")
    area = signature[at + 2:at + 2 + size] + openpgp.length_of(len(body)) + body
    return signature[:at] + len(area).to_bytes(2, "big") + area + signature[at + 2 + size:]


# Answers that would tell a stranger something.

def test_changed_mail_of_a_publisher_or_contact_is_answered_by_silence(t):
    """Whether it decrypts, and whether it verifies, nobody learns who has no key of his own.
    I11."""
    scene = released(t)
    publisher, official = scene.publisher, scene.official
    before = outgoing(scene)
    drop = publisher.entity(f"{publisher.block()}\ntext\n", "a title")
    report = letters.text_part("Report: yes\nNonsense: 1\n\ntext\n", [("Subject", "x")])
    sealer = session_key(scene)
    for person, inner in ((publisher, drop), (official, report)):
        signed = openpgp.parse(person.home.gpg("-z", "0", "-u", person.fingerprint, "--sign",
                                               given=inner).out)
        changed = [openpgp.literal(openpgp.content_of(body)[1].replace(b"text", b"tezt"))
                   if tag == openpgp.LITERAL else (tag, body) for tag, body in signed]
        whole = sealer.encrypt(openpgp.join(signed))
        for data in (whole[:-30] + bytes([whole[-30] ^ 1]) + whole[-29:],  # not intact
                     sealer.encrypt(openpgp.join(signed[1:2])),            # no signature
                     sealer.encrypt(openpgp.join(changed)),                # a bad one
                     whole[:-40]):                                         # cut
            row = scene.drop(person.message(letters.encrypted_entity(openpgp.armor(data))))
            assert row["state"] in ("refused", "unreadable", "done"), row
    time.sleep(1)
    assert outgoing(scene) == before
    assert len(scene.gateway.advisories()) == 1


# Mail that comes back.

def test_own_mail_that_comes_back_causes_no_mail(t):
    """An advisory, a receipt, and both wrapped as a list or a loop would send them."""
    scene = released(t)
    mails = [mail.raw for mail in scene.smarthost.received()]
    before = outgoing(scene)
    for raw in mails:
        scene.drop(raw)
        scene.drop(letters.headers([("Received", "from x.example"), ("List-Id", "<x.example>")])
                   + raw)
        scene.drop(scene.official.message(
            letters.headers([("Content-Type", "message/rfc822")]) + b"\r\n" + raw))
    time.sleep(1)
    assert outgoing(scene) == before
    assert scene.acknowledged() == [] and len(scene.gateway.advisories()) == 1


def test_answers_of_two_machines_to_each_other_come_to_an_end(t):
    """An official whose program answers each mail, well signed and with the token."""
    scene = released(t)
    official, before = scene.official, outgoing(scene)
    for number in range(3):
        scene.drop(official.reply(scene.opened(), "", f"I am away until day {number}."))
    time.sleep(1)
    assert outgoing(scene) == before, "an acknowledgment is answered by no mail"
