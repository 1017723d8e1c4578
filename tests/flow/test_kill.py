"""Killed at any moment, nothing is lost, nobody is left out, nothing is made twice without need."""
import collections
import hashlib
import os
import random
import subprocess
import time

import keys
from harness import eventually, limit, sanitized
from official import payload
from scene import Scene, packets

CROWD = int(os.environ.get("DEWLINE_CROWD", "90"))
KILLS = int(os.environ.get("DEWLINE_KILLS", "4"))
SLOW = 2000  # bytes a second that the smarthost sends, so that the sending lasts


def crowd_of(scene, count):
    """`count` contacts whose keys are made with sqop, which is quick: {address: encryption key ID},
    and the secret keys of the first few."""
    t, gateway = scene.t, scene.gateway
    home = keys.Home(t.dir / "crowd")
    t.later(home.stop)
    certificates, secrets, people = [], {}, {}
    for number in range(count):
        address = f"cert{number:03}@us-de.example"
        secret = subprocess.run(["sqop", "generate-key", f"Cert {number} <{address}>"],
                                capture_output=True, check=True).stdout
        certificates.append(subprocess.run(["sqop", "extract-cert"], input=secret,
                                           capture_output=True, check=True).stdout)
        if number < 5:
            secrets[address] = secret
    bundle = b"".join(certificates)
    home.add(bundle)
    gateway.ctl("key", "add", "-", given=bundle)
    fingerprints, address = {}, None
    primary = None
    for row in home.keys():
        if row[0] == "pub":
            primary = None
        elif row[0] == "fpr" and primary is None:
            primary = row[9]
        elif row[0] == "uid":
            address = row[9].rpartition("<")[2].rstrip(">")
            fingerprints[address] = primary
        elif row[0] == "sub" and "e" in row[11]:
            people[address] = row[4]
    if "us-de" not in gateway.known_members:
        gateway.member("us-de")
    for address, fingerprint in fingerprints.items():
        gateway.ctl("key", "confirm", fingerprint)
        gateway.ctl("contact", "add", "us-de", address, "--key", fingerprint, "--clearance", "RED")
    return people, secrets


def sealed_once(mails, key_id):
    """Copies for one recipient: all the same bytes, sealed for this key alone."""
    digests = {hashlib.sha256(mail.raw).hexdigest() for mail in mails}
    assert len(digests) == 1, f"{mails[0].recipient}: copies differ"
    tags, found = packets(mails[0].raw)
    assert tags == [1, 18] and found == [key_id], (mails[0].recipient, tags, found)


@limit(420)
def test_killed_at_random_moments_every_official_has_it(t):
    """I3."""
    t.needs("sqop", "gpg")
    scene = Scene(t, 0, script=[f"connect * * slow {SLOW}"],
                  sealing={"batch": CROWD // 6, "shard": CROWD // 3})
    people, secrets = crowd_of(scene, CROWD)
    chance = random.Random(20261123)
    scene.gateway.drop(scene.publisher.publish("a title", "text\n" * 400))
    at_work = 0
    for _ in range(KILLS):
        received = len(scene.smarthost.received())
        # However busy the machine is: a kill comes while some are sent and others are not.
        eventually(lambda: len(scene.smarthost.received()) > received, "the next is sent", 60, 0.02)
        time.sleep(chance.uniform(0, 0.5))
        states = delivery_states(scene)
        at_work += "sending" in states
        print(f"killed with {states}")
        scene.gateway.kill_everything()
        scene.gateway.start()
    assert at_work >= KILLS / 2, f"only {at_work} kills while deliveries were under way"
    eventually(lambda: scene.gateway.advisories(), "the advisory", 60)
    number = scene.gateway.advisories()[0]["number"]

    def all_sent():
        states = collections.Counter(row["state"] for row in scene.gateway.deliveries(number))
        return states if states["sent"] == CROWD else None
    eventually(all_sent, "every delivery is sent", 120, 0.5)
    judge(scene, number, people, secrets)


def delivery_states(scene):
    """{state: how many deliveries to contacts}."""
    return dict(scene.gateway.store_rows(
        "SELECT state, count(*) FROM delivery WHERE contact IS NOT NULL GROUP BY state"))


def judge(scene, number, people, secrets):
    received = collections.defaultdict(list)
    for mail in scene.smarthost.received():
        received[mail.recipient].append(mail)
    assert len(scene.gateway.advisories()) == 1
    assert {row["address"] for row in scene.gateway.deliveries(number)} == set(people)
    counted, copies = scene.gateway.ambiguous(), 0
    logged = collections.Counter()
    for entry in scene.gateway.audit():
        if entry["event"] == "delivery.ambiguous":
            logged[entry["subject"].split()[-1]] += 1
    for address, key_id in people.items():
        mails = received.pop(address, [])
        assert mails, f"{address} has nothing"
        ambiguous, copies = counted[address], copies + len(mails)
        assert len(mails) <= 1 + ambiguous, f"{address}: {len(mails)} copies, {ambiguous} ambiguous"
        assert logged[address] <= ambiguous
        sealed_once(mails, key_id)
    assert set(received) <= {scene.publisher.address}, f"strangers: {set(received)}"
    for address, secret in secrets.items():
        path = scene.t.dir / "secret.asc"
        path.write_bytes(secret)
        mail = scene.smarthost.received(address)[0]
        out = subprocess.run(["sqop", "decrypt", "--", path], input=payload(mail.raw),
                             capture_output=True)
        assert out.returncode == 0 and number.encode() in out.stdout, out.stderr
    scene.t.note(f"{len(people)} officials, {sum(counted.values())} ambiguous attempts, "
                 f"{copies} copies in all")
    scene.gateway.ctl("audit", "verify")


@limit(240)
def test_single_processes_killed_at_work_are_replaced(t):
    """One worker after another is killed while the rest goes on; the daemon itself stays."""
    t.needs("sqop", "gpg")
    scene = Scene(t, 0, script=[f"connect * * slow {SLOW}"],
                  sealing={"batch": 20, "shard": 100})
    people, secrets = crowd_of(scene, 80)
    daemon = scene.gateway.process.pid
    chance = random.Random(7)
    scene.gateway.drop(scene.publisher.publish("a title", "text\n" * 400))
    time.sleep(0.1)
    scene.gateway.kill("vault")
    eventually(lambda: "sending" in delivery_states(scene), "deliveries under way", 60, 0.01)
    for role in ("courier", "reader", "gate", "courier", "vault", "gpg-agent", "gate"):
        time.sleep(chance.uniform(0.1, 0.4))
        scene.gateway.kill(role)
    eventually(lambda: scene.gateway.advisories(), "the advisory", 60)
    number = scene.gateway.advisories()[0]["number"]
    eventually(lambda: all(row["state"] == "sent" for row in scene.gateway.deliveries(number)),
               "every delivery is sent", 90, 0.5)
    judge(scene, number, people, secrets)
    assert sum(scene.gateway.ambiguous().values()) > 0, "nothing was hit"
    assert scene.gateway.process.pid == daemon and scene.gateway.process.poll() is None


def test_lock_that_a_killed_gnupg_left_holds_nobody_up(t):
    """It names a process, and after a new start of the machine that number is somebody else's:
    GnuPG would wait for them."""
    scene = Scene(t)
    scene.gateway.stop()
    lock = f"{os.getpid():10}\n{os.uname().nodename}\n"
    for place in (scene.gateway.gnupg, scene.gateway.place, scene.gateway.gnupg / "c0"):
        for name in ("gnupg_spawn_agent_sentinel.lock", "pubring.kbx.lock"):
            (place / name).write_text(lock)
    scene.gateway.start()
    scene.release()
    assert scene.opened().good
    assert scene.gateway.advisories()[0]["title"]


@sanitized
def test_acknowledgment_in_the_drop_survives_a_kill(t):
    """I1."""
    scene = Scene(t)
    scene.release()
    raw = scene.official.reply(scene.opened(), "acting")
    scene.gateway.drop(raw)
    scene.gateway.kill_everything()
    scene.gateway.drop(scene.official.reply(scene.opened(), "affected"))
    scene.gateway.start()
    scene.gateway.settled(3)
    rows = scene.acknowledged()
    assert [row["replies"] for row in rows] == [2], rows


@sanitized
def test_second_daemon_on_the_same_state_is_refused(t):
    scene = Scene(t)
    scene.release()
    second = subprocess.run([t.build / "dewlined", "-c", scene.gateway.configuration], timeout=30,
                            capture_output=True)
    assert second.returncode != 0, second
    scene.opened()
