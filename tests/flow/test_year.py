"""A year of a programme in a minute: the clock is turned, everything else is real.

Each chapter says of everybody who got what, and who did not and why: from the mail that came and
from what dewctl tells. No chapter may leave a mail that it did not speak of.
"""
from harness import eventually, limit
from scene import TITLE, Scene
from turning import DAY, Calendar

NEAR = 300  # seconds within which two looks at the clock are the same time


class Year(Scene):
    def __init__(self, t, **settings):
        t.needs("gpg")
        self.calendar = Calendar(t)
        super().__init__(t, 0, **settings)
        self.people = {self.publisher.address: self.publisher}
        self.told = {self.publisher.address: 0}  # how many mails of each were spoken of

    def admit(self, address, expires="0", **options):
        official = self.gateway.admit(self.t.official(address, expires=expires), **options)
        return self.meet(official)

    def meet(self, person):
        self.people[person.address] = person
        self.told[person.address] = 0
        return person

    def unspoken(self, person):
        """The mails of a person that no chapter spoke of yet, opened."""
        return [person.open(mail.raw) for mail in
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
            assert abs(mail.signed_at - self.calendar.now()) < NEAR, "signed at another time"
        return opened

    def mail(self, person):
        return self.news(person)[0]

    def news_of(self, *people):
        return [self.mail(person) for person in people]

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

def advisory_goes_to_those_who_are_cleared(year):
    number = year.release(tlp="AMBER")["number"]
    for mail in year.news_of(year.berlin, year.bavaria):
        assert TITLE in mail.subject and number in mail.subject
    receipt = year.receipt()
    assert year.ottawa.address in receipt and "cleared up to TLP:GREEN" in receipt, receipt
    state, reason = year.delivered(number)[year.ottawa.address]
    assert state == "failed" and "cleared up to TLP:GREEN" in reason
    return number


def update_three_weeks_later_makes_the_answer_older(year, number):
    first = year.opened(year.berlin)
    year.drop(year.berlin.reply(first, "affected"))
    year.at_rest()
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
    assert abs(signed - year.calendar.now()) < NEAR


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


def expired_key_is_named_and_cuts_nobody_off_silently(year):
    assert year.expiring() == [year.bavaria.address] and year.unreachable() == {}
    year.calendar.forward(28 * DAY)
    assert list(year.unreachable()) == [year.bavaria.address]
    number = year.release(tlp="GREEN")["number"]
    year.news_of(year.berlin, year.ottawa)
    receipt = year.receipt()
    assert year.bavaria.address in receipt and "expired" in receipt, receipt
    state, reason = year.delivered(number)[year.bavaria.address]
    assert state == "failed" and "expired" in reason
    return number


def longer_key_is_reached_again(year):
    year.bavaria.prolong("2y")
    year.gateway.add_key(year.bavaria, confirm=False)
    assert year.unreachable() == {} and year.expiring() == []


def withdrawal_reaches_all_who_had_it_after_an_outage(year, number):
    year.gateway.stop()
    year.calendar.forward(14 * DAY)
    year.gateway.start()
    year.release(advisory=f"withdraw {number}", tlp="GREEN", text="It was another product.\n")
    for mail in year.news_of(year.berlin, year.ottawa):
        assert "WITHDRAWN" in mail.subject
    year.receipt()


def member_who_leaves_gets_nothing_more(year):
    year.gateway.ctl("member", "remove", "ca")
    number = year.release(tlp="GREEN")["number"]
    year.news_of(year.berlin, year.bavaria)
    receipt = year.receipt()
    assert year.ottawa.address not in year.delivered(number)
    assert "Nobody of the audience was left out" in receipt, receipt


@limit(300)
def test_year_of_a_programme(t):
    year = Year(t)
    year.berlin = year.admit("cert@de.example", member="de")
    year.bavaria = year.admit("cert@de-by.example", expires="100d")
    year.ottawa = year.admit("cert@ca.example", member="ca", clearance="GREEN")
    assert year.gateway.rows("check")["ok"]
    number = advisory_goes_to_those_who_are_cleared(year)
    update_three_weeks_later_makes_the_answer_older(year, number)
    year.at_rest()
    year.calendar.forward(52 * DAY)
    drill_is_answered_and_counted_apart(year)
    year.at_rest()
    number = expired_key_is_named_and_cuts_nobody_off_silently(year)
    longer_key_is_reached_again(year)
    year.at_rest()
    withdrawal_reaches_all_who_had_it_after_an_outage(year, number)
    year.at_rest()
    member_who_leaves_gets_nothing_more(year)
    year.at_rest()
    assert year.gateway.rows("audit", "verify")["sound"]
