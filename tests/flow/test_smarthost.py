"""What a smarthost does to us: DESIGN, first law."""
import collections
import os
import pathlib
import subprocess

from gateway import Smarthost
from harness import eventually, future, sanitized
from scene import Scene
from turning import HOUR, MINUTE


def delivery(scene, official=None):
    number = scene.gateway.advisories()[0]["number"]
    address = (official or scene.official).address
    return next(row for row in scene.gateway.deliveries(number) if row["address"] == address)


def in_state(scene, state, official=None, seconds=60):
    def there():
        row = delivery(scene, official)
        return row if row["state"] == state else None
    return eventually(there, f"the delivery is {state}", seconds)


@sanitized
def test_temporary_refusal_is_tried_again(t):
    scene = Scene(t, script=["rcpt cert@us-de.example 2 reply 451 4.2.0 come back later"])
    scene.release()
    in_state(scene, "sent")
    scene.smarthost.only(scene.official.address)
    assert delivery(scene)["attempts"] == 3


def test_temporary_refusal_is_seen_while_it_lasts(t):
    scene = Scene(t, script=["rcpt cert@us-de.example * reply 450 4.2.1 mailbox busy"],
                  retry={"first": "10m", "most": "10m"})
    scene.release()
    row = in_state(scene, "deferred")
    assert "mailbox busy" in row["reason"], row
    assert "mailbox busy" in scene.gateway.ctl("queue", "list")


def test_retry_now_sends_what_waits(t):
    scene = Scene(t, script=["rcpt cert@us-de.example 1 reply 450 4.2.1 mailbox busy"],
                  retry={"first": "10m", "most": "10m"})
    scene.release()
    in_state(scene, "deferred")
    scene.gateway.ctl("queue", "retry")
    scene.opened()


@sanitized
def test_final_refusal_is_shown_and_named_in_the_receipt(t):
    scene = Scene(t, 2, script=["rcpt cert@us-de.example * reply 550 5.1.1 no such mailbox here"])
    refused, well = scene.officials
    scene.release()
    assert "no such mailbox here" in in_state(scene, "failed", refused)["reason"]
    in_state(scene, "sent", well)
    scene.opened(well)
    eventually(lambda: any(refused.address in r.text and "no such mailbox" in r.text
                           for r in scene.receipts()), "a receipt that names the refused one")
    assert "no such mailbox here" in scene.gateway.ctl("advisory", "show",
                                                       scene.gateway.advisories()[0]["number"])


def test_give_up_ends_as_failed_by_name(t):
    calendar = t.calendar()
    scene = Scene(t, 2, script=["rcpt cert@us-de.example * reply 450 4.2.1 mailbox busy"],
                  retry={"first": "1m", "most": "20m", "give_up": "1h"})
    refused = scene.officials[0]
    scene.release()
    in_state(scene, "deferred", refused)
    calendar.forward(HOUR + MINUTE)
    scene.poke()
    assert "mailbox busy" in in_state(scene, "failed", refused)["reason"]
    eventually(lambda: any(refused.address in r.text for r in scene.receipts()),
               "a receipt that names the one given up")


def test_drop_before_the_final_dot_makes_no_duplicate(t):
    scene = Scene(t, script=["body * 2 drop"])
    scene.release(attachments=[("large.bin", os.urandom(12_000_000))])  # no buffer holds it
    in_state(scene, "sent")
    scene.smarthost.only(scene.official.address)
    assert scene.gateway.ambiguous() == {scene.official.address: 0}


@sanitized
def test_drop_after_the_final_dot_is_sent_again_the_same(t):
    """I4."""
    scene = Scene(t, script=["dot cert@us-de.example 1 drop-after-store"])
    scene.release()
    in_state(scene, "sent")
    mails = scene.smarthost.received(scene.official.address)
    assert len(mails) == 2 and mails[0].raw == mails[1].raw
    assert scene.gateway.ambiguous() == {scene.official.address: 1}
    assert scene.official.open(mails[0].raw).good


def test_smarthost_that_is_down_is_waited_for(t):
    scene = Scene(t, 3)
    scene.smarthost.stop()
    scene.release()
    eventually(lambda: delivery(scene)["state"] == "deferred", "a deferred delivery")
    scene.smarthost.start()
    for official in scene.officials:
        scene.opened(official)
    counts = collections.Counter(mail.recipient for mail in scene.smarthost.received())
    assert all(counts[official.address] == 1 for official in scene.officials), counts


# Cells of the table of unit/courier_matrix, one after another, before anybody is spoken of and then
# for each recipient. The last ones are kept by the smarthost, and it says so in no way that counts.
CELLS = r"""
connect * 1 drop
connect * 1 reply 421 4.3.2 going down
connect * 1 cut 220 smart
ehlo * 1 say 250-smarthost\r\n451 4.3.0 not now\r\n
mail * 1 reply 451 4.3.0 no
rcpt *@us-de* 1 drop
rcpt *@us-ca* 2 reply 450 4.2.1 busy
rcpt *@de-by* 1 say 2500 fine\r\n
data *@us-de* 1 reply 452 4.3.1 full
data *@fr* 1 say 354 2.0.0 go\r\n250 2.0.0 taken\r\n
dot *@us-ca* 1 reply 451 4.3.0 again
dot *@jp* 1 drop
dot *@us-de* 1 drop-after-store
dot *@de-by* 1 cut 250 2.0.0 kep
dot *@fr* 1 say 250-2.0.0 kept\r\n451 4.3.0 or not\r\n
dot *@br* 1 say 2500 kept\r\n
"""


@sanitized
def test_faults_at_every_step_leave_nobody_out(t):
    """I3, I4, I5, I6. Where the smarthost may have taken it, there is one copy more."""
    scene = Scene(t, 6, script=CELLS.split("\n"))
    scene.release()
    twice = {"cert@us-de.example", "cert@de-by.example", "cert@fr.example", "cert@br.example"}
    for official in scene.officials:
        in_state(scene, "sent", official)
        copies = scene.smarthost.received(official.address)
        ambiguous = scene.gateway.ambiguous()[official.address]
        assert len(copies) == 1 + (official.address in twice) <= 1 + ambiguous, copies
        assert len({mail.raw for mail in copies}) == 1
        assert official.open(copies[0].raw).good


# TLS and AUTH.

def authority(t):
    """A throw-away authority and a server's certificate for localhost, made with certtool."""
    t.needs("certtool")

    def certtool(*arguments):
        subprocess.run(["certtool", *map(str, arguments)], check=True, capture_output=True)

    (t.dir / "ca.cfg").write_text("cn = Test authority\nca\ncert_signing_key\n"
                                  "expiration_days = 3\n")
    (t.dir / "server.cfg").write_text("cn = localhost\ndns_name = localhost\ntls_www_server\n"
                                      "signing_key\nexpiration_days = 3\n")
    for name in ("ca", "server"):
        certtool("--generate-privkey", "--key-type", "ecdsa", "--outfile", t.dir / f"{name}.key")
    certtool("--generate-self-signed", "--load-privkey", t.dir / "ca.key", "--template",
             t.dir / "ca.cfg", "--outfile", t.dir / "ca.pem")
    certtool("--generate-certificate", "--load-privkey", t.dir / "server.key",
             "--load-ca-certificate", t.dir / "ca.pem", "--load-ca-privkey", t.dir / "ca.key",
             "--template", t.dir / "server.cfg", "--outfile", t.dir / "server.pem")
    return ["--cert", t.dir / "server.pem", "--key", t.dir / "server.key"]


def secure_scene(t, mode, options=(), **settings):
    files = authority(t)
    smarthost = Smarthost(t, options=["--tls", mode, *files, *options])
    return Scene(t, 1, smarthost, smarthost_settings={
        "host": "localhost", "tls": mode, "ca_file": t.dir / "ca.pem", **settings})


@future
def test_starttls_with_a_verified_certificate(t):
    scene = secure_scene(t, "starttls")
    scene.release()
    scene.opened()


def test_implicit_tls_with_a_verified_certificate(t):
    scene = secure_scene(t, "tls")
    scene.release()
    scene.opened()


def test_wrong_password_is_seen_and_nothing_is_lost(t):
    (t.dir / "password").write_text("wrong\n")
    pathlib.Path(t.dir / "password").chmod(0o600)
    scene = secure_scene(t, "starttls", ["--auth", "dewline:right"], user="dewline",
                         password_file=t.dir / "password")
    scene.release()
    in_state(scene, "deferred")
    (t.dir / "password").write_text("right\n")
    scene.gateway.restart()
    scene.gateway.ctl("queue", "retry")
    scene.opened()
