"""An official with Claws Mail needs to tick Sign, and nothing else."""
import email

from claws import Claws
from scene import TITLE, Scene
from test_acknowledge import only_ack


def test_official_answers_below_and_above_the_quotation_of_claws_mail(t):
    t.needs("claws-mail", "xdotool")
    scene = Scene(t)
    scene.release()
    claws = Claws(t, scene.official, scene.gateway, scene.smarthost)
    claws.open(scene.smarthost.only(scene.official.address))
    row = reply(scene, claws, "affected\nTwo sites.\n")  # as it comes: not signed
    assert row["refusal"] == "not-signed" and not scene.acknowledged(), row
    answer(scene, claws, "affected\nTwo sites.\n", ("affected", "Two sites."))
    answer(scene, claws, "Not affected.\nNone here.\n\n", ("not affected", "None here."), above=True)


def reply(scene, claws, text, **options):
    """Replies, and asserts that nothing is said in the clear; the row in the inbox."""
    raw = claws.reply(text, **options)
    assert email.message_from_bytes(raw).get_content_type() == "multipart/encrypted"
    assert TITLE.encode() not in raw and scene.opened().token.encode() not in raw
    return scene.drop(raw)


def answer(scene, claws, text, expected, **options):
    row = reply(scene, claws, text, sign=True, **options)
    assert (row["state"], row["meaning"]) == ("done", "acknowledgment"), row
    ack = only_ack(scene)
    assert (ack["status"], ack["comment"].strip()) == expected, ack
