"""A year of a programme in a minute: the clock is turned, everything else is real.

Each chapter says of everybody who got what, and who did not and why: from the mail that came and
from what dewctl tells. No chapter may leave a mail that it did not speak of.
"""
import datetime

from harness import eventually, limit, now
from official import Opened
from scene import TITLE, Scene
from test_keylife import key_mail
from turning import DAY, HOUR, MINUTE, Calendar

AGREEMENT = "Keep it to yourself until it is public.\n"
STRICTER = "Keep it to yourself, and tell us when it leaked.\n"
KEY_DAYS = 200
NEAR = 300  # seconds within which two looks at the clock are the same time


def stamp(seconds):
    when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def opened(person, mail):
    """A mail as its reader sees it; of one that is only signed, who signed it and when."""
    if mail.headers.get_content_type() != "multipart/signed":
        return person.open(mail.raw)
    line = b"\r\n--" + mail.headers.get_boundary().encode()
    entity, armored = mail.raw.split(line)[1:3]
    detached = person.home.path / "notice.asc"
    detached.write_bytes(armored.partition(b"\r\n\r\n")[2])
    run = person.home.gpg("--verify", detached, "-", given=entity[2:])
    valid = run.lines("VALIDSIG")
    return Opened(entity[2:], len(valid) == 1 and valid[0][-1] == person.gateway[1],
                  valid[0][-1], int(valid[0][2]))


class Year(Scene):
    def __init__(self, t, **settings):
        t.needs("gpg")
        self.calendar = Calendar(t)
        super().__init__(t, 0, **settings)
        self.people = {self.publisher.address: self.publisher}
        self.told = {self.publisher.address: 0}  # how many mails of each were spoken of

    def invite(self, address, member, clearance="RED", expires="0"):
        """The admin compares the key and invites; who it is."""
        official = self.t.official(address, expires=expires)
        self.gateway.add_key(official)
        official.meet(self.gateway)
        self.gateway.ctl("member", "invite", member, "--name", f"Country of {member}", "--contact",
                         address, "--contact-name", official.name, "--key", official.fingerprint,
                         "--clearance", clearance)
        return self.meet(official)

    def appoint_admin(self):
        """Somebody who gets the alarms."""
        self.admin = self.t.publisher("admin@gw.example")
        self.gateway.add_key(self.admin)
        self.admin.meet(self.gateway)
        self.gateway.ctl("admin", "add", self.admin.address, "--key", self.admin.fingerprint)
        self.meet(self.admin)

    def publish_agreement(self, text, required_from=None):
        path = self.t.dir / "agreement.txt"
        path.write_text(text)
        words = [] if required_from is None else ["--required-from", stamp(required_from)]
        self.gateway.ctl("agreement", "publish", path, *words)

    def answer(self, official, mail, word):
        """Replies to a mail with one word in the first line; the row in the inbox."""
        row = self.drop(official.reply(mail, word))
        assert row["state"] == "done", row
        return row

    def state(self, member):
        return self.gateway.rows("member", "show", member)["state"]

    def meet(self, person):
        self.people[person.address] = person
        self.told[person.address] = 0
        return person

    def unspoken(self, person):
        """The mails of a person that no chapter spoke of yet, opened."""
        return [opened(person, mail) for mail in
                self.smarthost.received(person.address)[self.told[person.address]:]]

    def news(self, person, count=1):
        """The next `count` mails of a person, opened; each has to bear the gateway's signature, of
        this day."""
        told = self.told[person.address]
        self.smarthost.wait(told + count, person.address)
        opened = self.unspoken(person)[:count]
        self.told[person.address] += count
        for mail in opened:
            assert mail.good, f"{person.address}: no good signature by the gateway"
            assert abs(mail.signed_at - now()) < NEAR, "signed at another time"
        return opened

    def one(self, person):
        return self.news(person)[0]

    def news_of(self, *people):
        return [self.one(person) for person in people]

    def receipt(self):
        """The publisher's last mail on what was released: that all is handed over. It may overtake
        the one that said that all is sealed."""
        def complete():
            return next((mail for mail in self.unspoken(self.publisher)
                         if mail.subject.startswith("Complete: ")), None)
        last = eventually(complete, "the receipt that says that all is handed over")
        eventually(lambda: not self.gateway.rows("queue", "list"), "an empty queue")
        self.news(self.publisher, len(self.unspoken(self.publisher)))
        return last.text

    def to_day(self, day):
        """Turns the calendar to a day of the year, counted from its beginning."""
        self.calendar.forward(day * DAY - self.calendar.turned)

    def at_rest(self):
        """Asserts that nobody had a mail that no chapter spoke of."""
        eventually(lambda: not self.gateway.rows("queue", "list"), "an empty queue")
        for person in self.people.values():
            more = [mail.subject for mail in self.unspoken(person)]
            assert not more, f"{person.address} also got {more}"

    def delivered(self, number):
        """{address: (state, reason)} of the newest revision."""
        return {row["address"]: (row["state"], row["reason"])
                for row in self.gateway.deliveries(number)}

    def answers(self, number):
        """{address: (status, revision, older)}."""
        return {row["address"]: (row["status"], row["revision"], row["older"])
                for row in self.gateway.acknowledgments(number)}

    def unreachable(self):
        """{address: reason} by the pre-flight."""
        return {row["address"]: row["reason"]
                for row in self.gateway.rows("check", may_fail=True)["unreachable"]}

    def expiring(self):
        return [row["address"]
                for row in self.gateway.rows("check", may_fail=True)["expiring"]]


# The chapters. Each takes the year as the one before left it.

def invited_members_join_by_reply(year):
    year.publish_agreement(AGREEMENT)
    year.berlin = year.invite("cert@de.example", "de")
    year.bavaria = year.invite("cert@de-by.example", "de-by", expires=f"{KEY_DAYS}d")
    year.ottawa = year.invite("cert@ca.example", "ca", clearance="GREEN")
    for person in (year.berlin, year.bavaria):
        invitation = year.one(person)
        assert AGREEMENT.strip() in invitation.text
        assert year.answer(person, invitation, "accept")["meaning"] == "agreement"
    assert [year.state(name) for name in ("de", "de-by", "ca")] == ["active", "active", "invited"]
    assert list(year.unreachable()) == [year.ottawa.address]
    invitation = year.one(year.ottawa)
    # Whoever has not accepted yet gets nothing, and the publisher reads who and why.
    number = year.release(tlp="GREEN")["number"]
    year.news_of(year.berlin, year.bavaria)
    assert year.ottawa.address in year.receipt()
    assert "invited" in year.delivered(number)[year.ottawa.address][1]
    year.calendar.forward(5 * DAY)
    year.answer(year.ottawa, invitation, "I accept")
    assert year.state("ca") == "active" and year.gateway.rows("check")["ok"]


def new_agreement_is_asked_for_reminded_of_and_then_required(year):
    required = now() + 30 * DAY
    year.publish_agreement(STRICTER, required)
    everybody = (year.berlin, year.bavaria, year.ottawa)
    asked = dict(zip(everybody, year.news_of(*everybody)))
    assert all(STRICTER.strip() in mail.text for mail in asked.values())
    year.answer(year.berlin, asked[year.berlin], "accept")
    year.calendar.forward(23 * DAY + HOUR)
    year.poke()
    reminded = dict(zip(everybody[1:], year.news_of(*everybody[1:])))
    assert all(mail.subject.startswith("Reminder: ") for mail in reminded.values())
    year.asked_ottawa = reminded[year.ottawa]
    year.answer(year.ottawa, year.asked_ottawa, "accept")
    year.at_rest()
    year.calendar.forward(6 * DAY)
    year.poke()
    last = year.one(year.bavaria)
    assert last.subject.startswith("Reminder: ")
    assert year.gateway.rows("check")["ok"], "the version before suffices until the date"
    year.at_rest()
    year.calendar.forward(DAY)
    year.poke()
    eventually(lambda: year.state("de-by") == "lapsed", "Bavaria lapses")
    number = year.release(tlp="GREEN")["number"]
    year.news_of(year.berlin, year.ottawa)
    assert year.bavaria.address in year.receipt()
    reason = year.delivered(number)[year.bavaria.address][1]
    assert "agreement version 2" in reason and year.unreachable() == {
        year.bavaria.address: reason}
    year.answer(year.bavaria, last, "accept")
    assert year.state("de-by") == "active" and year.unreachable() == {}


def advisory_goes_to_those_who_are_cleared(year):
    number = year.release(tlp="AMBER")["number"]
    berlin, bavaria = year.news_of(year.berlin, year.bavaria)
    for mail in (berlin, bavaria):
        assert TITLE in mail.subject and number in mail.subject
    year.answer(year.berlin, berlin, "affected")
    receipt = year.receipt()
    assert year.ottawa.address in receipt and "cleared up to TLP:GREEN" in receipt, receipt
    state, reason = year.delivered(number)[year.ottawa.address]
    assert state == "failed" and "cleared up to TLP:GREEN" in reason
    return number


def update_three_weeks_later_makes_the_answer_older(year, number):
    year.calendar.forward(21 * DAY)
    year.release(advisory=f"update {number}", text="Version 2.2 is better.\n")
    berlin, bavaria = year.news_of(year.berlin, year.bavaria)
    assert f"{number} r2" in berlin.subject
    year.receipt()
    year.drop(year.bavaria.reply(bavaria, "acting"))
    assert year.answers(number) == {year.berlin.address: ("affected", 1, True),
                                    year.bavaria.address: ("acting", 2, False)}
    rows = {row["address"]: row for row in year.gateway.acknowledgments(number)}
    signed = year.gateway.seconds(rows[year.bavaria.address]["signed_at"])
    assert abs(signed - now()) < NEAR


def drill_is_answered_and_counted_apart(year):
    number = year.release(title="Spring drill", exercise="yes", tlp="GREEN")["number"]
    everybody = (year.berlin, year.bavaria, year.ottawa)
    for person, mail in zip(everybody, year.news_of(*everybody)):
        assert "EXERCISE" in mail.subject
        year.drop(person.reply(mail, "received"))
    year.receipt()
    assert len(year.answers(number)) == len(everybody)
    drills = [row["number"] for row in year.gateway.advisories() if row["exercise"]]
    assert drills == [number]


def silence_is_reminded_of_and_then_an_alarm(year):
    """Half of the time, three quarters, the end: Berlin answers at once, Ottawa when reminded."""
    number = year.release(tlp="GREEN", acknowledge="4h")["number"]
    berlin, bavaria, _ = year.news_of(year.berlin, year.bavaria, year.ottawa)
    year.receipt()
    year.answer(year.berlin, berlin, "not affected")
    year.calendar.forward(2 * HOUR + MINUTE)
    year.poke()
    reminder, last = year.news_of(year.ottawa, year.bavaria)
    assert "Reminder" in reminder.subject and number in reminder.subject
    assert "firmware" not in reminder.text, "a reminder tells no content"
    year.answer(year.ottawa, reminder, "acting")
    year.calendar.forward(HOUR)
    year.poke()
    assert "Reminder" in year.one(year.bavaria).subject
    year.at_rest()
    year.calendar.forward(HOUR)
    year.poke()
    assert number in year.one(year.bavaria).subject
    for person in (year.publisher, year.admin):
        alarm = year.one(person)
        assert alarm.subject.startswith("Alarm: ") and year.bavaria.address in alarm.text
        assert year.berlin.address not in alarm.text and year.ottawa.address not in alarm.text
    told = [(row["kind"], row["stage"], row["address"])
            for row in year.gateway.rows("reminder", "list") if row["advisory"] == number]
    assert [row for row in told if row[0] != "alarm"] == [
        ("reminder", 50, year.ottawa.address), ("reminder", 50, year.bavaria.address),
        ("reminder", 75, year.bavaria.address), ("escalation", 100, year.bavaria.address)], told
    # Late is better than never: the answer counts, and it stays on record that it was late.
    year.answer(year.bavaria, bavaria, "affected")
    assert set(year.answers(number)) == {year.berlin.address, year.bavaria.address,
                                         year.ottawa.address}


def key_is_warned_of_then_named_and_cuts_nobody_off_silently(year):
    """The key has a month left when the chapter begins: who holds it hears so in time, the admin
    sees it in the pre-flight, and the publisher reads who was not reached."""
    assert year.expiring() == [year.bavaria.address] and year.unreachable() == {}
    for left in (6.5, 0.5, -0.5):  # days that are left after each warning
        warning = year.one(year.bavaria)
        assert "expires" in warning.subject and year.bavaria.fingerprint in warning.text
        assert year.bavaria.address in year.one(year.admin).text
        year.at_rest()
        year.to_day(KEY_DAYS - left)
        year.poke()
    eventually(lambda: year.unreachable(), "the key expires")
    notice = year.one(year.bavaria)
    assert b"expired" in notice.inner and b"DEW-" not in notice.inner
    assert "has expired" in year.one(year.admin).subject
    number = year.release(tlp="GREEN")["number"]
    year.news_of(year.berlin, year.ottawa)
    receipt = year.receipt()
    assert year.bavaria.address in receipt and "expired" in receipt, receipt
    state, reason = year.delivered(number)[year.bavaria.address]
    assert state == "failed" and "expired" in reason
    assert list(year.unreachable()) == [year.bavaria.address]
    return number


def renewed_key_is_reached_again(year):
    year.bavaria.prolong("2y")
    row = year.drop(key_mail(year.bavaria, year.bavaria.certificate))
    assert (row["state"], row["meaning"]) == ("done", "key"), row
    assert "renewed" in year.one(year.bavaria).subject
    assert year.unreachable() == {} and year.expiring() == []


def new_key_takes_over_what_the_old_one_had(year):
    """The agreement that the old key signed stands, and so do its answers."""
    old = year.ottawa.fingerprint
    new = year.ottawa.home.make_key(f"New <{year.ottawa.address}>")
    row = year.drop(key_mail(year.ottawa, year.ottawa.home.certificate(new)))
    assert row["state"] == "done", row
    assert "waits" in year.one(year.ottawa).subject
    assert [row["fingerprint"] for row in year.gateway.rows("key", "pending")] == [new]
    year.gateway.ctl("contact", "rekey", year.ottawa.address, "--key", new)
    assert year.unreachable() == {} and year.state("ca") == "active"
    number = year.release(tlp="GREEN")["number"]
    year.ottawa.home.gpg("--delete-secret-keys", old)
    year.ottawa.fingerprint = new
    mail = year.news_of(year.ottawa, year.berlin, year.bavaria)[0]
    year.receipt()
    year.answer(year.ottawa, mail, "received")
    assert list(year.answers(number)) == [year.ottawa.address]


def withdrawal_reaches_all_who_had_it_after_an_outage(year, number):
    year.gateway.stop()
    year.calendar.forward(14 * DAY)
    year.gateway.start()
    year.release(advisory=f"withdraw {number}", tlp="GREEN", text="It was another product.\n")
    for mail in year.news_of(year.berlin, year.ottawa):
        assert "WITHDRAWN" in mail.subject
    year.receipt()


def what_is_held_goes_to_those_who_are_members_then(year):
    """Ottawa was a member when the advisory was handed in, and leaves by Reply before its hour: to
    the mail that asked for the agreement, with a key that is another one since."""
    hour = now() + 3 * DAY
    row = year.drop(year.publisher.publish(TITLE, "For all of you.\n", tlp="GREEN",
                                           release=stamp(hour)))
    assert row["state"] == "done", row
    held = year.one(year.publisher)
    number = year.gateway.advisories()[0]["number"]
    assert number in held.text and "would reach 3" in held.text, held.text
    year.at_rest()
    year.calendar.forward(2 * DAY)
    year.poke()
    assert year.answer(year.ottawa, year.asked_ottawa, "leave")["reason"] == "leave"
    assert year.state("ca") == "left"
    year.at_rest()
    year.calendar.forward(DAY + MINUTE)
    year.poke()
    year.news_of(year.berlin, year.bavaria)
    receipt = year.receipt()
    assert year.ottawa.address not in year.delivered(number)
    assert "Nobody of the audience was left out" in receipt, receipt


def member_who_left_gets_nothing_more(year):
    year.calendar.forward(40 * DAY)
    number = year.release(tlp="GREEN", acknowledge="1h")["number"]
    berlin, bavaria = year.news_of(year.berlin, year.bavaria)
    year.receipt()
    year.answer(year.berlin, berlin, "received")
    year.answer(year.bavaria, bavaria, "received")
    year.calendar.forward(2 * HOUR)
    year.poke()
    assert year.ottawa.address not in year.delivered(number)
    assert year.unreachable() == {}


def test_admin_is_warned_too_and_renews_by_mail(t):
    scene = Scene(t, 0)
    admin = t.publisher("admin@gw.example", expires="20d")
    scene.gateway.add_key(admin)
    admin.meet(scene.gateway)
    scene.gateway.ctl("admin", "add", admin.address, "--key", admin.fingerprint)
    warning = admin.open(scene.smarthost.only(admin.address).raw)
    assert "expires" in warning.subject and "Key: update" in warning.text
    admin.prolong("2y")
    row = scene.drop(key_mail(admin, admin.certificate))
    assert (row["state"], row["meaning"], row["reason"]) == ("done", "key", "renewed"), row
    answer = admin.open(scene.smarthost.wait(2, admin.address)[1].raw)
    assert "renewed" in answer.subject


@limit(300)
def test_year_of_a_programme(t):
    year = Year(t)
    year.appoint_admin()
    invited_members_join_by_reply(year)
    year.at_rest()
    number = advisory_goes_to_those_who_are_cleared(year)
    update_three_weeks_later_makes_the_answer_older(year, number)
    year.at_rest()
    year.calendar.forward(20 * DAY)
    new_agreement_is_asked_for_reminded_of_and_then_required(year)
    year.at_rest()
    year.to_day(120)
    drill_is_answered_and_counted_apart(year)
    year.at_rest()
    silence_is_reminded_of_and_then_an_alarm(year)
    year.at_rest()
    year.to_day(KEY_DAYS - 29.5)
    year.poke()
    number = key_is_warned_of_then_named_and_cuts_nobody_off_silently(year)
    renewed_key_is_reached_again(year)
    year.at_rest()
    new_key_takes_over_what_the_old_one_had(year)
    year.at_rest()
    withdrawal_reaches_all_who_had_it_after_an_outage(year, number)
    year.at_rest()
    what_is_held_goes_to_those_who_are_members_then(year)
    year.at_rest()
    member_who_left_gets_nothing_more(year)
    year.at_rest()
    assert year.gateway.rows("audit", "verify")["sound"]
