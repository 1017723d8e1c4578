"""What a smarthost has against the gateway is waited out, and told; what it says of one recipient is
believed (DESIGN: nobody stays uninformed)."""
from harness import eventually, limit
from scene import Scene
from test_remind import admit_admin
from test_smarthost import delivery, in_state

# At RCPT TO, where Postfix says all of it, and behind the final dot.
AGAINST_US = {
    "us-de": "rcpt {} * reply 554 5.7.1 <unknown[192.0.2.9]>: Client host rejected: Access denied",
    "us-ca": "rcpt {} * reply 553 5.7.1 <bounce@gw.example>: Sender address rejected: not owned",
    "de-by": "rcpt {} * reply 554 5.7.1 <cert@de-by.example>: Relay access denied",
    "fr": "dot {} * reply 550 5.7.0 Too many messages sent, retry in one hour",
    "jp": "dot {} * reply 554 content filter down",
    "br": "data {} * reply 552 5.3.1 Insufficient system storage",
}
OUR_OWN = ["rcpt publisher@* * reply 550 too many messages",
           "rcpt admin@* * reply 550 5.7.54 SMTP; Unable to relay recipient"]
EVERYBODY = "rcpt * * reply 550 too many messages"
NOBODY_HERE = "rcpt * * reply 550 5.1.1 User unknown in relay recipient table"


def script(scene, *rules):
    """From now on."""
    draft = scene.smarthost.dir / "new"
    draft.write_text("".join(f"{rule}\n" for rule in rules))
    draft.rename(scene.smarthost.dir / "script")


def with_admin(t, officials, rules, **settings):
    scene = Scene(t, officials, script=rules,
                  smarthost_settings={"host": "127.0.0.1", "alarm": "1s"}, **settings)
    scene.admin = admit_admin(t, scene.gateway)
    return scene


def finding(scene, what="queue"):
    rows = scene.gateway.rows("check", may_fail=True)["findings"]
    return next(row for row in rows if row["what"] == what)


def alarms(scene):
    """What the admin has read of the smarthost, texts of all mails."""
    return [scene.admin.open(mail.raw).text
            for mail in scene.smarthost.received(scene.admin.address)]


def told(scene, *words):
    return eventually(lambda: next((text for text in alarms(scene)
                                    if all(word in text for word in words)), None),
                      f"the admin is told: {words}")


def is_waited_for(scene, *words):
    """For longer than smarthost.alarm: nobody is lost, and check and queue say why."""
    for official in scene.officials:
        row = in_state(scene, "deferred", official)
        assert row["reason"], row
    eventually(lambda: not scene.gateway.store_rows(
        "SELECT 1 FROM delivery AS d JOIN revision AS r ON r.message = d.message WHERE told = 0"),
        "the mail about the advisory is written")
    found = finding(scene)
    assert found["result"] == "bad" and "dewctl queue retry" in found["detail"], found
    said = scene.gateway.ctl("queue", "list")
    for word in words:
        assert word in said, said
    assert scene.gateway.rows("queue", "list", "--failed") == []


def completed(scene):
    """The publisher's receipts that say that it is complete, oldest first."""
    return [receipt for receipt in scene.receipts(0) if receipt.subject.startswith("Complete")]


def is_over(scene):
    for official in scene.officials:
        assert scene.opened(official).good
        in_state(scene, "sent", official)
    receipt = eventually(lambda: completed(scene), "the publisher's receipt")[-1]
    assert not any(official.address in receipt.text for official in scene.officials)
    eventually(lambda: finding(scene)["result"] == "ok", "check is content")


@limit(180)
def test_what_the_smarthost_has_against_the_gateway_loses_nothing_and_is_told(t):
    scene = with_admin(t, 6, [rule.format(f"cert@{country}.example")
                              for country, rule in AGAINST_US.items()] + OUR_OWN)
    scene.release()
    is_waited_for(scene, "Client host rejected", "Sender address rejected", "Relay access denied",
                  "Too many messages", "content filter down", "Insufficient system storage")
    assert scene.smarthost.received() == []
    script(scene)
    is_over(scene)
    text = told(scene, "cert@fr.example", "content filter down")
    assert "waited for 6" in text and "dewctl queue retry" in text


@limit(180)
def test_nobody_is_there_said_of_everybody_is_about_the_gateway(t):
    scene = with_admin(t, 3, [NOBODY_HERE])
    scene.release()
    is_waited_for(scene, "said of everybody", "5.1.1 User unknown")
    script(scene)
    is_over(scene)
    told(scene, "said of everybody: RCPT TO: 550 5.1.1")


@limit(180)
def test_refusal_of_one_is_believed_and_tried_again_only_when_asked(t):
    scene = with_admin(t, 3, ["rcpt cert@us-ca.example * reply 550 5.1.1 no such mailbox"])
    refused = scene.officials[1]
    number = scene.release()["number"]
    row = in_state(scene, "failed", refused)
    assert row["reason"] == "RCPT TO: 550 5.1.1 no such mailbox", row
    receipt = eventually(lambda: completed(scene), "a receipt")[-1]
    assert refused.address in receipt.text and "no such mailbox" in receipt.text
    assert "no such mailbox" in told(scene, "failed for 1", refused.address)
    found = finding(scene)
    assert found["result"] == "bad" and "queue retry --failed all" in found["detail"], found
    listed = scene.gateway.rows("queue", "list", "--failed")
    assert [(row["address"], row["what"]) for row in listed] == [(refused.address, f"{number} r1")]
    scene.gateway.ctl("queue", "retry")
    assert delivery(scene, refused)["state"] == "failed"
    script(scene)
    assert "1 delivery is due" in scene.gateway.ctl("queue", "retry", "--failed", number)
    assert scene.opened(refused).good
    in_state(scene, "sent", refused)
    eventually(lambda: finding(scene)["result"] == "ok", "check is content")
    receipt = eventually(lambda: completed(scene)[1:], "a receipt once more")[-1]
    assert refused.address not in receipt.text
    scene.gateway.ctl("queue", "retry", "--failed", listed[0]["id"], may_fail=True)
    assert "has not failed" in scene.gateway.said


@limit(180)
def test_smarthost_that_takes_nothing_is_waited_for_beyond_give_up(t):
    calendar = t.calendar()
    scene = with_admin(t, 2, [EVERYBODY], retry={"first": "1s", "most": "2s", "give_up": "1h"})
    scene.release()
    for official in scene.officials:
        in_state(scene, "deferred", official)
    for _ in range(3):
        calendar.forward(3600)
        before = delivery(scene)["attempts"]
        scene.poke()
        eventually(lambda: delivery(scene)["attempts"] > before, "one attempt more")
    for official in scene.officials:
        assert delivery(scene, official)["state"] in ("deferred", "sending", "queued")
    script(scene)
    scene.poke()
    is_over(scene)
