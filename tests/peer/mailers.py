"""Answers as other people's mail programs send them, rebuilt part by part, signed by real gpg.

A program is a function that yields answers: each with a name that says its shape, encoding, charset
and posting, the raw mail, and the status and comment that must come of it.
"""
import base64
import dataclasses
import email.utils
import html
import quopri
import secrets
import textwrap

import letters

CRLF = b"\r\n"
# By charset, words that it can write; the dash is in windows-1252 and not in ISO-8859-1.
WORDS = {"us-ascii": "Two stations, checked.", "utf-8": "Zwei Stationen in Köln – geprüft, 確認.",
         "iso-8859-1": "Zwei Stationen in Köln, geprüft.",
         "windows-1252": "Zwei „Stationen“ in Köln – geprüft."}
CODECS = {"windows-1252": "cp1252"}


@dataclasses.dataclass
class Answer:
    name: str
    raw: bytes
    status: str
    comment: str


# Words.

def quotable(opened):
    """What Thunderbird and others quote: nothing from a line on that begins a signature."""
    lines = opened.text.splitlines()
    return lines[:lines.index("-- ")] if "-- " in lines else lines


def quoted(opened, mark="> "):
    return [f"{mark}{line}".rstrip() for line in quotable(opened)]


def original(opened, person, language="en"):
    """What Outlook puts below an answer: no marks, a header instead."""
    names = {"en": ("From", "Sent", "To", "Subject", "-----Original Message-----"),
             "de": ("Von", "Gesendet", "An", "Betreff", "-----Ursprüngliche Nachricht-----"),
             "fr": ("De", "Envoyé", "À", "Objet", "-----Message d'origine-----")}[language]
    return [names[4], f"{names[0]}: Example early warning <{person.gateway[0]}>",
            f"{names[1]}: Monday, 23 November 2026 10:00", f"{names[2]}: {person.address}",
            f"{names[3]}: {opened.subject}", "", *quotable(opened)]


def written(opened, status, comment, posting="top", mark="> ", greeting=(), signature=(),
            introduction="On Monday, 23 November 2026, Example early warning wrote:"):
    """The text of an answer as typed around a quotation."""
    said = [*greeting, status, *(["", comment] if comment else [])]
    quotation = [introduction, *quoted(opened, mark)] if introduction else quoted(opened, mark)
    closing = ["-- ", *signature] if signature else []
    if posting == "top":
        lines = [*said, "", *closing, "", *quotation]
    elif posting == "bottom":
        lines = [*quotation, "", *said, "", *closing]
    else:
        half = len(quotation) // 2
        lines = [*quotation[:half], "", *said, "", *quotation[half:], "", *closing]
    return "\n".join(lines) + "\n"


# Parts.

def encoded(data, encoding):
    if encoding == "base64":
        return letters.encoded(data)
    if encoding == "quoted-printable":
        return letters.crlf(quopri.encodestring(letters.crlf(data).replace(CRLF, b"\n")))
    return letters.crlf(data)


def flowed(text):
    """RFC 3676: long paragraphs get soft breaks, lines that need it a space."""
    lines = []
    for line in text.splitlines():
        if line.startswith((" ", "From ")):
            line = " " + line
        if line.startswith(">") or len(line) <= 72:
            lines.append(line)
            continue
        pieces = textwrap.wrap(line, 66)
        lines += [f"{piece} " for piece in pieces[:-1]] + pieces[-1:]
    return "\n".join(lines) + "\n"


def part(text, charset="utf-8", encoding="8bit", subtype="plain", parameters="", head=()):
    data = text.encode(CODECS.get(charset, charset))
    fields = [*head, ("Content-Type", f"text/{subtype}; charset={charset}{parameters}"),
              ("Content-Transfer-Encoding", encoding)]
    return letters.headers(fields) + CRLF + encoded(data, encoding)


def as_html(opened, status, comment, posting="top", cite='type="cite"'):
    said = f"<p>{html.escape(status)}</p>" + (f"<p>{html.escape(comment)}</p>" if comment else "")
    lines = "<br>\n".join(html.escape(line) for line in quotable(opened))
    quotation = ('<div class="moz-cite-prefix">On 23.11.26 10:00, Example early warning '
                 f"wrote:<br></div>\n<blockquote {cite}>\n{lines}\n</blockquote>\n")
    return ("<html><head><title>x</title></head><body>\n"
            + (said + quotation if posting == "top" else quotation + said) + "</body></html>\n")


def alternative(plain, markup, protected=()):
    return letters.multipart("alternative", [plain, markup], protected)


def public_key(person):
    name = f"OpenPGP_0x{person.fingerprint[-16:]}.asc"
    fields = [("Content-Type", f'application/pgp-keys; name="{name}"'),
              ("Content-Disposition", f'attachment; filename="{name}"'),
              ("Content-Description", "OpenPGP public key"),
              ("Content-Transfer-Encoding", "quoted-printable")]
    return letters.headers(fields) + CRLF + encoded(person.certificate, "quoted-printable")


def armor_part(armored, encoding="7bit", fields=()):
    head = [*(fields or [("Content-Type", 'application/octet-stream; name="encrypted.asc"'),
                         ("Content-Disposition", 'inline; filename="encrypted.asc"')])]
    if encoding != "7bit":
        head.append(("Content-Transfer-Encoding", encoding))
    return letters.headers(head) + CRLF + encoded(armored, encoding)


def encrypted(armored, encoding="7bit", version=(), fields=()):
    head = [("Content-Type", "application/pgp-encrypted"), *version]
    first = letters.headers(head) + CRLF + b"Version: 1\r\n"
    return letters.multipart("encrypted", [first, armor_part(armored, encoding, fields)],
                             parameters='; protocol="application/pgp-encrypted"')


def signed(person, inner, name="signature.asc", description="OpenPGP digital signature"):
    fields = [("Content-Type", f'application/pgp-signature; name="{name}"'),
              ("Content-Description", description),
              ("Content-Disposition", f'attachment; filename="{name}"')]
    signature = (letters.headers(fields) + CRLF
                 + letters.crlf(person.sign(inner, "--detach-sign")))
    return letters.multipart("signed", [inner, signature], parameters=(
        '; micalg=pgp-sha256; protocol="application/pgp-signature"'))


def inline(armored, encoding="7bit", charset="utf-8", parameters="", subtype="plain"):
    data = armored if isinstance(armored, bytes) else armored.encode()
    fields = [("Content-Type", f"text/{subtype}; charset={charset}{parameters}"),
              ("Content-Transfer-Encoding", encoding)]
    return letters.headers(fields) + CRLF + encoded(data, encoding)


def clear(person, text, charset="utf-8"):
    return person.sign(text.encode(CODECS.get(charset, charset)), "--clearsign")


def protected_headers(person, opened):
    return [("From", f"{person.name} <{person.address}>"), ("To", person.gateway[0]),
            ("Message-ID", f"<{secrets.token_hex(8)}@{person.address.split('@')[1]}>"),
            ("Subject", f"Re: {opened.subject}")]


def autocrypt(person):
    data = base64.b64encode(person.home.gpg("--export", person.fingerprint).out).decode()
    folded = "".join(f"\r\n {data[i:i + 76]}" for i in range(0, len(data), 76))
    return ("Autocrypt", f"addr={person.address}; keydata={folded}")


# The programs. Each takes a `next()` that gives the person and the opened mail of the next answer.

def thunderbird(turn):
    """78 and later: everything in a multipart/mixed with protected headers, the key attached."""
    for mode in ("encrypted", "signed"):
        for posting, encoding, markup in (("top", "base64", False), ("bottom", "7bit", False),
                                          ("inline", "base64", True), ("top", "8bit", True)):
            person, opened = turn()
            charset = "us-ascii" if encoding == "7bit" else "utf-8"
            comment = WORDS[charset] * 3 if encoding == "base64" else WORDS[charset]
            text = written(opened, "Affected.", comment, posting, signature=("Eve", "CERT"))
            plain = part(flowed(text), "UTF-8" if charset == "utf-8" else charset, encoding,
                         parameters="; format=flowed")
            if markup:
                plain = alternative(plain, part(as_html(opened, "Affected.", comment),
                                                encoding="8bit", subtype="html"))
            inner = letters.multipart("mixed", [letters.multipart("mixed", [
                plain, public_key(person)])], protected_headers(person, opened))
            if mode == "encrypted":
                entity = encrypted(person.encrypt(inner), version=[
                    ("Content-Description", "PGP/MIME version identification")])
            else:
                entity = signed(person, inner, "OpenPGP_signature.asc")
            raw = person.message(entity, more=[
                ("User-Agent", "Mozilla Thunderbird"), ("Content-Language", "en-GB"),
                autocrypt(person)])
            yield Answer(f"{mode}, {encoding}, {charset}, {posting}"
                         f"{', with html' if markup else ''}", raw, "affected", comment)
    person, opened = turn()
    text = written(opened, "*Acting*", WORDS["utf-8"])
    inner = letters.multipart("mixed", [part(flowed(text), parameters="; format=flowed")],
                              protected_headers(person, opened))
    yield Answer("encrypted, 8bit, utf-8, top, bold", person.message(
        encrypted(person.encrypt(inner))), "acting", WORDS["utf-8"])
    person, opened = turn()
    only = part(as_html(opened, "Not affected", WORDS["utf-8"], "bottom"), encoding="base64",
                subtype="html")
    inner = letters.multipart("mixed", [only], protected_headers(person, opened))
    yield Answer("encrypted, base64, utf-8, bottom, html only",
                 person.message(encrypted(person.encrypt(inner))), "not affected", WORDS["utf-8"])


def mutt(turn):
    """PGP/MIME, and what it calls traditional."""
    for charset, encoding in (("us-ascii", "7bit"), ("utf-8", "8bit"), ("iso-8859-1", "8bit"),
                              ("utf-8", "quoted-printable"), ("iso-8859-1", "quoted-printable")):
        for posting in ("top", "bottom"):
            person, opened = turn()
            text = written(opened, "not affected", WORDS[charset], posting, signature=("Eve",),
                           introduction="On Mon, Nov 23, 2026 at 10:00:00AM +0000, Gateway wrote:")
            name = f"{encoding}, {charset}, {posting}"
            if posting == "top":
                inner = part(text, charset, encoding, parameters="; protected-headers=v1",
                             head=[("Subject", f"Re: {opened.subject}")])
                yield Answer(f"encrypted, {name}", person.message(encrypted(
                    person.encrypt(inner), fields=[
                        ("Content-Type", 'application/octet-stream; name="msg.asc"')])),
                    "not affected", WORDS[charset])
            else:
                if encoding == "8bit":  # mutt makes what it signs fit for 7 bits
                    encoding = "quoted-printable"
                inner = part(text, charset, encoding)
                yield Answer(f"signed, {name}", person.message(signed(person, inner)),
                             "not affected", WORDS[charset])
            person, opened = turn()
            text = written(opened, "acting", WORDS[charset], posting, signature=("Eve",))
            if posting == "top":
                entity = inline(clear(person, text, charset), encoding, charset,
                                '; x-action=pgp-signed; format=text')
                yield Answer(f"inline-signed, {name}", person.message(entity), "acting",
                             WORDS[charset])
            else:
                armored = person.encrypt(text.encode(CODECS.get(charset, charset)))
                entity = inline(armored, encoding, "utf-8", "; x-action=pgp-encrypted")
                yield Answer(f"inline-encrypted, {name}", person.message(entity), "acting",
                             WORDS[charset])
    person, opened = turn()
    text = written(opened, "received", "As it was long ago.")
    fields = [("Content-Type", "application/pgp; format=text; x-action=sign")]
    yield Answer("inline-signed, application/pgp, top", person.message(
        letters.headers(fields) + CRLF + letters.crlf(clear(person, text))), "received",
        "As it was long ago.")


def claws(turn):
    """Claws Mail and Sylpheed: an introduction on two short lines, text wrapped at 72."""
    introduction = ("On Sun, 29 Nov 2026 23:09:21 +0000\n"
                    "Example early warning <gateway@gw.example> wrote:\n")
    long = ("We have this controller at 3 sites and will patch all of them within this\n"
            "week, the last on 29 November; the control room knows of it and is ready")
    for posting, status, comment in (("bottom", "affected", WORDS["utf-8"]), ("top", "acting", long),
                                     ("inline", "not affected", WORDS["utf-8"])):
        for mode in ("encrypted", "signed"):
            person, opened = turn()
            text = written(opened, status, comment, posting, signature=("Eve", "CERT"),
                           introduction=introduction)
            if posting == "top":
                text = text.replace("\n\n-- \nEve\nCERT\n\n", "\n")
            inner = part(text, encoding="quoted-printable")
            entity = (encrypted(person.encrypt(inner)) if mode == "encrypted"
                      else signed(person, inner, "signature.asc"))
            yield Answer(f"{mode}, quoted-printable, utf-8, {posting}", person.message(
                entity, more=[("X-Mailer", "Claws Mail 4.1.1 (GTK 3.24.38)")]), status, comment)


def k9(turn):
    """K-9 Mail with OpenKeychain: quoted-printable, the quotation below, a greeting."""
    for mode in ("encrypted", "signed"):
        for posting in ("top", "bottom"):
            person, opened = turn()
            text = written(opened, "Acting", WORDS["utf-8"], posting, greeting=("Hello,", ""),
                           introduction="Am 23. November 2026 11:00:00 MEZ schrieb Gateway "
                           "<gateway@gw.example>:")
            inner = part(text, encoding="quoted-printable", parameters='; protected-headers="v1"',
                         head=[("Subject", f"Re: {opened.subject}")])
            entity = (encrypted(person.encrypt(inner)) if mode == "encrypted"
                      else signed(person, inner))
            raw = person.message(entity, more=[("User-Agent", "K-9 Mail for Android"),
                                               autocrypt(person)])
            yield Answer(f"{mode}, quoted-printable, utf-8, {posting}, greeting", raw, "acting",
                         WORDS["utf-8"])
    person, opened = turn()
    text = written(opened, "Unreadable", "", greeting=("Guten Tag",))
    yield Answer("inline-encrypted, base64, utf-8, top, greeting", person.message(
        inline(person.encrypt(text.encode()), "base64")), "unreadable", "")


def gnupg(turn):
    """gpg on the command line; its output pasted into a mail, or attached to it."""
    for encoding in ("7bit", "quoted-printable", "base64"):
        for posting in ("top", "bottom"):
            person, opened = turn()
            text = written(opened, "affected: two sites", "", posting, introduction="")
            around = ("Please see below.\n\n", "\nRegards\n") if posting == "top" else ("", "")
            body = around[0].encode() + clear(person, text) + around[1].encode()
            yield Answer(f"inline-signed, {encoding}, utf-8, {posting}", person.message(
                inline(body, encoding)), "affected", "two sites")
            person, opened = turn()
            text = written(opened, "affected", WORDS["utf-8"], posting)
            body = around[0].encode() + person.encrypt(text.encode()) + around[1].encode()
            yield Answer(f"inline-encrypted, {encoding}, utf-8, {posting}", person.message(
                inline(body, encoding)), "affected", WORDS["utf-8"])
    for kind, content in (("encrypted", lambda p, text: p.encrypt(text)),
                          ("signed", lambda p, text: p.sign(text, "--clearsign"))):
        person, opened = turn()
        text = written(opened, "received", WORDS["utf-8"]).encode()
        entity = letters.multipart("mixed", [part("See the attachment.\n"), letters.attachment(
            "answer.txt.asc", content(person, text))])
        yield Answer(f"attached-{kind}, base64, utf-8, top", person.message(entity), "received",
                     WORDS["utf-8"])
    person, opened = turn()
    text = written(opened, "acting", "", mark="| ", posting="bottom")
    yield Answer("inline-signed, 7bit, us-ascii, bottom, other marks",
                 person.message(inline(clear(person, text))), "acting", "")


def mailvelope(turn):
    """In webmail: armor in the text, in the HTML beside it, or in HTML alone; and PGP/MIME."""
    def commented(armored):
        head, _, rest = armored.decode().partition("\n\n")
        return f"{head}\nVersion: Mailvelope v5.1.0\nComment: https://mailvelope.com\n\n{rest}"

    def html_of(armored, blank=""):
        return "".join(f"<div>{html.escape(line) or blank or '<br>'}</div>\n"
                       for line in armored.splitlines())

    for posting in ("top", "bottom"):
        for form in ("text", "both", "html", "blanks"):
            person, opened = turn()
            text = written(opened, "Not\u00a0affected", WORDS["utf-8"], posting)
            armored = commented(person.encrypt(text.encode()))
            if form == "text":
                entity = part(armored, encoding="7bit")
            elif form == "both":
                entity = alternative(part(armored, encoding="quoted-printable"), part(
                    html_of(armored), encoding="quoted-printable", subtype="html"))
            elif form == "html":
                entity = part(html_of(armored, "&nbsp;"), encoding="base64", subtype="html")
            else:
                entity = part(armored.replace("\n\n", "\n\u00a0\n", 1), encoding="8bit")
            yield Answer(f"inline-encrypted, {form}, utf-8, {posting}", person.message(entity),
                         "not affected", WORDS["utf-8"])
    person, opened = turn()
    text = written(opened, "received", WORDS["utf-8"])
    inner = letters.multipart("mixed", [part(text, encoding="quoted-printable")], [
        ("Subject", f"Re: {opened.subject}")])
    yield Answer("encrypted, quoted-printable, utf-8, top", person.message(encrypted(
        person.encrypt(inner))), "received", WORDS["utf-8"])
    person, opened = turn()
    text = written(opened, "received", WORDS["utf-8"])
    yield Answer("inline-signed, base64, utf-8, top", person.message(
        inline(clear(person, text), "base64")), "received", WORDS["utf-8"])


def apple(turn):
    """Apple Mail with GPG Suite: quoted-printable, cited in blockquotes, HTML beside the text."""
    for mode in ("encrypted", "signed"):
        for charset in ("utf-8", "windows-1252", "us-ascii"):
            person, opened = turn()
            text = written(opened, "Affected", WORDS[charset], introduction=(
                "> On 23 Nov 2026, at 11:00, Example early warning wrote:"))
            plain = part(text, charset, "quoted-printable" if charset != "us-ascii" else "7bit")
            inner = plain
            if charset == "utf-8":
                inner = alternative(plain, part(as_html(opened, "Affected", WORDS[charset]),
                                                encoding="quoted-printable", subtype="html"))
            if mode == "encrypted":
                entity = encrypted(person.encrypt(inner), version=[
                    ("Content-Description", "PGP/MIME Versions Identification"),
                    ("Content-Transfer-Encoding", "7bit")], fields=[
                    ("Content-Type", "application/octet-stream;\r\n\tname=encrypted.asc"),
                    ("Content-Disposition", "inline;\r\n\tfilename=encrypted.asc"),
                    ("Content-Description", "OpenPGP encrypted message")])
            else:
                entity = signed(person, inner, description="Message signed with OpenPGP")
            yield Answer(f"{mode}, {charset}, top", person.message(entity, more=[
                ("X-Mailer", "Apple Mail (2.3826.300.87)")]), "affected", WORDS[charset])
    person, opened = turn()
    only = part(as_html(opened, "Acting", "", "bottom"), encoding="quoted-printable",
                subtype="html")
    yield Answer("signed, html only, bottom", person.message(signed(person, only)), "acting", "")


def outlook(turn):
    """Outlook with an OpenPGP add-in, behind an Exchange that takes multipart/encrypted apart."""
    forms = {
        "exchange": lambda armored: letters.exchange_entity(armored),
        "exchange, other names": lambda armored: letters.multipart("mixed", [
            part("\n", "us-ascii", "7bit"),
            letters.attachment("PGPMIME version identification", b"Version: 1\r\n",
                               "application/pgp-encrypted"),
            letters.attachment("encrypted.asc", armored)]),
        "exchange, numbered names": lambda armored: letters.multipart("mixed", [
            part("", "us-ascii", "7bit"),
            letters.attachment("ATT00001", b"Version: 1\r\n", "application/pgp-encrypted"),
            letters.attachment("ATT00002.asc", armored)]),
        "exchange, in an alternative": lambda armored: letters.multipart("mixed", [
            alternative(part("", "us-ascii", "7bit"), part(
                "<html><body></body></html>\n", "us-ascii", "7bit", "html")),
            letters.attachment("version", b"Version: 1\r\n", "application/pgp-encrypted"),
            letters.attachment("encrypted.asc", armored)]),
        "untouched": encrypted,
    }
    for form, build in forms.items():
        for language in ("en", "de", "fr") if form == "exchange" else ("de",):
            person, opened = turn()
            lines = ["Not affected.", "", WORDS["windows-1252"], "",
                     *original(opened, person, language)]
            inner = part("\n".join(lines) + "\n", "windows-1252", "quoted-printable",
                         head=[("Subject", f"AW: {opened.subject}")])
            yield Answer(f"encrypted, {form}, windows-1252, top, {language}",
                         person.message(build(person.encrypt(inner))), "not affected",
                         WORDS["windows-1252"])
    person, opened = turn()
    text = "\n".join(["Acting", *original(opened, person)[1:]]) + "\n"
    yield Answer("inline-encrypted, windows-1252, top, header only", person.message(inline(
        person.encrypt(text.encode("cp1252")), "quoted-printable")), "acting", "")
    person, opened = turn()
    inner = part(written(opened, "Received", ""), encoding="base64")
    armored = person.encrypt(signed(person, inner), False)
    yield Answer("signed-inside, exchange, base64, top",
                 person.message(letters.exchange_entity(armored)), "received", "")


def flowcrypt(turn):
    """In the text of a Gmail message, files beside it encrypted each on its own."""
    for posting in ("top", "bottom"):
        person, opened = turn()
        text = written(opened, "acting", WORDS["utf-8"], posting)
        armored = person.encrypt(text.encode()).replace(
            b"\n\n", b"\nVersion: FlowCrypt Email Encryption 8.5.5\n\n", 1)
        yield Answer(f"inline-encrypted, quoted-printable, utf-8, {posting}", person.message(
            inline(armored, "quoted-printable")), "acting", WORDS["utf-8"])
        person, opened = turn()
        text = written(opened, "acting", "with a file", posting)
        entity = letters.multipart("mixed", [
            inline(person.encrypt(text.encode())),
            letters.attachment("plan.pdf.pgp", person.encrypt(b"%PDF"), "application/pgp-encrypted")])
        yield Answer(f"inline-encrypted, 7bit, utf-8, {posting}, with a file",
                     person.message(entity), "acting", "with a file")


def mailman(turn):
    """Whatever came through a list that adds a footer: beside what is signed, or below it."""
    footer = "_______________________________________________\nofficials mailing list\n"
    for mode in ("encrypted", "signed", "signed-inside"):
        for encoding in ("7bit", "base64"):
            person, opened = turn()
            inner = part(written(opened, "received", WORDS["utf-8"]), encoding="base64")
            if mode == "signed":
                entity = signed(person, inner)
            elif mode == "encrypted":
                entity = encrypted(person.encrypt(inner), encoding)
            else:
                entity = encrypted(person.encrypt(signed(person, inner), False), encoding)
            below = part(footer, encoding=encoding)
            yield Answer(f"{mode}, {encoding}, utf-8, top, footer as a part", person.message(
                letters.multipart("mixed", [entity, below]), "[officials] Re: [...]", [
                    ("List-Id", "<officials.lists.example>"), ("Precedence", "list")]),
                "received", WORDS["utf-8"])
    for mode in ("inline-encrypted", "inline-signed"):
        for encoding in ("7bit", "quoted-printable", "base64"):
            person, opened = turn()
            text = written(opened, "not affected", "None here.", "bottom")
            armored = (person.encrypt(text.encode()) if mode == "inline-encrypted"
                       else clear(person, text))
            yield Answer(f"{mode}, {encoding}, utf-8, bottom, footer in the text", person.message(
                inline(armored + footer.encode(), encoding), "[officials] Re: [...]"),
                "not affected", "None here.")


def any_program(turn):
    """Every shape with every charset and transfer encoding, posted in turns above and below."""
    shapes = ("encrypted", "signed-inside", "signed", "inline-encrypted", "inline-signed",
              "attached-encrypted", "attached-signed")
    statuses = ("received", "Affected,", "NOT AFFECTED.", "acting!", "unreadable")
    count = 0
    for shape in shapes:
        for charset, words in WORDS.items():
            for encoding in ("7bit" if charset == "us-ascii" else "8bit", "quoted-printable",
                             "base64"):
                person, opened = turn()
                posting = ("top", "bottom", "inline")[count % 3]
                status = statuses[count % len(statuses)]
                count += 1
                text = written(opened, status, words, posting, signature=("Eve",))
                entity = in_shape(person, shape, text, charset, encoding)
                yield Answer(f"{shape}, {encoding}, {charset}, {posting}", person.message(entity),
                             status.lower().strip(",.!"), words)


def in_shape(person, shape, text, charset, encoding):
    inner, raw = part(text, charset, encoding), text.encode(CODECS.get(charset, charset))
    if shape == "encrypted":
        return encrypted(person.encrypt(inner), "7bit" if encoding == "8bit" else encoding)
    if shape == "signed-inside":
        return encrypted(person.encrypt(signed(person, inner), False))
    if shape == "signed":
        return signed(person, inner)
    armored = person.encrypt(raw) if shape.endswith("-encrypted") else clear(person, text, charset)
    if shape.startswith("inline-"):
        return inline(armored, encoding, charset)
    return letters.multipart("mixed", [part("Attached.\n", encoding="7bit"), armor_part(
        armored, encoding, [("Content-Type", 'application/octet-stream; name="answer.asc"'),
                            ("Content-Disposition", 'attachment; filename="answer.asc"')])])


PROGRAMS = {function.__name__: function for function in (
    thunderbird, claws, mutt, k9, gnupg, mailvelope, apple, outlook, flowcrypt, mailman, any_program)}
