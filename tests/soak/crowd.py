"""Hundreds of officials: their keys and answers by sqop, which takes a few milliseconds a call and
leaves no agent behind."""
import base64
import re
import secrets
import subprocess

import keys
import letters
from official import Official, payload

STATUSES = ("received", "affected", "not affected", "acting", "unreadable")


def sqop(*words, given=b""):
    done = subprocess.run(["sqop", *map(str, words)], input=given, capture_output=True)
    assert done.returncode == 0, f"sqop {words[0]}: {done.stderr.decode()}"
    return done.stdout


def recipient_key(raw):
    """The one key ID that a mail is sealed for. The packets are taken apart here, and not by gpg: it
    is done for every copy of every mail."""
    armored = payload(raw).replace(b"\r\n", b"\n")
    body = armored.partition(b"\n\n")[2].partition(b"\n=")[0].partition(b"\n-----END")[0]
    data = base64.b64decode(body.replace(b"\n", b"")[:64])
    assert data[0] in (0xC1, 0x84, 0x85), f"no session key first: {data[:4].hex()}"
    if data[0] == 0xC1:
        at = 2 if data[1] < 192 else 3 if data[1] < 224 else 6
    else:
        at = 2 if data[0] == 0x84 else 3
    assert data[at] == 3, "a session key packet of another version"
    return data[at + 1:at + 9].hex().upper()


class Soldier(Official):
    """One of the crowd; answers as any official does, `Official.reply` builds the mail."""

    def __init__(self, t, folder, number, member):
        self.test, self.member = t, member
        self.name, self.address = f"Cert {number}", f"cert{number:04}@{member}.example"
        self.key_file = folder / f"{number:04}.asc"
        self.key_file.write_bytes(sqop("generate-key", f"{self.name} <{self.address}>"))
        self.certificate = sqop("extract-cert", given=self.key_file.read_bytes())
        self.fingerprint = self.encryption_key = None
        self.gateway, self.gateway_file = ("", ""), folder / "gateway.asc"

    def learn(self, rows):
        """Fingerprints, from gpg's listing of this certificate."""
        self.fingerprint = next(row[9] for row in rows if row[0] == "fpr")
        self.encryption_key = next(row[4] for row in rows if row[0] == "sub" and "e" in row[11])

    def read(self, raw):
        """What stands in a mail for this official, signed by the gateway."""
        verdict = self.key_file.with_suffix(".verdict")
        verdict.unlink(missing_ok=True)
        inner = sqop("decrypt", "--verifications-out", verdict, "--verify-with",
                     self.gateway_file, "--", self.key_file, given=payload(raw))
        assert self.gateway[1] in verdict.read_text(), "no good signature by the gateway"
        return inner

    def sign(self, data, mode, signers=(), faked=None):
        assert not signers and faked is None
        if mode == "--clearsign":
            return sqop("inline-sign", "--as", "clearsigned", "--", self.key_file, given=data)
        return sqop("sign", "--", self.key_file, given=data)

    def encrypt(self, data, sign=True, signers=()):
        assert not signers
        words = ["--sign-with", self.key_file] if sign else []
        return sqop("encrypt", *words, "--", self.gateway_file, given=data)


def split(rows):
    """gpg's listing, one part for each certificate."""
    found = []
    for row in rows:
        if row[0] == "pub":
            found.append([])
        if found:
            found[-1].append(row)
    return found


def make(t, gateway, count, members, first=0):
    """So many soldiers with keys, whom the gateway does not know yet, spread over the members."""
    folder = t.dir / "crowd"
    folder.mkdir(exist_ok=True)
    people = [Soldier(t, folder, first + n, members[n % len(members)]) for n in range(count)]
    home = keys.Home(t.dir / f"listing-{secrets.token_hex(2)}")
    home.add(b"".join(one.certificate for one in people))
    by_address = {}
    for rows in split(home.keys()):
        user_id = next(row[9] for row in rows if row[0] == "uid")
        by_address[re.search(r"<(.+)>", user_id)[1]] = rows
    home.stop()
    for one in people:
        one.learn(by_address[one.address])
        one.gateway_file.write_bytes(gateway.certificate)
        one.gateway = (gateway.address, gateway.fingerprint)
    return people


def admit(gateway, people):
    """Makes them contacts, all at once as far as dewctl goes."""
    gateway.ctl("key", "add", "-", given=b"".join(one.certificate for one in people))
    for one in people:
        if one.member not in gateway.known_members:
            gateway.member(one.member)
        gateway.ctl("key", "confirm", one.fingerprint)
        gateway.ctl("contact", "add", one.member, one.address, "--name", one.name, "--key",
                    one.fingerprint, "--clearance", "RED")


def stranger(t, gateway, number):
    """Somebody whom the gateway does not know and who knows how it is written to."""
    return make(t, gateway, 1, ["nowhere"], number)[0]


def plain(soldier, text):
    """An answer without any signature, in the clear."""
    return soldier.message(letters.text_part(text), "Re: [...]")
