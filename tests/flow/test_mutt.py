"""An official needs nothing but an ordinary mail program, and in it nothing but Reply."""
import email

from harness import cases, eventually
from mutt import Mutt, Neomutt
from scene import TITLE, Scene
from test_acknowledge import only_ack, settle_receipts
from turning import HOUR, MINUTE


def at_desk(t, **options):
    """A scene with one advisory out and its official at mutt."""
    t.needs("mutt")
    scene = Scene(t)
    scene.release()
    settle_receipts(scene)
    return scene, Mutt(scene.official, scene.gateway, **options)


def test_advisory_is_read_with_its_title_and_a_good_signature(t):
    scene, mutt = at_desk(t)
    shown = mutt.read(scene.smarthost.only(scene.official.address))
    assert "Good signature from" in shown and "BAD signature" not in shown, shown[-3000:]
    assert TITLE in shown and "Install version 2.1." in shown, shown[-3000:]


@cases("received", "affected", "not affected", "acting", "unreadable")
def test_reply_acknowledges(t, status):
    scene, mutt = at_desk(t)
    mail = scene.smarthost.only(scene.official.address)
    row = scene.drop(mutt.reply(mail, f"{status}\n\nTwo stations in the south.\n"))
    assert (row["state"], row["meaning"]) == ("done", "acknowledgment"), row
    ack = only_ack(scene)
    assert (ack["address"], ack["status"]) == (scene.official.address, status), ack
    assert ack["comment"].strip().startswith("Two stations in the south."), ack


def test_reply_says_nothing_in_the_clear(t):
    scene, mutt = at_desk(t)
    raw = mutt.reply(scene.smarthost.only(scene.official.address), "affected\n")
    assert TITLE.encode() not in raw and scene.opened().token.encode() not in raw
    assert email.message_from_bytes(raw).get_content_type() == "multipart/encrypted"
    scene.drop(raw)
    assert only_ack(scene)["status"] == "affected"


def test_advisory_warns_those_whose_program_would_send_its_title_in_the_clear(t):
    """mutt as it comes protects no subject of its own: the letter tells people to shorten it."""
    scene, mutt = at_desk(t, protect=False)
    raw = mutt.reply(scene.smarthost.only(scene.official.address), "affected\n")
    assert TITLE.encode() in raw.partition(b"\n\n")[0], "mutt hides it now: the warning can go"
    assert "sends subjects in the clear" in scene.opened().text
    shortened = mutt.reply(scene.smarthost.only(scene.official.address), "affected\n",
                           subject="Re: ...")
    assert TITLE.encode() not in shortened
    scene.drop(shortened)
    assert only_ack(scene)["status"] == "affected"


REPORT = """\
Report: Odd traffic at two plants
TLP: GREEN

We saw it on Monday.
"""


def test_new_mail_reports_and_the_answer_comes_back(t):
    scene, mutt = at_desk(t)
    trace = t.dir / "trace.bin"
    trace.write_bytes(b"\x00\x01packets")
    row = scene.drop(mutt.write("...", REPORT, [trace]))
    assert (row["state"], row["meaning"]) == ("done", "report"), row
    told = len(scene.smarthost.received(scene.publisher.address))
    got = next_letter(scene, scene.publisher, "Odd traffic at two plants")
    assert "We saw it on Monday." in got.text, told
    assert [part[2] for part in got.attachments] == [b"\x00\x01packets"]
    number = next_letter(scene, scene.official, "REP-").subject
    assert scene.gateway.rows("report", "list")[0]["number"] in number


def test_reply_with_a_report_above_the_quoted_advisory_is_a_report(t):
    """The token in the quotation makes no acknowledgment of it: the first line says what it is."""
    scene, mutt = at_desk(t)
    mail = scene.smarthost.only(scene.official.address)
    row = scene.drop(mutt.reply(mail, REPORT, subject="Re: ..."))
    assert (row["state"], row["meaning"]) == ("done", "report"), row
    assert scene.acknowledged() == []
    assert "We saw it on Monday." in next_letter(scene, scene.publisher, "Odd traffic").text


def test_reply_asks_for_a_material(t):
    scene, mutt = at_desk(t)
    guide = t.dir / "guide.pdf"
    guide.write_bytes(b"%PDF guide")
    scene.gateway.ctl("material", "add", "guide", guide, "--for", "all", "--title", "How to")
    mail = scene.smarthost.only(scene.official.address)
    row = scene.drop(mutt.reply(mail, "Request: guide\n\n", subject="Re: ..."))
    assert (row["state"], row["meaning"]) == ("done", "request"), row
    got = scene.opened(count=2)
    assert [part[2] for part in got.attachments] == [b"%PDF guide"]


def test_reply_to_a_reminder_acknowledges(t):
    t.needs("mutt")
    calendar = t.calendar()
    scene = Scene(t, reminders={"stages": "10%"})
    scene.release(acknowledge="10h")
    mutt = Mutt(scene.official, scene.gateway)
    calendar.forward(HOUR + MINUTE)
    scene.poke()
    reminder = scene.smarthost.wait(2, scene.official.address)[1]
    assert "Reminder" in scene.official.open(reminder.raw).subject
    scene.drop(mutt.reply(reminder, "affected\n"))
    assert only_ack(scene)["status"] == "affected"


def test_reply_to_a_warning_brings_the_renewed_key(t):
    t.needs("mutt")
    scene = Scene(t, 0)
    official = t.official("cert@us-tx.example", expires="20d")
    scene.gateway.admit(official)
    warning = scene.smarthost.only(official.address)
    assert "Key: update" in official.open(warning.raw).text
    official.prolong("2y")
    renewed = t.dir / "key.asc"
    renewed.write_bytes(official.certificate)
    mutt = Mutt(official, scene.gateway)
    row = scene.drop(mutt.reply(warning, "Key: update\n\n", [renewed]))
    assert (row["state"], row["meaning"], row["reason"]) == ("done", "key", "renewed"), row
    assert "renewed" in scene.opened(official, 2).subject


@cases("accept", "decline")
def test_reply_answers_the_invitation(t, word):
    t.needs("mutt")
    scene = Scene(t, 0)
    official = t.official("cert@us-tx.example")
    scene.gateway.add_key(official)
    official.meet(scene.gateway)
    (t.dir / "agreement").write_text("Keep it to yourself until it is public.\n")
    scene.gateway.ctl("agreement", "publish", t.dir / "agreement")
    scene.gateway.ctl("member", "invite", "us-tx", "--name", "State of Texas", "--contact",
                      official.address, "--key", official.fingerprint)
    mutt = Mutt(official, scene.gateway)
    invitation = scene.smarthost.only(official.address)
    row = scene.drop(mutt.reply(invitation, f"{word}\n\nWith regards from Austin\n"))
    assert (row["state"], row["meaning"], row["reason"]) == ("done", "agreement", word), row
    state = scene.gateway.rows("member", "show", "us-tx")["state"]
    assert state == {"accept": "active", "decline": "left"}[word]


def test_neomutt_publishes_and_answers(t):
    t.needs("neomutt")
    scene = Scene(t)
    desk = Neomutt(scene.publisher, scene.gateway)
    row = scene.drop(desk.write(TITLE, f"{scene.publisher.block(tlp='GREEN')}\nInstall it.\n"))
    assert (row["state"], row["meaning"]) == ("done", "advisory"), row
    mail = scene.smarthost.only(scene.official.address)
    neomutt = Neomutt(scene.official, scene.gateway)
    raw = neomutt.reply(mail, "affected\n\nTwo stations in the south.\n")
    assert "Good signature from" in neomutt.screen and "BAD signature" not in neomutt.screen
    assert TITLE in neomutt.screen and TITLE.encode() not in raw
    scene.drop(raw)
    ack = only_ack(scene)
    assert ack["status"] == "affected", ack
    assert ack["comment"].strip().startswith("Two stations in the south."), ack


def next_letter(scene, person, words):
    """The letter to a person whose protected subject holds these words."""
    def found():
        opened = [person.open(mail.raw) for mail in scene.smarthost.received(person.address)]
        return next((mail for mail in opened if words in mail.subject), None)
    letter = eventually(found, f"a letter to {person.address} about {words}")
    assert letter.good, "no good signature by the gateway"
    return letter
