"""Held until its hour, or until another publisher approves; who gets it is decided then."""
import datetime
import re
import time

from harness import cases, eventually, limit, now, sanitized
from scene import Scene, TITLE
from turning import HOUR, MINUTE
import letters

QUIET = 2  # seconds in which what should not come would have come


def at(seconds):
    """A Release value, and when that is."""
    when = int(now()) + seconds
    text = datetime.datetime.fromtimestamp(when, datetime.timezone.utc)
    return text.strftime("%Y-%m-%dT%H:%M:%SZ"), when


class Release(Scene):
    def __init__(self, t, officials=1, publishers=1, **settings):
        super().__init__(t, officials, **settings)
        self.others = [self.gateway.admit_publisher(t.publisher(f"second{n}@vendor.example"))
                       for n in range(1, publishers)]

    def hold(self, seconds=HOUR, **options):
        """Publishes what must wait; its row in the list."""
        if seconds is not None:
            options["release"], self.hour = at(seconds)
        row = self.drop(self.publisher.publish(TITLE, "the text of it\n", **options))
        assert row["state"] == "done", row
        return self.state()

    def state(self):
        return self.gateway.advisories()[0]

    def nobody_gets_it(self):
        """Looked at a while after what might have sent it."""
        time.sleep(QUIET)
        self.nobody_has_it()

    def nobody_has_it(self):
        for official in self.officials:
            assert not self.smarthost.received(official.address), official.address

    def mail_of(self, person, count):
        """What a publisher got, opened."""
        found = [person.open(mail.raw) for mail in self.smarthost.wait(count, person.address)]
        assert all(mail.good for mail in found)
        return found

    def ends(self, state, seconds=30):
        return eventually(lambda: self.state()["state"] == state and self.state(),
                          f"the advisory is {state}, not {self.state()['state']}", seconds)

    def events(self):
        return [entry["event"] for entry in self.gateway.audit()]

    def decide(self, person, word, token, text="", **options):
        """The decision's row in the inbox."""
        mail = person.publish("Re: ...", text, block=f"{word}: {token}\n", **options)
        return self.drop(mail)

    def asked(self, person):
        """The token in the request."""
        request = self.mail_of(person, 1)[0]
        assert "the text of it" in request.text and TITLE in request.text, request.text
        return re.search(r"Approve: ([A-Z2-7]{16})", request.text)[1]


class Timed(Release):
    """In which an hour comes when the test says so."""

    def __init__(self, t, *arguments, **settings):
        self.calendar = t.calendar()
        super().__init__(t, *arguments, **settings)

    def let_the_hour_come(self):
        self.calendar.to(self.hour)
        self.poke()


def test_held_until_its_hour(t):
    scene = Timed(t, 2)
    row = scene.hold(acknowledge="4h")
    hour = scene.hour
    assert (row["state"], row["title"]) == ("held", TITLE), row
    assert row["held_until"] and not row["waits_for_approval"]
    receipt = scene.mail_of(scene.publisher, 1)[0]
    assert row["number"] in receipt.text and "would reach 2" in receipt.text, receipt.text
    scene.calendar.to(hour - MINUTE)
    scene.poke()
    scene.nobody_gets_it()
    scene.let_the_hour_come()
    for official in scene.officials:
        opened = scene.opened(official)
        assert "the text of it" in opened.text and f"[{row['number']} r1]" in opened.subject
    scene.ends("complete")
    shown = scene.gateway.rows("advisory", "show", row["number"])
    revision = shown["revisions"][0]
    released = scene.gateway.seconds(revision["released_at"])
    assert hour <= released <= now() and released - hour < HOUR, (released, hour)
    assert scene.gateway.seconds(revision["acknowledge_by"]) == released + 4 * 3600
    assert [draft["state"] for draft in shown["drafts"]] == ["released"]
    assert scene.events().index("advisory.held") < scene.events().index("advisory.new")


def test_nothing_of_a_held_draft_rests_in_the_clear(t):
    """I24."""
    scene = Release(t)
    scene.hold()
    for path in (scene.gateway.dir / "state").rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert b"the text of it" not in raw and TITLE.encode() not in raw, path
    log = scene.gateway.text_of_log()
    assert "the text of it" not in log and TITLE not in log


def test_goes_to_those_who_are_entitled_then(t):
    """Added, suspended, cleared for less: what counts is how it is when it goes."""
    scene = Timed(t, 3)
    stays, suspended, lowered = scene.officials
    scene.hold()
    added = scene.gateway.admit(t.official("new@br.example"))
    scene.gateway.ctl("member", "suspend", suspended.address.split("@")[1].split(".")[0])
    scene.gateway.ctl("contact", "remove", lowered.address)
    scene.gateway.ctl("contact", "add", lowered.address.split("@")[1].split(".")[0],
                      lowered.address, "--key", lowered.fingerprint, "--clearance", "GREEN")
    scene.nobody_has_it()
    scene.let_the_hour_come()
    scene.opened(stays)
    scene.opened(added)
    scene.ends("complete")
    rows = {row["address"]: row for row in scene.gateway.deliveries(scene.state()["number"])}
    assert "suspended" in rows[suspended.address]["reason"], rows
    assert "cleared" in rows[lowered.address]["reason"], rows
    assert not scene.smarthost.received(suspended.address)
    assert not scene.smarthost.received(lowered.address)


def test_old_signature_of_a_held_draft_counts_from_its_arrival(t):
    scene = Timed(t, limits={"drop_age": "1m"})
    scene.hold()
    scene.let_the_hour_come()
    assert "the text of it" in scene.opened().text


@cases("publisher", "admin")
def test_withdrawn_before_release_sends_nothing_to_officials(t, case):
    scene = Timed(t, 2)
    number = scene.hold()["number"]
    if case == "publisher":
        row = scene.drop(scene.publisher.publish("wrong", "wrong\n", block=f"Advisory: withdraw "
                                                 f"{number}\n"))
        assert row["state"] == "done", row
    else:
        scene.gateway.ctl("advisory", "withdraw", number)
    scene.ends("withdrawn")
    receipt = scene.mail_of(scene.publisher, 2)[1]
    assert "before its release" in receipt.text and number in receipt.text, receipt.text
    scene.let_the_hour_come()
    scene.nobody_gets_it()
    shown = scene.gateway.rows("advisory", "show", number)
    assert shown["state"] == "withdrawn" and shown["revisions"] == []
    assert [draft["state"] for draft in shown["drafts"]] == ["withdrawn"]
    assert "advisory.withdraw" in scene.events()


def test_update_of_what_is_held_is_refused(t):
    scene = Release(t)
    number = scene.hold()["number"]
    row = scene.drop(scene.publisher.publish(TITLE, "other\n", advisory=f"update {number}"))
    assert row["state"] == "refused", row
    assert "withdraw it and send a new one" in scene.mail_of(scene.publisher, 2)[1].text


def test_same_mail_again_is_held_once(t):
    scene = Release(t)
    raw = scene.publisher.publish(TITLE, "the text of it\n", release=at(HOUR)[0])
    scene.drop(raw)
    row = scene.drop(b"X-Again: yes\r\n" + raw)
    assert row["meaning"] == "duplicate", row
    assert len(scene.gateway.advisories()) == 1


@limit(200)
@cases("held", "due")
def test_survives_kills(t, case):
    """I17."""
    scene = Timed(t, 2)
    scene.hold()
    if case == "held":
        scene.gateway.kill_everything()
        scene.gateway.start()
        time.sleep(1)
        scene.gateway.kill_everything()
        scene.gateway.start()
        scene.let_the_hour_come()
    else:
        scene.gateway.kill_everything()
        scene.calendar.to(scene.hour)
        scene.gateway.start()
        time.sleep(0.2)
        scene.gateway.kill_everything()
        scene.gateway.start()
    for official in scene.officials:
        opened = scene.opened(official)
        assert "the text of it" in opened.text
    scene.ends("complete")
    assert len(scene.gateway.advisories()) == 1
    assert scene.events().count("advisory.new") == 1
    scene.gateway.ctl("audit", "verify")


@sanitized
def test_approved_by_another_publisher(t):
    scene = Release(t, 2, publishers=3, release={"approval": "always"})
    row = scene.hold(None)
    assert row["state"] == "held" and row["waits_for_approval"], row
    tokens = {scene.asked(other) for other in scene.others}
    assert len(tokens) == 1
    scene.nobody_has_it()
    assert scene.decide(scene.others[0], "Approve", tokens.pop())["meaning"] == "approval"
    for official in scene.officials:
        assert "the text of it" in scene.opened(official).text
    assert "approved by second1" in scene.mail_of(scene.publisher, 2)[1].text
    scene.ends("complete")
    shown = scene.gateway.rows("advisory", "show", row["number"])
    assert shown["drafts"][0]["decided_by"] == scene.others[0].address
    assert not shown["waits_for_approval"]
    events = scene.events()
    assert [event for event in events if event.startswith("advisory.")] == [
        "advisory.held", "advisory.ask", "advisory.approve", "advisory.new"]


def test_reply_from_a_mail_program_approves(t):
    """The quoted request stands below the line."""
    scene = Release(t, publishers=2)
    scene.hold(None, approval="yes")
    request = scene.mail_of(scene.others[0], 1)[0]
    token = re.search(r"Approve: ([A-Z2-7]{16})", request.text)[1]
    quoted = "".join(f"> {line}\n" for line in request.text.splitlines())
    scene.decide(scene.others[0], "Approve", token, f"The gateway wrote:\n{quoted}")
    scene.opened()


def test_approved_before_its_hour_waits_for_it(t):
    scene = Timed(t, publishers=2)
    scene.hold(approval="yes")
    scene.decide(scene.others[0], "Approve", scene.asked(scene.others[0]))
    row = scene.state()
    assert row["state"] == "held" and not row["waits_for_approval"]
    scene.nobody_gets_it()
    scene.let_the_hour_come()
    scene.opened()


def test_hour_without_approval_releases_nothing(t):
    scene = Timed(t, publishers=2)
    scene.hold(approval="yes")
    token = scene.asked(scene.others[0])
    scene.let_the_hour_come()
    scene.nobody_gets_it()
    assert scene.state()["waits_for_approval"]
    scene.decide(scene.others[0], "Approve", token)
    scene.opened()


def test_withdrawn_while_it_waits_for_approval(t):
    """Who was asked is told, and an approval that comes later counts for nothing."""
    scene = Release(t, publishers=2, release={"approval": "always"})
    number = scene.hold(None)["number"]
    token = scene.asked(scene.others[0])
    scene.gateway.ctl("advisory", "withdraw", number)
    scene.ends("withdrawn")
    assert "before its release" in scene.mail_of(scene.others[0], 2)[1].text
    assert scene.decide(scene.others[0], "Approve", token)["state"] == "refused"
    scene.nobody_gets_it()


@cases("author", "contact", "stranger", "wrong", "clear")
@sanitized
def test_does_not_count_as_approval(t, case):
    scene = Release(t, publishers=2, release={"approval": "GREEN"})
    scene.hold(None)
    other = scene.others[0]
    token = scene.asked(other)
    if case == "author":
        row = scene.decide(scene.publisher, "Approve", token)
        assert row["state"] == "refused"
        assert "another publisher" in scene.mail_of(scene.publisher, 2)[1].text
    elif case == "contact":
        inner = letters.text_part(f"Approve: {token}\n\n")
        official = scene.official
        row = scene.drop(official.message(letters.encrypted_entity(official.encrypt(inner))))
        assert row["meaning"] == "acknowledgment" and row["state"] == "refused", row
    elif case == "stranger":
        stranger = t.publisher("second9@vendor.example")
        stranger.meet(scene.gateway)
        row = scene.decide(stranger, "Approve", token)
        assert row["meaning"] == "unknown", row
    elif case == "wrong":
        row = scene.decide(other, "Approve", "A" * 16)
        assert row["state"] == "refused", row
        assert "not the token" in scene.mail_of(other, 2)[1].text
    else:
        row = scene.decide(other, "Approve", token, encrypted=False)
        assert row["state"] == "refused", row
    scene.nobody_gets_it()
    assert scene.state()["waits_for_approval"]


def test_approval_again_changes_nothing(t):
    scene = Release(t, publishers=3, release={"approval": "always"})
    scene.hold(None)
    token = scene.asked(scene.others[0])
    raw = scene.others[0].publish("Re: ...", "", block=f"Approve: {token}\n")
    scene.drop(raw)
    scene.opened()
    scene.ends("complete")
    assert scene.drop(b"X-Again: yes\r\n" + raw)["state"] in ("done", "refused")
    row = scene.decide(scene.others[1], "Reject", token, "too late\n")
    assert row["state"] == "refused", row
    assert scene.state()["state"] == "complete"
    assert len(scene.smarthost.received(scene.official.address)) == 1


def test_rejected_with_a_reason(t):
    scene = Release(t, publishers=2, release={"approval": "AMBER"})
    number = scene.hold(None)["number"]
    scene.decide(scene.others[0], "Reject", scene.asked(scene.others[0]), "The version is wrong.\n")
    scene.ends("withdrawn")
    told = scene.mail_of(scene.publisher, 2)[1]
    assert "rejected by second1" in told.text and "The version is wrong." in told.text, told.text
    scene.nobody_gets_it()
    shown = scene.gateway.rows("advisory", "show", number)
    assert [draft["state"] for draft in shown["drafts"]] == ["rejected"]
    assert b"The version is wrong" not in (scene.gateway.dir / "state/store.db").read_bytes()


def test_label_below_the_setting_needs_no_approval(t):
    scene = Release(t, publishers=2, release={"approval": "AMBER+STRICT"})
    scene.release(tlp="AMBER")
    scene.opened()


def test_alone_nobody_can_be_asked(t):
    scene = Release(t, release={"approval": "always"})
    row = scene.drop(scene.publisher.publish(TITLE, "text\n"))
    assert row["state"] == "refused" and scene.gateway.advisories() == []
    assert "approval of another publisher" in scene.mail_of(scene.publisher, 1)[0].text


def test_update_waits_for_approval_too(t):
    scene = Release(t, publishers=2)
    number = scene.release()["number"]
    scene.opened()
    row = scene.drop(scene.publisher.publish(TITLE, "the text of it, more\n", approval="yes",
                                             advisory=f"update {number}"))
    assert row["state"] == "done", row
    token = scene.asked(scene.others[0])
    assert len(scene.smarthost.received(scene.official.address)) == 1
    assert scene.state()["waits_for_approval"]
    scene.decide(scene.others[0], "Approve", token)
    assert "the text of it, more" in scene.opened(count=2).text


@sanitized
def test_kill_while_it_waits_for_approval_asks_once(t):
    scene = Release(t, publishers=2, release={"approval": "always"})
    scene.hold(None)
    scene.gateway.kill_everything()
    scene.gateway.start()
    token = scene.asked(scene.others[0])
    scene.gateway.kill_everything()
    scene.gateway.start()
    scene.gateway.drop(scene.others[0].publish("Re: ...", "", block=f"Approve: {token}\n"))
    time.sleep(0.5)
    scene.gateway.kill_everything()
    scene.gateway.start()
    assert "the text of it" in scene.opened().text
    events = scene.events()
    assert events.count("advisory.ask") == 1 and events.count("advisory.new") == 1


def test_publisher_who_is_removed_releases_nothing(t):
    scene = Timed(t, publishers=2)
    scene.hold()
    scene.gateway.ctl("publisher", "remove", scene.publisher.address)
    scene.let_the_hour_come()
    scene.ends("withdrawn")
    scene.nobody_has_it()
    assert "advisory.unreleasable" in scene.events()


# TLP:RED, bulletins, exercises.

@sanitized
def test_red_goes_only_to_those_named_by_address(t):
    scene = Release(t, 3)
    named, by_member, by_all = scene.officials
    scene.release(tlp="RED", audience=f"{named.address}, "
                  f"{by_member.address.split('@')[1].split('.')[0]}, all")
    scene.opened(named)
    scene.ends("complete")
    for other in (by_member, by_all):
        assert not scene.smarthost.received(other.address)
    receipt = scene.mail_of(scene.publisher, 2)[1]
    assert receipt.text.count("names by address") == 2 and by_all.address in receipt.text


def test_red_held_says_at_once_who_is_not_named(t):
    scene = Timed(t, 2)
    named, other = scene.officials
    scene.hold(tlp="RED", audience=f"{named.address}, all")
    receipt = scene.mail_of(scene.publisher, 1)[0]
    assert "would reach 1." in receipt.text and "names by address" in receipt.text, receipt.text
    scene.let_the_hour_come()
    scene.opened(named)
    scene.ends("complete")
    assert not scene.smarthost.received(other.address)


def test_bulletin_asks_for_nothing(t):
    scene = Release(t)
    row = scene.drop(scene.publisher.publish(TITLE, "a note\n", advisory="bulletin"))
    assert row["state"] == "done", row
    opened = scene.opened()
    assert opened.good and opened.token == "" and "acknowledge" not in opened.text.lower()
    token = scene.gateway.store_rows("SELECT token FROM revision")[0][0]
    assert token not in opened.text + opened.subject
    assert scene.state()["kind"] == "bulletin"
    refused = scene.drop(scene.publisher.publish(TITLE, "a note\n", advisory="bulletin",
                                                 acknowledge="4h"))
    assert refused["state"] == "refused"


def test_bulletin_waits_for_what_is_due(t):
    """While the smarthost is away both become due; the advisory, which came later, goes first."""
    scene = Release(t, smarthost_settings={"connections": 1})
    scene.smarthost.stop()
    scene.drop(scene.publisher.publish("note", "a note\n", advisory="bulletin"))
    scene.drop(scene.publisher.publish(TITLE, "news\n"))
    eventually(lambda: scene.gateway.store_rows(
        "SELECT count(*) FROM delivery WHERE contact IS NOT NULL AND batch IS NOT NULL") == [(2,)],
        "both are sealed")
    time.sleep(2)
    scene.smarthost.start()
    mails = scene.smarthost.wait(2, scene.official.address)
    assert ["news" in scene.official.open(mail.raw).text for mail in mails] == [True, False]


def test_drills_are_listed_apart(t):
    scene = Release(t)
    scene.release()
    scene.release(exercise="yes")
    drills = scene.gateway.rows("advisory", "list", "--exercises")
    earnest = scene.gateway.rows("advisory", "list", "--no-exercises")
    assert [row["exercise"] for row in drills] == [True]
    assert [row["exercise"] for row in earnest] == [False]


def test_figures_never_mix_drills_with_what_is_earnest(t):
    scene = Release(t, 2)
    first, second = scene.officials
    scene.release(acknowledge="1h")
    for official, status in ((first, "received"), (second, "acting")):
        scene.drop(official.reply(scene.opened(official), status))
    scene.release(exercise="yes", acknowledge="1h")
    scene.drop(first.reply(scene.opened(first, 2), "received"))
    scene.drop(scene.publisher.publish(TITLE, "a note\n", advisory="bulletin"))
    scene.opened(second, 3)

    def sent():
        figures = scene.gateway.rows("stats")
        kinds = {row["kind"]: row for row in figures["kinds"]}
        return figures if kinds["bulletins"]["reached"] == 2 else None
    figures = eventually(sent, "the bulletin is handed over")
    kinds = {row["kind"]: row for row in figures["kinds"]}
    counted = ("advisories", "recipients", "reached", "acknowledged", "asked", "in_time")
    assert [kinds["advisories"][name] for name in counted] == [1, 2, 2, 2, 2, 2], kinds
    assert [kinds["exercises"][name] for name in counted] == [1, 2, 2, 1, 2, 1], kinds
    assert [kinds["bulletins"][name] for name in counted] == [1, 2, 2, 0, 0, 0], kinds
    assert kinds["bulletins"]["median_seconds"] is None
    assert 0 <= kinds["advisories"]["median_seconds"] < 60
    assert [row["acknowledged"] for row in figures["members"]] == [1, 1], figures
    assert sorted(row["acknowledged"] for row in figures["exercise_members"]) == [0, 1]
    later = scene.gateway.rows("stats", "--since", "2999-01-01")
    assert {row["recipients"] for row in later["kinds"]} == {0} and later["members"] == []
    scene.gateway.ctl("stats")
    scene.gateway.ctl("stats", "--since", "yesterday", may_fail=True)
    assert scene.gateway.code == 2
