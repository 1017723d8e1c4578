"""OpenPGP packets, byte by byte: what an attacker can do who has no key but all the time there is.

A packet is (tag, body). Encrypting is done with a session key of the attacker's own choice, so that
it costs no run of gpg: the session key's packet is made once.
"""
import base64
import ctypes
import hashlib
import os
import re

PKESK, SIGNATURE, ONE_PASS, COMPRESSED, MARKER, LITERAL, SEIPD = 1, 2, 4, 8, 10, 11, 18
PUBLIC_KEY = 6
AES256, CFB = 9, 2  # as libgcrypt calls them; RFC 9580 section 9.3 has the same 9
BLOCK = 16


def parse(data):
    """The packets of binary data, with definite or partial lengths (RFC 9580 section 4.2)."""
    found, at = [], 0
    while at < len(data):
        first, at = data[at], at + 1
        if not first & 0x40:
            size = 1 << (first & 3)
            length = int.from_bytes(data[at:at + size], "big")
            found.append((first >> 2 & 15, data[at + size:at + size + length]))
            at += size + length
            continue
        body, partial = b"", True
        while partial:
            length, partial, at = new_length(data, at)
            body += data[at:at + length]
            at += length
        found.append((first & 63, body))
    return found


def new_length(data, at):
    first = data[at]
    if first < 192:
        return first, False, at + 1
    if first < 224:
        return (first - 192 << 8) + data[at + 1] + 192, False, at + 2
    if first == 255:
        return int.from_bytes(data[at + 1:at + 5], "big"), False, at + 5
    return 1 << (first & 31), True, at + 1


def length_of(size):
    if size < 192:
        return bytes([size])
    if size < 8384:
        return bytes([(size - 192 >> 8) + 192, size - 192 & 255])
    return b"\xff" + size.to_bytes(4, "big")


def packet(tag, body, form="new"):
    """form: new, old, partial or endless (the last two only where the body is long enough, or the
    packet is the last one)."""
    if form == "partial" and len(body) > 512:
        return (bytes([0xc0 | tag, 224 + 9]) + body[:512] + length_of(len(body) - 512) + body[512:])
    if form == "old" and tag < 16:
        return bytes([0x80 | tag << 2 | 2]) + len(body).to_bytes(4, "big") + body
    if form == "endless" and tag < 16:
        return bytes([0x83 | tag << 2]) + body
    return bytes([0xc0 | tag]) + length_of(len(body)) + body


def join(packets):
    return b"".join(packet(tag, body) for tag, body in packets)


def literal(content, kind=b"b", name=b"", date=0):
    return LITERAL, kind + bytes([len(name)]) + name + date.to_bytes(4, "big") + content


def content_of(body):
    """The bytes of a literal packet, and what stands before them."""
    head = 2 + body[1] + 4
    return body[:head], body[head:]


def armor(data, kind="MESSAGE"):
    lines = base64.encodebytes(data).decode().replace("\n", "")
    lines = "\n".join(lines[i:i + 64] for i in range(0, len(lines), 64))
    crc = base64.b64encode(crc24(data).to_bytes(3, "big")).decode()
    return f"-----BEGIN PGP {kind}-----\n\n{lines}\n={crc}\n-----END PGP {kind}-----\n".encode()


def crc_row(byte):
    crc = byte << 16
    for _ in range(8):
        crc = crc << 1 ^ (0x1864cfb if crc & 0x800000 else 0)
    return crc & 0xffffff


CRC_ROWS = [crc_row(byte) for byte in range(256)]


def crc24(data):
    """RFC 9580 section 6.1."""
    crc = 0xb704ce
    for byte in data:
        crc = (crc << 8 & 0xffffff) ^ CRC_ROWS[crc >> 16 ^ byte]
    return crc


def dearmor(text):
    lines = text.replace(b"\r\n", b"\n").partition(b"\n\n")[2].splitlines()
    block = []
    for line in lines:
        if line.startswith((b"=", b"-----")):
            break
        block.append(line)
    return base64.b64decode(b"".join(block))


def escaped(text):
    """The lines of a clear-signed text (RFC 9580 section 7.2)."""
    return re.sub(rb"^-", b"- -", text.replace(b"\r\n", b"\n"), flags=re.M)


def clearsigned(text, signatures, head=b"Hash: SHA256\n"):
    return (b"-----BEGIN PGP SIGNED MESSAGE-----\n" + head + b"\n" + escaped(text).rstrip(b"\n")
            + b"\n" + armor(signatures, "SIGNATURE"))


def stopping(certificate, size):
    """The certificate, and so many bytes of signatures behind it that its owner seems to have made
    and gpg will not read: their first number claims 65,535 bits."""
    (_, key), *others = parse(certificate)
    fingerprint = hashlib.sha1(b"\x99" + len(key).to_bytes(2, "big") + key).digest()
    issuer = b"\0\x0a\x09\x10" + fingerprint[-8:]  # unhashed: a subpacket of nine bytes
    bad = [packet(SIGNATURE, b"\x04\x10\x16\x0a\0\0" + issuer +
                  number.to_bytes(2, "big") + b"\xff\xff" + bytes(64))
           for number in range(size // 90)]
    return packet(PUBLIC_KEY, key) + join(others[:2]) + b"".join(bad) + join(others[2:])


class SessionKey:
    """Encrypts to the gateway: its packet and the key in it, as the one who chose it knows it."""

    def __init__(self, pkesk, key):
        self.pkesk, self.key = pkesk, key
        self.library = ctypes.CDLL("libgcrypt.so.20")
        self.library.gcry_check_version(None)
        self.handle = ctypes.c_void_p()
        self._call("open", ctypes.byref(self.handle), AES256, CFB, 0)

    def _call(self, name, *arguments):
        code = getattr(self.library, f"gcry_cipher_{name}")(*arguments)
        assert code == 0, (name, code)

    def encrypt(self, plain):
        """A whole message: session key packet, then data with its integrity code."""
        prefix = os.urandom(BLOCK)
        text = prefix + prefix[-2:] + plain + b"\xd3\x14"
        text += hashlib.sha1(text).digest()
        out = ctypes.create_string_buffer(len(text))
        self._call("setkey", self.handle, self.key, ctypes.c_size_t(len(self.key)))
        self._call("setiv", self.handle, bytes(BLOCK), ctypes.c_size_t(BLOCK))
        self._call("encrypt", self.handle, out, ctypes.c_size_t(len(text)), text,
                   ctypes.c_size_t(len(text)))
        return packet(PKESK, self.pkesk) + packet(SEIPD, b"\x01" + out.raw)
