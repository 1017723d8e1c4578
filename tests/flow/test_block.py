"""Control blocks as mail programs write them: whoever writes a field is obeyed or told of it."""
import time

import letters
from harness import now
from scene import Scene
from test_inform import mail as contact_mail, opened as newest, two_publishers

NBSP, BOM, ZERO_WIDTH = "\u00a0", "\ufeff", "\u200b"


def written(scene, text, kind="plain", subject="Valve", parameters=""):
    """A publisher's mail whose signed text is this, of another type where `kind` says so."""
    head = (f"Subject: {subject}\r\nContent-Type: text/{kind}; charset=utf-8{parameters}\r\n"
            "Content-Transfer-Encoding: 8bit\r\n\r\n")
    inner = head.encode() + letters.crlf(text.encode())
    return scene.publisher.message(letters.encrypted_entity(scene.publisher.encrypt(inner)))


def as_html(*paragraphs):
    """The HTML of a composer that makes a paragraph of each line."""
    rows = "".join(f"    <p>{line}</p>\n" for line in paragraphs)
    return f"<!DOCTYPE html>\n<html>\n  <head></head>\n  <body>\n{rows}  </body>\n</html>\n"


def revision(scene, number):
    return scene.gateway.rows("advisory", "show", number)["revisions"][-1]


def refused(scene, text, receipts, *words):
    """Refused, and the receipt says these words."""
    row = scene.drop(written(scene, text))
    assert (row["state"], row["meaning"]) == ("refused", "advisory"), row
    said = " ".join(scene.receipts(receipts)[-1].text.split())
    for word in words:
        assert word in said, (word, said)
    return said


def test_update_written_in_paragraphs_is_as_narrow_as_it_says(t):
    """An empty line between any two lines, as Thunderbird's composer makes them."""
    scene = Scene(t, 3)
    number = scene.release(title="Valve")["number"]
    for official in scene.officials:
        scene.smarthost.wait(1, official.address)
    scene.drop(written(scene, f"Advisory: update {number}\n\nTLP: RED\n\n"
                       "Audience: cert@us-de.example\n\nAcknowledge: 1h\n\n"
                       "Secret details that only Delaware may have.\n", subject="Valve, secret"))
    got = scene.opened(scene.officials[0], 2)
    assert got.text.startswith("TLP:RED\n") and "Secret details" in got.text, got.text
    assert "Audience:" not in got.text.split("Secret details")[1], got.text
    made = revision(scene, number)
    assert (made["tlp"], made["audience"]) == ("RED", "cert@us-de.example"), made
    scene.receipts(3)
    assert [len(scene.advisory_mails(official)) for official in scene.officials] == [2, 1, 1]


def test_what_stands_below_an_empty_line_is_obeyed_or_refused(t):
    """I16."""
    scene = Scene(t, 3)
    hour = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now() + 30 * 86400))
    row = scene.drop(written(scene, "Advisory: new\nTLP: AMBER\nAudience: all\n\nExercise: yes\n"
                             f"Release: {hour}\n\nThis is only a drill text.\n", subject="Drill"))
    assert row["state"] == "done", row
    held = scene.gateway.released()[0]
    assert (held["state"], held["exercise"]) == ("held", True), held
    assert "It is held" in scene.receipts(1)[0].text
    refused(scene, "Advisory: new\nTLP: AMBER\nAudience: all\n\nDear all,\n\nExercise: yes\n\n"
            "This is only a drill text.\n", 2, "Line 7", '"Exercise: yes" stands in the text',
            "if it is text, put other words before it")
    refused(scene, "Advisory: new\nTLP: AMBER\nAudience: all\n\nExcercise: yes\n\nText.\n", 3,
            "Line 5", '"Excercise" is no field, but nearly Exercise')
    refused(scene, f"Advisory: withdraw {held['number']}\n\nGateway: other@elsewhere.example\n\n"
            "Wrong.\n", 4, "Line 3", "it is for another one than this")
    assert not [mail for mail in scene.smarthost.received()
                if mail.recipient != scene.publisher.address]
    deep = "".join(f"Line {n} of the text.\n" for n in range(20))
    scene.release(text=deep + "Release: 2.0 fixes this.\n")
    assert "\nRelease: 2.0 fixes this.\n" in scene.opened().text


def test_block_is_read_as_the_eye_reads_it(t):
    """Blanks of every kind, bold type, HTML of two composers, and a list that was wrapped."""
    scene = Scene(t, 6)
    everybody = [official.address for official in scene.officials]
    lines = ("Advisory: new", "TLP: AMBER", "Audience: all", "Acknowledge: 4h")
    block = "\n".join(lines)
    shapes = [
        written(scene, f"{block}\n\nThe valve opens by itself.\n"),
        written(scene, "\n\n".join(lines) + "\n\nThe valve opens by itself.\n"),
        written(scene, as_html(*lines, "The valve opens by itself."), "html"),
        written(scene, '<div dir="ltr">' + "".join(f"<div>{line}</div>" for line in lines)
                + "<div><br></div><div>The valve opens by itself.</div></div>", "html"),
        written(scene, as_html(*(line.replace(": ", ":&nbsp; ") for line in lines),
                               "The valve opens by itself."), "html"),
        written(scene, block.replace(": ", f":{NBSP} ") + "\n\nThe valve opens by itself.\n"),
        written(scene, block.replace("\n", f"{NBSP}\n") + f"\n{NBSP}\nThe valve opens by itself."),
        written(scene, f"{BOM}{block}\n\nThe valve opens by itself.\n"),
        written(scene, f"{ZERO_WIDTH}{block}\n\nThe valve opens by itself.\n"),
        written(scene, f"  {block}\n\nThe valve opens by itself.\n".replace("\n", "\n  ")),
        written(scene, f"*Advisory:* new\n*TLP*: AMBER\n_Audience: all_\nAcknowledge: *4h*\n\n"
                "The valve opens by itself.\n"),
    ]
    for raw in shapes:
        row = scene.drop(raw)
        assert row["state"] == "done", (row, scene.receipts(1)[-1].text)
    named = ", ".join(everybody)
    half = named.index(everybody[3])
    flowed = named.replace(" cert@fr", " \ncert@fr")
    for broken, parameters in ((named, ""), (f"{named[:half - 1]}\n{named[half:]}", ""),
                               (f"{named[:half - 1]}\n  {named[half:]}", ""),
                               (flowed, "; format=flowed")):
        row = scene.drop(written(scene, f"Advisory: new\nTLP: RED\nAudience: {broken}\n\nText.\n",
                                 parameters=parameters))
        assert row["state"] == "done", (row, scene.receipts(1)[-1].text)
    count = len(shapes) + 4
    for row in scene.gateway.released(count):
        made = revision(scene, row["number"])
        assert (made["tlp"], made["audience"]) in (("AMBER", "all"), ("RED", named)), made
    for official in scene.officials:
        scene.opened(official, count)
    scene.drop(written(scene, "Advisory: new\nTLP: AMBER\nAudience: all, -us-ca, -de-by,\n-fr\n\n"
                       "Text.\n"))
    scene.opened(scene.officials[0], count + 1)
    scene.receipts(2 * (count + 1))
    got = [len(scene.advisory_mails(official)) - count for official in scene.officials]
    assert got == [1, 0, 0, 0, 1, 1], got


def test_report_written_in_paragraphs_goes_to_whom_it_says(t):
    scene, second = two_publishers(t)
    number = scene.release()["number"]
    scene.opened()
    scene.receipts(2)
    row = scene.drop(contact_mail(scene.official, f"Report: Odder traffic at two plants\n\n"
                                  f"TLP:{NBSP} RED\n\nAbout: {number}\n\n"
                                  "The plant's name is Alpha.\n"))
    assert (row["state"], row["meaning"]) == ("done", "report"), row
    got = newest(scene, scene.publisher, 3)
    assert got.text.startswith("TLP:RED\n") and "Alpha" in got.text, got.text
    assert "1 publisher" in newest(scene, scene.official, 2).text
    row = scene.drop(contact_mail(scene.official, "Report: Odd traffic\n\nWe saw this:\n\n"
                                  "TLP: RED\n\nThe plant's name is Alpha.\n"))
    assert (row["state"], row["meaning"]) == ("refused", "report"), row
    said = " ".join(newest(scene, scene.official, 3).text.split())
    assert 'Line 5' in said and '"TLP: RED" stands in the text' in said, said
    row = scene.drop(contact_mail(scene.official, "Report: Odd traffic\n\nAudience: us-de\n\n"
                                  "The plant's name is Alpha.\n"))
    assert row["state"] == "refused", row
    assert 'there is no field "Audience"' in " ".join(
        newest(scene, scene.official, 4).text.split())
    assert not scene.smarthost.received(second.address)


def test_title_in_the_block_serves_programs_that_protect_no_subject(t):
    """Armor in the text, as webmail extensions send it, and PGP/MIME without a Subject inside."""
    scene = Scene(t)
    publisher = scene.publisher
    text = "Advisory: new\nTLP: AMBER\nAudience: all\n"
    armored = publisher.encrypt(letters.crlf(f"{text}\nThe valve opens by itself.\n".encode()))
    row = scene.drop(publisher.message(letters.text_part(armored.decode()), "Valve"))
    assert row["state"] == "refused", row
    said = " ".join(scene.receipts(1)[0].text.split())
    assert 'write a line such as "Title: Valve opens by itself"' in said, said
    bare = f"{text}Title: Ventil \u00f6ffnet sich\n\nThe valve opens by itself.\n".encode()
    armored = publisher.encrypt(letters.crlf(bare))
    row = scene.drop(publisher.message(letters.text_part(armored.decode()), "Valve"))
    assert row["state"] == "done", row
    number = scene.gateway.released()[0]["number"]
    got = scene.opened()
    assert got.subject.startswith(f"[{number} r1] Ventil \u00f6ffnet sich"), got.subject
    assert "Advisory: new" not in got.text and "The valve opens by itself." in got.text, got.text
    inner = letters.text_part(f"Advisory: update {number}\n\nTitle: Valve, second edition\n\n"
                              "The valve opens by itself.\n")
    scene.drop(publisher.message(letters.encrypted_entity(publisher.encrypt(inner)),
                                 "Encrypted Message"))
    assert scene.opened(count=2).subject.startswith(f"[{number} r2] Valve, second edition")
    scene.receipts(5)
    said = refused(scene, text + "Title: Pump\n\nThe valve opens.\n", 6, "Line 4")
    assert ('Title is "Pump" and the Subject inside the encryption is "Valve": they must agree, '
            "so leave Title out") in said, said
