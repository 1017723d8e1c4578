"""Who gets it, who does not, and that nobody is left out without being named."""

from harness import eventually, sanitized
from scene import Scene
from turning import HOUR, MINUTE


def last_receipt(scene):
    """The receipt on completion. It may overtake the first one: each is a mail of its own."""
    def complete():
        return next((receipt for receipt in reversed(scene.receipts())
                     if "has taken it" in receipt.text), None)
    return eventually(complete, "the last receipt")


@sanitized
def test_audience_takes_groups_members_contacts_and_minus(t):
    scene = Scene(t, 6)
    gateway = scene.gateway
    german, californian, bavarian, french, japanese, brazilian = scene.officials
    gateway.ctl("group", "add", "g7", "fr", "jp", "us-ca")
    gateway.ctl("group", "add", "energy", german.address)
    scene.release(audience=f"g7, energy, {brazilian.address}, -us-ca")
    for official in (french, japanese, german, brazilian):
        scene.opened(official)
    last_receipt(scene)
    assert scene.smarthost.received(californian.address) == []
    assert scene.smarthost.received(bavarian.address) == []


@sanitized
def test_update_and_withdrawal_reach_those_who_had_it(t):
    scene = Scene(t, 3)
    first, second, third = scene.officials
    number = scene.release(audience=f"{first.address}, {second.address}")["number"]
    scene.opened(first)
    scene.opened(second)
    scene.release(advisory=f"update {number}", audience=third.address, text="Now in 2.2.\n")
    for official, count in ((first, 2), (second, 2), (third, 1)):
        opened = scene.opened(official, count)
        assert f"[{number} r2]" in opened.subject and "Now in 2.2." in opened.text
    scene.release(advisory=f"withdraw {number}", audience=None, text="It was a mistake.\n")
    for official, count in ((first, 3), (second, 3), (third, 2)):
        opened = scene.opened(official, count)
        assert f"[{number} r3]" in opened.subject and "withdrawn" in opened.text.lower()
    assert scene.gateway.advisories()[0]["state"] == "withdrawn"


def test_update_of_a_withdrawn_advisory_is_refused(t):
    scene = Scene(t)
    number = scene.release()["number"]
    scene.opened()
    scene.release(advisory=f"withdraw {number}", audience=None)
    scene.opened(count=2)
    row = scene.drop(scene.publisher.publish("a title", "text\n", advisory=f"update {number}"))
    assert row["state"] == "refused", row


def test_admin_can_withdraw(t):
    scene = Scene(t)
    number = scene.release()["number"]
    scene.opened()
    scene.gateway.ctl("advisory", "withdraw", number)
    opened = scene.opened(count=2) if scene.smarthost.wait(2, scene.official.address) else None
    assert "withdrawn" in opened.text.lower()


def test_receipts_name_everyone_not_reached_and_why(t):
    """An expired key, a suspended member, a clearance that is too low: each by name and reason.
    I3."""
    calendar = t.calendar()
    scene = Scene(t, 2)
    gateway = scene.gateway
    well, suspended = scene.officials
    late = gateway.admit(t.official("late@us-tx.example", expires=f"seconds={HOUR}"))
    low = gateway.admit(t.official("low@us-ny.example"), clearance="GREEN")
    gateway.ctl("member", "suspend", "us-ca")
    calendar.forward(HOUR + MINUTE)
    number = scene.release(tlp="AMBER")["number"]
    scene.opened(well)
    receipt = last_receipt(scene)
    rows = {row["address"]: row for row in gateway.deliveries(number)}
    check = gateway.ctl("check", may_fail=True)
    for official, word in ((late, "expired"), (suspended, "suspended"), (low, "GREEN")):
        assert scene.advisory_mails(official) == []
        line = next(line for line in receipt.text.splitlines() if official.address in line)
        at = receipt.text.splitlines().index(line)
        assert word in " ".join(receipt.text.splitlines()[at:at + 3]), receipt.text
        row = rows[official.address]
        assert row["state"] == "failed" and word in row["reason"], row
        if official is not low:
            assert official.address in check, check
    assert well.address not in receipt.text
    assert rows[well.address]["state"] == "sent"


def test_advisory_that_reaches_nobody_says_so(t):
    scene = Scene(t, 1)
    scene.gateway.ctl("member", "suspend", "us-de")
    scene.drop(scene.publisher.publish("a title", "text\n"))
    receipt = last_receipt(scene)
    assert scene.official.address in receipt.text and "suspended" in receipt.text


def test_receipts_hold_a_checkpoint_of_the_log(t):
    import re
    scene = Scene(t)
    scene.release()
    text = last_receipt(scene).text
    checkpoint = re.search(r"^(\d+):[0-9A-F]{64}$", text, re.MULTILINE)
    sequence = checkpoint[1]
    scene.gateway.ctl("audit", "verify", "--checkpoint", checkpoint[0])
    assert max(map(len, text.splitlines())) <= 76
    scene.gateway.ctl("audit", "verify", "--checkpoint", f"{sequence}:{'0' * 64}", may_fail=True)
    assert scene.gateway.code != 0
