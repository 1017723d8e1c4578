"""Which shapes are taken, and that nothing but signed bytes is ever read: every mail here holds a
token that would count, and words outside the signature that must not."""
import time

import letters
from harness import sanitized
from scene import Scene
from test_acknowledge import only_ack, released

LURE = "affected\n\nForged.\n"


class Forger:
    """Builds mails around what one official signed, as somebody on the way could."""

    def __init__(self, scene):
        self.official, self.opened = scene.official, scene.opened()
        self.address = scene.gateway.address

    def text(self, status="not affected"):
        """The words that are signed, different each time so that none is a replay."""
        self.count = getattr(self, "count", 0) + 1
        return f"{status}\n\nSigned words {self.count}.\n\n> Token: {self.opened.token}\n"

    def lure(self, subtype="plain"):
        return letters.text_part(f"{LURE}Token: {self.opened.token}\n", subtype=subtype)

    def bare(self):
        """A text entity without a protected Subject."""
        return letters.text_part(self.text())

    def signed(self, inner=None, **options):
        inner = inner or self.bare()
        return letters.signed_entity(inner, self.official.sign(inner, "--detach-sign", **options))

    def encrypted(self, inner=None, sign=True):
        return letters.encrypted_entity(self.official.encrypt(inner or self.bare(), sign))

    def clear(self):
        return self.official.sign(self.text().encode(), "--clearsign").decode()

    def mail(self, entity, **options):
        return self.official.message(entity, **options)


def mixed(*parts, subtype="mixed"):
    return letters.multipart(subtype, parts)


def attached_mail(entity):
    return letters.headers([("Content-Type", "message/rfc822")]) + b"\r\n" + entity


# What stands around a signed part, from whoever, is not read.

AROUND = {
    "text before the signed part": lambda f: mixed(f.lure(), f.signed()),
    "text behind the signed part": lambda f: mixed(f.signed(), f.lure()),
    "text on both sides of an encrypted part": lambda f: mixed(f.lure(), f.encrypted(), f.lure()),
    "text as the better of two alternatives": lambda f: mixed(
        f.signed(), f.lure(), subtype="alternative"),
    "html as the better of two alternatives": lambda f: mixed(
        f.signed(), f.lure("html"), subtype="alternative"),
    "a mail attached beside it": lambda f: mixed(f.signed(), attached_mail(f.lure())),
    "a third part of the multipart/signed": lambda f: with_third_part(f),
    "a third part inside the encryption": lambda f: letters.encrypted_entity(
        f.official.encrypt(with_third_part(f), False)),
    "text behind the last boundary": lambda f: f.signed() + b"\r\n" + LURE.encode(),
    "html that swallows the encrypted part": lambda f: mixed(
        letters.text_part('<img src="http://evil.example/\n', subtype="html"), f.encrypted(),
        letters.text_part(f'"><p>{LURE}</p>\n', subtype="html")),
    "text around a cleartext signature": lambda f: letters.text_part(
        f"{LURE}\n{f.clear()}\n{LURE}"),
    "text around an armored message": lambda f: letters.text_part(
        f"{LURE}\n{f.official.encrypt(letters.crlf(f.text())).decode()}\n{LURE}"),
    "html beside an armored message": lambda f: mixed(
        letters.text_part(f.official.encrypt(letters.crlf(f.text())).decode()), f.lure("html"),
        subtype="alternative"),
    "text beside an attached message": lambda f: mixed(
        f.lure(), letters.attachment("reply.asc", f.official.encrypt(f.bare()))),
}


def with_part(whole, more):
    """A multipart with a part more at its end."""
    line = whole.split(b'boundary="')[1].split(b'"')[0]
    return whole.removesuffix(b"--" + line + b"--\r\n") + (
        b"--" + line + b"\r\n" + more + b"\r\n--" + line + b"--\r\n")


def with_third_part(forger):
    return with_part(forger.signed(), forger.lure())


def replaced(entity, old, new):
    """The entity with a piece changed, which must be there."""
    assert old in entity, old
    return entity.replace(old, new, 1)


def swapped(forger):
    """A good signature, under words that it is not over."""
    inner, other = forger.bare(), forger.bare()
    return letters.signed_entity(other, forger.official.sign(inner, "--detach-sign"))


def with_signed_message(forger):
    """In place of a detached signature a whole signed message, over words of its own."""
    return letters.signed_entity(forger.lure(), forger.official.sign(forger.bare(), "--sign"))


def twice_signed(forger):
    second = forger.official.home.make_key("Second key <second@us-de.example>")
    return forger.signed(signers=[forger.official.fingerprint, second])


def clear_with(forger, old, new):
    return letters.text_part(replaced(forger.clear(), old, new))


# What is refused, as what shape, and by which name.

REFUSED = {
    "no OpenPGP": ("plain", "not-signed", lambda f: f.lure()),
    "a signed mail, attached": ("plain", "not-signed", lambda f: mixed(
        f.lure(), attached_mail(f.signed()))),
    "armor quoted in a text": ("plain", "not-signed", lambda f: letters.text_part(
        "".join(f"> {line}\n" for line in f.clear().splitlines()))),
    "encrypted by somebody, not signed": ("unsigned", "not-signed", lambda f: f.encrypted(
        sign=False)),
    "unsigned text inside the encryption, a signed part beside it": (
        "unsigned", "not-signed", lambda f: f.encrypted(mixed(f.lure(), f.signed()), False)),
    "a signed part first inside the encryption, unsigned text beside it": (
        "unsigned", "not-signed", lambda f: f.encrypted(mixed(f.signed(), f.lure()), False)),
    "two signatures": ("many-signatures", "many-signatures", twice_signed),
    "signed inside encrypted inside signed": ("nested", "nested", lambda f: f.signed(
        f.encrypted(f.signed(), False))),
    "encrypted and signed inside signed": ("nested", "nested", lambda f: f.signed(f.encrypted())),
    "signed once more inside what is encrypted and signed": (
        "nested", "nested", lambda f: f.encrypted(f.signed())),
    "signed twice over inside the encryption": ("nested", "nested", lambda f: f.encrypted(
        f.signed(f.signed()), False)),
    "two signed parts": ("many-parts", "many-parts", lambda f: mixed(f.signed(), f.signed())),
    "a signed part and armor in a text": ("many-parts", "many-parts", lambda f: mixed(
        letters.text_part(f.clear()), f.signed())),
    "two armored messages in a text": ("many-parts", "many-parts", lambda f: letters.text_part(
        f.clear() + f.clear())),
    "two attached messages": ("many-parts", "many-parts", lambda f: mixed(
        letters.attachment("a.asc", f.official.encrypt(f.bare())),
        letters.attachment("b.asc", f.official.encrypt(f.bare())))),
    "armor without its end": ("broken", "broken", lambda f: letters.text_part(
        f.clear().partition("-----END")[0])),
    "multipart/encrypted without its version": ("broken", "broken", lambda f: replaced(
        f.encrypted(), b"Content-Type: application/pgp-encrypted",
        b"Content-Type: application/x-other")),
    "a signed part of another protocol": ("signature-lost", "signature-lost", lambda f: replaced(
        f.signed(), b'protocol="application/pgp-signature"', b'protocol="application/other"')),
    "multipart/signed that became multipart/mixed": (
        "signature-lost", "signature-lost", lambda f: replaced(
            f.signed(), b"multipart/signed", b"multipart/mixed")),
    "a cleartext signature in html": ("signature-lost", "signature-lost",
                                      lambda f: letters.text_part(
                                          f"<pre>{f.clear()}</pre>", subtype="html")),
    "S/MIME": ("smime", "not-openpgp", lambda f: mixed(f.lure(), letters.attachment(
        "smime.p7m", b"MII", "application/pkcs7-mime"))),
    "winmail.dat": ("tnef", "not-openpgp", lambda f: mixed(f.lure(), letters.attachment(
        "winmail.dat", b"x\x9f>\"", "application/ms-tnef"))),
    "a whole signed message as the signature": ("unopened", "unopened", with_signed_message),
    "signed and not encrypted in one message": ("unopened", "unopened", lambda f:
                                                letters.encrypted_entity(f.official.sign(
                                                    f.bare(), "--sign"))),
    "a line more in the armor header of signed text": (
        "unopened", "unopened", lambda f: clear_with(f, "\n\n", f"\nComment: x\n\n")),
    "text in the armor header of signed text": (
        "unopened", "unopened", lambda f: clear_with(f, "\n\n", "\naffected\n\n")),
    "a dash in signed text that is not escaped": (
        "unopened", "unopened", lambda f: clear_with(f, "not affected\n", "-affected\n")),
}

# Of the right shape, with a signature that does not count.
BAD = {
    "the signature of other words": swapped,
    "a word changed in signed text": lambda f: clear_with(f, "not affected", "affected"),
    "an escaped line more in signed text": lambda f: clear_with(f, "\n\nnot", "\n\n- affected\nnot"),
    "a line end more in a signed part": lambda f: replaced(
        f.signed(), b"not affected\r\n", b"\r\naffected\r\n"),
}


def kinds(scene):
    return {row[0] for row in scene.gateway.store_rows("SELECT kind FROM message")}


@sanitized
def test_only_signed_bytes_are_read_whatever_stands_around_them(t):
    scene = released(t)
    forger = Forger(scene)
    wrong = []
    for name, build in AROUND.items():
        row = scene.drop(forger.mail(build(forger)))
        ack = scene.acknowledged()
        if not (row["state"] == "done" and row["meaning"] == "acknowledgment"
                and row["refusal"] == "" and ack and ack[0]["status"] == "not affected"
                and ack[0]["comment"] == f"Signed words {forger.count}."):
            wrong.append((name, row, ack))
    assert not wrong, wrong
    assert only_ack(scene)["replies"] == len(AROUND)


@sanitized
def test_every_other_shape_is_refused_by_its_name(t):
    scene = released(t)
    forger = Forger(scene)
    before = kinds(scene)
    wrong = []
    for name, (shape, refusal, build) in REFUSED.items():
        row = scene.drop(forger.mail(build(forger)))
        if (row["shape"], row["refusal"]) != (shape, refusal) or not row["reason"]:
            wrong.append((name, row))
    for name, build in BAD.items():
        row = scene.drop(forger.mail(build(forger)))
        if row["state"] != "refused" or "signature" not in row["reason"]:
            wrong.append((name, row))
    assert not wrong, wrong
    assert scene.acknowledged() == [], "one of them was read"
    # Those in the open hold the token, and are told of.
    assert kinds(scene) - before <= {"notice", "alarm"}, "one of them caused other mail"
    shown = scene.gateway.ctl("inbox", "list", "--most", 100)
    assert "SHAPE" in shown and "signature-lost" in shown, shown


def test_shapes_of_a_publisher_are_refused_by_name(t):
    scene = Scene(t)
    publisher = scene.publisher
    inner = publisher.entity(f"{publisher.block()}\nUnlock the door.\n", "A title")
    signed = letters.signed_entity(inner, publisher.sign(inner, "--detach-sign"))
    inner = publisher.entity(f"{publisher.block()}\nOpen it.\n", "Another title")
    with_more = mixed(letters.text_part("Advisory: new\nTLP: CLEAR\n"),
                      letters.encrypted_entity(publisher.encrypt(inner)))
    clear = letters.text_part(publisher.sign(letters.crlf(publisher.block() + "\ntext\n"),
                                             "--clearsign").decode())
    inner = publisher.entity(f"{publisher.block()}\nClose it.\n", "A third title")
    third = letters.encrypted_entity(publisher.encrypt(with_part(letters.signed_entity(
        inner, publisher.sign(inner, "--detach-sign")), letters.text_part("TLP: CLEAR\n")), False))
    for entity, shape, refusal in ((signed, "signed", "in-the-open"),
                                   (with_more, "encrypted", "text-outside"),
                                   (third, "signed-inside", "text-outside"),
                                   (clear, "inline-signed", "in-the-open")):
        row = scene.drop(publisher.message(entity))
        assert (row["state"], row["meaning"], row["shape"], row["refusal"]) == (
            "refused", "advisory", shape, refusal), row
    assert scene.gateway.advisories() == []
    said = [receipt.text for receipt in scene.receipts(4)]
    assert sum("travelled in the open" in text for text in said) == 2, said
    assert sum("outside the signed part" in text for text in said) == 2, said
    assert scene.smarthost.received(scene.official.address) == []


def test_changed_copy_that_comes_first_is_told_and_the_text_signed_anew_is_taken(t):
    """What was refused stays so in every shape: who was told so may rely on it."""
    scene = Scene(t)
    publisher = scene.publisher
    inner = publisher.entity(f"{publisher.block()}\nOpen the door.\n", "A title")
    encrypted = letters.encrypted_entity(publisher.encrypt(inner))
    changed = scene.drop(publisher.message(mixed(encrypted, letters.text_part("A footer\n"))))
    assert (changed["state"], changed["refusal"]) == ("refused", "text-outside"), changed
    receipt = scene.receipts(1)[0].text
    assert "outside the signed part" in receipt and "signed anew" in receipt, receipt
    row = scene.drop(publisher.message(encrypted))
    assert (row["meaning"], row["reason"]) == (
        "duplicate", "the same signed text came before, as arrival 1"), row
    time.sleep(1.1)  # the signature's time is in whole seconds
    row = scene.drop(publisher.message(letters.encrypted_entity(publisher.encrypt(inner))))
    assert (row["state"], row["meaning"]) == ("done", "advisory"), row
    scene.opened()
    scene.receipts(2)


def test_strangers_are_refused_in_every_shape(t):
    scene = released(t)
    stranger = t.official("stranger@nowhere.example")
    stranger.meet(scene.gateway)
    before = len(scene.smarthost.received())
    for shape in ("encrypted", "signed-inside", "signed", "inline-signed", "inline-encrypted"):
        row = scene.drop(stranger.reply(scene.opened(), "affected", shape=shape))
        assert (row["shape"], row["refusal"]) == (shape, "stranger"), row
        assert row["reason"].endswith(f": key ID {stranger.fingerprint[-16:]}"), row
    assert scene.acknowledged() == []
    assert len(scene.smarthost.received()) == before
