"""Building mail the way mail programs do, byte by byte, so that a test knows what it sends."""
import base64
import email.utils
import secrets

from harness import now

CRLF = b"\r\n"


def crlf(data):
    """Line ends as they travel."""
    if isinstance(data, str):
        data = data.encode()
    return data.replace(b"\r\n", b"\n").replace(b"\n", CRLF)


def headers(fields):
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in fields)


def boundary():
    return "b" + secrets.token_hex(12)


def encoded(data):
    return crlf(base64.encodebytes(data) or b"\n")


def text_part(text, protected=(), subtype="plain"):
    """A text entity; `protected` are header fields that stand inside it."""
    extra = '; protected-headers="v1"' if protected else ""
    head = [*protected, ("Content-Type", f"text/{subtype}; charset=utf-8{extra}")]
    if text.isascii():
        return headers([*head, ("Content-Transfer-Encoding", "7bit")]) + CRLF + crlf(text)
    return headers([*head, ("Content-Transfer-Encoding", "base64")]) + CRLF + encoded(text.encode())


def attachment(name, content, kind="application/octet-stream"):
    head = [("Content-Type", f'{kind}; name="{name}"'), ("Content-Transfer-Encoding", "base64"),
            ("Content-Disposition", f'attachment; filename="{name}"')]
    return headers(head) + CRLF + encoded(content)


def multipart(subtype, parts, protected=(), parameters=""):
    line = boundary()
    extra = '; protected-headers="v1"' if protected else ""
    kind = f'multipart/{subtype}; boundary="{line}"{extra}{parameters}'
    body = b"".join(b"--" + line.encode() + CRLF + part + CRLF for part in parts)
    return (headers([*protected, ("Content-Type", kind)]) + CRLF + body
            + b"--" + line.encode() + b"--" + CRLF)


def message(sender, recipient, entity, subject="...", more=()):
    """The outside of a mail around an entity."""
    fields = [("From", sender), ("To", recipient), ("Subject", subject),
              ("Date", email.utils.formatdate(now())),
              ("Message-ID", f"<{secrets.token_hex(10)}@{sender.rpartition('@')[2].strip('>')}>"),
              *more, ("MIME-Version", "1.0")]
    return headers(fields) + entity


def encrypted_entity(armored):
    """multipart/encrypted, RFC 3156 section 4."""
    version = headers([("Content-Type", "application/pgp-encrypted")]) + CRLF + b"Version: 1\r\n"
    data = (headers([("Content-Type", 'application/octet-stream; name="encrypted.asc"')])
            + CRLF + crlf(armored))
    return multipart("encrypted", [version, data],
                     parameters='; protocol="application/pgp-encrypted"')


def exchange_entity(armored):
    """What Exchange makes of multipart/encrypted: mixed, with an empty text part in front."""
    empty = text_part("")
    version = headers([("Content-Type", "application/pgp-encrypted")]) + CRLF + b"Version: 1\r\n"
    data = attachment("encrypted.asc", crlf(armored))
    return multipart("mixed", [empty, version, data])


def signed_entity(entity, signature):
    """multipart/signed, RFC 3156 section 5. entity must be in the bytes that were signed."""
    part = (headers([("Content-Type", 'application/pgp-signature; name="signature.asc"')])
            + CRLF + crlf(signature))
    return multipart("signed", [entity, part],
                     parameters='; micalg=pgp-sha256; protocol="application/pgp-signature"')


def with_footer(entity, footer="_______________\nThis list is archived at list.example\n"):
    """What a mailing list does: everything goes one level down and a footer stands below."""
    return multipart("mixed", [entity, text_part(footer)])
