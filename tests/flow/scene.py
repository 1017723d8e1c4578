"""The usual scene: a gateway, officials of some members, a publisher, one advisory out."""
import re
import subprocess
import time

import letters  # noqa: F401
from gateway import Gateway, Smarthost
from official import payload

TEXT = "The controller takes firmware from anybody.\nInstall version 2.1.\n"
TITLE = "Controller takes unsigned firmware"
COUNTRIES = ("us-de", "us-ca", "de-by", "fr", "jp", "br")


class Scene:
    def __init__(self, t, officials=1, smarthost=None, script=(), smarthost_settings=None,
                 make=Gateway, program="dewlined", **settings):
        t.needs("gpg")
        if smarthost_settings:
            settings["smarthost"] = smarthost_settings
        self.t = t
        self.smarthost = smarthost or Smarthost(t, script)
        self.gateway = make(t, self.smarthost, False, settings)
        self.gateway.program = program
        self.publisher = self.gateway.admit_publisher(t.publisher())
        self.officials = [self.gateway.admit(t.official(f"cert@{country}.example"))
                          for country in COUNTRIES[:officials]]
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

    def release(self, title=TITLE, text=TEXT, **options):
        """Publishes; the advisory's row."""
        before = len(self.gateway.advisories())
        row = self.drop(self.publish(title, text, **options))
        assert row["state"] == "done", row
        return self.gateway.released(before + (0 if "advisory" in options else 1))[0]

    def publish(self, title, text, **options):
        # A signature's date has no parts of a second: what is signed again within one is the same.
        if self.published == (title, text, options, int(time.time())):
            time.sleep(1)
        raw = self.publisher.publish(title, text, **options)
        self.published = (title, text, options, int(time.time()))
        return raw

    def opened(self, official=None, count=1):
        """What the official reads in the newest of the `count` messages that came."""
        official = official or self.official
        mails = self.smarthost.wait(count, official.address)
        assert len(mails) == count, [mail.number for mail in mails]
        opened = official.open(mails[-1].raw)
        assert opened.good, "no good signature by the gateway"
        return opened

    def advisory_mails(self, official):
        """What the official got of advisories alone: key warnings and the like are left out."""
        ids = {row[0] for row in self.gateway.store_rows(
            "SELECT message_id FROM message WHERE kind = 'advisory'")}
        return [mail for mail in self.smarthost.received(official.address)
                if mail.headers["Message-ID"].strip("<> ") in ids]

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
