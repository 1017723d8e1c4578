"""The Date of a mail is that of its sealing: mail programs hold it against the signature's, and warn of
deceit where they differ."""
import email
import email.policy
import email.utils

from gateway import Smarthost
from harness import cases, descendants, eventually, limit, now, parents
from scene import Scene, TEXT, TITLE
from test_refusals import script
from turning import HOUR, MINUTE

LATE = 3 * HOUR


def seconds(field):
    return int(email.utils.parsedate_to_datetime(field).timestamp())


def dates(raw, opened):
    """Every date that a mail says of itself, outside and inside."""
    inner = email.message_from_bytes(opened.inner, policy=email.policy.compat32)
    outer = [field for field in inner.get_all("HP-Outer") if field.startswith("Date: ")]
    assert len(outer) == 1, outer
    return {email.message_from_bytes(raw)["Date"], inner["Date"], outer[0].partition(": ")[2]}


def is_of_its_signature(mail, opened, after):
    assert opened.good
    said = dates(mail.raw, opened)
    assert len(said) == 1, said
    date = seconds(said.pop())
    assert abs(date - opened.signed_at) < MINUTE, (date, opened.signed_at)
    assert date >= after, (date, after)


def unsealed(gateway):
    """Deliveries of the newest advisory that are recorded, and not sealed yet."""
    return gateway.store_rows("SELECT 1 FROM delivery WHERE batch IS NULL AND message ="
                              " (SELECT max(id) FROM message WHERE kind = 'advisory')")


def killed_between(scene, **options):
    """Publishes, and kills the daemon when that is recorded and not sealed yet, which may take a few
    advisories."""
    gateway = scene.gateway
    for count in range(1, 10):
        gateway.drop(scene.publish(TITLE, TEXT, **options))
        eventually(lambda: gateway.count_advisories() >= count, "it is recorded", pause=0)
        if unsealed(gateway):
            below = descendants(gateway.process.pid)
            gateway.kill_everything()
            # One that was about to commit may yet do so.
            eventually(lambda: not set(below) & set(parents()), "all are gone")
            if len(unsealed(gateway)) == len(scene.officials):
                return
            gateway.start()
        eventually(lambda: not gateway.store_rows(
            "SELECT 1 FROM delivery WHERE state IN ('queued', 'sending', 'deferred')"),
            "it is out, and will not be in the way of the next", 60)
    raise AssertionError("it was sealed before the daemon was killed, each time")


def newest(scene, official, count=1):
    """The copies of the newest advisory that the official got, once there are so many."""
    own = scene.gateway.store_rows("SELECT message_id FROM message WHERE kind = 'advisory'"
                                   " ORDER BY id DESC LIMIT 1")[0][0]

    def enough():
        found = [mail for mail in scene.smarthost.received(official.address)
                 if mail.headers["Message-ID"].strip("<> ") == own]
        return found if len(found) >= count else None
    return eventually(enough, f"{count} copies for {official.address}")


@cases("one text for all", "traced copies")
@limit(240)
def test_date_is_that_of_sealing_also_hours_after_it_was_recorded(t, copies):
    calendar = t.calendar()
    # One attempt is lost behind the final dot: what is sent again must be the same.
    scene = Scene(t, 2, script=["rcpt nobody@* 1 reply 450 4.2.1 busy"])
    killed_between(scene, **({"trace": "yes"} if copies == "traced copies" else {}))
    calendar.forward(LATE)
    later = now()
    script(scene, "dot cert@us-de.example 1 drop-after-store")
    scene.gateway.start()
    for official in scene.officials:
        mail = newest(scene, official)[0]
        is_of_its_signature(mail, official.open(mail.raw), later - MINUTE)
    receipt = scene.smarthost.wait(1, scene.publisher.address)[-1]
    is_of_its_signature(receipt, scene.publisher.open(receipt.raw), later - LATE - HOUR)
    calendar.forward(LATE)
    scene.poke()
    twice = newest(scene, scene.official, 2)
    assert len({mail.raw for mail in twice}) == 1, "sent again, and not the same"


@limit(240)
def test_mail_that_waits_for_the_smarthost_keeps_the_date_of_its_signature(t):
    calendar = t.calendar()
    smarthost = Smarthost(t)
    scene = Scene(t, 2, smarthost)
    smarthost.stop()
    before = now()
    scene.release()
    eventually(lambda: scene.gateway.rows("queue", "list"), "it waits")
    eventually(lambda: all(row[0] for row in scene.gateway.store_rows(
        "SELECT batch IS NOT NULL FROM delivery")), "all is sealed")
    scene.gateway.stop()
    calendar.forward(LATE)
    smarthost.start()
    scene.gateway.start()
    scene.poke()
    for official in scene.officials:
        mail = scene.smarthost.only(official.address, 60)
        opened = official.open(mail.raw)
        is_of_its_signature(mail, opened, before - MINUTE)
        assert opened.signed_at < before + HOUR
