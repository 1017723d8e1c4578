"""Answers that travelled in the clear: they count, and those concerned are told by encrypted mail,
once."""
import time

import letters
from harness import cases, eventually, limit, sanitized
from scene import TEXT, TITLE, Scene, in_words
from test_acknowledge import only_ack, settle_receipts
from test_remind import admit_admin, alarm
from turning import HOUR, MINUTE

QUIET = 5  # seconds in which a letter to publisher and admins would have come


def told_scene(t, officials=1, **settings):
    """One advisory out, with an admin; all receipts are in."""
    scene = Scene(t, officials, **settings)
    scene.admin = admit_admin(t, scene.gateway)
    scene.number = scene.release()["number"]
    for official in scene.officials:
        scene.smarthost.wait(1, official.address)
    settle_receipts(scene)
    return scene


def notices(scene, official=None):
    """What an official got beside advisories, opened."""
    official = official or scene.official
    advisories = {mail.number for mail in scene.advisory_mails(official)}
    found = [official.open(mail.raw) for mail in scene.smarthost.received(official.address)
             if mail.number not in advisories]
    assert all(notice.good for notice in found), "a notice without the gateway's signature"
    return found


def notice(scene, official=None):
    found = eventually(lambda: notices(scene, official), "the notice to the contact")
    assert len(found) == 1, found
    return found[0]


def alarms(scene, person):
    opened = [person.open(mail.raw) for mail in scene.smarthost.received(person.address)]
    return [letter for letter in opened if letter.subject.startswith("Alarm:")]


@cases("signed", "inline-signed")
@sanitized
def test_answer_in_the_clear_counts_and_contact_publisher_and_admin_are_told(t, shape):
    scene = told_scene(t)
    official, opened = scene.official, scene.opened()
    scene.drop(official.reply(opened, "affected", "two stations", shape=shape))
    ack = only_ack(scene)
    assert (ack["status"], ack["comment"], ack["in_the_clear"]) == (
        "affected", "two stations", "text"), ack
    told = notice(scene)
    assert told.subject == f"[{scene.number} r1] Your answer travelled in the open", told.subject
    for word in ("AMBER", "It counts: affected", "not encrypted", in_words(ack["signed_at"]),
                 scene.gateway.fingerprint, "token"):
        assert word in told.text, (word, told.text)
    for person in (scene.publisher, scene.admin):
        letter = alarm(scene, person)
        assert letter.subject == f"Alarm: {scene.number} r1: 1 answer in the open", letter.subject
        for word in (f"{official.address} (us-de): all of it", in_words(ack["signed_at"], True),
                     "AMBER"):
            assert word in letter.text, (word, letter.text)
        assert "NOT told" not in letter.text, letter.text
    shown = [told.text, told.subject, *(letter.text + letter.subject for person in (
        scene.publisher, scene.admin) for letter in alarms(scene, person))]
    for secret in (opened.token, TITLE, TEXT.splitlines()[0], "two stations"):
        assert not any(secret in text for text in shown), secret
        assert not any(secret.encode() in mail.raw for mail in scene.smarthost.received()), secret
    events = [(row["event"], row["actor"], row["subject"]) for row in scene.gateway.audit()]
    assert ("acknowledgment.clear", f"contact {official.address}",
            f"{scene.number} r1") in events, events
    row, = scene.gateway.rows("advisory", "show", scene.number)["acknowledgments"]
    assert row["in_the_clear"] == "text", row
    assert "IN THE CLEAR" in scene.gateway.ctl("ack", "list", scene.number)


def test_subject_in_the_clear_is_told_and_a_hidden_one_is_not(t):
    scene = told_scene(t, 2)
    first, second = scene.officials
    for official, subject in ((first, "Re: {}"), (second, "Re: [...]")):
        opened = scene.opened(official)
        scene.drop(official.reply(opened, "acting", subject=subject.format(opened.subject)))
    clear = {row["address"]: row["in_the_clear"] for row in scene.acknowledged()}
    assert clear == {first.address: "subject", second.address: ""}, clear
    assert "its Subject was not" in notice(scene, first).text
    letter = alarm(scene, scene.admin)
    assert f"{first.address} (us-de): its Subject" in letter.text, letter.text
    assert second.address not in letter.text, letter.text
    assert notices(scene, second) == []


@sanitized
def test_replayed_or_repeated_answer_in_the_clear_causes_no_second_notice(t):
    """A third party holds what travelled in the open, and can send it again as often as it likes."""
    scene = told_scene(t)
    official, opened = scene.official, scene.opened()
    raw = official.reply(opened, "affected", shape="signed")
    scene.drop(raw)
    notice(scene)
    alarm(scene, scene.admin)
    before = len(scene.smarthost.received())
    entity = raw.partition(b"MIME-Version: 1.0\r\n")[2]
    for again in (letters.message("a@third.example", scene.gateway.address, entity, "one"),
                  letters.message("b@third.example", scene.gateway.address,
                                  letters.with_footer(entity), "two"),
                  official.message(letters.encrypted_entity(official.encrypt(entity, False)))):
        row = scene.drop(again)
        assert row["meaning"] == "duplicate", row
    assert only_ack(scene)["replies"] == 1
    scene.drop(official.reply(opened, "acting", shape="inline-signed"))
    assert only_ack(scene)["replies"] == 2
    time.sleep(QUIET)
    assert len(scene.smarthost.received()) == before, "it caused more mail"
    assert len([row for row in scene.gateway.audit()
                if row["event"] == "acknowledgment.clear"]) == 2


def test_answer_in_the_clear_to_another_revision_is_told_again(t):
    scene = told_scene(t)
    scene.drop(scene.official.reply(scene.opened(), "received", shape="signed"))
    notice(scene)
    scene.release(advisory=f"update {scene.number}", text="Take 2.2.\n")
    mails = eventually(lambda: len(scene.advisory_mails(scene.official)) == 2
                       and scene.advisory_mails(scene.official), "the update")
    scene.drop(scene.official.reply(scene.official.open(mails[-1].raw), "acting", shape="signed"))
    found = eventually(lambda: len(notices(scene)) == 2 and notices(scene), "two notices")
    assert sorted(letter.subject.split("]")[0] for letter in found) == [
        f"[{scene.number} r1", f"[{scene.number} r2"], found


def test_replies_in_the_clear_without_a_token_of_ours_cause_no_notice(t):
    scene = told_scene(t)
    opened = scene.opened()
    stranger = t.official("stranger@nowhere.example")
    stranger.meet(scene.gateway)
    before = len(scene.smarthost.received())
    for official in (stranger, scene.official):
        scene.drop(official.reply(opened, "affected", shape="signed",
                                  token="ABCDEFGHIJKLMNOP", protected=[]))
        scene.drop(official.reply(opened, "affected", shape="plain",
                                  token="ABCDEFGHIJKLMNOP", protected=[]))
    time.sleep(QUIET)
    assert scene.acknowledged() == []
    assert len(scene.smarthost.received()) == before


def reply_to_all(official, opened, text="affected\n\nTwo stations.\n"):
    """What Thunderbird sends when somebody takes its offer "Disable Encryption" after Reply All:
    signing goes off too, and title, token and text travel as they are."""
    quoted = "".join(f"> {line}\n" for line in opened.text.splitlines())
    html = "<br>".join(line for line in opened.text.splitlines())
    entity = letters.multipart("alternative", [
        letters.text_part(f"{text}\nThe gateway wrote:\n{quoted}"),
        letters.text_part(f"<html><body><p>{text}</p><blockquote>{html}</blockquote></body></html>",
                          subtype="html")])
    return official.message(entity, subject=f"Re: {opened.subject}")


@limit(180)
@sanitized
def test_unsigned_mail_in_the_clear_with_the_token_is_told_once_for_each_address(t):
    """The token proves the leak, whoever wrote it; the address says only whom to tell."""
    scene = told_scene(t, 2)
    first, second = scene.officials
    opened = scene.opened(first)
    row = scene.drop(reply_to_all(first, opened))
    assert (row["state"], row["meaning"], row["shape"]) == ("done", "unknown", "plain"), row
    told = notice(scene, first)
    assert told.subject == (
        f"[{scene.number} r1] A mail with your address travelled in the open"), told.subject
    for word in ("was not encrypted", "does not count", "TLP:AMBER", "not to all",
                 scene.gateway.fingerprint, "If you did not write it"):
        assert word in told.text, (word, told.text)
    for person in (scene.publisher, scene.admin):
        letter = alarm(scene, person)
        assert letter.subject == (
            f"Alarm: {scene.number} r1: its token travelled in the open"), letter.subject
        assert f"{first.address} (us-de): all of it" in letter.text, letter.text
    before = len(scene.smarthost.received())
    scene.drop(reply_to_all(first, opened, "acting\n"))  # the same address: not once more
    for _ in range(2):
        scene.gateway.kill_everything()
        scene.gateway.start()
        scene.drop(reply_to_all(first, opened, f"received\n"))
    time.sleep(QUIET)
    assert len(scene.smarthost.received()) == before, "it caused more mail"
    stranger = t.official("somebody@elsewhere.example")
    stranger.meet(scene.gateway)
    for count in range(2):
        scene.drop(reply_to_all(stranger, opened, f"hello {count}\n"))
    eventually(lambda: len(alarms(scene, scene.admin)) == 2, "an alarm about the stranger's")
    scene.drop(reply_to_all(second, opened))
    assert notice(scene, second).subject == told.subject
    eventually(lambda: len(alarms(scene, scene.admin)) == 3, "an alarm about the second's")
    assert "somebody@elsewhere.example (nobody who was sent it)" in alarms(
        scene, scene.admin)[1].text
    secrets = (opened.token, TITLE, TEXT.splitlines()[0], "Two stations")
    for text in [told.text, *(letter.text for letter in alarms(scene, scene.admin))]:
        assert not any(secret in text for secret in secrets), text
    time.sleep(QUIET)
    assert len(alarms(scene, scene.admin)) == 3
    assert len(notices(scene, first)) == 1 and scene.acknowledged() == []
    assert len([row for row in scene.gateway.audit() if row["event"] == "token.clear"]) == 3


def test_token_in_the_outer_subject_of_what_does_not_count_is_told(t):
    scene = told_scene(t)
    opened = scene.opened()
    raw = scene.official.reply(opened, "affected", sign=False, token="", protected=[],
                               subject=f"Re: {opened.subject}")
    scene.drop(raw)
    assert "Its Subject holds the token" in notice(scene).text
    assert f"{scene.official.address} (us-de): its Subject" in alarm(scene, scene.admin).text


def test_answer_that_counts_in_the_clear_is_told_though_its_address_was_used_before(t):
    scene = told_scene(t)
    opened = scene.opened()
    scene.drop(reply_to_all(scene.official, opened))
    notice(scene)
    scene.drop(scene.official.reply(opened, "affected", shape="signed"))
    found = eventually(lambda: len(notices(scene)) == 2 and notices(scene), "two notices")
    assert "It counts: affected" in found[1].text, found[1].text
    scene.drop(reply_to_all(scene.official, opened, "acting\n"))
    eventually(lambda: len(alarms(scene, scene.admin)) == 2, "both alarms")
    time.sleep(QUIET)
    assert len(notices(scene)) == 2


def test_receipt_names_who_answered_in_the_clear(t):
    scene = Scene(t, 2, script=["rcpt cert@us-ca.example 3 reply 451 4.2.0 later"],
                  retry={"first": "1h", "most": "1h"})
    first, second = scene.officials
    scene.release()
    scene.drop(first.reply(scene.opened(first), "acting", shape="signed"))
    assert scene.acknowledged()[0]["in_the_clear"] == "text"

    def complete():
        scene.poke()
        return [r for r in scene.receipts() if r.subject.startswith("Complete:")]
    receipt, = eventually(complete, "the receipt when all is handed over")
    assert "Answered in the open" in receipt.text, receipt.text
    assert f"{first.address} (us-de): all of it" in receipt.text, receipt.text
    assert f"{second.address} (us-ca): all" not in receipt.text, receipt.text


def test_contact_who_cannot_be_told_stands_so_in_the_letter(t):
    calendar = t.calendar()
    scene = Scene(t, 0)
    scene.admin = admit_admin(t, scene.gateway)
    official = scene.gateway.admit(t.official("late@us-de.example", expires=f"seconds={HOUR}"))
    scene.officials.append(official)
    scene.release()
    mail, = eventually(lambda: scene.advisory_mails(official), "the advisory")
    raw = official.reply(official.open(mail.raw), "acting", shape="signed")
    calendar.forward(HOUR + MINUTE)
    scene.drop(raw)
    assert only_ack(scene)["in_the_clear"] == "text"

    def letter():
        return [a for a in alarms(scene, scene.admin) if "in the open" in a.subject]
    text = eventually(letter, "the letter to the admin")[0].text
    assert "NOT told: " in text and "expired" in text, text


@limit(180)
def test_notice_survives_kills_and_is_sent_once(t):
    scene = told_scene(t)
    scene.gateway.drop(scene.official.reply(scene.opened(), "affected", shape="signed"))
    eventually(lambda: scene.acknowledged(), "the acknowledgment", pause=0.01)
    for _ in range(3):
        scene.gateway.kill_everything()
        scene.gateway.start()
        time.sleep(0.7)
    notice(scene)
    alarm(scene, scene.publisher)
    alarm(scene, scene.admin)
    time.sleep(QUIET)
    messages = scene.gateway.store_rows(
        "SELECT kind, count(*) FROM message WHERE kind IN ('notice', 'alarm') GROUP BY kind")
    assert messages == [("alarm", 1), ("notice", 1)], messages
