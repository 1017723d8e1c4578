"""Reminders, escalation and the alarm: rules/remind.h, gate/remind.h."""
import time

from harness import cases, eventually, limit, now
from scene import Scene
from turning import HOUR, MINUTE

HOURS = 4
WINDOW = f"{HOURS}h"
QUIET = 2  # seconds in which what should not come would have come
STAGES = {"stages": "25%, 50%", "rule": "member"}
SOON = {"stages": "50%", "rule": "member"}


def people(t, **settings):
    """Two members, the first with a backup; a publisher, and an admin for the alarms."""
    calendar = t.calendar()
    scene = Scene(t, 0, **settings)
    scene.calendar = calendar
    gateway = scene.gateway
    scene.first = gateway.admit(t.official("first@us-de.example"), rank=1)
    scene.backup = gateway.admit(t.official("backup@us-de.example"), rank=2)
    scene.other = gateway.admit(t.official("cert@fr.example"))
    scene.officials = [scene.first, scene.backup, scene.other]
    scene.admin = admit_admin(t, gateway)
    return scene


def admit_admin(t, gateway, address="admin@gw.example"):
    admin = t.publisher(address)
    gateway.add_key(admin)
    gateway.ctl("admin", "add", admin.address, "--key", admin.fingerprint, "--name", "Ada")
    admin.meet(gateway)
    return admin


def ask(scene, **options):
    """Publishes what is to be acknowledged, and waits until it has left: whom it reaches after a stage is
    not reminded of that stage. The advisory's number."""
    number = scene.release(acknowledge=WINDOW, **options)["number"]
    eventually(lambda: not {"queued", "sending"} & {row["state"] for row in
                                                    scene.gateway.deliveries(number)},
               "all deliveries have been tried")
    scene.asked_at = now()
    return number


def after(scene, part):
    """Turns the time to shortly after this part of the window."""
    scene.calendar.to(scene.asked_at + part * HOURS * HOUR + MINUTE)
    scene.poke()


def reminders(scene, kind=None):
    rows = scene.gateway.rows("reminder", "list")
    return [row for row in rows if kind in (None, row["kind"])]


def wait_for(scene, count, kind=None):
    return eventually(lambda: len(reminders(scene, kind)) >= count and reminders(scene, kind),
                      f"{count} of {kind or 'anything'} in dewctl reminder list")


def alarm(scene, person):
    def look():
        for mail in scene.smarthost.received(person.address):
            opened = person.open(mail.raw)
            assert opened.good
            if opened.subject.startswith("Alarm:"):
                return opened
        return None
    return eventually(look, f"an alarm for {person.address}")


@limit(240)
def test_who_has_not_answered_is_reminded_then_all_are_told_then_an_alarm_names_them(t):
    scene = people(t, reminders=STAGES)
    ask(scene)
    advisory = scene.opened(scene.other)
    scene.drop(scene.other.reply(advisory, "received"))
    for part, count in ((0.25, 1), (0.5, 2), (1, 4)):
        after(scene, part)
        wait_for(scene, count)
    wait_for(scene, 2, "alarm")
    rows = reminders(scene)
    told = [(row["kind"], row["stage"], row["address"]) for row in rows]
    assert told == [("reminder", 25, "first@us-de.example"),
                    ("reminder", 50, "first@us-de.example"),
                    ("escalation", 100, "first@us-de.example"),
                    ("escalation", 100, "backup@us-de.example"),
                    ("alarm", 100, "admin@gw.example"),
                    ("alarm", 100, "publisher@vendor.example")], told
    for person in (scene.publisher, scene.admin):
        text = alarm(scene, person).text
        assert "first@us-de.example" in text and "backup@us-de.example" in text, text
        assert "Country of us-de" in text and "cert@fr.example" not in text, text
    mails = scene.smarthost.wait(4, scene.first.address)
    assert len(mails) == 4, len(mails)
    assert len(scene.smarthost.wait(2, scene.backup.address)) == 2
    assert len(scene.smarthost.received(scene.other.address)) == 1
    for person, outside in ((scene.first, ["[...]", "Reminder", "Reminder", "Reminder"]),
                            (scene.publisher, ["Receipt", "Receipt", "[...]"]),
                            (scene.admin, ["[...]"])):
        said = [mail.headers["Subject"] for mail in scene.smarthost.received(person.address)]
        assert said == outside, (person.address, said)
    assert "Answer by: in 1 hour 5" in scene.first.open(mails[2].raw).text
    assert "The time to answer is over" in scene.first.open(mails[3].raw).text
    for mail in mails[1:]:
        opened = scene.first.open(mail.raw)
        assert opened.good and opened.token == advisory.token, opened.text
        assert "firmware" not in opened.text + opened.subject
        assert b"DEW-" not in mail.raw and advisory.token.encode() not in mail.raw
    scene.gateway.ctl("audit", "verify")


@limit(180)
def test_reply_to_a_reminder_is_the_acknowledgment_and_ends_them(t):
    scene = people(t, reminders=STAGES)
    ask(scene)
    scene.drop(scene.other.reply(scene.opened(scene.other), "received"))
    after(scene, 0.25)
    reminder = scene.opened(scene.first, 2)
    assert "Reminder" in reminder.subject, reminder.subject
    scene.drop(scene.first.reply(reminder, "affected"))
    rows = scene.acknowledged()
    assert {row["address"]: row["status"] for row in rows} == {
        "first@us-de.example": "affected", "cert@fr.example": "received"}, rows
    after(scene, 0.5)
    after(scene, 1)
    eventually(lambda: scene.gateway.store_rows("SELECT missing FROM deadline"),
               "the deadline is over")
    assert scene.gateway.store_rows("SELECT missing, message FROM deadline") == [(0, None)]
    assert [row["stage"] for row in reminders(scene)] == [25]
    assert len(scene.smarthost.received(scene.first.address)) == 2
    assert len(scene.smarthost.received(scene.backup.address)) == 1
    assert not scene.smarthost.received(scene.admin.address)


@limit(180)
def test_word_revised_after_a_reminder_stays_on_record(t):
    scene = people(t, reminders=SOON)
    number = ask(scene)
    after(scene, 0.5)
    reminder = scene.opened(scene.first, 2)
    scene.drop(scene.first.reply(reminder, "received"))
    scene.calendar.forward(MINUTE)  # signatures are told apart by their second
    scene.drop(scene.first.reply(reminder, "affected"))
    row = next(row for row in scene.acknowledged() if row["address"] == scene.first.address)
    assert (row["status"], row["replies"]) == ("affected", 2), row
    acks = scene.gateway.rows("advisory", "show", number)["acknowledgments"]
    assert [ack["status"] for ack in acks] == ["received", "affected"], acks


@limit(180)
def test_by_rule_contact_every_contact_has_to_answer(t):
    scene = people(t, reminders={"stages": "50%", "rule": "contact"})
    ask(scene)
    scene.drop(scene.first.reply(scene.opened(scene.first), "received"))
    scene.drop(scene.other.reply(scene.opened(scene.other), "received"))
    after(scene, 0.5)
    wait_for(scene, 1)
    after(scene, 1)
    wait_for(scene, 2, "alarm")
    told = {(row["kind"], row["address"]) for row in reminders(scene)}
    assert ("reminder", "backup@us-de.example") in told, told
    assert ("reminder", "first@us-de.example") not in told, told
    assert ("escalation", "first@us-de.example") in told, told
    assert "cert@fr.example" not in {address for _, address in told}, told
    text = alarm(scene, scene.admin).text
    assert "backup@us-de.example: no answer" in text and "first@us-de.example: has answered" in text


@cases("withdrawn", "updated")
@limit(180)
def test_withdrawal_and_newer_revision_end_the_reminders(t, what):
    scene = people(t, reminders=SOON)
    number = ask(scene)
    if what == "withdrawn":
        scene.gateway.ctl("advisory", "withdraw", number)
    else:
        scene.drop(scene.publisher.publish("Better text", "text\n", advisory=f"update {number}",
                                           acknowledge=f"{2 * HOURS}h"))
    scene.smarthost.wait(2, scene.first.address)
    for part in (0.5, 1):
        after(scene, part)
        if what == "withdrawn" or part < 1:
            time.sleep(QUIET)
            assert not reminders(scene), reminders(scene)
    if what == "withdrawn":
        return
    rows = wait_for(scene, 1)
    assert {row["revision"] for row in rows} == {2}, rows
    opened = scene.opened(scene.first, 3)
    assert "r2]" in opened.subject and "Reminder" in opened.subject, opened.subject


@limit(180)
def test_who_cannot_be_sealed_for_stands_in_the_alarm_with_the_reason(t):
    scene = people(t, reminders=SOON)
    ask(scene)
    for official in (scene.first, scene.backup):
        scene.smarthost.wait(1, official.address)
    scene.gateway.ctl("member", "suspend", "us-de")
    after(scene, 0.5)
    wait_for(scene, 1)
    after(scene, 1)
    text = alarm(scene, scene.publisher).text
    assert "could not be reminded: the member is suspended" in text, text
    assert len(scene.smarthost.received(scene.first.address)) == 1
    rows = [row for row in reminders(scene) if row["address"] == scene.first.address]
    assert {row["state"] for row in rows} == {"failed"}, rows


@limit(240)
def test_after_an_outage_only_the_latest_stage_is_sent_and_none_twice_after_kills(t):
    scene = people(t, reminders=STAGES)
    ask(scene)
    for official in scene.officials:
        scene.smarthost.wait(1, official.address)
    scene.gateway.kill_everything()
    scene.calendar.forward(HOURS * HOUR + MINUTE)
    for _ in range(3):
        scene.gateway.start()
        time.sleep(0.7)
        scene.gateway.kill_everything()
    scene.gateway.start()
    wait_for(scene, 2, "alarm")
    scene.smarthost.wait(2, scene.first.address)
    assert {row["stage"] for row in reminders(scene)} == {100}
    rows = scene.gateway.store_rows(
        "SELECT revision, contact, stage, count(*) FROM reminder GROUP BY 1, 2, 3")
    assert [row[3] for row in rows] == [1, 1, 1], rows
    messages = {mail.headers["Message-ID"]
                for mail in scene.smarthost.received(scene.first.address)}
    assert len(messages) == 2, messages


def test_admin_gets_alarms_and_may_not_publish(t):
    scene = Scene(t)
    admin = admit_admin(t, scene.gateway)
    assert [row["address"] for row in scene.gateway.rows("admin", "list")] == [admin.address]
    assert admin.address not in [row["address"] for row in scene.gateway.rows("publisher", "list")]
    row = scene.drop(admin.publish("a title", "text\n"))
    assert row["meaning"] == "unknown" and not scene.gateway.advisories(), row
    assert not scene.smarthost.received(admin.address)
    scene.gateway.ctl("admin", "remove", admin.address)
    assert not scene.gateway.rows("admin", "list")


def test_check_names_an_unusable_admin_certificate(t):
    scene = Scene(t)
    admin = t.publisher("admin@gw.example")
    scene.gateway.add_key(admin, confirm=False)
    scene.gateway.ctl("admin", "add", admin.address, "--key", admin.fingerprint)
    checked = scene.gateway.ctl("check", may_fail=True)
    assert scene.gateway.code == 1 and admin.address in checked, checked
    assert "admin's certificate is unusable" in scene.gateway.said, scene.gateway.said
