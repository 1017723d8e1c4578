"""Answers that do not count: whoever has proven to have written one is told, once, by encrypted
mail, and what to change. A clock that is ahead by a little is waited for."""
import re
import time

import letters
from harness import eventually, limit, now, sanitized
from scene import Scene
from test_acknowledge import only_ack
from test_clear import QUIET, notices, told_scene
from test_remind import STAGES, after, alarm, ask, people, wait_for
from turning import HOUR, MINUTE


def signed_with(official, text, *options, faked=None):
    """Encrypted and signed in one run, as gpg does it with these options."""
    inner = letters.text_part(text)
    run = official.home.gpg("--armor", *options, "-u", official.fingerprint, "-r",
                            official.gateway[1], "--sign", "--encrypt", given=inner, faked=faked)
    return official.message(letters.encrypted_entity(run.out))


def told_once(scene, raw, reason, official=None):
    """The mail is refused, and the contact reads this of it."""
    official = official or scene.official
    before = len(notices(scene, official))
    row = scene.drop(raw)
    assert row["state"] != "received" and scene.acknowledged() == [], row
    found = eventually(lambda: len(notices(scene, official)) == before + 1
                       and notices(scene, official), f"the word of {row}")
    told = found[-1]
    assert reason in told.text, told.text
    assert f"arrival {row['id']}" in told.text, told.text
    return told


WRAPPED = {
    "two signatures": lambda o, text, second: o.message(letters.encrypted_entity(
        o.encrypt(letters.text_part(text), signers=[o.fingerprint, second]))),
    "signed once more inside": lambda o, text, second: o.message(letters.encrypted_entity(
        o.encrypt(letters.signed_entity(letters.text_part(text), o.sign(
            letters.text_part(text), "--detach-sign"))))),
    "the advisory attached": lambda o, text, second: o.message(letters.encrypted_entity(o.encrypt(
        letters.multipart("mixed", [letters.text_part("affected\n"), attached(
            letters.text_part(text, [("Subject", "The advisory")]))])))),
}


def attached(entity, parameters=""):
    return letters.headers([("Content-Type", f"message/rfc822{parameters}")]) + b"\r\n" + entity


@limit(180)
@sanitized
def test_contact_is_told_once_why_a_signed_answer_does_not_count(t):
    """I19."""
    scene = told_scene(t)
    official, opened = scene.official, scene.opened()
    text = official.reply_text(opened, "affected", "two stations")
    second = official.home.make_key("Second key <second@us-de.example>")
    told = told_once(scene, signed_with(official, text, "--digest-algo", "SHA1"),
                     "the signature uses a weak algorithm")
    assert told.subject == f"[{scene.number} r1] Your answer does not count", told.subject
    assert "SHA-256" in told.text and "TLP:AMBER" in told.text, told.text
    for secret in (opened.token, "two stations", "firmware"):
        assert secret not in told.text + told.subject
    told_once(scene, WRAPPED["two signatures"](official, text, second),
              "more than one signature")
    told_once(scene, WRAPPED["signed once more inside"](official, text, second),
              "signed or encrypted once more")
    told_once(scene, WRAPPED["the advisory attached"](official, text, second),
              "in an attachment alone")
    told_once(scene, official.reply(opened, shape="signed-inside", faked=now() - 2 * HOUR),
              "signed before the release")
    inner = letters.text_part(text)
    expires = official.message(letters.encrypted_entity(official.encrypt(letters.signed_entity(
        inner, official.home.gpg("--armor", "--default-sig-expire", "seconds=1", "--detach-sign",
                                 given=inner).out), False)))
    time.sleep(2.1)
    told_once(scene, expires, "the signature has expired")
    outside = official.reply(opened, token="", protected=[], subject=f"Re: {opened.subject}")
    told = told_once(scene, outside, "outside what is signed")
    assert "travelled in the open" in told.subject, told.subject  # the one letter says both
    before = len(scene.smarthost.received())
    for raw in (signed_with(official, text + "again\n", "--digest-algo", "SHA1"),
                WRAPPED["two signatures"](official, text + "again\n", second),
                official.reply(opened, "", more=[("Auto-Submitted", "auto-replied")],
                               shape="signed-inside", faked=now() - 3 * HOUR)):
        scene.drop(raw)
        scene.gateway.kill_everything()
        scene.gateway.start()
    time.sleep(QUIET)
    told = [mail for mail in scene.smarthost.received()[before:]
            if mail.recipient == official.address]
    assert not told, "it caused more mail"
    scene.drop(official.reply(opened, "affected"))
    assert only_ack(scene)["status"] == "affected"


@sanitized
def test_answer_that_is_not_signed_well_causes_no_mail(t):
    """Whoever can write to the gateway could send these under any address."""
    scene = told_scene(t, 2)
    first, second = scene.officials
    opened = scene.opened(first)
    stranger = t.official("stranger@nowhere.example")
    stranger.meet(scene.gateway)
    inner = letters.text_part(first.reply_text(opened, "affected"))
    swapped = letters.encrypted_entity(first.encrypt(letters.signed_entity(
        inner, first.sign(letters.text_part("other words\n"), "--detach-sign")), False))
    before = len(scene.smarthost.received())
    for raw in (first.reply(opened, "affected", sign=False),
                first.message(swapped),
                letters.message(first.address, scene.gateway.address, stranger.reply(
                    opened, "affected").partition(b"MIME-Version: 1.0\r\n")[2]),
                first.reply(opened, "", more=[("Auto-Submitted", "auto-replied")], signers=[
                    first.fingerprint, first.home.make_key("Two <two@us-de.example>")])):
        scene.drop(raw)
    row = scene.drop(scene.publisher.publish("A title", "Open it.\n", signed=False))
    assert row["reason"] == (
        f"it is not signed; it says it is from {scene.publisher.address}"), row
    time.sleep(QUIET)
    assert len(scene.smarthost.received()) == before, "one of them caused mail"
    assert scene.acknowledged() == [] and len(scene.gateway.advisories()) == 1
    # Whom the gateway does not tell, its admins see.
    found, = [row for row in scene.gateway.rows("check", may_fail=True)["findings"]
              if row["what"] == "answers"]
    assert found["result"] == "warning" and "3 mails came" in found["detail"], found


def test_answer_to_what_was_not_sent_to_the_contact_is_told_without_its_number(t):
    scene = Scene(t, 2)
    first, second = scene.officials
    scene.number = scene.release(audience=first.address)["number"]
    raw = second.reply(scene.opened(first), "affected")
    told = told_once(scene, raw, "not delivered to this contact", second)
    assert told.subject == "Your answer does not count", told.subject
    assert scene.number not in told.text and "AMBER" not in told.text, told.text


@limit(180)
def test_answer_by_a_clock_ahead_is_waited_for_and_counts_when_its_time_has_come(t):
    calendar = t.calendar()
    scene = Scene(t)
    scene.release()
    opened = scene.opened()
    at = now() + 10 * MINUTE
    raw = scene.official.reply(opened, "affected", "two stations", shape="signed-inside", faked=at)
    scene.gateway.drop(raw)
    scene.mails += 1

    def waits():
        row = scene.gateway.rows("inbox", "list")[0]
        return "dated in the future" in row["reason"] and row
    row = eventually(waits, "that it waits")
    assert (row["state"], row["meaning"]) == ("received", "acknowledgment"), row
    assert row["waits_until"] and scene.acknowledged() == [], row
    scene.gateway.kill_everything()
    scene.gateway.start()
    calendar.forward(3 * MINUTE)
    scene.poke()
    time.sleep(1)
    assert scene.acknowledged() == []
    calendar.to(at)
    scene.poke()
    ack = eventually(scene.acknowledged, "the acknowledgment")[0]
    assert (ack["status"], ack["comment"].strip()) == ("affected", "two stations"), ack
    assert abs(scene.gateway.seconds(ack["signed_at"]) - at) <= 1, ack
    assert scene.gateway.rows("inbox", "list")[0]["state"] == "done"


@limit(240)
def test_next_reminder_says_that_an_answer_came_that_does_not_count(t):
    """What nobody has proven to have written causes no mail, but is said where a mail goes anyway."""
    scene = people(t, reminders=STAGES)
    ask(scene)
    first, backup, other = scene.officials
    opened = {official.address: scene.opened(official) for official in scene.officials}
    stranger = t.official("stranger@nowhere.example")
    stranger.meet(scene.gateway)
    for raw in (first.reply(opened[first.address], "affected", sign=False),
                letters.message(backup.address, scene.gateway.address, stranger.reply(
                    opened[backup.address], "acting").partition(b"MIME-Version: 1.0\r\n")[2]),
                other.message(letters.encrypted_entity(other.encrypt(
                    letters.text_part("Thank you, received.\n"))))):
        scene.drop(raw)
    after(scene, 0.25)
    wait_for(scene, 2)
    told = scene.opened(first, 2)
    assert "Reminder" in told.subject and told.token == opened[first.address].token
    for words in ("came with your address. It does not count", "it is not signed", "Claws Mail: Options, Sign"):
        assert words in told.text, told.text
    assert "affected" not in told.text.partition("If it was yours")[0]
    told = scene.opened(other, 2)
    assert "it holds no token of an advisory" in told.text, told.text
    assert "not signed" not in told.text, told.text
    assert len(scene.smarthost.received(backup.address)) == 1
    scene.drop(other.reply(told, "received"))
    after(scene, 1)
    wait_for(scene, 4)
    told = scene.opened(backup, 2)
    assert "the signing key is unknown" in told.text, told.text
    for person in (scene.publisher, scene.admin):
        text = alarm(scene, person).text
        assert "first@us-de.example: a mail came with that address that does not count: it is " \
            "not signed" in text, text
        assert "cert@fr.example" not in text, text


def test_reminder_of_a_member_says_it_of_a_colleague(t):
    scene = people(t, reminders=STAGES)
    ask(scene)
    scene.drop(scene.backup.reply(scene.opened(scene.backup), "affected", sign=False))
    scene.drop(scene.other.reply(scene.opened(scene.other), "received"))
    after(scene, 0.25)
    told = scene.opened(scene.first, 2)
    assert "the address of a colleague" in told.text and "not signed" in told.text, told.text


# What is taken though it looks odd.

def pep(official, text):
    """pEp's message format 2: what was meant is a mail in the mail, all of it signed."""
    inner = letters.text_part(f"pEp-Wrapped-Message-Info: INNER\nSubject: Re: advisory\n\n{text}")
    return letters.multipart("mixed", [
        letters.text_part("pEp-Wrapped-Message-Info: OUTER\n\npEp\n"),
        attached(letters.headers([("Subject", "Re: advisory"), ("From", official.user_id)]) + inner),
        letters.attachment("sender_key.asc", official.certificate, "application/pgp-keys")])


def forwarded_no(official, text):
    return letters.multipart("mixed", [letters.text_part("wrapped\n"), attached(
        letters.text_part(text, [("Subject", "Re: advisory")]), '; forwarded="no"')])


ODD = {
    "as pEp wraps it": lambda o, text: o.encrypt(pep(o, text)),
    "in a mail that was not forwarded": lambda o, text: o.encrypt(forwarded_no(o, text)),
    "in a mail alone": lambda o, text: o.encrypt(attached(letters.text_part(text))),
    "with a password beside the key": lambda o, text: o.home.gpg(
        "--armor", "-u", o.fingerprint, "-r", o.gateway[1], "--sign", "--encrypt", "--symmetric",
        "--passphrase", "a password", given=letters.text_part(text)).out,
    "with hidden recipients": lambda o, text: o.home.gpg(
        "--armor", "-u", o.fingerprint, "-R", o.gateway[1], "--sign", "--encrypt",
        given=letters.text_part(text)).out,
    "with the token in small letters": lambda o, text: o.encrypt(letters.text_part(
        re.sub(r"[A-Z2-7]{16}", lambda found: found[0].lower(), text))),
    "with the token in two lines": lambda o, text: o.encrypt(letters.text_part(
        re.sub(r"([A-Z2-7]{8})([A-Z2-7]{8})", r"\1\n> \2", text))),
    "with a soft hyphen in the token": lambda o, text: o.encrypt(letters.text_part(
        re.sub(r"([A-Z2-7]{8})([A-Z2-7]{8})", "\\1\u00ad\\2", text))),
}


@limit(120)
@sanitized
def test_odd_answers_count_where_all_of_it_is_signed(t):
    scene = told_scene(t)
    official, opened = scene.official, scene.opened()
    wrong = []
    for count, (name, build) in enumerate(ODD.items()):
        text = official.reply_text(opened, "not affected", f"No {count}.")
        row = scene.drop(official.message(letters.encrypted_entity(build(official, text))))
        acks = scene.acknowledged()
        if not acks or (acks[0]["status"], acks[0]["comment"].strip(), acks[0]["replies"]) != (
                "not affected", f"No {count}.", count + 1):
            wrong.append((name, row, acks))
    assert not wrong, wrong
    assert not notices(scene)


def test_publisher_who_wraps_a_mail_is_refused_with_a_receipt(t):
    scene = Scene(t)
    publisher = scene.publisher
    entity = attached(publisher.entity(f"{publisher.block()}\nOpen it.\n", "A title"))
    row = scene.drop(publisher.message(letters.encrypted_entity(publisher.encrypt(entity))))
    assert row["state"] == "refused", row
    assert "attached to the mail" in scene.receipts(1)[0].text
    assert scene.gateway.advisories() == []
