"""A clock that is wrong: what it makes good mail look like, and what waits for an hour."""
import datetime

from harness import eventually, limit, now
from scene import in_words
from test_inform import BLOCK, mail
from test_release import Timed, at
from test_remind import admit_admin
from turning import DAY, HOUR, MINUTE


def clock(scene):
    """What `dewctl check` says of the clock: the result and the detail."""
    found, = [row for row in scene.gateway.rows("check", may_fail=True)["findings"]
              if row["what"] == "clock"]
    return found["result"], found["detail"]


def alarms(scene, admin, word):
    opened = [admin.open(mail.raw) for mail in scene.smarthost.received(admin.address)]
    assert all(mail.good for mail in opened)
    return [mail for mail in opened if word in mail.subject]


def told(scene, person, subject="waits"):
    """The letters about waiting mail that somebody got."""
    opened = [person.open(mail.raw) for mail in scene.smarthost.received(person.address)]
    return [mail for mail in opened if subject in mail.subject]


def waiting(scene, count):
    def look():
        rows = [row for row in scene.gateway.arrivals() if row["waits_until"]]
        return len(rows) == count and rows
    return eventually(look, f"{count} mails wait")


def words(seconds):
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return in_words(moment.isoformat(), True)


@limit(240)
def test_jump_ahead_releases_nothing_until_somebody_says_that_it_is_right(t):
    scene = Timed(t)
    admin = admit_admin(t, scene.gateway)
    held = scene.hold(3 * DAY)
    assert clock(scene)[0] == "ok", clock(scene)
    scene.calendar.turn(3 * DAY + HOUR)
    scene.poke()
    result, detail = eventually(
        lambda: " at " in clock(scene)[1] and clock(scene), "that the jump was seen")
    assert result == "bad", detail
    assert "the clock jumped ahead by 3 days 1 hour at" in detail, detail
    assert "releases, reminders and expiry wait" in detail, detail
    assert "dewctl clock confirm" in detail, detail
    # There and back again: nothing is left of it.
    scene.calendar.turn(-3 * DAY - HOUR)
    scene.poke()
    eventually(lambda: clock(scene)[0] == "ok", "that it is believed again")
    scene.calendar.turn(3 * DAY + HOUR)
    # What is due now goes out, and answers count, whatever the clock says.
    scene.drop(scene.publisher.publish("Now", "at once\n", acknowledge="4h"))
    opened = scene.opened()
    assert "at once" in opened.text and not opened.subject.startswith(f"[{held['number']}")
    scene.drop(scene.official.reply(opened, "affected"))
    scene.calendar.turn(3 * MINUTE)
    scene.gateway.restart()  # which changes nothing
    scene.poke()
    alarm, = eventually(lambda: alarms(scene, admin, "clock was set"), "the alarm")
    assert "3 days 1 hour after" in alarm.text.replace("\n", " "), alarm.text
    assert "dewctl clock confirm" in alarm.text, alarm.text
    rows = {row["number"]: row for row in scene.gateway.advisories()}
    assert rows[held["number"]]["state"] == "held", rows
    assert len(scene.smarthost.received(scene.official.address)) == 1
    assert scene.acknowledged()[0]["status"] == "affected"
    scene.gateway.ctl("clock", "confirm")
    eventually(lambda: len(scene.smarthost.received(scene.official.address)) == 2, "the release")
    assert clock(scene)[0] == "ok", clock(scene)
    assert "clock.confirm" in scene.events() and "clock.off" in scene.events()
    assert len(alarms(scene, admin, "clock was set")) == 1
    # The time to answer what went out meanwhile is not over all at once.
    assert not alarms(scene, admin, "without an answer")
    number = next(row["number"] for row in scene.gateway.advisories() if row["number"] != held["number"])
    revision, = scene.gateway.rows("advisory", "show", number)["revisions"]
    assert abs(scene.gateway.seconds(revision["acknowledge_by"]) - now() - 4 * HOUR) < 10 * MINUTE


@limit(240)
def test_mail_of_those_we_know_waits_for_a_slow_clock_and_is_taken_when_it_is_right(t):
    scene = Timed(t, 2, publishers=2, release={"approval": "never"})
    admin = admit_admin(t, scene.gateway)
    first, second = scene.officials
    opened = {}
    before = scene.release(title="Before")["number"]
    for official in scene.officials:
        opened[official.address] = scene.opened(official)
    held = scene.hold(HOUR, approval="yes")
    token = scene.asked(scene.others[0])
    slow = 8 * MINUTE  # for everybody else it is so much later
    later = now() + slow
    mails = [scene.publisher.publish("Later", "as it should be\n", faked=later),
             scene.others[0].publish("Re: ...", block=f"Approve: {token}\n", faked=later),
             first.reply(opened[first.address], "affected", shape="signed-inside", faked=later),
             mail(second, BLOCK.format(""), shape="signed-inside", faked=later)]
    for raw in mails:
        scene.gateway.drop(raw)
    rows = waiting(scene, 4)
    assert {row["meaning"] for row in rows} == {"advisory", "approval", "acknowledgment",
                                                "report"}, rows
    assert {row["reason"] for row in rows} == {"the signature is dated in the future"}, rows
    for raw in mails:
        scene.gateway.drop(raw)  # the same bytes again
    scene.poke()
    result, detail = clock(scene)
    assert result == "bad" and "it is slow by about 8 minutes" in detail, detail
    assert "4 of 4 signers" in detail and "4 mails wait" in detail, detail
    alarm, = eventually(lambda: alarms(scene, admin, "clock is slow"), "the alarm")
    assert "by about 8 minutes" in alarm.text and "4 mails wait" in alarm.text, alarm.text
    assert not scene.gateway.acknowledgments(before) and len(waiting(scene, 4)) == 4
    for person in (scene.publisher, first):
        assert not told(scene, person), "a few minutes are waited for"
    scene.calendar.turn(slow)  # somebody sets it right, and need say nothing
    scene.poke()
    eventually(lambda: not [row for row in scene.gateway.arrivals() if row["waits_until"]],
               "that none waits")
    scene.mails += len(mails)
    done = scene.gateway.settled(scene.mails)
    assert {row["state"] for row in done} == {"done"}, done
    assert scene.gateway.acknowledgments(before)[0]["status"] == "affected"
    assert "Later" in {row["title"] for row in scene.gateway.advisories()}
    row, = [row for row in scene.gateway.advisories() if row["number"] == held["number"]]
    assert not row["waits_for_approval"], row
    assert scene.gateway.rows("report", "list")
    assert len(alarms(scene, admin, "clock is slow")) == 1


def test_whose_clock_is_far_ahead_is_told_at_once_and_once(t):
    scene = Timed(t)
    scene.release(title="Before")
    opened = scene.opened()
    ahead = now() + 365 * DAY
    scene.gateway.drop(scene.publisher.publish("Title", "words\n", faked=ahead))
    letter, = eventually(lambda: told(scene, scene.publisher), "the word to the publisher")
    row = waiting(scene, 1)[0]
    assert words(ahead) in letter.text and f"arrival {row['id']}" in letter.text, letter.text
    assert "set it right and send the mail again" in letter.text, letter.text
    scene.gateway.drop(scene.publisher.publish("Other", "words\n", faked=ahead + HOUR))
    waiting(scene, 2)
    scene.gateway.drop(scene.official.reply(
        opened, "affected", shape="signed-inside", faked=ahead))
    eventually(lambda: told(scene, scene.official), "the word to the official")
    waiting(scene, 3)
    assert len(told(scene, scene.publisher)) == 1
    result, detail = clock(scene)
    assert result == "bad" and "it is slow by about 365 days" in detail, detail
    # Set right and sent again, it is taken at once.
    scene.mails += 3
    scene.gateway.drop(scene.publisher.publish("Title", "words\n"))
    eventually(lambda: "Title" in {row["title"] for row in scene.gateway.advisories()},
               "the advisory")


def test_key_that_only_a_jump_lets_expire_is_waited_for(t):
    scene = Timed(t)
    short = scene.gateway.admit(t.official("short@fr.example", expires="2d"))
    scene.calendar.turn(3 * DAY)
    scene.gateway.drop(scene.publisher.publish("Now", "at once\n"))
    scene.opened()
    number = scene.state()["number"]

    def row():
        found, = [row for row in scene.gateway.deliveries(number)
                  if row["address"] == short.address]
        return found
    eventually(lambda: "waits until the clock is right" in scene.gateway.text_of_log(),
               "that gpg refused it")
    assert row()["state"] == "queued", row()
    scene.calendar.turn(-3 * DAY)
    scene.poke()
    # The other mail is the warning that the key expires in two days.
    subjects = [short.open(mail.raw).subject
                for mail in scene.smarthost.wait(2, short.address)]
    assert sum(f"[{number} r1] Now" in subject for subject in subjects) == 1, subjects
