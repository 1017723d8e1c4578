"""Certificates as they are found in the wild: those of debian-keyring.

In `check` the three smaller files of it; the whole, DEWLINE_KEYRING=all, by `make keyring`.
"""
import os
import pathlib
import subprocess

from harness import eventually, limit
from scene import Scene, packets

WHOLE = os.environ.get("DEWLINE_KEYRING") == "all"
KEYRINGS = [pathlib.Path(f"/usr/share/keyrings/debian-{name}.gpg")
            for name in ("keyring", "maintainers", "nonupload", "role-keys")][0 if WHOLE else 1:]
LEAST = 300 if WHOLE else 100  # certificates that are taken
RECIPIENTS_A_RUN = 50 if WHOLE else 20


@limit(420)
def test_one_advisory_to_all_of_debian_keyring(t):
    t.needs("gpg")
    if not all(keyring.exists() for keyring in KEYRINGS):
        t.skip("the package debian-keyring is not installed")
    scene = Scene(t, 0)
    gateway = scene.gateway
    verdicts = [row for keyring in KEYRINGS
                for row in gateway.rows("key", "add", keyring, may_fail=True)]
    taken = sorted({row["fingerprint"] for row in verdicts if row["result"] != "refused"})
    refused = [row for row in verdicts if row["result"] == "refused"]
    assert all(row["reason"] for row in refused)
    assert len(taken) > LEAST, "hardly any certificate was taken"
    gateway.member("debian")
    addresses = {}
    for fingerprint in taken:
        addresses[f"{fingerprint.lower()}@debian.example"] = fingerprint
    for address, fingerprint in addresses.items():
        gateway.ctl("key", "confirm", fingerprint)
        gateway.ctl("contact", "add", "debian", address, "--key", fingerprint)
    subkeys = encryption_subkeys(t)
    before = gateway.gpg_runs()
    number = scene.release(tlp="GREEN")["number"]

    def all_final():
        return all(row["state"] in ("sent", "failed") for row in gateway.deliveries(number))
    eventually(all_final, "all is sent", 240, 1)
    runs = gateway.gpg_runs() - before
    rows = {row["address"]: row for row in gateway.deliveries(number)}
    failed = [row for row in rows.values() if row["state"] == "failed"]
    t.note(f"{len(taken)} certificates taken, {len(refused)} refused; {len(rows)} recipients, "
           f"{len(failed)} of them not sealed, {runs} gpg runs")
    for row in failed:
        print(row["address"], row["reason"])
        assert row["reason"]
    assert set(rows) == set(addresses) and len(failed) < len(rows) / 20
    assert 0 < runs <= len(rows) / RECIPIENTS_A_RUN, runs
    seen = set()
    for mail in scene.smarthost.received():
        if mail.recipient == scene.publisher.address:
            continue
        tags, key_ids = packets(mail.raw)
        assert tags == [1, 18] and len(key_ids) == 1, (mail.recipient, tags, key_ids)
        assert key_ids[0] in subkeys[addresses[mail.recipient]], mail.recipient
        seen.add(mail.recipient)
    assert seen == {address for address, row in rows.items() if row["state"] == "sent"}


def encryption_subkeys(t):
    """{primary fingerprint: IDs of its keys that encrypt}, as plain gpg reads the keyring."""
    rings = [word for keyring in KEYRINGS for word in ("--keyring", keyring)]
    out = subprocess.run(["gpg", "--homedir", t.dir, "--no-default-keyring", *rings, "--batch",
                          "--no-auto-check-trustdb", "--with-colons", "--list-keys"],
                         capture_output=True).stdout.decode("utf-8", "replace")
    found, primary, ids = {}, None, []
    for row in (line.split(":") for line in out.splitlines()):
        if row[0] == "pub":
            primary, ids = None, []
        if row[0] in ("pub", "sub") and "e" in row[11]:
            ids.append(row[4])
        if row[0] == "fpr" and primary is None:
            primary = row[9]
            found[primary] = ids
    return found
