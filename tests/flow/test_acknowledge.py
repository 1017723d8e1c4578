"""What is an acknowledgment, and what is none: DESIGN, "Acknowledgment"."""
import time

import keys
import letters
from harness import cases, eventually, future, now, sanitized
from official import REPLY_SHAPES
from scene import Scene
from turning import HOUR, MINUTE


def only_ack(scene):
    rows = scene.acknowledged()
    assert len(rows) == 1, rows
    return rows[0]


def is_none(scene, raw, *words, told=False):
    """The mail changes nothing, and its row in the inbox says why. It causes no mail, or, where it
    is told, nothing but notices and alarms."""
    def mails():
        ids = scene.message_ids("notice") | scene.message_ids("alarm") if told else ()
        return [mail for mail in scene.mails_but_of_keys()
                if mail.headers["Message-ID"].strip("<> ") not in ids]
    before = len(mails())
    row = scene.drop(raw)
    assert row["state"] != "unreadable" or "unreadable" in words, row
    assert scene.acknowledged() == [], row
    for word in words:
        assert word in f"{row['state']} {row['meaning']} {row['reason']}".lower(), (word, row)
    assert len(mails()) == before, "it caused mail"
    return row


def released(t, officials=1, **settings):
    """A scene with one advisory out and its receipts in, so that nothing more is to be sent."""
    scene = Scene(t, officials, **settings)
    scene.release()
    for official in scene.officials:
        scene.smarthost.wait(1, official.address)
    settle_receipts(scene)
    return scene


def settle_receipts(scene):
    """Waits until the publisher has had the last receipt of all; it may overtake the one before."""
    def complete():
        return any("handed over" in r.text and "on their way" not in r.text
                   for r in scene.receipts())
    eventually(complete, "the receipt that says all is handed over")
    eventually(lambda: not scene.gateway.rows("queue", "list"), "an empty queue")


# What counts.

@cases(*REPLY_SHAPES)
@sanitized
def test_signed_reply_counts(t, shape):
    scene = released(t)
    official = scene.official
    before = int(now())
    row = scene.drop(official.reply(scene.opened(), "affected", "two stations", shape))
    assert (row["state"], row["meaning"]) == ("done", "acknowledgment"), row
    ack = only_ack(scene)
    assert ack["address"] == official.address and ack["status"] == "affected"
    assert "two stations" in ack["comment"]
    assert ack["revision"] == 1
    delivery = scene.gateway.deliveries(scene.gateway.advisories()[0]["number"])[0]
    assert delivery["state"] == "acknowledged", delivery
    assert before - 1 <= scene.gateway.seconds(ack["signed_at"]) <= now() + 1


@cases("encrypted", "signed-inside", "signed")
def test_signed_reply_counts_inside_a_list_footer(t, shape):
    scene = released(t)
    scene.drop(scene.official.reply(scene.opened(), "acting", shape=shape, footer=True))
    assert only_ack(scene)["status"] == "acting"


def test_signed_reply_counts_after_exchange_rewrote_it(t):
    scene = released(t)
    scene.drop(scene.official.reply(scene.opened(), "acting", shape="encrypted", exchange=True))
    assert only_ack(scene)["status"] == "acting"


@cases("received", "affected", "not affected", "acting", "unreadable", "")
def test_status_is_the_first_line(t, status):
    scene = released(t)
    scene.drop(scene.official.reply(scene.opened(), status.upper(), "some comment"))
    ack = only_ack(scene)
    assert ack["status"] == (status or "received")
    assert ack["comment"].strip() == "some comment"


def test_token_in_the_protected_subject_alone_counts(t):
    scene = released(t)
    scene.drop(scene.official.reply(scene.opened(), text="received\n"))
    assert only_ack(scene)["status"] == "received"


def test_later_reply_changes_the_status_and_both_stay_on_record(t):
    scene = released(t)
    opened = scene.opened()
    scene.drop(scene.official.reply(opened, "received"))
    scene.drop(scene.official.reply(opened, "affected", "found one"))
    ack = only_ack(scene)
    assert (ack["status"], ack["replies"]) == ("affected", 2)
    number = scene.gateway.advisories()[0]["number"]
    rows = scene.gateway.rows("advisory", "show", number)["acknowledgments"]
    assert [row["status"] for row in rows] == ["received", "affected"]


def test_reply_to_an_older_revision_is_shown_as_such(t):
    scene = released(t)
    first = scene.opened()
    number = scene.gateway.advisories()[0]["number"]
    scene.release(advisory=f"update {number}", text="Version 2.1 does not help, take 2.2.\n")
    second = scene.opened(count=2)
    assert second.token != first.token
    scene.drop(scene.official.reply(first, "received"))
    ack = only_ack(scene)
    assert (ack["revision"], ack["older"]) == (1, True)
    assert "older" in scene.gateway.ctl("ack", "list", number)
    scene.drop(scene.official.reply(second, "acting"))
    ack = only_ack(scene)
    assert (ack["revision"], ack["older"], ack["status"]) == (2, False, "acting")


def test_reply_with_an_rsa_key_counts(t):
    scene = Scene(t, 0)
    official = scene.gateway.admit(t.official("old@us-tx.example", algorithm="rsa3072"))
    scene.officials.append(official)
    scene.release()
    scene.drop(official.reply(scene.opened(), "acting"))
    assert only_ack(scene)["status"] == "acting"


@future
def test_exported_evidence_verifies_with_plain_gpg(t):
    scene = released(t)
    official = scene.official
    scene.drop(official.reply(scene.opened(), "not affected", "we have none"))
    number = scene.gateway.advisories()[0]["number"]
    out = t.dir / "evidence"
    scene.gateway.ctl("ack", "export", number, official.address, out)
    stranger = keys.Home(t.dir / "stranger")
    t.later(stranger.stop)
    stranger.add(official.certificate)
    good = []
    files = sorted(path for path in out.rglob("*") if path.is_file())
    for path in files:
        if path.suffix in (".sig", ".asc") and path.with_suffix("").exists():
            run = stranger.gpg("--verify", path, path.with_suffix(""), may_fail=True)
        else:
            run = stranger.gpg("--decrypt", path, may_fail=True)
        good += [row[-1] for row in run.lines("VALIDSIG") if run.lines("GOODSIG")]
    assert good == [official.fingerprint], (files, good)


# What does not count.

@cases("plain", "encrypted")
@sanitized
def test_unsigned_reply_is_none(t, shape):
    scene = released(t)
    raw = scene.official.reply(scene.opened(), shape=shape, sign=False)
    is_none(scene, raw, "not signed", told=shape == "plain")


def test_reply_signed_by_another_contact_who_did_not_get_it_is_none(t):
    scene = Scene(t, 2)
    first, second = scene.officials
    scene.release(audience=f"all, -{second.address}")
    scene.smarthost.wait(1, first.address)
    settle_receipts(scene)
    is_none(scene, second.reply(scene.opened(first)), "not delivered", told=True)


def test_reply_by_a_contact_whom_it_never_reached_is_none(t):
    """In the audience, but suspended: the token can only come from somebody else."""
    scene = Scene(t, 2)
    first, second = scene.officials
    scene.gateway.ctl("member", "suspend", second.address.split("@")[1].split(".")[0])
    scene.release()
    scene.smarthost.wait(1, first.address)
    settle_receipts(scene)
    is_none(scene, second.reply(scene.opened(first)), "not delivered", told=True)


def test_reply_signed_by_another_contact_never_counts_for_the_first(t):
    scene = released(t, 2)
    first, second = scene.officials
    stolen = scene.opened(first)
    raw = letters.message(first.address, scene.gateway.address,
                          second.reply(stolen).partition(b"MIME-Version: 1.0\r\n")[2])
    scene.drop(raw)
    assert [ack["address"] for ack in scene.acknowledged()] in ([], [second.address])


def test_reply_signed_by_an_unknown_key_is_none(t):
    scene = released(t)
    stranger = t.official("stranger@nowhere.example")
    stranger.meet(scene.gateway)
    is_none(scene, stranger.reply(scene.opened()), "nobody")


def test_token_of_another_revision_is_none(t):
    """The token of a revision that this contact never got, in an otherwise perfect reply."""
    scene = Scene(t, 2)
    first, second = scene.officials
    scene.release(audience=f"{first.address}")
    scene.smarthost.wait(1, first.address)
    settle_receipts(scene)
    token = scene.opened(first).token
    scene.release(title="Another", audience=f"{second.address}")
    opened = scene.opened(second)
    eventually(lambda: len(scene.receipts()) >= 4, "all receipts")
    before = len(scene.smarthost.received(first.address))
    scene.drop(second.reply(opened, token=token))
    assert not [ack for row in scene.gateway.advisories()
                for ack in scene.gateway.acknowledgments(row["number"])]
    assert len(scene.smarthost.received(first.address)) == before


def test_token_that_nobody_gave_is_none(t):
    scene = released(t)
    is_none(scene, scene.official.reply(scene.opened(), token="ABCDEFGHIJKLMNOP"))


def test_token_only_in_an_unsigned_header_is_none(t):
    scene = released(t)
    opened = scene.opened()
    raw = scene.official.reply(opened, token="", subject=f"Re: {opened.subject}",
                               more=[("In-Reply-To", "<x@gw.example>"), ("X-Token", opened.token)])
    is_none(scene, raw, told=True)


@cases("encrypted", "signed")
def test_token_only_in_an_unsigned_part_is_none(t, shape):
    scene = released(t)
    opened = scene.opened()
    entity = scene.official.reply(opened, token="", shape=shape).partition(
        b"MIME-Version: 1.0\r\n")[2]
    mixed = letters.multipart("mixed", [letters.text_part(f"acting\n\nToken: {opened.token}\n"),
                                        entity,
                                        letters.text_part(f"Token: {opened.token}\n")])
    is_none(scene, scene.official.message(mixed), told=True)


def test_token_around_a_clear_signed_text_is_none(t):
    scene = released(t)
    opened = scene.opened()
    signed = scene.official.sign(b"received\r\n", "--clearsign").decode()
    text = f"acting\nToken: {opened.token}\n\n{signed}\nToken: {opened.token}\n"
    is_none(scene, scene.official.message(letters.text_part(text)), told=True)


def test_signature_by_a_key_that_had_expired_is_none(t):
    calendar = t.calendar()
    scene = Scene(t, 0)
    official = t.official("late@us-de.example", expires=f"seconds={HOUR}")
    scene.officials.append(scene.gateway.admit(official))
    scene.release()
    mail, = eventually(lambda: scene.advisory_mails(official), "the advisory")
    opened = official.open(mail.raw)
    settle_receipts(scene)
    calendar.forward(HOUR + MINUTE)
    official.home.gpg("--quick-set-expire", official.fingerprint, "0")
    is_none(scene, official.reply(opened), "expired")


def test_signature_by_a_revoked_key_is_none(t):
    scene = released(t)
    official = scene.official
    opened = scene.opened()
    raw = official.reply(opened)
    revocation = (official.home.path / "openpgp-revocs.d" / f"{official.fingerprint}.rev")
    other = keys.Home(t.dir / "revoked")
    t.later(other.stop)
    other.add(official.certificate)
    other.gpg("--import", given=revocation.read_bytes().replace(b"\n:---", b"\n---"), may_fail=True)
    assert any(row[0] == "pub" and row[1] == "r" for row in other.keys()), "it is not revoked"
    scene.gateway.ctl("key", "add", "-", given=other.certificate(official.fingerprint))
    assert "retired" in scene.gateway.ctl("key", "list")
    is_none(scene, raw, "revoked")
    assert "retired" in scene.gateway.ctl("check", may_fail=True)


def test_two_signatures_are_none(t):
    scene = released(t)
    official = scene.official
    second = official.home.make_key("Second key <second@us-de.example>")
    raw = official.reply(scene.opened(), signers=[official.fingerprint, second])
    is_none(scene, raw, "signature", told=True)


@sanitized
def test_same_reply_again_is_one(t):
    scene = released(t)
    raw = scene.official.reply(scene.opened(), "acting")
    scene.drop(raw)
    scene.gateway.drop(raw)
    time.sleep(2)
    only_ack(scene)
    assert len(scene.gateway.arrivals()) == scene.mails


@cases("signed", "inline-signed")
def test_same_signed_content_wrapped_anew_is_one(t, shape):
    scene = released(t)
    raw = scene.official.reply(scene.opened(), "acting", shape=shape)
    scene.drop(raw)
    entity = raw.partition(b"MIME-Version: 1.0\r\n")[2]
    again = letters.message("somebody@else.example", scene.gateway.address, entity, "other subject")
    row = scene.drop(again)
    only_ack(scene)
    assert "duplicate" in row["meaning"] or "before" in row["reason"], row


def test_signature_from_before_the_release_is_none(t):
    scene = released(t)
    raw = scene.official.reply(scene.opened(), shape="signed-inside", faked=now() - 7200)
    is_none(scene, raw, "before", told=True)


@cases("Auto-Submitted: auto-replied", "X-Autoreply: yes", "Precedence: auto_reply")
def test_automatic_reply_that_quotes_it_is_none(t, field):
    scene = released(t)
    raw = scene.official.reply(scene.opened(), "", more=[tuple(field.split(": "))])
    is_none(scene, raw, "automatic")


def test_contact_who_was_removed_cannot_acknowledge(t):
    scene = released(t)
    raw = scene.official.reply(scene.opened())
    scene.gateway.ctl("contact", "remove", scene.official.address)
    is_none(scene, raw)
