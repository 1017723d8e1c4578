"""The people around a gateway: officials who open and answer, publishers who send.

Each has a GnuPG home of its own and uses plain gpg; an official can also open with sqop and rnp.
"""
import email
import email.policy
import pathlib
import re
import subprocess
import time

import keys
import letters

TOKEN = re.compile(r"\b([A-Z2-7]{16})\b")
REPLY_SHAPES = ("encrypted", "signed-inside", "signed", "inline-signed", "inline-encrypted")


class Opened:
    """What an official reads in one message."""

    def __init__(self, inner, good=False, signer="", signed_at=0):
        self.inner, self.good, self.signer, self.signed_at = inner, good, signer, signed_at
        entity = email.message_from_bytes(inner, policy=email.policy.default)
        self.headers = dict(entity.items())
        self.subject = entity["Subject"] or ""
        leaves = [part for part in entity.walk() if not part.is_multipart()]
        texts = [part for part in leaves if part.get_content_disposition() != "attachment"
                 and part.get_content_type() == "text/plain"]
        self.text = texts[0].get_content().replace("\r\n", "\n") if texts else ""
        self.attachments = [(part.get_filename() or "", part.get_content_type(),
                             part.get_payload(decode=True))
                            for part in leaves if part not in texts]
        marked = re.search(r"^Token: ([A-Z2-7]{16})$", self.text, re.M)
        self.token = marked[1] if marked else ""


def payload(raw):
    """The armored OpenPGP message in a mail."""
    entity = email.message_from_bytes(raw)
    for part in entity.walk():
        if not part.is_multipart():
            data = part.get_payload(decode=True) or b""
            if data.lstrip().startswith(b"-----BEGIN PGP MESSAGE-----"):
                return data
    shown = raw[:2000].decode("utf-8", "replace")
    raise AssertionError(f"no OpenPGP message in the mail:\n{shown}")


class Person:
    def __init__(self, test, address, name=None, algorithm="ed25519", own_key=False, expires="0",
                 faked=None, secret=None, known=None):
        """own_key: a key of its own, not the copy that tests share; needed for `expires`. secret:
        a key that another program made, armored. known: what `knows` said of this person, whose
        home is there already."""
        self.test, self.address = test, address
        self.name = name or address.split("@")[0].replace("-", " ").title()
        self.user_id = f"{self.name} <{address}>"
        path = self.place(test, address)
        if known:
            self.home, self.fingerprint = keys.Home(path), known["fingerprint"]
        elif secret:
            self.home = keys.Home(path)
            self.home.add(secret)
            self.fingerprint = next(row[9] for row in self.home.keys() if row[0] == "fpr")
        elif own_key or expires != "0":
            self.home = keys.Home(path)
            self.fingerprint = self.home.make_key(self.user_id, algorithm, expires, faked)
        else:
            self.home, self.fingerprint = keys.ready_home(path, self.user_id, algorithm)
        self.gateway = tuple(known["gateway"]) if known else ("gateway@localhost", "")
        self.certificate = (known["certificate"].encode() if known
                            else self.home.certificate(self.fingerprint))
        test.later(self.home.stop)

    @staticmethod
    def place(test, address):
        """Where a person's home is."""
        return test.dir / ("p-" + re.sub(r"\W+", "-", address))

    def knows(self):
        """What must be handed over with the home, for JSON."""
        return {"fingerprint": self.fingerprint, "gateway": self.gateway,
                "certificate": self.certificate.decode()}

    def meet(self, gateway):
        """Learns the gateway's certificate, as from a card handed over."""
        self.home.add(gateway.certificate)
        self.gateway = (gateway.address, gateway.fingerprint)

    def prolong(self, expires):
        """Gives the key and its subkeys a new expiry, also where they had expired."""
        rows = self.home.gpg("--with-colons", "--with-subkey-fingerprint", "--list-keys",
                             self.fingerprint).out.decode().splitlines()
        fingerprints = [row.split(":")[9] for row in rows if row.startswith("fpr:")]
        self.home.gpg("--quick-set-expire", self.fingerprint, expires)
        self.home.gpg("--quick-set-expire", self.fingerprint, expires, *fingerprints[1:])
        self.certificate = self.home.certificate(self.fingerprint)

    def key_ids(self):
        """IDs of the subkeys that encrypt."""
        return [row[4] for row in self.home.keys() if row[0] in ("sub", "pub") and "e" in row[11]]

    # Signing and encrypting.

    def sign(self, data, mode, signers=(), faked=None):
        """mode: --detach-sign, --clearsign or --sign."""
        who = [word for signer in signers or [self.fingerprint] for word in ("-u", signer)]
        return self.home.gpg("--armor", "--digest-algo", "SHA256", *who, mode, given=data,
                             faked=faked).out

    def encrypt(self, data, sign=True, signers=()):
        who = [word for signer in signers or [self.fingerprint] for word in ("-u", signer)]
        return self.home.gpg("--armor", "-r", self.gateway[1], *(["--sign", *who] if sign else []),
                             "--encrypt", given=data).out

    def message(self, entity, subject="...", more=()):
        return letters.message(f"{self.name} <{self.address}>", self.gateway[0], entity, subject,
                               more)


class Official(Person):
    # Opening, three ways. Each gives Opened.

    def open(self, raw):
        run = self.home.gpg("--decrypt", given=payload(raw))
        valid = run.lines("VALIDSIG")
        good = len(run.lines("GOODSIG")) == 1 and len(valid) == 1 and not run.lines("BADSIG")
        signer = valid[0][-1] if valid else ""
        return Opened(run.out, good and signer == self.gateway[1], signer,
                      int(valid[0][2]) if valid else 0)

    def _files(self):
        """Our secret key and the gateway's certificate, as files for the other programs."""
        secret, public = self.home.path / "secret.asc", self.home.path / "gateway.asc"
        if not secret.exists():
            secret.write_bytes(self.home.secret(self.fingerprint))
            public.write_bytes(self.home.certificate(self.gateway[1]))
        return secret, public

    def open_with_sqop(self, raw):
        secret, public = self._files()
        verdicts = self.home.path / "verifications"
        verdicts.unlink(missing_ok=True)
        done = subprocess.run(["sqop", "decrypt", "--verifications-out", verdicts, "--verify-with",
                               public, "--", secret], input=payload(raw), capture_output=True)
        assert done.returncode == 0, f"sqop: {done.stderr.decode()}"
        rows = verdicts.read_text().split("\n")
        signers = [row.split()[2] for row in rows if len(row.split()) >= 3]
        return Opened(done.stdout, signers == [self.gateway[1]], "".join(signers))

    def rnp_home(self):
        secret, public = self._files()
        home = self.home.path / "rnp"
        if not home.exists():
            home.mkdir(mode=0o700)
            for path in (secret, public):
                subprocess.run(["rnpkeys", "--homedir", home, "--import-keys", path], check=True,
                               capture_output=True, input=b"")
        return home

    def open_with_rnp(self, raw):
        home = self.rnp_home()
        done = subprocess.run(["rnp", "--homedir", home, "--notty", "--password", "", "--output",
                               "-", "--decrypt"], input=payload(raw), capture_output=True)
        assert done.returncode == 0, f"rnp: {done.stderr.decode()}"
        said = done.stderr.decode("utf-8", "replace")
        good = said.count("Good signature made") == 1 and "BAD signature" not in said
        return Opened(done.stdout, good and self.gateway[1][-16:].lower() in said.lower(),
                      self.gateway[1] if good else "")

    # Answering.

    def reply_text(self, opened, status, comment="", token=None):
        """What stands in the body after pressing Reply, typing and quoting."""
        token = opened.token if token is None else token
        quoted = [f"> {line}" for line in opened.text.splitlines()
                  if not line.startswith("Token: ")]
        quoted.append(f"> Token: {token}" if token else ">")
        said = [status] if status else []
        said += ["", comment] if comment else []
        return "\n".join([*said, "", "The gateway wrote:", *quoted]) + "\n"

    def reply(self, opened, status="received", comment="", shape="encrypted", text=None,
              token=None, sign=True, signers=(), faked=None, footer=False, exchange=False,
              more=(), protected=None, subject="Re: [...]"):
        """A reply as raw mail. text: the whole body instead of status, comment and quotation.
        faked: when it says it was signed; not for the shapes where one gpg run does all."""
        text = self.reply_text(opened, status, comment, token) if text is None else text
        if protected is None:
            protected = [("Subject", f"Re: {opened.subject}")] if token is None else []
        if shape.startswith("inline-"):
            entity = self._inline(text, shape, sign, signers, faked)
        else:
            entity = self._mime(letters.text_part(text, protected), shape, sign, signers, faked,
                                exchange)
        if footer:
            entity = letters.with_footer(entity)
        return self.message(entity, subject, more)

    def _inline(self, text, shape, sign, signers, faked):
        data = letters.crlf(text)
        if shape == "inline-encrypted":
            return letters.text_part(self.encrypt(data, sign, signers).decode())
        return letters.text_part(self.sign(data, "--clearsign", signers, faked).decode())

    def _mime(self, inner, shape, sign, signers, faked, exchange):
        if shape == "plain":
            return inner
        if shape == "encrypted":
            assert faked is None
            armored = self.encrypt(inner, sign, signers)
        else:
            signed = letters.signed_entity(inner, self.sign(inner, "--detach-sign", signers, faked))
            if shape == "signed":
                return signed
            assert shape == "signed-inside", shape
            armored = self.encrypt(signed, False)
        return letters.exchange_entity(armored) if exchange else letters.encrypted_entity(armored)


class Publisher(Person):
    """Sends control blocks."""

    def block(self, advisory="new", tlp="AMBER", audience="all", **more):
        """A control block. None leaves a field out; acknowledge="4h" adds or changes one."""
        fields = {"Advisory": advisory, "TLP": tlp, "Audience": audience}
        fields.update({name.title(): value for name, value in more.items()})
        return "".join(f"{name}: {value}\n" for name, value in fields.items() if value is not None)

    def entity(self, text, title=None, attachments=()):
        protected = [("Subject", title)] if title else []
        if not attachments:
            return letters.text_part(text, protected)
        parts = [letters.text_part(text), *(letters.attachment(*a) for a in attachments)]
        return letters.multipart("mixed", parts, protected)

    def publish(self, title, text="", attachments=(), encrypted=True, signed=True, block=None,
                outside=None, faked=None, **fields):
        """A drop mail. block: the whole control block, instead of fields for block(). outside: an
        unsigned text part beside what is signed. faked: when it says it was signed."""
        block = self.block(**fields) if block is None else block
        inner = self.entity(f"{block}\n{text}", title, attachments)
        if encrypted and faked is None:
            entity = letters.encrypted_entity(self.encrypt(inner, signed))
        elif signed:
            entity = letters.signed_entity(inner, self.sign(inner, "--detach-sign", (), faked))
            if encrypted:
                entity = letters.encrypted_entity(self.encrypt(entity, False))
        else:
            entity = inner
        if outside is not None:
            entity = letters.multipart("mixed", [letters.text_part(outside), entity])
        return self.message(entity)

    def open(self, raw):
        """A receipt."""
        return Official.open(self, raw)
