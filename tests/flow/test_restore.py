"""A store that was put back: nothing that was given out since is given out again, and what was lost is
told (store/epoch.h, gate/restored.h). I15."""
import re
import shutil

from harness import cases, eventually, limit
from scene import Scene
from test_bounce import report, state_of
from test_remind import admit_admin


def texts(scene, person, subject):
    """What a person got, by the beginning of its subject; all are signed by the gateway."""
    found = []
    for mail in scene.smarthost.received(person.address):
        opened = person.open(mail.raw)
        assert opened.good, mail.raw
        if opened.subject.startswith(subject):
            found.append(opened.text)
    return found


def told(scene, person, subject, count=1):
    return eventually(lambda: len(texts(scene, person, subject)) >= count and
                      texts(scene, person, subject), f"{count} of {subject!r} for {person.address}")


def sent_all(scene, number):
    eventually(lambda: all(row["state"] in ("sent", "acknowledged")
                           for row in scene.gateway.deliveries(number)), f"{number} is sent")


def path_of(scene, official, mails):
    """The envelope's sender of the newest of so many advisories that came to somebody."""
    eventually(lambda: len(scene.advisory_mails(official)) >= mails, f"{mails} advisories")
    return scene.advisory_mails(official)[-1].sender


def remembered(scene):
    """{Message-ID: bytes} of all that came to officials."""
    return {(mail.recipient, mail.headers["Message-ID"]): mail.raw
            for mail in scene.smarthost.received()}


def play(t):
    """Backed up with one advisory on record; then another, and a revision of the first, that are
    lost."""
    scene = Scene(t, 2)
    gateway, publisher = scene.gateway, scene.publisher
    scene.admin = admit_admin(t, gateway)
    first = scene.release("First")["number"]
    sent_all(scene, first)
    scene.first_path = path_of(scene, scene.official, 1)
    scene.copy = t.dir / "backup.db"
    gateway.ctl("backup", scene.copy)
    lost = scene.release("Lost")["number"]
    sent_all(scene, lost)
    scene.lost_path = path_of(scene, scene.official, 2)
    scene.lost_mail = scene.official.open(scene.advisory_mails(scene.official)[-1].raw)
    assert scene.lost_mail.good
    scene.release("First, mended", advisory=f"update {first}")
    sent_all(scene, first)
    path_of(scene, scene.official, 3)
    complete = told(scene, publisher, "Complete: ", 3)[-1]
    scene.checkpoint = re.search(r"\d+:[0-9a-f]{64}", complete.replace("\n", "")) or re.search(
        r"(\d+)\D+?([0-9a-f]{64})", complete)
    scene.numbers = (first, lost)
    scene.before = remembered(scene)
    return scene


def restore(scene, how):
    gateway = scene.gateway
    gateway.ctl("restore", scene.copy, may_fail=True)
    assert gateway.code == 1 and "(dewlined) is at work" in gateway.said, gateway.said
    gateway.stop()
    if how == "in its place":
        gateway.ctl("restore", scene.copy, may_fail=True)
        assert gateway.code == 1 and "--replace" in gateway.said, gateway.said
        said = gateway.ctl("restore", scene.copy, "--replace")
        assert f"{scene.numbers[1]}: lost" in said, said
    elif how == "on a new machine":
        for path in (gateway.dir / "state").glob("store.*"):
            path.unlink()
        said = gateway.ctl("restore", scene.copy)
    else:
        for path in (gateway.dir / "state").glob("store.db*"):
            path.unlink()
        shutil.copy(scene.copy, gateway.dir / "state" / "store.db")
        said = ""
    gateway.start()
    scene.mails = gateway.store_rows("SELECT count(*) FROM arrival")[0][0]
    return said


@cases("in its place", "on a new machine", "by hand")
@limit(240)
def test_what_was_lost_is_not_given_out_again_and_is_told(t, how):
    scene = play(t)
    gateway, publisher, admin, official = (scene.gateway, scene.publisher, scene.admin,
                                           scene.official)
    first, lost = scene.numbers
    restore(scene, how)
    for person, subject in ((admin, "Alarm: the gateway was put back"),
                            (publisher, "The gateway was put back")):
        text = told(scene, person, subject)[0]
        assert "is not on record here" in text, text
    assert ("Nobody ran `dewctl restore`" in told(scene, admin, "Alarm: the")[0]) == (
        how == "by hand")

    # A number, and a revision, of its own.
    new = scene.release("New")["number"]
    tag = re.fullmatch(r"DEW-\d{4}-(B[B-Z]{2})\d{4}", new)
    assert tag and new not in scene.numbers, new
    sent_all(scene, new)
    scene.release("First, mended anew", advisory=f"update {first}")
    again = [row["revision"] for row in gateway.rows("advisory", "show", first)["deliveries"]]
    assert max(again) == 101, again
    sent_all(scene, first)

    # What comes back of the lost one is booked on nobody; of what is on record on whom it is of.
    row = scene.drop(report(scene.lost_path))
    assert (row["meaning"], row["state"]) == ("bounce", "done"), row
    for number in (new, first):
        assert state_of_all(gateway, number) == {"sent"}, number
    assert tag.group(1) in scene.smarthost.received(official.address)[-1].sender
    scene.drop(report(scene.first_path))
    assert [b["verdict"] for b in gateway.rows("bounce", "list")] == ["bounced"]

    # The lost number is refused, and nothing else is withdrawn.
    row = scene.drop(publisher.publish("x", "x\n", block=f"Advisory: withdraw {lost}\n"))
    assert row["state"] == "refused", row
    text = told(scene, publisher, "Refused")[-1].replace("\n", " ")
    assert f"there is no {lost} on record" in text and "was lost" in text, text
    assert "withdrawn" not in {a["state"] for a in gateway.advisories()}

    # A signed answer to it is evidence.
    row = scene.drop(official.reply(scene.lost_mail, "affected"))
    assert "lost in the restore" in row["reason"], row
    assert lost in told(scene, official, "Your answer cannot be counted")[0]
    alarms = "\n".join(told(scene, admin, "Alarm: mail shows what was lost", 1))
    eventually(lambda: all(word in "\n".join(texts(scene, admin, "Alarm: mail shows"))
                           for word in (f"{lost} r1", "on record is named", "mail came back")),
               f"the admin is told of all three: {alarms}")
    gateway.ctl("audit", "verify")
    same = [key for key, raw in remembered(scene).items()
            if key in scene.before and scene.before[key] != raw]
    assert not same, same


def state_of_all(gateway, number):
    return {row["state"] for row in gateway.deliveries(number)}
