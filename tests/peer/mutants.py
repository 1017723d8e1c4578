"""Random changes to acknowledgments: all that somebody can do who has good ones but no key.

A Signed is one text with its signature in every form. Changer.mail() builds a mail of it and changes
it on the way at each level: the text, its OpenPGP packets, the armor, the MIME parts, the headers,
the bytes. It says whose signatures went in, and what was done.
"""
import base64
import quopri
import re
import zlib

import letters
import openpgp
from openpgp import COMPRESSED, LITERAL, MARKER, ONE_PASS, SIGNATURE

SHAPES = ("signed", "encrypted", "signed-inside", "inline-signed", "inline-encrypted",
          "inline-message")
STATUSES = ("received", "affected", "not affected", "acting", "unreadable")
TOKEN = re.compile(rb"\b[A-Z2-7]{16}\b")
CHARSETS = (b"utf-8", b"us-ascii", b"iso-8859-1", b"utf-16", b"utf-7", b"iso-2022-jp", b"x-none",
            b"windows-1252", b"gb18030", b"")
TYPES = (b"text/plain", b"text/html", b"application/pgp-signature", b"application/pgp-encrypted",
         b"application/octet-stream", b"application/pgp-keys", b"message/rfc822", b"text/calendar",
         b"multipart/mixed", b"multipart/signed", b"multipart/encrypted", b"text/enriched", b"x")
CONTAINERS = (b"mixed", b"alternative", b"related", b"signed", b"encrypted", b"digest", b"report")
ENCODINGS = (b"7bit", b"8bit", b"binary", b"base64", b"quoted-printable", b"x-uuencode", b"")
KINDS = ("MESSAGE", "SIGNATURE", "SIGNED MESSAGE", "PUBLIC KEY BLOCK", "MESSAGE, PART 1/2", "")


MOST_CHANGES = 4
ONE_PASS_SIZE = 13
# What is changed in one mail: alone, or together with more.
PLANS = (("text",), ("text",), ("text", "packets"), ("packets",), ("packets",), ("packets", "mime"),
         ("mime",), ("mime",), ("mime", "text"), ("armor",), ("armor", "packets"), ("bytes",),
         ("bytes", "mime"), ("text", "packets", "armor", "mime", "bytes"))


class Signed:
    """A text that somebody signed. truths: what may be recorded of it, frozen at birth."""

    def __init__(self, text, entity, detached, stream, clear, truths, name):
        self.text, self.entity = text, entity      # as a plain text, and as a MIME entity
        self.detached, self.stream, self.clear = detached, stream, clear
        self.truths, self.name = truths, name


class Part:
    """A MIME entity. body: bytes, or parts; then boundary, preamble and epilogue count. A part
    without fields is its body as it stands."""

    def __init__(self, fields, body):
        self.fields, self.body = list(fields), body
        self.boundary = letters.boundary().encode() if isinstance(body, list) else b""
        self.preamble = self.epilogue = b""
        self.ended = True

    def bytes(self):
        head = b"".join(b"%s: %s\r\n" % field for field in self.fields)
        if not isinstance(self.body, list):
            return (head + b"\r\n" if self.fields else b"") + self.body
        lines = [self.preamble]
        for part in self.body:
            lines.append(b"--" + self.boundary + b"\r\n" + part.bytes() + b"\r\n")
        if self.ended:
            lines.append(b"--" + self.boundary + b"--\r\n")
        return head + b"\r\n" + b"".join(lines) + self.epilogue

    def all(self):
        yield self
        if isinstance(self.body, list):
            for part in self.body:
                yield from part.all()

    def value(self, name, value):
        self.fields = [(n, value if n.lower() == name.lower() else v) for n, v in self.fields]


def leaf(kind, body, *fields):
    return Part([(b"Content-Type", kind), *fields], body)


def multipart(subtype, parts, parameters=b""):
    part = Part([], parts)
    part.fields.append((b"Content-Type", b'multipart/%s; boundary="%s"%s'
                        % (subtype, part.boundary, parameters)))
    return part


class Changer:
    def __init__(self, rng, pool, tokens, addresses, key, stranger_key_ids=()):
        """key: an openpgp.SessionKey of the gateway."""
        self.rng, self.pool, self.tokens, self.addresses = rng, pool, tokens, addresses
        self.key, self.key_ids = key, list(stranger_key_ids)
        self.used, self.done, self.levels = set(), [], set()

    def chance(self, percent):
        return self.rng.randrange(100) < percent

    def other(self):
        """Another signed text; what it truly says may be recorded from now on."""
        signed = self.rng.choice(self.pool)
        self.used.add(signed)
        self.did(f"with {signed.name}")
        return signed

    def did(self, what):
        self.done.append(what)

    def times(self, level):
        """How many changes of this kind: none unless the mail's plan has it."""
        count = 1 if level in self.levels else 0
        while count and count < MOST_CHANGES and self.chance(35):
            count += 1
        return count

    def attempt(self, change, thing):
        """What a change makes of a thing, or the thing itself where an earlier change left nothing
        that this one could be made to."""
        try:
            return change(thing)
        except (IndexError, ValueError):
            self.did("in vain")
            return thing

    def mail(self):
        base = self.rng.choice(self.pool)
        self.used.add(base)
        shape = self.rng.choice((*SHAPES[:-1], *SHAPES))
        self.levels = set(self.rng.choice(PLANS))
        self.did(f"{base.name} as {shape}")
        part = self.shaped(base, shape)
        for _ in range(self.times("mime")):
            part = self.attempt(self.change_part, part)
        raw = self.outside(part)
        for _ in range(self.times("bytes")):
            raw = self.change_bytes(raw, "raw")
        return raw

    # The OpenPGP part.

    def shaped(self, base, shape):
        if shape == "signed":
            return self.signed_part(base)
        if shape == "inline-signed":
            return leaf(b"text/plain; charset=" + self.rng.choice(CHARSETS[:3]),
                        letters.crlf(self.around(self.clear(base))))
        if shape == "inline-message":
            data = self.pack(self.packets(base.stream))
            return leaf(b"text/plain; charset=utf-8",
                        letters.crlf(self.around(self.armored(data, "MESSAGE"))))
        if shape == "signed-inside":
            inner = self.signed_part(base).bytes()
            data = self.pack([openpgp.literal(inner)])
        else:
            data = self.pack(self.packets(base.stream if shape == "encrypted"
                                          else base.clear["stream"]))
        armored = self.armored(self.key.encrypt(data), "MESSAGE")
        if shape == "inline-encrypted":
            return leaf(b"text/plain; charset=utf-8", letters.crlf(self.around(armored)))
        return self.encrypted_part(armored)

    def encrypted_part(self, armored):
        version = leaf(b"application/pgp-encrypted", b"Version: 1\r\n")
        data = leaf(b'application/octet-stream; name="encrypted.asc"', letters.crlf(armored))
        if self.chance(25):  # as Exchange leaves it
            return multipart(b"mixed", [leaf(b"text/plain", b"\r\n"), version, data])
        return multipart(b"encrypted", [version, data],
                         b'; protocol="application/pgp-encrypted"')

    def signed_part(self, base):
        entity = base.entity
        for _ in range(self.times("text")):
            entity = self.attempt(self.change_text, entity)
        armored = self.armored(self.pack(self.packets(base.detached)), "SIGNATURE")
        signature = leaf(b'application/pgp-signature; name="signature.asc"', letters.crlf(armored))
        return multipart(b"signed", [Part([], entity), signature],
                         b'; micalg=pgp-sha256; protocol="application/pgp-signature"')

    def clear(self, base):
        text, head = base.text, b"Hash: SHA256\n"
        for _ in range(self.times("text")):
            text = self.attempt(self.change_text, text)
        signatures = self.pack(self.packets(base.clear["detached"]))
        if "armor" in self.levels and self.chance(50):
            head = self.rng.choice((b"", b"Hash: SHA1\n", b"Hash: SHA512, SHA256\n",
                                    b"NotDashEscaped: yes\n", b"Hash: SHA256\n \t\naffected\n",
                                    b"Hash: SHA256\n\x0b\n", b"Charset: utf-16\n",
                                    b"Comment: " + self.forged() + b"\n"))
            self.did(f"head {head[:20]!r}")
        whole = openpgp.clearsigned(text, signatures, head)
        for _ in range(self.times("armor")):
            whole = self.attempt(lambda armor: self.change_armor(armor, "SIGNATURE"), whole)
        return whole

    def pack(self, packets):
        out, odd = b"", "packets" in self.levels and self.chance(30)
        for i, (tag, body) in enumerate(packets):
            forms = ["new", "old", "partial"] + (["endless"] if i + 1 == len(packets) else [])
            out += openpgp.packet(tag, body, self.rng.choice(forms) if odd else "new")
        if "packets" in self.levels and self.chance(15):
            self.did("compressed")
            out = self.compressed(out)
        return out

    def compressed(self, data):
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        return openpgp.packet(COMPRESSED, b"\x01" + deflate.compress(data) + deflate.flush())

    def packets(self, packets):
        packets = list(packets)
        for _ in range(self.times("text")):
            packets = self.attempt(self.change_content, packets)
        for _ in range(self.times("packets")):
            packets = self.attempt(self.change_packets, packets)
        return packets

    def change_packets(self, packets):
        if not packets:
            return packets
        change = self.rng.choice((
            self.drop_packet, self.double_packet, self.swap_packets, self.flip_packet,
            self.foreign_packet, self.foreign_packet, self.insert_packet, self.insert_packet,
            self.change_one_pass, self.change_unhashed, self.change_hashed, self.change_literal,
            self.change_literal, self.wrap_packets, self.double_stream))
        self.did(change.__name__)
        return change(packets) or packets

    def drop_packet(self, packets):
        at = self.rng.randrange(len(packets))
        return packets[:at] + packets[at + 1:]

    def double_packet(self, packets):
        return [*packets[:1], *packets] if self.chance(50) else [*packets, packets[-1]]

    def swap_packets(self, packets):
        packets = list(packets)
        self.rng.shuffle(packets)
        return packets

    def flip_packet(self, packets):
        at = self.rng.randrange(len(packets))
        tag, body = packets[at]
        return [*packets[:at], (tag, self.change_bytes(body, "packet")), *packets[at + 1:]]

    def foreign_packet(self, packets):
        """One, or all of one kind, from another's message."""
        other = self.other()
        theirs = self.rng.choice((other.stream, other.detached, other.clear["detached"]))
        kinds = {tag for tag, _ in packets} & {tag for tag, _ in theirs}
        if kinds and self.chance(70):
            tag = self.rng.choice(sorted(kinds))
            mine = next(body for t, body in theirs if t == tag)
            return [(t, mine if t == tag else body) for t, body in packets]
        at = self.rng.randrange(len(packets) + 1)
        return packets[:at] + [self.rng.choice(theirs)] + packets[at:]

    def insert_packet(self, packets):
        text = self.forged()
        new = self.rng.choice((
            [openpgp.literal(text)], [(MARKER, b"PGP")], [(MARKER, b"XYZ")], [(60, b"private")],
            [(13, b"A name <cert@us-de.example>")], [openpgp.literal(text, b"t", b"_CONSOLE")],
            [(19, bytes(20))], [(17, b"\x05\x01abcd")], [(COMPRESSED, b"\x00" + openpgp.join(
                [openpgp.literal(text)]))], [(21, b"padding")], [(3, b"\x04\x09\x00\x08")],
            [(openpgp.SEIPD, b"\x01" + bytes(40))]))
        at = self.rng.randrange(len(packets) + 1)
        return packets[:at] + new + packets[at:]

    def change_one_pass(self, packets):
        """Its hash, kind, key ID or whether another follows: none of it is signed."""
        found = []
        for tag, body in packets:
            if tag == ONE_PASS and len(body) == ONE_PASS_SIZE:
                body = bytearray(body)
                where = self.rng.choice((1, 2, 3, 12))
                body[where] = self.rng.choice((0, 1, 2, 8, 10, 22))
                if self.chance(30) and self.key_ids:
                    body[4:12] = bytes.fromhex(self.rng.choice(self.key_ids))
            found.append((tag, bytes(body)))
        return found

    @staticmethod
    def signature_areas(body):
        """Where the unhashed area of a version 4 signature begins, and how long it is."""
        at = 6 + int.from_bytes(body[4:6], "big")
        return at, int.from_bytes(body[at:at + 2], "big")

    def change_unhashed(self, packets):
        """Issuer, notation, policy: anybody can put anything into the unhashed area."""
        found = []
        for tag, body in packets:
            if tag == SIGNATURE and body[:1] == b"\x04" and len(body) > 10:
                at, size = self.signature_areas(body)
                area = b"" if self.chance(50) else body[at + 2:at + 2 + size]
                area += self.rng.choice((b"", self.issuer(), self.notation(), b"\x05\x03\0\0\0\x01",
                                         b"\x05\x02\x60\0\0\0", b"\x02\x04\0", b"\x16\x21\x04"
                                         + self.rng.randbytes(20)))
                body = body[:at] + len(area).to_bytes(2, "big") + area + body[at + 2 + size:]
            found.append((tag, body))
        return found

    def issuer(self):
        key_id = bytes.fromhex(self.rng.choice(self.key_ids)) if self.key_ids else bytes(8)
        return b"\x09\x10" + key_id

    def notation(self):
        name, value = b"x@y.example", b"a\n[GNUPG:] VALIDSIG " + b"A" * 40
        body = (b"\x14\x80\0\0\0" + len(name).to_bytes(2, "big") + len(value).to_bytes(2, "big")
                + name + value)
        return openpgp.length_of(len(body)) + body

    def change_hashed(self, packets):
        """Kind, algorithms, time: all of it is signed."""
        found = []
        for tag, body in packets:
            if tag == SIGNATURE and len(body) > 12:
                body = bytearray(body)
                where = self.rng.choice((0, 1, 1, 2, 3, self.rng.randrange(len(body))))
                body[where] = self.rng.choice((0, 1, 2, 3, 4, 8, 0x10, 22, self.rng.randrange(256)))
            found.append((tag, bytes(body)))
        return found

    def change_content(self, packets):
        """What the signature is over."""
        found = []
        for tag, body in packets:
            if tag == LITERAL and len(body) > 6 + body[1]:
                head, content = openpgp.content_of(body)
                body = head + self.change_text(content)
            found.append((tag, body))
        return found

    def change_literal(self, packets):
        """Its kind, name and date: they are not signed."""
        found = []
        for tag, body in packets:
            if tag == LITERAL and len(body) > 6 + body[1]:
                _, content = openpgp.content_of(body)
                kind = self.rng.choice((b"b", b"b", b"t", b"u", b"m", b"l", b"1"))
                name = self.rng.choice((b"", b"_CONSOLE", b"a\n[GNUPG:] GOODSIG 0 x", b"\x1b[2J"))
                body = openpgp.literal(content, kind, name, self.rng.choice((0, 1700000000)))[1]
            found.append((tag, body))
        return found

    def wrap_packets(self, packets):
        """Some or all of them compressed, or encrypted once more."""
        at = self.rng.randrange(len(packets))
        inside = openpgp.join(packets[at:])
        if self.chance(60):
            return packets[:at] + openpgp.parse(self.compressed(inside))
        return packets[:at] + openpgp.parse(self.key.encrypt(inside))

    def double_stream(self, packets):
        """Two messages, one behind or inside the other."""
        other = self.other().stream
        at = self.rng.choice((0, 1, len(packets)))
        return packets[:at] + list(other) + packets[at:]

    # Armor.

    def armored(self, data, kind):
        whole = openpgp.armor(data, kind)
        for _ in range(self.times("armor")):
            whole = self.attempt(lambda armor: self.change_armor(armor, kind), whole)
        return whole

    def change_armor(self, whole, kind):
        lines = whole.splitlines() or [b""]
        way = self.rng.randrange(10)
        self.did(f"armor {way}")
        if way == 0:
            lines.insert(1, self.rng.choice((b"Version: GnuPG v2", b"Charset: utf-16", b"Hash: MD5",
                                             b"Comment: " + self.forged()[:30], b"MessageID: x")))
        elif way == 1:
            lines = [line for line in lines if not (line.startswith(b"=") and len(line) == 5)]
        elif way == 2:
            lines = [b"=AAAA" if line.startswith(b"=") and len(line) == 5 else line
                     for line in lines]
        elif way == 3:
            other = self.other()
            more = openpgp.armor(openpgp.join(other.detached), "SIGNATURE") \
                if kind == "SIGNATURE" else openpgp.armor(openpgp.join(other.stream))
            lines = [*lines, *more.splitlines()] if self.chance(50) else [
                *more.splitlines(), *lines]
        elif way == 4:
            word = self.rng.choice(KINDS).encode()
            lines = [re.sub(rb"(BEGIN|END) PGP [A-Z ]+", rb"\1 PGP " + word, line)
                     for line in lines]
        elif way == 5:
            lines = [line + self.rng.choice((b" ", b"\t", b"\r")) for line in lines]
        elif way == 6:
            lines = [line for line in lines if line]
        elif way == 7:
            del lines[self.rng.randrange(len(lines))]
        elif way == 8:
            lines.insert(self.rng.randrange(len(lines) + 1), self.rng.choice(lines))
        else:
            lines = [b"> " + line for line in lines] if self.chance(30) else lines * 2
        return b"\n".join(lines) + b"\n"

    def around(self, block):
        """Unsigned text in front of an inline block, or behind it."""
        if "mime" not in self.levels or self.chance(60):
            return block
        self.did("text around")
        return (self.forged() if self.chance(60) else b"") + block + (
            self.forged() if self.chance(60) else b"")

    # Text: signed, or to be passed off as such.

    def forged(self):
        status = self.rng.choice(STATUSES).encode()
        token = self.rng.choice(self.tokens).encode()
        return self.rng.choice((
            b"%s\n\na forged comment\n\n> Token: %s\n" % (status, token),
            b"Subject: Re: [DEW-2026-0001 r1] %s\n\n%s\n" % (token, status),
            b"%s\n%s\n" % (token, status),
            b"Content-Type: text/plain\n\n%s\nToken: %s\n" % (status, token)))

    def change_text(self, text):
        text = bytes(text)
        lines = text.splitlines(keepends=True) or [b""]
        at = self.rng.randrange(len(lines))
        way = self.rng.randrange(15)
        self.did(f"text {way}")
        if way == 0:
            return TOKEN.sub(self.rng.choice(self.tokens).encode(), text)
        if way == 1:
            return letters.crlf(self.forged()) + text
        if way == 2:
            return text + letters.crlf(self.forged())
        if way == 3:
            for status in STATUSES:
                text = re.sub(rb"(?m)^%s\b" % status.encode(),
                              self.rng.choice(STATUSES).encode(), text)
            return text
        if way == 4:
            del lines[at]
        elif way == 5:
            lines.insert(at, self.rng.choice(lines))
        elif way == 6:
            self.rng.shuffle(lines)
        elif way == 7:
            lines[at] = lines[at][2:] if lines[at].startswith(b"> ") else b"> " + lines[at]
        elif way == 8:
            lines = [line.rstrip(b"\r\n") + self.rng.choice((b" \r\n", b"\n", b"\r", b"\t\r\n"))
                     for line in lines]
        elif way == 9:
            lines.insert(at, b"Subject: Re: [DEW] %s\r\n" % self.rng.choice(self.tokens).encode())
        elif way == 10:
            lines.insert(at, b"> Token: %s\r\n" % self.rng.choice(self.tokens).encode())
        elif way == 11:
            return text.replace(b"\r\n", b"\n")
        elif way == 12:
            return letters.crlf(quopri.encodestring(text)) if self.chance(30) else (
                text.replace(b"7bit", self.rng.choice(ENCODINGS), 1))
        elif way == 13:
            return re.sub(rb"charset=[\w-]+", b"charset=" + self.rng.choice(CHARSETS), text)
        else:
            return self.change_bytes(text, "text")
        return b"".join(lines)

    def change_bytes(self, raw, what):
        if not raw:
            return raw
        way = self.rng.randrange(10)
        at = self.rng.randrange(len(raw))
        to = min(len(raw), at + self.rng.choice((1, 2, 5, 20, 80, 400)))
        self.did(f"{what} bytes {way}")
        if way < 3:
            return raw[:at] + bytes([raw[at] ^ 1 << self.rng.randrange(8)]) + raw[at + 1:]
        if way == 3:
            return raw[:at] + self.rng.randbytes(self.rng.choice((1, 1, 3))) + raw[at:]
        if way == 4:
            return raw[:at] + raw[to:]
        if way == 5:
            return raw[:to] + raw[at:]
        if way == 6:
            other = self.rng.randrange(len(raw))
            return raw[:at] + raw[other:other + to - at] + raw[to:]
        if way == 7:
            return raw[:at] if self.chance(15) else raw[:at] + b"\r\n" + raw[at:]
        lines = raw.split(b"\n")
        first, second = self.rng.randrange(len(lines)), self.rng.randrange(len(lines))
        if way == 8:
            lines[first], lines[second] = lines[second], lines[first]
        else:
            lines.insert(first, lines[second])
        return b"\n".join(lines)

    # MIME.

    def change_part(self, root):
        nodes = list(root.all())
        part = self.rng.choice(nodes)
        groups = [node for node in nodes if isinstance(node.body, list)]
        change = self.rng.choice((
            self.wrap, self.wrap, self.add_part, self.add_part, self.splice, self.splice,
            self.remove_part, self.double_part, self.move_part, self.retype, self.recode,
            self.relabel, self.reboundary, self.beside, self.change_field, self.change_field))
        self.did(change.__name__)
        if change in (self.wrap, self.retype, self.recode, self.relabel, self.change_field):
            return change(root, part)
        if not groups:
            return self.wrap(root, root)
        change(self.rng.choice(groups))
        return root

    def replace(self, root, part, new):
        if part is root:
            return new
        for node in list(root.all()):
            if isinstance(node.body, list):
                node.body = [new if child is part else child for child in node.body]
        return root

    def wrap(self, root, part):
        kind = self.rng.choice((b"mixed", b"mixed", *CONTAINERS, b"rfc822", b"footer"))
        if kind == b"rfc822":
            head = [(b"From", self.address()), (b"Subject", b"fwd")] if part.fields else []
            inner = Part([*head, *part.fields], part.body)
            inner.boundary = part.boundary
            new = Part([(b"Content-Type", b"message/rfc822")], inner.bytes())
        elif kind == b"footer":
            new = multipart(b"mixed", [part, leaf(b"text/plain", b"_____\r\nlist footer\r\n")])
        else:
            more = [self.text_part()] if self.chance(30) else []
            new = multipart(kind, [part, *more] if self.chance(50) else [*more, part])
        return self.replace(root, part, new)

    def text_part(self):
        kind = self.rng.choice((b"text/plain; charset=utf-8", b"text/plain", b"text/html"))
        return leaf(kind, letters.crlf(self.forged()))

    def add_part(self, group):
        group.body.insert(self.rng.randrange(len(group.body) + 1), self.text_part())

    def splice(self, group):
        """A part of another's mail, added or put in another one's place."""
        levels, self.levels = self.levels, set()
        other = self.shaped(self.other(), self.rng.choice(SHAPES))
        self.levels = levels
        part = self.rng.choice(list(other.all()))
        at = self.rng.randrange(len(group.body) + 1)
        if at < len(group.body) and self.chance(60):
            group.body[at] = part
        else:
            group.body.insert(at, part)

    def remove_part(self, group):
        if group.body:
            del group.body[self.rng.randrange(len(group.body))]

    def double_part(self, group):
        if group.body:
            group.body.insert(self.rng.randrange(len(group.body) + 1), self.rng.choice(group.body))

    def move_part(self, group):
        self.rng.shuffle(group.body)

    def retype(self, root, part):
        extra = part.fields[-1][1].partition(b";")[2] if part.fields and self.chance(70) else b""
        part.value(b"Content-Type", self.rng.choice(TYPES) + (b";" + extra if extra else b""))
        return root

    def recode(self, root, part):
        """Another transfer encoding, in truth or in name only."""
        if isinstance(part.body, list) or not part.fields:
            return root
        encoding = self.rng.choice(ENCODINGS)
        part.fields.append((b"Content-Transfer-Encoding", encoding))
        if encoding == b"base64" and self.chance(70):
            part.body = letters.crlf(base64.encodebytes(part.body))
        elif encoding == b"quoted-printable" and self.chance(70):
            part.body = letters.crlf(quopri.encodestring(part.body))
        return root

    def relabel(self, root, part):
        if part.fields:
            kind = part.fields[-1][1].partition(b";")[0]
            if kind.startswith(b"text/") or self.chance(20):
                part.value(b"Content-Type", kind + b"; charset=" + self.rng.choice(CHARSETS)
                           + self.rng.choice((b"", b"; format=flowed", b"; format=flowed; delsp=yes",
                                              b'; protected-headers="v1"')))
        return root

    def reboundary(self, group):
        way = self.rng.randrange(5)
        if way == 0:
            group.boundary += b"x"
        elif way == 1:
            group.boundary = group.boundary[:-1]
        elif way == 2:
            group.ended = False
        elif way == 3:
            group.fields.append((b"Content-Type", b'multipart/mixed; boundary="%s"'
                                 % self.rng.choice((group.boundary, b"other"))))
        else:
            for node in group.body:
                if isinstance(node.body, list):
                    node.value(b"Content-Type", b'multipart/mixed; boundary="%s"' % group.boundary)
                    node.boundary = group.boundary

    def beside(self, group):
        """Text where no part is."""
        text = letters.crlf(self.forged())
        if self.chance(50):
            group.preamble = text
        else:
            group.epilogue = text

    def address(self):
        return b"Somebody <%s>" % self.rng.choice(self.addresses).encode()

    def change_field(self, root, part):
        if not part.fields:
            return root
        token = self.rng.choice(self.tokens).encode()
        way = self.rng.randrange(7)
        if way == 0:
            part.fields.insert(0, (b"Subject", b"Re: [DEW-2026-0001 r1] " + token))
        elif way == 1:
            name, value = self.rng.choice(part.fields)
            part.fields.append((name, value))
        elif way == 2:
            del part.fields[self.rng.randrange(len(part.fields))]
        elif way == 3:
            part.fields = [(name, value.replace(b"; ", b";\r\n\t")) for name, value in part.fields]
        elif way == 4:
            part.fields = [(name.swapcase(), value) for name, value in part.fields]
        elif way == 5:
            part.fields.append(self.rng.choice((
                (b"Content-Disposition", b"attachment; filename=x.asc"), (b"Auto-Submitted", b"no"),
                (b"Content-Description", token), (b"Content-ID", b"<a@b>"), (b"hp", b"cipher"))))
        else:
            part.fields = [(name, self.change_bytes(value, "field").replace(b"\n", b""))
                           for name, value in part.fields]
        return root

    def outside(self, part):
        """The mail's own headers: nothing that they say may matter."""
        token = self.rng.choice(self.tokens).encode()
        fields = [(b"From", self.address()), (b"To", b"gateway@gw.example"),
                  (b"Subject", self.rng.choice((b"...", b"Re: [DEW-2026-0001 r1] " + token))),
                  (b"Message-ID", b"<%s@x.example>" % self.rng.randbytes(8).hex().encode()),
                  (b"MIME-Version", b"1.0")]
        if "mime" in self.levels and self.chance(30):
            fields.append(self.rng.choice((
                (b"Reply-To", self.address()), (b"Sender", self.address()),
                (b"From", self.address()), (b"X-Token", token), (b"In-Reply-To", b"<a@b>"),
                (b"Resent-From", self.address()), (b"Auto-Submitted", b"auto-replied"))))
            self.did("header")
        if not part.fields:
            return b"".join(b"%s: %s\r\n" % field for field in fields) + b"\r\n" + part.bytes()
        head = b"".join(b"%s: %s\r\n" % field for field in fields)
        return head + part.bytes()
