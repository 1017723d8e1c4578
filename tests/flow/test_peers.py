"""The fakes themselves: what they build is what ordinary programs read, with no gateway between."""
import letters
from harness import cases, sanitized  # noqa: F401
from official import REPLY_SHAPES, Official, Opened


class Stand:
    """Stands where the gateway will: an address, a fingerprint, a certificate."""

    def __init__(self, person):
        self.address, self.fingerprint = person.address, person.fingerprint
        self.certificate = person.certificate


def test_gpg_sqop_and_rnp_open_the_same_message(t):
    t.needs("gpg", "sqop", "rnp")
    gateway = t.official("gateway@example.org")
    official = t.official("official@us-de.example")
    official.meet(Stand(gateway))
    gateway.home.add(official.certificate)
    inner = letters.multipart("mixed", [letters.text_part("Wäter\nToken: ABCDEFGHIJKLMNOP\n"),
                                        letters.attachment("a.bin", bytes(range(256)))],
                              [("Subject", "a protected subject")])
    armored = gateway.home.gpg("--armor", "-r", official.fingerprint, "--sign", "--encrypt",
                               given=inner).out
    raw = letters.message("gateway@example.org", "list@example.org",
                          letters.encrypted_entity(armored))
    for way in (official.open, official.open_with_sqop, official.open_with_rnp):
        opened = way(raw)
        assert opened.good, way
        assert opened.inner == inner, way
        assert opened.text == "Wäter\nToken: ABCDEFGHIJKLMNOP\n", (way, opened.text)
        assert opened.subject == "a protected subject" and opened.token == "ABCDEFGHIJKLMNOP"
        assert opened.attachments == [("a.bin", "application/octet-stream", bytes(range(256)))]


def test_a_signature_by_somebody_else_is_not_good(t):
    official, other = t.official("official@us-de.example"), t.official("other@us-ca.example")
    gateway = t.official("gateway@example.org")
    official.meet(Stand(gateway))
    official.home.add(other.certificate)
    other.home.add(official.certificate)
    armored = other.home.gpg("--armor", "-r", official.fingerprint, "--sign", "--encrypt",
                             given=letters.text_part("text\n")).out
    assert not official.open(letters.message("a@b.example", "c@d.example",
                                             letters.encrypted_entity(armored))).good


@cases(*REPLY_SHAPES)
def test_reply_holds_the_signed_token(t, shape):
    gateway, official = t.official("gateway@example.org"), t.official("official@us-de.example")
    official.meet(Stand(gateway))
    gateway.home.add(official.certificate)
    opened = Opened(letters.text_part("text\nToken: ABCDEFGHIJKLMNOP\n"))
    raw = official.reply(opened, "acting", "on it", shape)
    if shape in ("encrypted", "inline-encrypted"):
        run = gateway.home.gpg("--decrypt", given=payload_of(raw))
    elif shape == "signed-inside":
        inner = gateway.home.gpg("--decrypt", given=payload_of(raw)).out
        run = verified(gateway, t, inner)
    elif shape == "signed":
        run = verified(gateway, t, raw)
    else:
        run = gateway.home.gpg("--decrypt", given=raw.partition(b"\r\n\r\n")[2])
    assert [row[-1] for row in run.lines("VALIDSIG")] == [official.fingerprint]
    if run.out:
        assert b"ABCDEFGHIJKLMNOP" in run.out and b"acting" in run.out


def payload_of(raw):
    from official import payload
    return payload(raw)


def verified(gateway, t, signed):
    """Verifies a multipart/signed as RFC 3156 says, from the bytes between the boundaries."""
    line = signed.split(b'boundary="')[1].split(b'"')[0]
    parts = signed.split(b"--" + line)
    (t.dir / "signed").write_bytes(parts[1].removeprefix(b"\r\n").removesuffix(b"\r\n"))
    (t.dir / "signature").write_bytes(parts[2].split(b"\r\n\r\n", 1)[1])
    return gateway.home.gpg("--verify", t.dir / "signature", t.dir / "signed")


def test_expired_key_signs_only_after_its_owner_renewed_it(t):
    official = Official(t, "late@us-de.example", expires="seconds=86400", faked=1700000000)
    run = official.home.gpg("--armor", "--clearsign", given=b"text\n", may_fail=True)
    assert run.code != 0
    official.home.gpg("--quick-set-expire", official.fingerprint, "0", faked=1700000100)
    assert official.sign(b"text\n", "--clearsign")
