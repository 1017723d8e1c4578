"""Real advisories go through: every official opens the same with three programs, alone."""
import json
import os
import pathlib
import re

from harness import TESTS, cases, sanitized
from scene import COUNTRIES, Scene, sealed_for

CORPUS = pathlib.Path(os.environ.get("DEWLINE_CORPUS", TESTS.parent.parent / "shared" / "corpus"))
OWN = TESTS / "flow" / "fixtures" / "dew-test-2026-01.json"
NAMES = ("icsa-17-094-02b", "icsa-17-283-02", "icsa-18-100-01", "icsa-18-296-02", "icsa-19-043-01",
         "icsa-19-225-02", "icsa-20-014-04", "icsa-20-170-02", "icsa-20-324-04", "icsa-21-061-02",
         "icsa-21-159-13", "icsa-21-257-12", "icsa-21-350-12", "icsa-22-097-02", "icsa-22-179-03",
         "icsa-22-272-02", "icsa-22-356-01", "icsa-23-080-07", "icsa-23-187-02", "icsa-23-285-04",
         "icsa-23-348-10", "icsa-24-004-02", "icsa-24-121-01")


def everybody_reads(scene, content, name):
    """All officials, all programs: the same text, the attachment byte for byte, one session key."""
    texts = set()
    for official in scene.officials:
        mail = scene.smarthost.only(official.address)
        sealed_for(mail.raw, *official.key_ids())
        for way in (official.open, official.open_with_sqop, official.open_with_rnp):
            opened = way(mail.raw)
            assert opened.good, f"{way.__name__}: no good signature by the gateway"
            assert [(a[0], a[2]) for a in opened.attachments] == [(name, content)], way.__name__
            texts.add((opened.subject, opened.text))
    assert len(texts) == 1, "they do not read the same"
    return texts.pop()


def publish_csaf(t, path, **options):
    t.needs("gpg", "sqop", "rnp")
    content = path.read_bytes()
    scene = Scene(t, 3)
    scene.release(attachments=[(path.name, content, "application/json")], **options)
    return (scene, json.loads(content)["document"],
            *everybody_reads(scene, content, path.name))


@cases(*NAMES)
def test_corpus_reaches_three_officials_unchanged(t, name):
    path = CORPUS / "csaf" / f"{name}.json"
    if not path.exists():
        t.skip(f"{path.name} is not there; DEWLINE_CORPUS names the folder of the corpus")
    scene, document, subject, text = publish_csaf(t, path, title=None, text="", tlp=None)
    label = document["distribution"]["tlp"]["label"].replace("WHITE", "CLEAR")
    assert scene.gateway.advisories()[0]["tlp"] == label
    squeezed = " ".join(text.split())
    assert document["tracking"]["id"] in squeezed
    assert " ".join(document["title"].split()) in " ".join(subject.split())
    assert f"TLP:{label}" in text


@sanitized
def test_fixture_reaches_three_officials_unchanged(t):
    scene, document, subject, text = publish_csaf(t, OWN, title="Pumps", text="Read this.\n")
    assert "Read this." in text and "Pumps" in subject
    assert scene.gateway.advisories()[0]["number"] in subject


def test_text_is_rendered_from_the_csaf_when_there_is_none(t):
    scene, document, subject, text = publish_csaf(t, OWN, title=None, text="", tlp=None)
    squeezed = " ".join(text.split())
    assert document["title"] in subject
    for said in (document["notes"][0]["text"], "EW-2026-01", "Install version 2.1.", "TLP:AMBER"):
        assert said in squeezed, said


@sanitized
def test_large_and_empty_attachments_arrive_byte_for_byte(t):
    scene = Scene(t, 2)
    large = os.urandom(3_000_000)
    scene.release(attachments=[("large.bin", large), ("empty.bin", b""),
                               ("ümlaut.txt", b"no end of line")])
    for official in scene.officials:
        opened = scene.opened(official)
        assert [a[2] for a in opened.attachments] == [large, b"", b"no end of line"]
        assert [a[0] for a in opened.attachments] == ["large.bin", "empty.bin", "ümlaut.txt"]


def test_nothing_on_the_outside_tells_what_is_inside(t):
    """I8."""
    scene = Scene(t, 3)
    number = scene.release(tlp="RED", audience=", ".join(o.address for o in scene.officials), acknowledge="4h")["number"]
    mails = [scene.smarthost.only(official.address) for official in scene.officials]
    for mail in mails:
        # Three letters stand somewhere in most ciphertexts.
        outside = re.sub(rb"-----BEGIN PGP MESSAGE-----.*-----END PGP MESSAGE-----", b"", mail.raw,
                         flags=re.S).replace(mail.recipient.encode(), b"")
        assert len(outside) < len(mail.raw) / 2
        for secret in (number, "DEW-", "Controller", "RED", "firmware", COUNTRIES[0]):
            assert secret.encode() not in outside, secret
        assert mail.headers["Subject"] == "[...]"
        assert mail.headers["Auto-Submitted"] == "auto-generated"
        assert mail.headers["To"].strip("<>") == "advisories@gw.example"
        assert max(map(len, mail.raw.split(b"\r\n"))) <= 78
        assert mail.raw.count(b"\n") == mail.raw.count(b"\r\n") and mail.raw.isascii()
    assert len({mail.headers["Message-ID"] for mail in mails}) == 1
    assert len({mail.sender for mail in mails}) == 3, "each delivery has its own return path"


def test_label_of_a_document_holds_whatever_its_encoding_type_and_name_are(t):
    scene = Scene(t)
    document = json.loads(OWN.read_bytes())
    document["document"]["distribution"]["tlp"]["label"] = "RED"
    content = json.dumps(document)
    for number, (name, data, kind, *words) in enumerate((
            ("notes.txt", content.encode(), "text/plain", "TLP is AMBER in the control block and "
             "RED in the CSAF document"),
            ("secret.pdf", b"\xef\xbb\xbf\r\n" + content.encode(), "application/pdf",
             "they must agree"),
            ("wide.json", content.encode("utf-16"), "application/json",
             '"wide.json" is in UTF-16 or UTF-32, and CSAF is in UTF-8'),
            ("wide.bin", content.encode("utf-16-be"), "application/octet-stream",
             '"wide.bin" is in UTF-16 or UTF-32'))):
        row = scene.drop(scene.publisher.publish("Pumps", "Read this.\n",
                                                 attachments=[(name, data, kind)]))
        assert row["state"] == "refused", (name, row)
        said = " ".join(scene.receipts(number + 1)[-1].text.split())
        assert all(word in said for word in words), (name, said)
    document["document"]["distribution"]["text"] = "TLPv2: TLP:AMBER+STRICT"
    scene.release("Pumps", "Read this.\n", tlp="AMBER+STRICT", attachments=[
        ("strict.json", json.dumps(document).encode(), "application/json")])
    assert scene.opened().text.startswith("TLP:AMBER+STRICT\n")
