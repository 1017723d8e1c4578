"""Thunderbird as it comes, with its HTML composer, is all that officials and publishers need."""
import email

from scene import TITLE, Scene
from test_acknowledge import only_ack
from thunderbird import REPLY_ALL, Thunderbird
from turning import HOUR

# Longer than a window, with a signature that programs quote nothing below.
LONG = "\n".join(f"Step {number}: look at controller {number}." for number in range(1, 61))
LONG = f"{LONG}\n\n-- \nPat Doe\nVendor, product security\n"


def test_official_reads_answers_below_and_above_the_quotation_and_reports(t):
    t.needs("thunderbird")
    scene = Scene(t)
    scene.release(text=LONG)
    thunderbird = Thunderbird(t, scene.official, scene.gateway, scene.smarthost)
    shown = thunderbird.open(scene.smarthost.only(scene.official.address))
    assert shown["icons"] == ["encrypted-ok", "signed-verified"] and not shown["notices"], shown
    assert TITLE in shown["subject"] and "Step 60:" in shown["text"], shown
    for words in ("TLP:AMBER", "received, affected, not affected", scene.opened().token):
        assert thunderbird.sees(words), f"to be scrolled to: {words}\n{shown['text']}"

    seen = thunderbird.reply()
    assert seen["to"] == [scene.gateway.address] and seen["html"], seen
    assert seen["encrypts"] and seen["signs"] and not seen["lacking"], seen
    thunderbird.type("affected\nTwo sites in the south.")
    answer(scene, thunderbird, "affected", "Two sites in the south.")

    thunderbird.reply()
    thunderbird.press("Home")  # above the quotation
    thunderbird.press("b")
    thunderbird.type("Acting")
    thunderbird.press("b")
    thunderbird.type("\nWe  install it tonight.\n")  # two blanks, of which one does not break
    answer(scene, thunderbird, "acting", "We install it tonight.")

    seen = thunderbird.reply(REPLY_ALL)
    assert seen["to"] == [scene.gateway.address, "advisories@gw.example"], seen
    assert not seen["lacking"] and not seen["notices"], f"offers to send in the clear: {seen}"
    assert seen["encrypts"] and seen["signs"], seen
    thunderbird.type("Not affected\nAfter all.\n")
    answer(scene, thunderbird, "not affected", "After all.")

    number = scene.gateway.advisories()[0]["number"]
    thunderbird.write("...", f"Report: Odd traffic\nTLP: RED\nAbout: {number}\nWe saw it on Monday.")
    row = scene.drop(thunderbird.send())
    assert (row["state"], row["meaning"]) == ("done", "report"), row
    assert scene.gateway.rows("report", "list")[0]["tlp"] == "RED"


def answer(scene, thunderbird, status, comment):
    """Sends what was written, and asserts what is recorded of it."""
    raw = thunderbird.send()
    assert email.message_from_bytes(raw).get_content_type() == "multipart/encrypted"
    assert TITLE.encode() not in raw and scene.opened().token.encode() not in raw
    row = scene.drop(raw)
    assert (row["state"], row["meaning"]) == ("done", "acknowledgment"), row
    ack = only_ack(scene)
    assert (ack["status"], " ".join(ack["comment"].split())) == (status, comment), ack


def test_publisher_writes_a_control_block_with_enter_between_the_fields(t):
    """Each is a paragraph then, with an empty line below it in the plain text."""
    t.needs("thunderbird")
    scene = Scene(t, 2)
    thunderbird = Thunderbird(t, scene.publisher, scene.gateway, scene.smarthost)
    seen = thunderbird.write(TITLE, "Advisory: new\nTLP:  RED\nAudience: cert@us-de.example\n"
                             "Acknowledge: 4h\nExercise: yes\nThe controller takes anything.\nStop it.")
    assert seen["html"] and seen["signs"] and seen["attaches"] and not seen["lacking"], seen
    row = scene.drop(thunderbird.send())
    assert (row["state"], row["meaning"]) == ("done", "advisory"), scene.receipts()[0].text
    opened = scene.opened()
    assert TITLE in opened.subject and "EXERCISE" in opened.subject, opened.subject
    assert not opened.attachments, "the publisher's own key, which goes along, went on to officials"
    text = opened.text
    assert "The controller takes anything." in text and "Stop it." in text, text
    assert "Acknowledge:" not in text and "Exercise:" not in text, text
    advisory = scene.gateway.rows("advisory", "show", scene.gateway.advisories()[0]["number"])
    assert (advisory["tlp"], advisory["exercise"]) == ("RED", True), advisory
    revision = advisory["revisions"][0]
    assert revision["audience"] == "cert@us-de.example", revision
    seconds = scene.gateway.seconds
    assert seconds(revision["acknowledge_by"]) - seconds(revision["released_at"]) == 4 * HOUR
