"""A worker that dies costs nobody a mail: it is tried again over time, the admins know of it, and in
the end they may have it judged anew. Readers die here; the gate does not ask which worker it was."""
from harness import eventually, limit, now
from scene import Scene
from test_hostile import PROGRAM, stranger_mail
from test_remind import admit_admin
from turning import DAY, HOUR

KNOWN_MOST = 7  # workers that a mail may end, rules/tries.h
STRANGER_MOST = 3


class Dying(Scene):
    def __init__(self, t):
        self.calendar = t.calendar()
        super().__init__(t, 3, program=PROGRAM)
        self.admin = admit_admin(t, self.gateway)

    def answer_that_crashes(self, person, until):
        """Whose reader dies until that time, as it does where the machine is at fault."""
        return person.reply(self.opened(person), "received", comment=(
            f"X-Reader: content-crashes-before\nX-After: {int(until)}"))

    def row(self, number):
        return self.gateway.rows("inbox", "show", number)

    def alarms(self, count):
        """What the admin reads, in the order of its coming."""
        def told():
            mails = [self.admin.open(mail.raw)
                     for mail in self.smarthost.received(self.admin.address)]
            mails = [mail for mail in mails if mail.subject.startswith("Alarm: mail of somebody")]
            return mails if len(mails) >= count else None
        mails = eventually(told, f"{count} alarms", 60)
        assert len(mails) == count, [mail.subject for mail in mails]
        return [" ".join(mail.text.split()) for mail in mails]

    def check(self):
        return [row for row in self.gateway.rows("check", may_fail=True)["findings"]
                if row["what"] == "unread"][0]

    def try_all(self):
        """Lets the time of all come that wait, until they have been tried; their rows by number."""
        waiting = {row["id"]: row for row in self.gateway.arrivals()
                   if row["meaning"] == "fatal" and row["state"] == "received"}
        self.calendar.to(max(self.gateway.seconds(row["waits_until"])
                             for row in waiting.values()))
        self.poke()

        def tried():
            rows = {number: self.row(number) for number in waiting}
            return rows if all(
                row["state"] != "received" or row["tries"] > waiting[number]["tries"]
                for number, row in rows.items()) else None
        return eventually(tried, "all have been tried again", 60)


@limit(300)
def test_worker_that_dies_costs_nobody_a_mail(t):
    """I6."""
    scene = Dying(t)
    gateway, (first, second, other) = scene.gateway, scene.officials
    scene.release(acknowledge="4h")

    # Tried at once with two workers, then after a minute; others go on, and the admins know.
    row = scene.drop(scene.answer_that_crashes(first, now() + 30))
    one = row["id"]
    assert (row["state"], row["meaning"], row["tries"]) == ("received", "fatal", 2), row
    assert 0 < gateway.seconds(row["waits_until"]) - now() <= 60, row
    assert "reading what it holds failed 2 times: the reader was killed by signal 11" in row[
        "reason"] and first.address in row["reason"], row
    assert scene.drop(other.reply(scene.opened(other), "affected"))["state"] == "done"
    told = scene.alarms(1)[0]
    assert f"{one}, received" in told and first.address in told, told
    assert "It is tried again at" in told and "dewctl inbox retry" in told, told
    found = scene.check()
    assert found["result"] == "warning" and f"arrival {one}, " in found["detail"], found
    assert first.address in found["detail"] and "tried again at" in found["detail"], found
    rows = scene.try_all()
    assert (rows[one]["state"], rows[one]["meaning"]) == ("done", "acknowledgment"), rows
    assert scene.check()["result"] == "ok"
    assert gateway.store_rows("SELECT k.received_at - a.received_at FROM acknowledgment k"
                              " JOIN arrival a ON a.id = k.arrival") == [(0,), (0,)]

    # One that goes on to do so is given up, a stranger's sooner; a restart changes nothing.
    scene.calendar.forward(HOUR)  # the admins are not told of each within minutes
    two = scene.drop(scene.answer_that_crashes(second, now() + 4 * DAY))["id"]
    nobody = scene.drop(stranger_mail("crashes"))["id"]
    told = scene.alarms(2)[1]
    assert f"{two}, received" in told and "It is tried again at" in told, told
    gateway.stop()
    gateway.start()
    assert scene.row(two)["tries"] == scene.row(nobody)["tries"] == 2
    seen = {two: [], nobody: []}
    began = now()
    while not all(scene.row(number)["state"] == "unreadable" for number in seen):
        for number, row in scene.try_all().items():
            seen[number].append(row["tries"])
    assert seen == {two: [3, 4, 5, 6, 7], nobody: [3]} or seen == {
        two: [3, 4, 5, 6, 7], nobody: [3, 3]}, seen
    assert seen[two][-1] == KNOWN_MOST and seen[nobody][-1] == STRANGER_MOST
    assert DAY < now() - began < 3 * DAY
    told = scene.alarms(3)[2]
    assert f"{two}, received" in told and "It is given up." in told, told
    found = scene.check()
    assert found["result"] == "warning" and second.address in found["detail"], found
    assert "given up" in found["detail"], found

    # An admin says so: it counts by the time at which it came.
    scene.calendar.forward(3 * DAY)
    gateway.ctl("inbox", "retry", two)
    eventually(lambda: scene.row(two)["state"] == "done", "it is judged anew")
    assert scene.row(two)["meaning"] == "acknowledgment", scene.row(two)
    late = gateway.store_rows("SELECT k.received_at > r.acknowledge_by FROM acknowledgment k"
                              f" JOIN revision r ON r.id = k.revision WHERE k.arrival = {two}")
    assert late == [(0,)], late
    gateway.ctl("inbox", "retry", two, may_fail=True)
    assert "was read and is done, acknowledgment" in gateway.said, gateway.said
    gateway.ctl("inbox", "retry", "--all")
    eventually(lambda: scene.row(nobody)["tries"] == 2, "all are judged anew")
    assert gateway.rows("audit", "verify")["sound"]
