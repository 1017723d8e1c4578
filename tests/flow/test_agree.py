"""Membership by choice, and the agreement that comes before every advisory."""
import datetime
import time

import keys
import letters
from harness import cases, eventually, now, sanitized
from scene import Scene
from turning import HOUR, MINUTE

TEXT = "Keep it to yourself until it is public.\nReport what you see.\n"
OTHER = "Keep it to yourself, and tell us when it leaked.\n"


def when(seconds_from_now):
    moment = datetime.datetime.fromtimestamp(now() + seconds_from_now, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def publish(scene, text=TEXT, required_in=None, expires_in=None):
    path = scene.t.dir / "agreement.txt"
    path.write_text(text)
    words = [] if required_in is None else ["--required-from", when(required_in)]
    words += [] if expires_in is None else ["--expires", when(expires_in)]
    scene.gateway.ctl("agreement", "publish", path, *words)


def invite(scene, address="cert@us-tx.example", member="us-tx"):
    official = scene.t.official(address)
    scene.gateway.add_key(official)
    official.meet(scene.gateway)
    scene.gateway.ctl("member", "invite", member, "--name", "State of Texas", "--kind", "local",
                      "--contact", official.address, "--contact-name", official.name, "--key",
                      official.fingerprint, "--clearance", "RED")
    scene.gateway.known_members.add(member)
    return official


def answer(scene, official, opened, word="accept", **options):
    """Drops the reply; its row in the inbox."""
    return scene.drop(official.reply(opened, word, **options))


def status(scene, official):
    rows = scene.gateway.rows("agreement", "status")
    return next(row for row in rows if row["address"] == official.address)


def member(scene, name):
    return scene.gateway.rows("member", "show", name)["state"]


def reason(scene, number, official):
    """Why the newest revision was not delivered; "" when it was."""
    row = next(row for row in scene.gateway.deliveries(number)
               if row["address"] == official.address)
    return row["reason"] if row["state"] == "failed" else ""


def named_in_receipt(scene, official):
    def named():
        lines = scene.receipts()[-1].text.splitlines()
        at = [i for i, line in enumerate(lines) if official.address in line]
        return " ".join(lines[at[0]:at[0] + 3]) if at else None
    return eventually(named, f"{official.address} in a receipt")


@sanitized
def test_invited_member_that_accepts_gets_advisories(t):
    scene = Scene(t, 0)
    publish(scene)
    official = invite(scene)
    invitation = scene.opened(official)
    assert "State of Texas is invited" in invitation.text
    assert TEXT.strip() in invitation.text and invitation.token
    assert invitation.token in invitation.subject
    assert member(scene, "us-tx") == "invited"
    row = answer(scene, official, invitation)
    assert (row["state"], row["meaning"], row["reason"]) == ("done", "agreement", "accept"), row
    assert member(scene, "us-tx") == "active"
    assert status(scene, official)["suffices"] and status(scene, official)["signed_version"] == 1
    scene.release()
    assert "[DEW-" in scene.opened(official, 2).subject
    # The answer is an acceptance and nothing else, and the advisory's own reply still counts.
    assert scene.acknowledged() == []
    scene.drop(official.reply(scene.opened(official, 2), "affected"))
    assert [ack["status"] for ack in scene.acknowledged()] == ["affected"]


@cases("accept", "Agree", "I accept.")
def test_first_line_says_accept_or_agree(t, word):
    scene = Scene(t, 0)
    publish(scene)
    official = invite(scene)
    answer(scene, official, scene.opened(official), word)
    assert member(scene, "us-tx") == "active"


@cases("signed-inside", "signed", "inline-signed", "inline-encrypted")
def test_every_shape_of_signed_reply_counts(t, shape):
    scene = Scene(t, 0)
    publish(scene)
    official = invite(scene)
    row = answer(scene, official, scene.opened(official), shape=shape)
    assert row["reason"] == "accept" and member(scene, "us-tx") == "active", row


@sanitized
def test_whoever_has_not_signed_is_left_out_by_name(t):
    """An invited member, and an active one that was there before the agreement was."""
    scene = Scene(t, 2)
    first, second = scene.officials
    publish(scene)
    invited = invite(scene)
    answer(scene, first, scene.opened(first))
    scene.smarthost.wait(1, second.address)
    scene.smarthost.wait(1, invited.address)
    number = scene.release()["number"]
    assert "[DEW-" in scene.opened(first, 2).subject
    assert "agreement version 1 is not signed" in named_in_receipt(scene, second)
    assert "invited" in named_in_receipt(scene, invited)
    for official in (second, invited):
        assert reason(scene, number, official)
        assert len(scene.smarthost.received(official.address)) == 1
        assert official.address in scene.gateway.ctl("check", may_fail=True)
    eventually(lambda: member(scene, "us-ca") == "lapsed", "the member lapses")
    assert member(scene, "us-de") == "active"
    answer(scene, second, scene.opened(second))
    assert member(scene, "us-ca") == "active"


def test_word_that_is_none_binds_nobody(t):
    scene = Scene(t, 0)
    publish(scene)
    official = invite(scene)
    opened = scene.opened(official)
    for word in ("thank you", "I do not accept", ""):
        row = answer(scene, official, opened, word)
        assert row["state"] == "refused" and "accept, decline" in row["reason"], row
    assert member(scene, "us-tx") == "invited"
    assert len(scene.smarthost.received(official.address)) == 1


def test_invited_member_that_declines_is_left_alone(t):
    scene = Scene(t, 1)
    publish(scene)
    answer(scene, scene.official, scene.opened())
    invited = invite(scene)
    row = answer(scene, invited, scene.opened(invited), "decline")
    assert row["reason"] == "decline", row
    assert member(scene, "us-tx") == "left"
    scene.release()
    scene.opened(count=2)
    assert len(scene.smarthost.received(invited.address)) == 1
    # Whoever changes their mind is invited anew.
    scene.gateway.ctl("member", "invite", "us-tx", "--name", "Texas", "--contact", invited.address,
                      "--key", invited.fingerprint)
    answer(scene, invited, scene.opened(invited, 2))
    assert member(scene, "us-tx") == "active"


@sanitized
def test_member_leaves_with_a_reply_to_the_agreement(t):
    scene = Scene(t, 2)
    first, second = scene.officials
    publish(scene)
    opened = {official: scene.opened(official) for official in (first, second)}
    for official in (first, second):
        answer(scene, official, opened[official])
    number = scene.release()["number"]
    scene.opened(first, 2)
    row = answer(scene, first, opened[first], "leave")
    assert row["reason"] == "leave", row
    assert member(scene, "us-de") == "left"
    scene.release(advisory=f"update {number}", text="Now in 2.2.\n")
    scene.opened(second, 3)
    assert len(scene.smarthost.received(first.address)) == 2
    # What was signed before and withheld until now brings nobody back.
    row = answer(scene, first, opened[first], "accept")
    assert row["meaning"] == "unknown" and member(scene, "us-de") == "left", row


def test_backup_contact_leaves_alone(t):
    scene = Scene(t, 1)
    backup = scene.gateway.admit(t.official("backup@us-de.example"), rank=2)
    publish(scene)
    answer(scene, scene.official, scene.opened())
    answer(scene, backup, scene.opened(backup), "leave")
    assert member(scene, "us-de") == "active"
    contacts = scene.gateway.rows("member", "show", "us-de")["contacts"]
    assert [row["address"] for row in contacts] == [scene.official.address]


def test_new_version_asks_again_and_the_old_one_suffices_until_its_date(t):
    calendar = t.calendar()
    scene = Scene(t, 2)
    first, second = scene.officials
    publish(scene)
    for official in scene.officials:
        answer(scene, official, scene.opened(official))
    publish(scene, OTHER, required_in=HOUR)
    asked = {official: scene.opened(official, 2) for official in scene.officials}
    assert OTHER.strip() in asked[first].text and "version before suffices" in asked[first].text
    assert asked[first].token != asked[second].token
    number = scene.release()["number"]
    assert all(reason(scene, number, official) == "" for official in scene.officials)
    answer(scene, first, asked[first])
    calendar.forward(HOUR + MINUTE)
    scene.poke()
    eventually(lambda: not status(scene, second)["suffices"], "the required date comes")
    scene.release(advisory=f"update {number}", text="Now in 2.2.\n")
    assert "[DEW-" in scene.opened(first, 4).subject
    said = named_in_receipt(scene, second)
    assert "agreement version 2 is required since" in said and "only version 1" in said
    assert len(scene.smarthost.received(second.address)) == 3


def test_signature_on_an_expired_version_does_not_suffice(t):
    calendar = t.calendar()
    scene = Scene(t, 1)
    publish(scene, expires_in=HOUR)
    answer(scene, scene.official, scene.opened())
    assert status(scene, scene.official)["suffices"]
    calendar.forward(HOUR + MINUTE)
    scene.poke()
    eventually(lambda: not status(scene, scene.official)["suffices"], "it expires")
    number = scene.release()["number"]
    assert "agreement version 1 expired" in reason(scene, number, scene.official)


def test_decline_of_a_new_version_takes_no_effect_before_its_date(t):
    scene = Scene(t, 1)
    publish(scene)
    answer(scene, scene.official, scene.opened())
    publish(scene, OTHER, required_in=3600)
    answer(scene, scene.official, scene.opened(count=2), "decline")
    assert status(scene, scene.official)["suffices"] and member(scene, "us-de") == "active"


# Forged acceptances.

def nobody_signed(scene, *officials):
    for official in officials:
        row = status(scene, official)
        assert row["signed_version"] == 0 and not row["suffices"], row


@sanitized
def test_acceptance_signed_by_another_contact_counts_for_neither(t):
    scene = Scene(t, 2)
    first, second = scene.officials
    publish(scene)
    stolen = scene.opened(first)
    scene.opened(second)
    row = answer(scene, second, stolen)
    assert row["state"] == "refused" and "another contact" in row["reason"], row
    nobody_signed(scene, first, second)


def test_acceptance_with_the_token_of_another_version_counts_for_that_one_only(t):
    scene = Scene(t, 1)
    publish(scene)
    first = scene.opened()
    publish(scene, OTHER)
    second = scene.opened(count=2)
    answer(scene, scene.official, first)
    row = status(scene, scene.official)
    assert row["signed_version"] == 1 and not row["suffices"], row
    assert "only version 1 is signed" in row["reason"]
    answer(scene, scene.official, second)
    assert status(scene, scene.official)["suffices"]


@cases("plain", "encrypted")
def test_unsigned_acceptance_is_none(t, shape):
    scene = Scene(t, 1)
    publish(scene)
    row = answer(scene, scene.official, scene.opened(), shape=shape, sign=False)
    assert row["meaning"] == "unknown" and "not signed" in row["reason"], row
    nobody_signed(scene, scene.official)


def test_acceptance_without_the_token_is_none(t):
    scene = Scene(t, 1)
    publish(scene)
    scene.opened()
    row = scene.drop(scene.official.reply(scene.opened(), text="accept\n", token=""))
    assert row["state"] == "refused", row
    nobody_signed(scene, scene.official)


def test_acceptance_signed_before_a_decline_does_not_undo_it(t):
    scene = Scene(t, 1)
    publish(scene)
    opened = scene.opened()
    early = scene.official.reply(opened, "accept", shape="signed", faked=now() - 100)
    answer(scene, scene.official, opened, "decline")
    scene.drop(early)
    nobody_signed(scene, scene.official)
    assert "declined" in status(scene, scene.official)["reason"]


def test_exported_acceptance_verifies_with_plain_gpg(t):
    scene = Scene(t, 1)
    publish(scene)
    opened = scene.opened()
    answer(scene, scene.official, opened)
    out = t.dir / "evidence"
    scene.gateway.ctl("agreement", "export", scene.official.address, out)
    stranger = keys.Home(t.dir / "stranger")
    t.later(stranger.stop)
    stranger.add((out / "certificate.gpg").read_bytes())
    run = stranger.gpg("--decrypt", out / "signed.gpg")
    assert run.lines("GOODSIG") and run.lines("VALIDSIG")[0][-1] == scene.official.fingerprint
    assert opened.token.encode() in run.out and b"accept" in run.out
    assert (out / "agreement.txt").read_text().strip() == TEXT.strip()
    assert opened.token in (out / "README.txt").read_text()


# A contact without a confirmed certificate is asked once there is one.

def test_contact_is_asked_once_the_certificate_is_confirmed(t):
    scene = Scene(t, 1)
    late = t.official("late@us-tx.example")
    scene.gateway.member("us-tx")
    scene.gateway.add_key(late, confirm=False)
    scene.gateway.ctl("contact", "add", "us-tx", late.address, "--key", late.fingerprint)
    late.meet(scene.gateway)
    publish(scene)
    scene.opened()
    assert scene.smarthost.received(late.address) == []
    scene.gateway.ctl("key", "confirm", late.fingerprint)
    answer(scene, late, scene.opened(late))
    assert status(scene, late)["suffices"]


def test_asking_survives_kills_and_asks_nobody_twice(t):
    scene = Scene(t, 4)
    publish(scene)
    for _ in range(3):
        time.sleep(0.7)
        scene.gateway.kill_everything()
        scene.gateway.start()
    for official in scene.officials:
        scene.opened(official, len(scene.smarthost.wait(1, official.address)))
    assert len(scene.gateway.store_rows("SELECT id FROM message WHERE kind = 'agreement'")) == 4
    assert len(scene.gateway.store_rows("SELECT id FROM agreement_request")) == 4


def test_parent_alone_and_all_below(t):
    scene = Scene(t, 0)
    gateway = scene.gateway
    gateway.member("us")
    gateway.member("us-de", parent="us")
    top = gateway.admit(t.official("cert@us.example"))
    below = gateway.admit(t.official("cert@us-de.example"))
    other = gateway.admit(t.official("cert@fr.example"))
    scene.release(audience="us")
    scene.opened(top)
    scene.release(audience="us/*")
    scene.opened(top, 2)
    scene.opened(below)
    assert scene.smarthost.received(other.address) == []


# Strangers.

def asks(stranger, shape="encrypted", certificate=None, block=None, signers=(), attached=True):
    block = block or "Join: State of Ohio\nAddress: cert@us-oh.example\nName: Erika Example\n"
    certificate = stranger.certificate if certificate is None else certificate
    text = f"{block}\nWe would like to take part.\n"
    if attached:
        inner = letters.multipart("mixed", [
            letters.text_part(text),
            letters.attachment("key.asc", certificate, "application/pgp-keys")])
    else:
        inner = letters.text_part(text + "\n" + certificate.decode())
    if shape == "encrypted":
        entity = letters.encrypted_entity(stranger.encrypt(inner, True, signers))
    else:
        entity = letters.signed_entity(inner, stranger.sign(inner, "--detach-sign", signers))
    return stranger.message(entity, "May we join?")


def stranger_of(scene, address="somebody@us-oh.example"):
    stranger = scene.t.official(address)
    stranger.meet(scene.gateway)
    return stranger


@cases("encrypted", "signed", "in-the-text")
@sanitized
def test_stranger_who_asks_to_join_is_put_before_the_admin_and_gets_no_mail(t, shape):
    scene = Scene(t, 1)
    publish(scene)
    scene.opened()
    stranger = stranger_of(scene)
    row = scene.drop(asks(stranger, "signed" if shape == "signed" else "encrypted",
                          attached=shape != "in-the-text"))
    assert (row["state"], row["meaning"]) == ("done", "join"), row
    request, = scene.gateway.rows("join", "list")
    assert request["organisation"] == "State of Ohio" and request["name"] == "Erika Example"
    assert request["address"] == "cert@us-oh.example"
    assert request["fingerprint"] == stranger.fingerprint and request["arrival"] == row["id"]
    scene.gateway.ctl("join", "dismiss", request["id"])
    assert scene.gateway.rows("join", "list") == []
    assert len(scene.gateway.rows("join", "list", "--all")) == 1
    time.sleep(2)
    assert len(scene.smarthost.received()) == 1, "it caused mail"


def test_certificate_in_odd_armor_is_taken_from_a_stranger(t):
    """As PowerShell, a web page and an old mail program leave it, attached and in the text."""
    scene = Scene(t, 0)
    stranger = stranger_of(scene)
    plain = stranger.certificate.decode()
    spaced = plain.replace("\n\n", "\n\u00a0\n", 1)
    forms = [(plain.encode("utf-16"), True), (spaced.encode(), True),
             (plain.replace("\n\n", "\n", 1).encode(), False)]
    for number, (certificate, attached) in enumerate(forms, 1):
        row = scene.drop(asks(stranger, certificate=certificate, attached=attached))
        assert (row["state"], row["reason"]) == ("done", ""), (number, row)
        request, = scene.gateway.rows("join", "list")
        assert request["fingerprint"] == stranger.fingerprint, request
        scene.gateway.ctl("join", "dismiss", request["id"])


def test_certificate_of_a_request_can_be_taken_in(t):
    import base64
    scene = Scene(t, 0)
    stranger = stranger_of(scene)
    scene.drop(asks(stranger))
    shown = scene.gateway.rows("join", "show", 1)
    scene.gateway.ctl("key", "add", "-", given=base64.b64decode(shown["certificate"]))
    states = {row["fingerprint"]: row["state"] for row in scene.gateway.rows("key", "list")}
    assert states[stranger.fingerprint] == "pending"


def test_request_to_join_that_does_not_hold_together_is_not_listed(t):
    scene = Scene(t, 0)
    stranger, other = stranger_of(scene), stranger_of(scene, "other@us-oh.example")
    for raw, word in (
            (asks(stranger, certificate=other.certificate), "not signed by"),
            (asks(stranger, certificate=stranger.certificate + other.certificate), "2 cert"),
            (asks(stranger, certificate=b"nothing"), "no certificate"),
            (asks(stranger, block="Join: Ohio\n"), "line 1"),
            (asks(stranger, block="Join: Ohio\nAddress: nobody\n"), "line 2"),
            (asks(stranger, block="Join: Ohio\nAddress: a@b.example\nAdvisory: new\n"), "line 3")):
        row = scene.drop(raw)
        assert row["state"] == "refused" and row["meaning"] == "join", row
        assert word in row["reason"], (word, row)
    assert scene.gateway.rows("join", "list", "--all") == []
    assert scene.smarthost.received() == []


def test_stranger_who_asks_twice_stands_there_once(t):
    scene = Scene(t, 0)
    stranger = stranger_of(scene)
    raw = asks(stranger, "signed")
    scene.drop(raw)
    row = scene.drop(raw.replace(b"May we join", b"May I join"))
    assert row["meaning"] == "duplicate", row
    row = scene.drop(asks(stranger))
    assert "open already" in row["reason"], row
    assert len(scene.gateway.rows("join", "list", "--all")) == 1


def test_acceptance_dated_before_the_agreement_was_sent_is_none(t):
    scene = Scene(t, 1)
    publish(scene)
    row = answer(scene, scene.official, scene.opened(), shape="signed",
                 faked=now() - 3600)
    assert row["state"] == "refused" and "before the agreement was sent" in row["reason"], row
    nobody_signed(scene, scene.official)


def test_whoever_declines_while_the_advisory_waits_gets_nothing(t):
    scene = Scene(t, 1, retry={"first": "5s", "most": "5s", "give_up": "1h"})
    publish(scene)
    opened = scene.opened()
    answer(scene, scene.official, opened)
    scene.smarthost.stop()
    number = scene.release()["number"]
    answer(scene, scene.official, opened, "decline")
    scene.smarthost.start()
    eventually(lambda: "declined" in reason(scene, number, scene.official), "it is taken out", 40)
    assert len(scene.smarthost.received(scene.official.address)) == 1
