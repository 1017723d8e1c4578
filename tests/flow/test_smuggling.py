"""No text, name or address becomes a command, a header or a second message on its way out."""
import base64
import re

from harness import cases, eventually, limit
from recorder import Recorder, transactions
from scene import TITLE
from served import Served
from turning import HOUR, MINUTE

EVIL = "MAIL FROM:<evil@evil.example>\r\nRCPT TO:<cert@us-de.example>\r\nDATA\r\nSubject: forged\r\n"
# What ends a message too early for one server or another, with commands behind it.
ENDS = ("\r\n.\r\n", "\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\n.\r", "\r\n\x00.\r\n",
        "\r\n..\r\n", ".")
HEADERS = {"From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted", "Autocrypt",
           "MIME-Version", "Content-Type"}
FIELD = re.compile(rb"^([A-Za-z-]+):", re.M)


def tapped(t, officials=2, **settings):
    """The scene of INSTALL.md: Postfix on this machine, without TLS, and a tap on the wire to it."""
    taps = []

    def make(postfix):
        taps.append(Recorder(t, postfix.inbound_port))
        tap = taps[0]
        for name in ("received", "wait", "only"):
            setattr(tap, name, getattr(postfix, name))
        return tap
    scene = Served(t, officials, make=make, plain=True, **settings)
    return scene, taps[0]


def on_the_wire(tap):
    found = []
    for said in tap.said:
        found += transactions(said)
    return found


def holds(scene, tap):
    """Asserts: what was on the wire is what the gateway meant, and Postfix saw the same."""
    scene.gateway.stop()
    mails = on_the_wire(tap)
    accepted = scene.postfix.logged(r"qmgr\[\d+\]: [0-9A-F]+: from=<(bounce[^>]*)>")
    assert sorted(accepted) == sorted(mail.sender for mail in mails), (accepted, len(mails))
    known = {official.address for official in scene.officials} | {scene.publisher.address}
    for mail in mails:
        assert re.fullmatch(r"bounce\+\d+\.[A-Z0-9]+@gw\.example", mail.sender), mail.sender
        assert mail.recipient in known, mail.recipient
        head = mail.raw.split(b"\r\n\r\n")[0]
        names = [name.decode() for name in FIELD.findall(head)]
        assert set(names) <= HEADERS and len(set(names)) == len(names), names
        assert b"evil" not in mail.raw.lower() and b"forged" not in mail.raw
    text = scene.postfix.text_of_log()
    for complaint in ("bare", "pipelining", "non-SMTP", "improper", "syntax error", "evil.example"):
        assert complaint not in text.replace("somebody@elsewhere", ""), complaint
    return mails


def word(text):
    """An encoded word (RFC 2047): the way for a line end into a header's value."""
    return f"=?utf-8?b?{base64.b64encode(text.encode()).decode()}?="


@limit(180)
def test_hostile_text_title_and_names_stay_inside(t):
    scene, tap = tapped(t)
    text = "Install 2.1.\n" + "".join(f"{end}{EVIL}" for end in ENDS) + "\nEnd of it.\n"
    title = word(f"Title\r\nBcc: evil@evil.example\r\n\r\n.\r\n{EVIL}")
    row = scene.put(scene.publisher.publish(
        title, text, attachments=[("a\"\r\n.\r\nBcc: evil@evil.example\r\n\r\n.txt",
                                   "".join(ENDS).encode() + EVIL.encode())]))
    assert row["state"] == "done", row
    for official in scene.officials:
        opened = scene.opened(official)
        assert "End of it." in opened.text and "evil@evil.example" in opened.text
        assert not {"bcc", "rcpt to"} & {name.lower() for name in opened.headers}, opened.headers
        reply = official.reply(opened, "received", "".join(f"{end}{EVIL}" for end in ENDS[:5]))
        assert scene.put(reply)["state"] == "done"
    eventually(lambda: len(scene.receipts()) >= 1, "a receipt")
    mails = holds(scene, tap)
    assert len([mail for mail in mails if mail.recipient.startswith("cert@")]) == 2


ADDRESSES = ("a@us-de.example>\r\nDATA\r\n", "a@us-de.example> <evil@evil.example",
             "a@us-de.example\n", "a@us-de.example\r\nRCPT TO:<b@fr.example>", "a b@us-de.example",
             "<evil@evil.example>", "\"a b\"@us-de.example", "a@us-de.example,evil@evil.example",
             "@a,@b:evil@evil.example", "a@us-de\x7f.example", "a@[127.0.0.1]", "a@b@us-de.example")


def test_address_or_name_with_more_in_it_is_nobodys(t):
    gateway = t.gateway(start=False)
    person = t.official("a@us-de.example")
    gateway.add_key(person)
    gateway.member("us-de")
    key = ("--name", "A", "--key", person.fingerprint)
    for address in ADDRESSES:
        for words in (("contact", "add", "us-de"), ("publisher", "add"), ("admin", "add")):
            gateway.ctl(*words, address, *key, may_fail=True)
            assert gateway.code == 1 and "address" in gateway.said, (words, address, gateway.said)
        name = f"Mallory\r\nBcc: {address}"
        gateway.ctl("contact", "add", "us-de", "a@us-de.example", "--name", name, *key[2:],
                    may_fail=True)
        assert gateway.code == 1 and "a name is one line" in gateway.said, gateway.said
    for noun in ("contact", "publisher", "admin"):
        assert gateway.rows(noun, "list") == []


@cases("address", "list", "return_path", "name", "helo")
def test_setting_that_holds_a_line_end_is_refused(t, case):
    group = "smarthost" if case == "helo" else "gateway"
    value = ("gw.example" if case in ("helo", "name") else "a@gw.example") + "\r\n" + EVIL
    try:
        t.gateway(start=False, settings={group: {case: value}})
    except AssertionError as error:
        assert f"{group}.{case}" in str(error), error
    else:
        raise AssertionError(f"{group}.{case} may hold a line end")


@limit(180)
def test_line_that_begins_with_a_dot_arrives_with_it(t):
    """The one mail whose text is on the wire as it stands: the notice that a key has expired."""
    calendar = t.calendar()
    scene, tap = tapped(t, 1, gateway={"name": ". is how we begin"})
    person = t.official("cert@us-ca.example", own_key=True, expires=f"seconds={HOUR}")
    scene.gateway.admit(person)
    scene.officials.append(person)
    scene.postfix.wait(1, person.address, 60)
    calendar.forward(HOUR + MINUTE)
    scene.gateway.restart()
    warning, notice = scene.postfix.wait(2, person.address, 60)
    assert b"\n. is how we begin\n" in notice.raw and b"PGP MESSAGE" in warning.raw, notice.raw
    mails = holds(scene, tap)
    assert sum(mail.stuffed for mail in mails) == 1
