"""OpenPGP programs other than the GnuPG that is installed: what they make, open and encrypt."""
import ctypes
import functools
import os
import pathlib
import re
import subprocess

import openpgp

HERE = pathlib.Path(__file__).resolve().parent
KEYS = HERE.parent / "flow" / "fixtures" / "keys"  # made by GnuPG 2.4; no secret of anybody's


@functools.cache
def gnupg_version():
    """(2, 2, 40)"""
    said = subprocess.run(["gpg", "--version"], capture_output=True, check=True).stdout.decode()
    return tuple(int(part) for part in re.match(r"gpg \(GnuPG\) (\d+)\.(\d+)\.(\d+)", said).groups())


def ready_key(name):
    return (KEYS / f"{name}.asc").read_bytes()


class OpenPGPjs:
    """Somebody who uses OpenPGP.js, of line 5 or 6."""

    def __init__(self, t, line, name, address):
        t.needs("node")
        self.library = t.build / "openpgpjs" / "node_modules" / ("openpgp5" if line == 5
                                                                 else "openpgp")
        if not (t.build / "openpgpjs" / "installed").exists():
            t.skip("OpenPGP.js is not in the build: tests/interop/openpgpjs/install BUILD")
        self.dir = t.dir / f"js-{line}-{address.split('@')[0]}"
        self.dir.mkdir()
        self.run("key", name, address)
        self.secret = (self.dir / "secret.asc").read_bytes()

    def meet(self, gateway):
        (self.dir / "gateway.asc").write_bytes(gateway.certificate)

    def run(self, command, *arguments, given=b""):
        done = subprocess.run(["node", HERE / "openpgpjs" / "person.cjs", self.library, command,
                               self.dir, *arguments], input=given, capture_output=True)
        assert done.returncode == 0, f"OpenPGP.js: {done.stderr.decode()}"
        return done.stdout

    def open(self, armored):
        """The text, which the gateway must have signed."""
        return self.run("open", given=armored)

    def seal(self, data, form):
        """Armored. form: mdc, aead, text, password or apart (person.cjs)."""
        return self.run("seal", form, given=data)


def seal_with_rnp(official, data, mode):
    """What rnp signs and encrypts for the gateway with AEAD; mode: OCB or EAX."""
    home = official.rnp_home()
    done = subprocess.run(["rnp", "--homedir", home, "--notty", "--password", "", "--armor",
                           f"--aead={mode}", "--sign", "--userid", official.fingerprint,
                           "--encrypt", "--recipient", official.gateway[1], "--output", "-"],
                          input=data, capture_output=True)
    assert done.returncode == 0, f"rnp: {done.stderr.decode()}"
    return done.stdout


class OCB:
    """Data packets of tag 20 under a session key that is known, chunk by chunk, as an attacker
    would write them (draft-ietf-openpgp-rfc4880bis section 5.16)."""
    CIPHER, MODE, CHUNK_BITS = 9, 2, 0  # AES256, OCB, chunks of 64 bytes
    GCRY_OCB, FINALIZE = 11, 5  # in libgcrypt's words

    def __init__(self, key):
        self.key = key
        self.library = ctypes.CDLL("libgcrypt.so.20")
        self.library.gcry_check_version(None)

    def _call(self, name, *arguments):
        code = getattr(self.library, f"gcry_cipher_{name}")(*arguments)
        assert code == 0, (name, code)

    def _sealed(self, nonce, head, text):
        handle, out = ctypes.c_void_p(), ctypes.create_string_buffer(max(len(text), 1))
        tag = ctypes.create_string_buffer(16)
        self._call("open", ctypes.byref(handle), self.CIPHER, self.GCRY_OCB, 0)
        self._call("setkey", handle, self.key, ctypes.c_size_t(len(self.key)))
        self._call("setiv", handle, nonce, ctypes.c_size_t(len(nonce)))
        self._call("authenticate", handle, head, ctypes.c_size_t(len(head)))
        self._call("ctl", handle, self.FINALIZE, None, ctypes.c_size_t(0))
        self._call("encrypt", handle, out, ctypes.c_size_t(len(text)), text,
                   ctypes.c_size_t(len(text)))
        self._call("gettag", handle, tag, ctypes.c_size_t(16))
        self.library.gcry_cipher_close(handle)
        return out.raw[:len(text)] + tag.raw

    def body(self, plain):
        """The packet's body: its head, the chunks each with a tag, the last tag over the size."""
        head = bytes([0xd4, 1, self.CIPHER, self.MODE, self.CHUNK_BITS])
        iv, size = os.urandom(15), 1 << self.CHUNK_BITS + 6
        pieces = [plain[at:at + size] for at in range(0, len(plain), size)]
        out = head[1:] + iv

        def nonce(index):
            return iv[:7] + (int.from_bytes(iv[7:], "big") ^ index).to_bytes(8, "big")

        for index, piece in enumerate(pieces):
            out += self._sealed(nonce(index), head + index.to_bytes(8, "big"), piece)
        return out + self._sealed(nonce(len(pieces)), head + len(pieces).to_bytes(8, "big")
                                  + len(plain).to_bytes(8, "big"), b"")

    def message(self, pkesk, plain, change=lambda body: body):
        """Armored; change: what becomes of the data packet's body."""
        return openpgp.armor(openpgp.packet(openpgp.PKESK, pkesk)
                             + openpgp.packet(20, change(self.body(plain))))
