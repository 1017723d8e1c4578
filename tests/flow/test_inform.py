"""Information back: reports by contacts, replies by publishers."""
import re

import letters
from harness import eventually
from scene import Scene

BLOCK = "Report: Odd traffic at two plants\n{}\nWe saw it on Monday.\n"


def mail(person, text, attachments=(), shape="encrypted", **options):
    """A signed mail of this text, with attachments."""
    if not attachments and shape != "encrypted":
        return person.reply(None, text=text, shape=shape, token="", **options)
    parts = [letters.text_part(text), *(letters.attachment(*a) for a in attachments)]
    entity = letters.encrypted_entity(person.encrypt(letters.multipart("mixed", parts)))
    return person.message(entity, "Re: [...]")


def opened(scene, person, count=1):
    """The newest of the `count` mails that came for a person."""
    mails = scene.smarthost.wait(count, person.address)
    assert len(mails) == count, len(mails)
    result = person.open(mails[-1].raw)
    assert result.good, "no good signature by the gateway"
    return result


def two_publishers(t, officials=1):
    scene = Scene(t, officials)
    second = scene.gateway.admit_publisher(t.publisher("second@vendor.example"))
    return scene, second


def quiet(scene, count):
    """Nothing more than `count` mails is sent, also when the schedule has run."""
    scene.gateway.ctl("queue", "list")
    eventually(lambda: len(scene.smarthost.received()) >= count, f"{count} mails")
    assert len(scene.smarthost.received()) == count


def test_report_goes_to_every_publisher_and_the_contact_gets_its_number(t):
    scene, second = two_publishers(t)
    row = scene.drop(mail(scene.official, BLOCK.format("TLP: GREEN\n"),
                          [("trace.pcap", b"\x00\x01packets")]))
    assert (row["state"], row["meaning"]) == ("done", "report"), row
    for publisher in (scene.publisher, second):
        got = opened(scene, publisher)
        assert got.subject == "[REP-" + got.subject[5:14] + "] Odd traffic at two plants"
        assert got.text.startswith("TLP:GREEN\n"), got.text
        assert "We saw it on Monday." in got.text
        assert scene.official.address in got.text and "us-de" in got.text
        assert got.attachments == [("trace.pcap", "application/octet-stream", b"\x00\x01packets")]
    receipt = opened(scene, scene.official)
    number = re.search(r"Number: (REP-\d{4}-0001)", receipt.text)[1]
    assert "2 publishers" in receipt.text
    listed = scene.gateway.rows("report", "list")
    assert [(r["number"], r["title"], r["address"], r["tlp"]) for r in listed] == [
        (number, "Odd traffic at two plants", scene.official.address, "GREEN")]
    shown = scene.gateway.rows("report", "show", number)
    assert sorted(r["kind"] for r in shown["mail"]) == ["receipt", "report", "report"], shown


def test_reply_of_a_publisher_comes_to_the_contact(t):
    scene, second = two_publishers(t)
    scene.drop(mail(scene.official, BLOCK.format("")))
    number = re.search(r"Number: (\S+)", opened(scene, scene.official).text)[1]
    row = scene.drop(mail(second, f"Reply: {number}\n\nThank you, we look into it.\n",
                          [("patch.bin", b"bytes")]))
    assert (row["state"], row["meaning"]) == ("done", "reply"), row
    got = opened(scene, scene.official, 2)
    assert number in got.subject and "we look into it" in got.text
    assert second.address in got.text
    assert got.attachments[0][0] == "patch.bin" and got.attachments[0][2] == b"bytes"
    assert scene.gateway.rows("report", "list")[0]["replies"] == 1


SIGNED = "{}\n\n-- \nEve\n> -- \n> quoted\n--\u00a0\nCERT\n"


def test_signature_blocks_are_passed_on_as_text(t):
    """Below a line "-- " mail programs show grey and quote nothing, not the number to answer with."""
    scene, _ = two_publishers(t)
    scene.release(text=SIGNED.format("Close the valve."), attachments=[
        ("notes.txt", b"a\n-- \nb\n", "text/plain")])
    advisory = opened(scene, scene.official)
    assert advisory.attachments == [("notes.txt", "text/plain", b"a\n-- \nb\n")]
    told = len(scene.receipts(2))
    scene.drop(mail(scene.official, SIGNED.format("Report: Odd traffic\n\nWe saw it.")))
    report = opened(scene, scene.publisher, told + 1)
    number = re.search(r"Reply: (\S+)", report.text)[1]
    opened(scene, scene.official, 2)
    scene.drop(mail(scene.publisher, SIGNED.format(f"Reply: {number}\n\nThank you.")))
    for letter in (advisory, report, opened(scene, scene.official, 3)):
        assert not re.search(r"^[> ]*--\s*$", letter.text, re.M), letter.text
        assert "\n- -\nEve\n> - -\n> quoted\n- -\nCERT\n" in letter.text, letter.text


def test_report_in_the_clear_is_refused_and_passed_to_nobody(t):
    scene = Scene(t)
    row = scene.drop(mail(scene.official, BLOCK.format(""), shape="signed"))
    assert (row["state"], row["meaning"]) == ("refused", "report"), row
    assert "travelled in the open" in opened(scene, scene.official).text
    assert not scene.smarthost.received(scene.publisher.address)
    assert scene.gateway.rows("report", "list") == []


def test_bad_line_of_a_report_is_named(t):
    scene = Scene(t)
    row = scene.drop(mail(scene.official, BLOCK.format("TLP: PURPLE\n")))
    assert row["state"] == "refused" and "line 2" in row["reason"], row
    assert "PURPLE" not in row["reason"]
    text = opened(scene, scene.official).text
    assert "Line 2" in text and "PURPLE" in text


def test_red_goes_to_the_publisher_of_the_advisory_alone(t):
    scene, second = two_publishers(t)
    number = scene.release()["number"]
    before = len(scene.smarthost.wait(1, scene.official.address))
    row = scene.drop(mail(scene.official, BLOCK.format(f"TLP: RED\nAbout: {number}\n")))
    assert row["state"] == "done", row
    receipt = opened(scene, scene.official, before + 1)
    assert "1 publisher." in receipt.text
    reported = eventually(lambda: [m for m in scene.smarthost.received(scene.publisher.address)
                                   if "REP-" in scene.publisher.open(m.raw).subject],
                          "the report at the publisher")
    assert number in scene.publisher.open(reported[0].raw).text
    assert not scene.smarthost.received(second.address)
    report = scene.gateway.rows("report", "list")[0]["number"]
    row = scene.drop(mail(second, f"Reply: {report}\n\nHow interesting.\n"))
    assert row["state"] == "refused", row
    assert "no report of this number" in opened(scene, second).text


def test_red_without_advisory_is_refused(t):
    scene = Scene(t)
    row = scene.drop(mail(scene.official, BLOCK.format("TLP: RED\n")))
    assert row["state"] == "refused" and "line 2" in row["reason"], row
    assert not scene.smarthost.received(scene.publisher.address)


def test_about_an_advisory_of_others_is_answered_as_one_that_does_not_exist(t):
    scene = Scene(t, 2)
    stranger, reached = scene.officials
    number = scene.release(audience=reached.address)["number"]
    answers = []
    for count, about in enumerate((number, "DEW-2026-9999"), 1):
        scene.drop(mail(stranger, BLOCK.format(f"About: {about}\n")))
        answers.append(re.sub(r"arrival\s+\d+", "", opened(scene, stranger, count).text))
    assert answers[0] == answers[1]
    assert scene.gateway.rows("report", "list") == []


def test_same_report_again_causes_no_second_mail(t):
    scene = Scene(t)
    raw = mail(scene.official, BLOCK.format(""))
    scene.drop(raw)
    opened(scene, scene.official)
    opened(scene, scene.publisher)
    row = scene.drop(raw.replace(b"Subject: Re: [...]", b"Subject: again"))
    assert row["meaning"] == "duplicate", row
    quiet(scene, 2)


def test_receipt_that_a_kill_cut_off_is_made_up_for(t):
    scene = Scene(t)
    scene.gateway.drop(mail(scene.official, BLOCK.format("")))
    eventually(lambda: scene.gateway.store_rows("SELECT id FROM report"), "the report on record")
    scene.gateway.process.kill()
    scene.gateway.process.wait()
    scene.gateway.start()
    scene.smarthost.wait(1, scene.publisher.address)
    scene.smarthost.wait(1, scene.official.address)
    ids = {mail.headers["Message-ID"] for mail in scene.smarthost.received()}
    assert len(ids) == 2, "a mail was made twice"


def test_nothing_of_a_report_rests_in_the_clear(t):
    scene = Scene(t)
    scene.drop(mail(scene.official, BLOCK.format("")))
    opened(scene, scene.publisher)
    state = b"".join(path.read_bytes() for path in (scene.gateway.dir / "state").glob("store.db*"))
    log = scene.gateway.log_path.read_bytes()
    for words in (b"Odd traffic", b"on Monday"):
        assert words not in state and words not in log


def test_own_certificate_that_a_program_attaches_goes_to_nobody(t):
    """Thunderbird attaches the writer's key to all that is signed: to an advisory, a report, a reply
    and a draft that waits for approval. What was attached on purpose stays."""
    scene, second = two_publishers(t)

    def key_of(person):
        return (f"OpenPGP_0x{person.fingerprint[-16:]}.asc", person.certificate,
                "application/pgp-keys")
    purpose = [key_of(second), ("both.asc", scene.publisher.certificate + second.certificate),
               ("list.csv", b"a;b\n")]
    number = scene.release(attachments=[key_of(scene.publisher), *purpose])["number"]
    assert [a[0] for a in scene.opened().attachments] == [a[0] for a in purpose]
    made = [row["detail"] for row in scene.gateway.audit() if row["event"] == "advisory.new"]
    assert "the publisher's own certificate was left out" in made[0], made
    for receipt in scene.receipts(2):
        assert "Your own certificate, which was attached, was left out" in receipt.text
    scene.drop(mail(scene.official, BLOCK.format(f"About: {number}\n"), [key_of(scene.official)]))
    report = opened(scene, second, 1)
    assert not report.attachments and "We saw it on Monday." in report.text
    found = re.search(r"REP-\S+-0001", opened(scene, scene.official, 2).text)[0]
    scene.drop(mail(second, f"Reply: {found}\n\nThank you.\n",
                    [key_of(second), key_of(scene.publisher)]))
    reply = opened(scene, scene.official, 3)
    assert [a[0] for a in reply.attachments] == [key_of(scene.publisher)[0]]
    row = scene.drop(scene.publisher.publish("Held", "Text.\n", approval="yes", attachments=[
        key_of(scene.publisher), ("list.csv", b"a;b\n")]))
    assert row["state"] == "done", row
    assert [a[0] for a in opened(scene, second, 2).attachments] == ["list.csv"]
