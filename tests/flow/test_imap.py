"""Mail from a mailbox of a real Dovecot."""
import random
import time

from dovecot import Dovecot
from harness import eventually, limit, sanitized
from mailroom import PASSWORD, USER, Mailroom, imap_settings, mail
from scene import Scene
from test_units import Couriers

MANY, PER_KILL = 200, 10


class Post(Mailroom):
    """A Mailroom with a Dovecot of its own."""

    def __init__(self, t, dovecot=None, **options):
        super().__init__(t, dovecot or Dovecot(t, {USER: PASSWORD}), **options)

    def deliver(self, *numbers, mailbox="INBOX"):
        for number in numbers:
            self.server.deliver(USER, mail(number), mailbox)

    def held(self, mailbox="INBOX"):
        return len(self.server.messages(USER, mailbox))

    def emptied(self, mailbox="INBOX"):
        eventually(lambda: self.held(mailbox) == 0, f"{mailbox} is empty on the server")


@sanitized
def test_mail_that_comes_while_the_courier_idles_is_taken_at_once(t):
    room = Post(t)
    room.deliver(1)
    room.wait([1])
    room.log_says("is open with")
    room.deliver(2, 3)
    room.wait([1, 2, 3], 20)
    room.emptied()
    assert room.log_count("is open with") == 1, "a connection for each mail"
    assert room.log_count(r"\(IDLE\)") == 1
    room.finds("ok")


def test_starttls_serves_as_well(t):
    dovecot = Dovecot(t, {USER: PASSWORD})
    room = Post(t, dovecot, tls="starttls", port=dovecot.port)
    room.deliver(1)
    room.wait([1])
    room.emptied()


@limit(400)
def test_every_mail_is_taken_once_while_couriers_are_killed(t):
    """kill -9 at any moment: all mails are in the store, once each, and the mailbox is empty."""
    room = Post(t)
    random.seed(20261123)
    kills, opened = 0, 0
    for first in range(1, MANY, PER_KILL):
        room.deliver(*range(first, first + PER_KILL))
        room.log_says("is open with", opened + 1, 60)
        opened = room.log_count("is open with")
        time.sleep(random.random() * 0.15)
        if kills % 3 == 2:  # it has come through, so that the next pause is short again
            room.emptied()
        kills += room.gateway.kill("courier") > 0
    room.wait(range(1, MANY + 1), 120)
    room.emptied()
    again = room.log_count("came again, byte for byte")
    t.note(f"{kills} times couriers were killed, {again} mails were fetched twice")
    assert kills >= 15, kills
    eventually(lambda: not list((room.gateway.drop_dir / "new").iterdir()), "an empty drop")


@limit(200)
def test_restart_of_the_server_loses_nothing(t):
    room = Post(t)
    room.deliver(1)
    room.wait([1])
    room.server.stop()
    room.log_says("cannot be watched")
    room.deliver(2)
    room.finds("warning", "out of reach since")
    room.server.start()
    room.deliver(3)
    room.wait([1, 2, 3])
    room.emptied()
    room.finds("ok")
    assert len(room.events("mailbox.lost")) == 1 and len(room.events("mailbox.reached")) == 1


@limit(200)
def test_mailbox_that_is_made_anew_loses_nothing(t):
    """Another UIDVALIDITY, and the UIDs begin at 1 again."""
    dovecot = Dovecot(t, {USER: PASSWORD})
    with dovecot.client(USER) as client:
        client.create("Gateway")
    room = Post(t, dovecot, mailbox="Gateway")
    room.deliver(1, 2, mailbox="Gateway")
    room.wait([1, 2])
    room.emptied("Gateway")
    with dovecot.client(USER) as client:
        assert client.delete("Gateway")[0] == "OK"
        time.sleep(1.1)  # UIDVALIDITY is made of seconds
        assert client.create("Gateway")[0] == "OK"
    room.deliver(3, 4, mailbox="Gateway")
    room.wait([1, 2, 3, 4])
    room.emptied("Gateway")
    seen = {row[0] for row in room.gateway.store_rows("SELECT size FROM arrival")}
    assert seen, "no arrivals"


def test_flags_of_people_do_not_matter(t):
    """Read, flagged, marked as deleted: taken all the same; nothing else is expunged."""
    room = Post(t, start=False)
    room.deliver(1, 2, 3)
    with room.server.client(USER, "INBOX") as client:
        client.store("1", "+FLAGS", "(\\Seen)")
        client.store("2", "+FLAGS", "(\\Flagged \\Answered)")
        client.store("3", "+FLAGS", "(\\Deleted)")
    room.gateway.start()
    room.wait([1, 2, 3])
    room.emptied()


def moved(t, dovecot):
    room = Post(t, dovecot, after="move:Taken")
    room.deliver(1, 2)
    room.wait([1, 2])
    room.emptied()
    room.deliver(3)
    room.wait([1, 2, 3])
    eventually(lambda: room.held("Taken") == 3, "three mails in the other mailbox")


def test_taken_mail_is_moved_to_another_mailbox(t):
    moved(t, Dovecot(t, {USER: PASSWORD}))


def test_taken_mail_is_moved_without_move(t):
    moved(t, Dovecot(t, {USER: PASSWORD}, more="imap_capability = IMAP4rev1 UIDPLUS IDLE"))


def test_server_without_idle_is_asked_again_and_again(t):
    room = Post(t, Dovecot(t, {USER: PASSWORD}, more="imap_capability = IMAP4rev1 UIDPLUS"),
                poll="1s")
    room.log_says("no IDLE")
    room.deliver(1)
    room.wait([1])
    room.deliver(2)
    room.wait([1, 2])


def test_nothing_is_taken_where_nothing_could_be_removed_singly(t):
    """EXPUNGE alone would take what others have marked."""
    room = Post(t, Dovecot(t, {USER: PASSWORD}, more="imap_capability = IMAP4rev1 IDLE"))
    room.deliver(1)
    room.log_says("UIDPLUS")
    assert room.taken() == [] and room.held() == 1
    room.finds("warning", "UIDPLUS")


def test_refused_password_is_named_and_not_tried_again_soon(t):
    room = Post(t, password="wrong horse")
    room.log_says("login: the server refuses user dewline")
    time.sleep(8)
    log = room.server.text_of_log()
    assert log.count("auth failed, 1 attempts") == 1, log
    assert room.log_count(r"next attempt in 60 s") == 1
    room.finds("warning", "refuses user")
    assert "wrong horse" not in room.gateway.text_of_log()


@limit(180)
def test_advisory_and_its_acknowledgment_come_through_the_mailbox(t):
    """Lines end with CR LF there, and signatures hold all the same."""
    dovecot = Dovecot(t, {USER: PASSWORD})
    scene = Scene(t, imap=imap_settings(t, dovecot))
    dovecot.deliver(USER, scene.publisher.publish("a title", "text\n" * 200000))
    scene.gateway.settled(1)
    opened = scene.opened()
    dovecot.deliver(USER, scene.official.reply(opened, "affected", "two sites"))
    scene.gateway.settled(2)
    assert [row["status"] for row in scene.acknowledged()] == ["affected"]
    eventually(lambda: not dovecot.messages(USER), "an empty mailbox")


@limit(180)
def test_courier_of_another_service_empties_the_mailbox(t):
    couriers = Couriers(t)
    room = Post(t, start=False, settings={"courier": {"socket": str(couriers.socket)}})
    couriers.start(room.gateway)
    room.gateway.start()
    room.deliver(1)
    room.wait([1])
    assert couriers.kill() > 0, "no courier of the other service was at work"
    room.deliver(2)
    room.wait([1, 2])
    room.emptied()
    assert "courier" not in set(room.gateway.processes().values())
    room.gateway.stop()
    eventually(lambda: not couriers.pids(), "the courier ends with its gateway", 5)
