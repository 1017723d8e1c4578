"""Mail that comes back: only our own return path counts, and even then it only flags."""
import os
import pathlib

from harness import TESTS, cases, eventually, limit
from scene import Scene
from test_remind import admit_admin, alarm, people

WHERE = ("To", "Delivered-To", "X-Original-To", "Envelope-To")


def report(to, action="failed", status="5.1.1", field="To", diagnostic="550 5.1.1 no such user",
           recipient="cert@us-de.example", kind="report"):
    """A bounce as an MTA writes it."""
    facts = (f"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\n"
             f"Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {diagnostic}\r\n")
    fields = {"To": "somebody@gw.example", field: to}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    head += "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
    if kind == "text":
        return (head + f"\r\nIt did not work.\r\n\r\nAction: {action}\r\nStatus: {status}\r\n").encode()
    return (head + "Content-Type: multipart/report; report-type=delivery-status; boundary=bb\r\n\r\n"
            "--bb\r\nContent-Type: text/plain\r\n\r\nIt did not work.\r\n"
            f"--bb\r\nContent-Type: message/delivery-status\r\n\r\n{facts}\r\n--bb--\r\n").encode()


def sent(t, **settings):
    scene = people(t, **settings)
    scene.number = scene.release()["number"]
    scene.paths = {official.address: scene.smarthost.only(official.address).sender
                   for official in scene.officials}
    eventually(lambda: all(r["state"] == "sent" for r in scene.gateway.deliveries(scene.number)),
               "all is sent")
    return scene


def state_of(scene, official):
    return next(row for row in scene.gateway.deliveries(scene.number)
                if row["address"] == official.address)


def bounces(scene):
    return scene.gateway.rows("bounce", "list")


@cases(*WHERE)
def test_report_to_our_return_path_flags_that_delivery(t, field):
    scene = sent(t)
    before = bounces(scene)
    path = scene.paths[scene.first.address]
    row = scene.drop(report(path.upper() if field == "To" else path, field=field))
    assert (row["state"], row["meaning"]) == ("done", "bounce"), row
    flagged = state_of(scene, scene.first)
    assert flagged["state"] == "bounced" and "5.1.1" in flagged["reason"], flagged
    assert "no such user" in flagged["reason"], flagged
    assert state_of(scene, scene.backup)["state"] == "sent"
    assert not before and [b["verdict"] for b in bounces(scene)] == ["bounced"]
    for person in (scene.publisher, scene.admin):
        text = alarm(scene, person).text
        assert "first@us-de.example (us-de)" in text and "5.1.1" in text, text
        assert "backup@" not in text, text
    members = scene.gateway.rows("member", "list")
    assert {member["state"] for member in members} == {"active"}, members


@cases("delayed 4.4.1", "failed 4.4.7", "relayed 2.0.0", "delivered 2.0.0", "expanded 2.0.0")
def test_anything_less_than_a_lasting_failure_changes_no_state(t, case):
    action, status = case.split()
    scene = sent(t)
    row = scene.drop(report(scene.paths[scene.first.address], action, status))
    assert row["meaning"] == "bounce", row
    assert state_of(scene, scene.first)["state"] == "sent"
    noted = [bounce["verdict"] for bounce in bounces(scene)]
    assert noted == {"delayed": ["noted"], "failed": ["given up"]}.get(action, []), noted
    if action == "failed":
        assert "given up" in alarm(scene, scene.admin).text
    assert scene.acknowledged() == []


def test_forged_reports_do_nothing(t):
    scene = sent(t)
    path = scene.paths[scene.first.address]
    local, _, domain = path.partition("@")
    head, _, mac = local.partition(".")
    other = scene.paths[scene.backup.address].partition("@")[0].partition(".")[2]
    wrong = ("A" if mac[0] != "A" else "B") + mac[1:]
    for forged in (f"{head}.{wrong}@{domain}", f"{head}.{other}@{domain}", f"{head}.@{domain}",
                   f"{head}@{domain}", f"bounce@{domain}", f"{head}.{mac}@elsewhere.example",
                   f"x{head}.{mac}@{domain}", f"{head.replace('+', '+0')}.{mac}@{domain}"):
        row = scene.drop(report(forged))
        assert row["meaning"] == "report", (forged, row)
    assert state_of(scene, scene.first)["state"] == "sent"
    assert not bounces(scene) and not scene.smarthost.received(scene.admin.address)


def test_only_a_report_flags_what_comes_to_our_return_path(t):
    """Words of a text are nobody's: they are noted, and the mail is refused by name."""
    scene = sent(t)
    row = scene.drop(report(scene.paths[scene.first.address], kind="text"))
    assert (row["state"], row["meaning"], row["shape"], row["refusal"]) == (
        "refused", "bounce", "plain", "not-a-report"), row
    assert state_of(scene, scene.first)["state"] == "sent"
    assert [bounce["verdict"] for bounce in bounces(scene)] == ["noted"]
    row = scene.drop(report(scene.paths[scene.first.address]))
    assert (row["shape"], row["refusal"]) == ("report", ""), row
    assert state_of(scene, scene.first)["state"] == "bounced"


def test_answer_after_a_bounce_counts(t):
    scene = sent(t)
    scene.drop(report(scene.paths[scene.first.address]))
    assert state_of(scene, scene.first)["state"] == "bounced"
    assert scene.acknowledged() == []
    scene.drop(scene.first.reply(scene.opened(scene.first), "received"))
    assert state_of(scene, scene.first)["state"] == "acknowledged"
    assert [row["address"] for row in scene.acknowledged()] == [scene.first.address]
    scene.drop(report(scene.paths[scene.first.address], diagnostic="550 5.1.1 once more"))
    assert state_of(scene, scene.first)["state"] == "acknowledged"


@cases("true", "false", "taken away")
@limit(180)
def test_next_contact_gets_it_when_the_policy_says_so(t, case):
    scene = people(t, bounces={"next_contact": case != "false"})
    gateway = scene.gateway
    low = gateway.admit(t.official("low@us-de.example"), clearance="GREEN", rank=3)
    spare = gateway.admit(t.official("spare@us-de.example"), rank=4)
    away = ", -spare@us-de.example" if case == "taken away" else ""
    scene.number = scene.release(
        audience=f"first@us-de.example, backup@us-de.example, cert@fr.example{away}")["number"]
    path = scene.smarthost.only(scene.first.address).sender
    scene.smarthost.only(scene.backup.address)
    eventually(lambda: all(r["state"] == "sent" for r in gateway.deliveries(scene.number)), "sent")
    scene.drop(report(path))
    text = alarm(scene, scene.admin).text
    assert ("goes to spare@us-de.example instead" in text) == (case == "true"), text
    assert not scene.smarthost.received(low.address)
    if case != "true":
        assert not scene.smarthost.received(spare.address)
        return
    opened = scene.opened(spare)
    scene.drop(spare.reply(opened, "received"))
    assert [row["address"] for row in scene.acknowledged()] == [spare.address]
    scene.drop(report(path, diagnostic="550 5.1.1 again"))
    assert len(bounces(scene)) == 2 and len(scene.smarthost.received(spare.address)) == 1


def test_bounce_of_an_alarm_causes_no_mail(t):
    scene = sent(t)
    scene.drop(report(scene.paths[scene.first.address]))
    alarm(scene, scene.admin)
    eventually(lambda: len(scene.receipts(3)) >= 3, "receipts and alarm")
    before = len(scene.smarthost.received())
    scene.drop(report(scene.smarthost.only(scene.admin.address).sender))
    assert [bounce["verdict"] for bounce in bounces(scene)] == ["bounced", "bounced"]
    with_patience = eventually(lambda: scene.gateway.store_rows(
        "SELECT count(*) FROM bounce WHERE told = 1") == [(2,)], "all is told")
    assert with_patience and len(scene.smarthost.received()) == before


@limit(240)
def test_real_bounces_are_no_acknowledgments_and_change_nothing(t):
    """The corpus of real ones, none of which came to our return path."""
    corpus = pathlib.Path(os.environ.get("DEWLINE_CORPUS") or
                          TESTS.parent / "../shared/corpus") / "bounces"
    files = sorted(corpus.glob("*.eml"))
    if not files:
        t.skip(f"no corpus at {corpus}")
    scene = sent(t)
    eventually(lambda: len(scene.receipts(2)) >= 2, "both receipts")
    before = len(scene.smarthost.received())
    arrived = len(scene.gateway.arrivals())
    for path in files:
        scene.gateway.drop(path.read_bytes())
    scene.gateway.settled(arrived + len(files), 120)
    assert scene.acknowledged() == [] and not bounces(scene)
    assert {row["state"] for row in scene.gateway.deliveries(scene.number)} == {"sent"}
    assert len(scene.smarthost.received()) == before
