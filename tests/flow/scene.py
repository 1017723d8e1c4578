"""The usual scene: a gateway, officials of some members, a publisher, one advisory out."""
import datetime
import json
import os
import re
import subprocess
import time

import letters  # noqa: F401
import once
from gateway import Gateway, Smarthost
from harness import now
from official import Official, Publisher, payload

TEXT = "The controller takes firmware from anybody.\nInstall version 2.1.\n"
TITLE = "Controller takes unsigned firmware"
COUNTRIES = ("us-de", "us-ca", "de-by", "fr", "jp", "br")


def in_words(moment, year=False):
    """A time as letters say it, from the form in which dewctl shows it."""
    at = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return f"{at:%a} {at.day} {at:%b}{f' {at.year}' if year else ''} {at:%H:%M} UTC"


# The cast: the gateway, the publisher and the officials, who know each other.

def cast(t, people, smarthost, settings, make=Gateway):
    gateway = make(t, smarthost, False, settings)
    publisher = gateway.admit_publisher(t.publisher())
    return gateway, publisher, [gateway.admit(t.official(f"cert@{country}.example"))
                                for country in people]


def can_be_copied(make, settings):
    """Only what is the same under these settings, and for the clock that the run goes by."""
    return (once.store() and make is Gateway and "FAKETIME_TIMESTAMP_FILE" not in os.environ
            and not {"gateway", "agreement"} & settings.keys())


def remember_cast(folder, gateway, publisher, officials):
    once.copy(gateway.dir, folder / "gw", "drop", "*.cfg")
    for person in (publisher, *officials):
        once.copy(person.home.path, folder / person.home.path.name)
    (folder / "cast.json").write_text(json.dumps({
        "gateway": gateway.knows(), "publisher": publisher.knows(),
        "officials": [(official.address, official.knows()) for official in officials]}))


def copied_cast(t, people, smarthost, settings):
    """The same from copies: to admit everybody anew takes longer than most tests."""
    with once.alone(f"cast-{len(people)}") as made:
        if not made.exists():
            new = cast(t, people, smarthost, settings)
            with once.draft(made) as folder:
                remember_cast(folder, *new)
            return new
    known = json.loads((made / "cast.json").read_text())
    once.copy(made / "gw", t.dir / "gw")
    gateway = Gateway(t, smarthost, False, settings, known=known["gateway"])

    def person(kind, address, knows):
        home = kind.place(t, address)
        once.copy(made / home.name, home)
        return kind(t, address, known=knows)
    return (gateway, person(Publisher, "publisher@vendor.example", known["publisher"]),
            [person(Official, address, knows) for address, knows in known["officials"]])


class Scene:
    def __init__(self, t, officials=1, smarthost=None, script=(), smarthost_settings=None,
                 make=Gateway, program="dewlined", **settings):
        t.needs("gpg")
        if smarthost_settings:
            settings["smarthost"] = smarthost_settings
        self.t = t
        self.smarthost = smarthost or Smarthost(t, script)
        people = COUNTRIES[:officials]
        self.gateway, self.publisher, self.officials = (
            copied_cast(t, people, self.smarthost, settings) if can_be_copied(make, settings)
            else cast(t, people, self.smarthost, settings, make))
        self.gateway.program = program
        self.gateway.start()
        self.mails = 0
        self.published = None

    @property
    def official(self):
        return self.officials[0]

    def drop(self, raw):
        """Drops a mail and waits until it has been dealt with; its row in the inbox."""
        self.gateway.drop(raw)
        self.mails += 1
        return self.gateway.settled(self.mails)[0]

    def poke(self):
        """Makes the daemon look at what is due now, and not within its half a minute."""
        self.gateway.ctl("queue", "retry")

    def release(self, title=TITLE, text=TEXT, **options):
        """Publishes; the advisory's row."""
        before = self.gateway.count_advisories()
        row = self.drop(self.publish(title, text, **options))
        assert row["state"] == "done", row
        return self.gateway.released(before + (0 if "advisory" in options else 1))[0]

    def publish(self, title, text, **options):
        # A signature's date has no parts of a second: what is signed again within one is the same.
        if self.published == (title, text, options, int(now())):
            time.sleep(1)
        raw = self.publisher.publish(title, text, **options)
        self.published = (title, text, options, int(now()))
        return raw

    def opened(self, official=None, count=1):
        """What the official reads in the newest of the `count` messages that came."""
        official = official or self.official
        mails = self.smarthost.wait(count, official.address)
        assert len(mails) == count, [mail.number for mail in mails]
        opened = official.open(mails[-1].raw)
        assert opened.good, "no good signature by the gateway"
        return opened

    def message_ids(self, kinds):
        return {row[0] for row in self.gateway.store_rows(
            f"SELECT message_id FROM message WHERE kind LIKE '{kinds}'")}

    def advisory_mails(self, official):
        """What the official got of advisories alone: key warnings and the like are left out."""
        ids = self.message_ids("advisory")
        return [mail for mail in self.smarthost.received(official.address)
                if mail.headers["Message-ID"].strip("<> ") in ids]

    def mails_but_of_keys(self):
        """What came to anybody, but for warnings of keys: these come when it is time."""
        ids = self.message_ids("key-%")
        return [mail for mail in self.smarthost.received()
                if mail.headers["Message-ID"].strip("<> ") not in ids]

    def receipts(self, count=1):
        """The publisher's mail, opened, once there are `count`."""
        found = []
        for mail in self.smarthost.wait(count, self.publisher.address):
            receipt = self.publisher.open(mail.raw)
            assert receipt.good, "a receipt without the gateway's good signature"
            found.append(receipt)
        return found

    def acknowledged(self):
        return self.gateway.acknowledgments(self.gateway.advisories()[0]["number"])


def packets(raw):
    """The OpenPGP packets of a mail as gpg lists them: rows of (description, tag)."""
    out = subprocess.run(["gpg", "--list-packets", "--list-only", "--batch", "--no-options",
                          "--homedir", "/nonexistent"], input=payload(raw),
                         capture_output=True).stdout.decode("utf-8", "replace")
    tags = [int(tag) for tag in re.findall(r"^# off=\d+ ctb=\w+ tag=(\d+)", out, re.M)]
    key_ids = re.findall(r"^:pubkey enc packet: .*keyid ([0-9A-F]{16})", out, re.M)
    return tags, key_ids


def sealed_for(raw, *key_ids):
    """Asserts: one session key, for one of these subkeys, and the data packet that all can read."""
    tags, found = packets(raw)
    assert tags == [1, 18], tags
    assert len(found) == 1 and found[0] in key_ids, (found, key_ids)
