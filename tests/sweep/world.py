"""The world that every point of the sweep begins in: made once, copied for each.

A gateway at rest: two members, two publishers and an admin, an agreement that everybody was asked to
sign, one advisory out, one that waits for approval and one for its hour; and for each way the mail
that sets it going, written beforehand by the people of tests/peer.
"""
import contextlib
import json
import re
import sqlite3

import judge
import once
from gateway import Gateway, Smarthost
from harness import eventually
from scene import Scene
from test_agree import asks as asks_to_join
from test_agree import publish as publish_agreement
from test_agree import stranger_of
from test_bounce import report as bounce_report
from test_inform import mail as signed_mail
from test_keylife import key_mail, renew
from test_release import at
from test_remind import admit_admin
from turning import DAY

MARK = judge.MARK
TITLE, TEXT = f"{MARK} in the title", f"The {MARK} of the valve.\nInstall version 2.1.\n"
HELD_DAYS, AGREEMENT_DAYS = 5, 20


def publish(scene, publisher, **options):
    return publisher.publish(TITLE, TEXT, **options)


def newest(scene, person):
    """What a person reads in the newest mail."""
    opened = person.open(scene.smarthost.received(person.address)[-1].raw)
    assert opened.good
    return opened


def at_rest(gateway):
    """Nothing is on its way, in or out."""
    open_mail, waiting, drafts = gateway.store_rows(
        "SELECT (SELECT count(*) FROM arrival WHERE state IN ('received', 'judged')),"
        " (SELECT count(*) FROM delivery WHERE state IN ('queued', 'sending', 'deferred')),"
        " (SELECT count(*) FROM hold WHERE state = 'waiting' AND asked = 0)")[0]
    return not (open_mail or waiting or drafts)


def settle(scene, probe, what):
    eventually(lambda: probe() and at_rest(scene.gateway), what, 60)


def hold(scene, **options):
    scene.gateway.drop(publish(scene, scene.publisher, **options))
    scene.mails += 1
    scene.gateway.settled(scene.mails)


def write_mails(scene, second, admin, opened):
    """{way: the mail that sets it going}."""
    first, other = scene.officials
    advisory = scene.smarthost.received(first.address)[-1]
    token = re.search(r"Approve: ([A-Z2-7]{16})", newest(scene, second).text)[1]
    return {
        "advisory": publish(scene, scene.publisher),
        "refusal": publish(scene, scene.publisher, tlp="PURPLE"),
        "hold": publish(scene, scene.publisher, approval="yes"),
        "withdrawal": publish(scene, scene.publisher, advisory=f"withdraw {scene.number}"),
        "answer": first.reply(opened["advisory"], "affected", comment=f"the {MARK} runs here"),
        "open-answer": other.reply(opened["other"], shape="signed", protected=[],
                                   text=f"acting\n\n{opened['other'].token}\n"),
        "approval": second.publish("Re: ...", "", block=f"Approve: {token}\n"),
        "rejection": second.publish("Re: ...", f"the {MARK}\n", block=f"Reject: {token}\n"),
        "bounce": bounce_report(advisory.sender),
        "key": key_mail(first, renew(first, 300)),
        "new-key": key_mail(other, other.home.certificate(
            other.home.make_key(f"New <{other.address}>"))),
        "report": signed_mail(first, f"Report: {TITLE}\n\n{TEXT}"),
        "agreement": first.reply(opened["agreement"], "accept"),
        "stranger": b"From: somebody@example.org\r\nSubject: hello\r\n\r\nWho are you?\r\n",
    }


def write_files(scene, folder):
    """What the admin's commands are given, and the names that they are about."""
    folder.mkdir()
    unused, pending, *others = (scene.t.official(f"{name}@de-by.example") for name in
                                ("unused", "pending", "one", "two", "three"))
    scene.gateway.add_key(unused)
    scene.gateway.add_key(pending, confirm=False)
    (folder / "three.asc").write_bytes(b"".join(person.certificate for person in others))
    (folder / "renewed.asc").write_bytes(renew(unused, 300))
    (folder / "agreement.txt").write_text("Tell nobody before it is public.\n")
    (folder / "guide").write_text(TEXT)
    return {"unused": unused.fingerprint, "pending": pending.fingerprint}


def make(t, folder):
    """Fills the folder: state, mails, and what is known of the gateway."""
    scene = Scene(t, 2)
    gateway, (first, other) = scene.gateway, scene.officials
    second = gateway.admit_publisher(t.publisher("second@vendor.example"))
    admin = admit_admin(t, gateway)
    publish_agreement(scene, required_in=AGREEMENT_DAYS * DAY)
    opened = {"agreement": scene.opened(first)}
    scene.smarthost.wait(1, other.address)
    gateway.drop(publish(scene, scene.publisher, acknowledge=f"{24 * HELD_DAYS}h"))
    scene.mails += 1
    scene.number = gateway.released()[0]["number"]
    opened["advisory"], opened["other"] = scene.opened(first, 2), scene.opened(other, 2)
    hold(scene, approval="yes", audience="us-de")
    scene.smarthost.wait(1, second.address)
    hold(scene, release=at(HELD_DAYS * DAY)[0], audience="us-ca")
    settle(scene, lambda: True, "the world is at rest")
    scene.gateway.drop(asks_to_join(stranger_of(scene)))
    scene.mails += 1
    scene.gateway.settled(scene.mails)
    names = {"number": scene.number, **write_files(scene, folder / "files")}
    mails = write_mails(scene, second, admin, opened)
    gateway.stop()
    with contextlib.closing(sqlite3.connect(gateway.dir / "state" / "store.db")) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    once.copy(gateway.dir, folder / "gw", "drop", "*.cfg", "*.log")
    (folder / "mail").mkdir()
    for way, raw in mails.items():
        (folder / "mail" / way).write_bytes(raw)
    (folder / "world.json").write_text(json.dumps({"gateway": gateway.knows(), "names": names}))


class World:
    def __init__(self, folder):
        self.folder = folder
        known = json.loads((folder / "world.json").read_text())
        self.gateway_known, self.names = known["gateway"], known["names"]

    @property
    def files(self):
        """Those of the gateway at rest, see judge.files."""
        return judge.names_below(self.folder / "gw")

    def mail(self, way):
        return (self.folder / "mail" / way).read_bytes()

    def gateway(self, t, smarthost=None, **settings):
        """A copy of the gateway, not started."""
        once.copy(self.folder / "gw", t.dir / "gw")
        return Gateway(t, smarthost or Smarthost(t), False, settings, known=self.gateway_known)
