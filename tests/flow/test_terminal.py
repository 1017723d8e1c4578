"""Foreign text in the admin's terminal and in the log: shown, and obeyed by nobody."""
import base64
import re
import subprocess
import unicodedata

import letters
from harness import eventually, sanitized
from scene import Scene
from test_agree import asks
from test_bounce import report

# What terminals obey or people misread: escape sequences with 7 and 8 bits, titles, bells, carriage
# returns and backspaces that write over what stands there, turned and hidden text, new lines.
HOSTILE = ("\x1b[2J\x1b]0;owned\x07\x9b31m\x90q\x9c\b\b\b\r\x7f\u202egnp.exe\u2066\u2069\u200e\u200f"
           "\u061c\u2028\u2029\ufeff\u00ad\U000e0041")
LINES = "\n[GNUPG:] GOODSIG\ngate: info: forged"
SHOWN_OTHER = {"\n"}
BAD_CATEGORIES = {"Cc", "Zl", "Zp", "Cs"}
TURNING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Verbs that read and show; {} is filled in below.
VERBS = (
    "check", "key list", "key show {key}", "key pending", "member list", "member show us-de",
    "contact list", "contact show {official}", "agreement list", "agreement show 1",
    "agreement status", "join list", "join show 1", "publisher list", "admin list", "group list",
    "group show energy", "advisory list", "advisory show {number}", "ack list {number}",
    "report list", "report show {report}", "material list", "reminder list {number}",
    "bounce list {number}", "queue list", "inbox list", "inbox show {arrival}", "audit show",
    "audit verify", "stats", "approval list", "approval show 1", "clock show")
# Those that write, or show nothing of others.
WRITING = {"add", "confirm", "retire", "export", "refresh", "invite", "suspend", "resume", "remove",
           "rekey", "publish", "dismiss", "withdraw", "trace", "retry", "init", "backup", "approve",
           "reject", "passphrase", "preferences", "addresses", "restore"}


def obeyed(text):
    """Characters of a text that a terminal, or a reader's eye, might obey."""
    return sorted({c for c in text if c not in SHOWN_OTHER
                   and (unicodedata.category(c) in BAD_CATEGORIES or c in TURNING)})


def protected(title):
    """A Subject as mail programs write it, so that any character may stand in it."""
    return "=?utf-8?b?" + base64.b64encode(title.encode()).decode() + "?="


def world(t):
    """A gateway into which everybody wrote what hurts, wherever one can write."""
    script = [f"rcpt cert@us-ca.example 1 reply 550 5.1.1 Markreply{HOSTILE}"]
    scene = Scene(t, 2, script=[script[0].replace("\r", "").replace("\n", "")])
    gateway, (first, second) = scene.gateway, scene.officials
    strange = t.official("strange@x.example")
    key = strange.home.make_key("Markuser \x9b31m\u202egnp.exe\x07 <strange@x.example>")
    gateway.ctl("key", "add", "-", given=strange.home.certificate(key), may_fail=True)
    gateway.ctl("group", "add", "energy", "us-de")
    text = t.dir / "agreement.txt"
    text.write_text(f"Markagreement {HOSTILE}\n")
    gateway.ctl("agreement", "publish", text, "--required-from", "2036-01-01T00:00:00Z",
                may_fail=True)
    scene.number = scene.release(protected(f"Marktitle {HOSTILE}{LINES}"),
                                 f"Marktext {HOSTILE}\n", attachments=[
                                     ("Markfile.txt", b"x")])["number"]
    mail = eventually(lambda: scene.advisory_mails(first), "the advisory")[0]
    opened = first.open(mail.raw)
    scene.drop(first.reply(opened, "affected", f"Markcomment {HOSTILE}"))
    for block in (f"Report: Markrefused {HOSTILE.replace(chr(13), '')}\n",
                  "Report: x\nMarkunknown\u202e\x9b: 1\n", "Report: Markreport\u202e\u2066gnp\n"):
        inner = letters.text_part(f"{block}\nMarkbody {HOSTILE}\n")
        scene.drop(first.message(letters.encrypted_entity(first.encrypt(inner))))
    stranger = t.official("stranger@us-oh.example")
    stranger.meet(gateway)
    scene.drop(asks(stranger, block="Join: Markorganisation \u202e\u2066gnp\nAddress: "
                    "cert@us-oh.example\nName: Markname \u202e\n"))
    scene.drop(report(mail.sender, diagnostic=f"550 5.1.1 Markbounce {HOSTILE}"))
    scene.drop(letters.message(f"Mark{HOSTILE} <a@b.example>", gateway.address,
                               letters.text_part(f"Markplain {HOSTILE}")))
    scene.key = key
    return scene


@sanitized
def test_nothing_that_others_wrote_is_obeyed_by_a_terminal(t):
    scene = world(t)
    gateway = scene.gateway
    words = {"key": scene.official.fingerprint, "official": scene.official.address,
             "number": scene.number}
    reports = gateway.rows("report", "list")
    words["report"] = reports[0]["number"] if reports else "REP-2026-0001"
    shown = ""
    arrivals = [row["id"] for row in gateway.arrivals()]
    for verb in VERBS:
        fills = arrivals if "{arrival}" in verb else [0]
        for arrival in fills:
            command = verb.format(**words, arrival=arrival).split()
            for more in ([], ["--json"]):
                out = gateway.ctl(*command, *more, may_fail=True) + gateway.said
                assert obeyed(out) == [], (command, more, obeyed(out))
                assert not re.search(r"^(\[GNUPG:\]|gate: info: forged)", out, re.M), out
                shown += "" if more else out
    for mark in ("title", "comment", "report", "organisation", "name", "reply", "bounce"):
        assert f"Mark{mark}" in shown, f"{mark} is shown nowhere: the test would miss it"


def test_every_verb_that_shows_something_is_looked_at(t):
    said = subprocess.run([t.build / "dewctl", "--help"], capture_output=True,
                          text=True).stdout
    looked_at = {" ".join(word for word in verb.split() if "{" not in word) for verb in VERBS}
    missing = []
    for line in said.splitlines():
        words = re.match(r"  ([a-z]+)( [a-z]+)?", line)
        if not words or line.startswith("   "):
            continue
        verb = words[0].strip()
        if (words[2] or words[1]).strip() not in WRITING and not any(
                verb == seen or seen.startswith(verb + " ") for seen in looked_at):
            missing.append(verb)
    assert missing == [], missing


def test_nothing_that_others_wrote_adds_a_line_to_the_log(t):
    scene = world(t)
    scene.gateway.stop()
    log = scene.gateway.log_path.read_bytes().decode("utf-8", "strict")
    assert obeyed(log) == []
    assert not re.search(r"^(\[GNUPG:\]|gate: info: forged)", log, re.M)
    lines = log.splitlines()
    strange = [line for line in lines if not re.match(r"(dewlined|gate|vault|reader|courier)\S*: ",
                                                      line)]
    assert strange == [], strange
    assert "Markreply" in log, "the test would miss it"


def test_title_adds_no_header_to_what_goes_out(t):
    """A protected Subject may hold any character once its encoded words are decoded."""
    scene = Scene(t)
    scene.release(protected("Marktitle\r\nBcc: eve@x.example\r\nX-Evil: 1\r\n\r\nbody"),
                  "the text\n")
    mail = scene.smarthost.only(scene.official.address)
    opened = scene.opened()
    assert "Bcc" not in opened.headers and "X-Evil" not in opened.headers, opened.headers
    assert "Marktitle" in opened.subject and "\n" not in opened.subject
    assert "Bcc" not in mail.headers and "X-Evil" not in mail.headers
    assert {m.recipient for m in scene.smarthost.received()} <= {
        scene.official.address, scene.publisher.address}
