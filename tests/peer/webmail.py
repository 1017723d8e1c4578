"""Mail as programs write it that run in a browser and use OpenPGP.js, around what that has sealed.

A program is a function of `seal` (OpenPGPjs.seal) and the person: {shape: function of the text that
gives an entity}. None of them protects a Subject.
"""
import html

import letters
from mailers import CRLF, alternative, encoded, encrypted, inline, part, public_key

FILE = ("log.txt", b"All of it.\n")


def commented(armored, *lines):
    """With these lines as headers of the armor."""
    head, _, rest = armored.decode().partition("\n\n")
    return "\n".join([head, *lines]) + f"\n\n{rest}"


def as_divisions(text):
    return "".join(f"<div>{html.escape(line) or '<br>'}</div>\n" for line in text.splitlines())


def mailvelope(seal, person):
    """Pastes into a webmail that writes HTML too. With files the armor holds a MIME entity."""
    def armored(data):
        return commented(seal(data, "text"), "Version: Mailvelope v6.1.0",
                         "Comment: https://mailvelope.com")

    def beside_html(text):
        pasted = armored(text.encode())
        return alternative(inline(pasted, "quoted-printable"), part(
            as_divisions(pasted), encoding="quoted-printable", subtype="html"))

    def with_file(text):
        return inline(armored(letters.multipart("mixed", [
            part(text, encoding="quoted-printable"), letters.attachment(*FILE)])))
    return {"text": lambda text: inline(armored(text.encode())), "text and HTML": beside_html,
            "text and a file": with_file}


def flowcrypt(seal, person):
    """Sends through Gmail; its public key and files stand beside what is signed."""
    def body(text):
        armored = commented(seal(text.encode(), "mdc"),
                            "Version: FlowCrypt Email Encryption 8.6.2",
                            "Comment: Seamlessly send and receive encrypted email")
        return letters.multipart("alternative", [inline(armored, "quoted-printable")])

    def with_file(text):
        return letters.multipart("mixed", [body(text), letters.attachment(
            f"{FILE[0]}.pgp", seal(FILE[1], "apart"))])
    return {"text": body, "text and a file beside it": with_file,
            "text and its key beside it": lambda text: letters.multipart(
                "mixed", [body(text), public_key(person)])}


def proton(seal, person):
    """PGP/MIME with HTML beside the text and its public key; or inline, where it is told to."""
    def with_key(text):
        markup = part(f'<div style="font-family: Arial">{as_divisions(text)}</div>',
                      encoding="base64", subtype="html")
        both = alternative(part(text, encoding="quoted-printable"),
                           letters.multipart("related", [markup]))
        name = f"publickey - {person.address} - 0x{person.fingerprint[:8]}.asc"
        key = letters.headers([
            ("Content-Type", f'application/pgp-keys; filename="{name}"; name="{name}"'),
            ("Content-Transfer-Encoding", "base64"),
            ("Content-Disposition", f'attachment; filename="{name}"; name="{name}"')])
        inner = letters.multipart("mixed", [both,
                                            key + CRLF + encoded(person.certificate, "base64")])
        return encrypted(seal(inner, "mdc"), version=[
            ("Content-Description", "PGP/MIME version identification")])

    def in_text(text):
        return inline(commented(seal(text.encode(), "text"), "Version: ProtonMail",
                                "Comment: https://protonmail.com"), "quoted-printable")
    return {"PGP/MIME": with_key, "inline": in_text}


PROGRAMS = {function.__name__: function for function in (mailvelope, flowcrypt, proton)}
