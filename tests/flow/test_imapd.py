"""Mail from a mailbox of an IMAP server that does what it likes."""
import select
import ssl
import time

from certificates import Authority, of_kind
from harness import cases, eventually, limit, sanitized
from imapd import Imapd
from mailroom import Mailroom, mail

STEPS = ("greeting", "capability", "login", "select", "list", "fetch", "store", "expunge", "noop",
         "idle", "done")
FAULTS = ("drop", "late", "half", "no", "bye", "garbage")
OPENING = ("greeting", "capability", "login", "select")


def pending(imapd):
    return any(imapd.faults.values())


@limit(400)
@cases(*FAULTS)
def test_fault_at_every_step_loses_nothing(t, fault):
    """I1."""
    imapd = Imapd(t)
    room = Mailroom(t, imapd, idle="1s")
    number = 0
    for step in STEPS:
        if fault == "no" and step in ("greeting", "login", "done"):
            continue  # no such answer there, or one with a test of its own
        imapd.faults[step] = [fault]
        if step in OPENING:
            imapd.faults["noop"] = ["drop"]
        imapd.deliver(mail(number + 1))
        imapd.deliver(mail(number + 2))
        number += 2
        room.wait(range(1, number + 1))
        eventually(lambda: not imapd.messages, f"no mail left after {fault} at {step}")
        eventually(lambda: not pending(imapd), f"{fault} at {step} has happened")
    assert room.taken() == list(range(1, number + 1))


def refused_before_login(t, imapd, words, **settings):
    imapd.deliver(mail(1))
    room = Mailroom(t, imapd, **settings)
    room.log_says("cannot be watched")
    room.finds("warning", words)
    assert imapd.connections > 0, "nobody connected"
    assert not imapd.said("LOGIN|AUTHENTICATE|dewline"), imapd.log
    assert room.taken() == []


@cases("implicit other: it is for another name", "starttls other: it is for another name",
       "implicit expired: it has expired", "starttls expired: it has expired",
       "implicit self-signed: is not trusted", "starttls self-signed: is not trusted",
       "implicit stranger: its CA is unknown", "starttls stranger: its CA is unknown")
def test_certificate_that_does_not_verify_is_refused_before_login(t, case):
    kinds, _, words = case.partition(": ")
    tls, kind = kinds.split()
    authority = Authority(t, "ours")
    imapd = Imapd(t, certificate=of_kind(t, authority, kind), implicit=tls == "implicit")
    refused_before_login(t, imapd, words, tls=tls, ca_file=str(authority.ca))


@cases("implicit", "starttls")
def test_tls_before_1_2_is_refused_before_login(t, tls):
    imapd = Imapd(t, implicit=tls == "implicit", newest_tls=ssl.TLSVersion.TLSv1_1)
    refused_before_login(t, imapd, "TLS handshake with localhost failed", tls=tls)


def test_starttls_that_is_not_offered_is_refused_before_login(t):
    imapd = Imapd(t, implicit=False, before_tls="IMAP4rev1 AUTH=PLAIN")
    refused_before_login(t, imapd, "STARTTLS: the server does not offer it", tls="starttls")


def test_starttls_that_is_refused_is_no_reason_to_go_on_without(t):
    imapd = Imapd(t, implicit=False, faults={"starttls": ["no"] * 5})
    refused_before_login(t, imapd, "STARTTLS: the server refuses it", tls="starttls")


def test_plain_text_before_the_handshake_is_refused_before_login(t):
    """It would be taken for what the server says inside TLS."""
    def inject(session, tag, words):
        session.say(f"{tag} OK go ahead\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nd2 OK done")

    imapd = Imapd(t, implicit=False, faults={"starttls": [inject] * 5})
    refused_before_login(t, imapd, "plain text was injected", tls="starttls")


@cases("implicit", "starttls")
def test_preauth_is_refused_before_login(t, tls):
    def greet(session, tag, words):
        session.say("* PREAUTH welcome back, somebody")

    imapd = Imapd(t, implicit=tls == "implicit", faults={"greeting": [greet] * 5})
    refused_before_login(t, imapd, "PREAUTH", tls=tls)


def test_login_that_is_disabled_is_not_tried(t):
    imapd = Imapd(t, capabilities="IMAP4rev1 LOGINDISABLED AUTH=GSSAPI UIDPLUS IDLE")
    refused_before_login(t, imapd, "neither AUTH=PLAIN nor LOGIN")


def test_capabilities_are_asked_for_again_inside_tls(t):
    """What was offered in the clear may be anybody's words: inside, there is no IDLE."""
    imapd = Imapd(t, implicit=False, before_tls="IMAP4rev1 STARTTLS AUTH=PLAIN IDLE UIDPLUS",
                  capabilities="IMAP4rev1 UIDPLUS")
    imapd.deliver(mail(1))
    room = Mailroom(t, imapd, tls="starttls", poll="1s")
    room.wait([1])
    assert imapd.said("^d[0-9]+ LOGIN \"dewline\" \"correct horse\"$") == 1, imapd.log
    assert not imapd.said("IDLE|AUTHENTICATE"), imapd.log


def test_message_that_is_too_large_stays_and_is_told(t):
    imapd = Imapd(t)
    large = imapd.deliver(mail(1, size=20000))
    imapd.deliver(mail(2))
    admin = t.official("admin@gw.example")
    room = Mailroom(t, imapd, start=False, settings={"limits": {"message": 10000}})
    room.gateway.add_key(admin)
    room.gateway.ctl("admin", "add", admin.address, "--key", admin.fingerprint)
    admin.meet(room.gateway)
    room.gateway.start()
    room.wait([2])
    told = room.gateway.smarthost.only(admin.address)
    letter = admin.open(told.raw)
    assert letter.good and "limits.message" in letter.text, letter.text
    imapd.deliver(mail(3))
    room.wait([2, 3])
    eventually(lambda: list(imapd.messages) == [large], "only the large one is left")
    room.finds("warning", "1 message stays")
    room.gateway.restart()
    room.log_says("is open with", 2)
    imapd.deliver(mail(4))
    room.wait([2, 3, 4])
    events = room.events("mailbox.left")
    assert len(events) == 1 and "limits.message" in events[0]["detail"], events
    assert len(room.gateway.smarthost.received(admin.address)) == 1


@limit(200)
@cases("is larger than was said", "is much larger than was said", "is not given out", "is NIL")
def test_message_that_cannot_be_taken_keeps_no_other_waiting(t, what):
    """I21."""
    imapd = Imapd(t, faults={"fetch": []})
    bad = imapd.deliver(mail(1, size=30000 if "larger" in what else 0))
    if "larger" in what:
        imapd.sizes[bad] = 500
    if what == "is much larger than was said":
        imapd.messages[bad] = b"x" * 3000000

    def refuse(session, tag, words):
        imapd.faults["fetch"].insert(0, refuse)
        if f"FETCH {bad} " not in words:
            return imapd._fetch(session, tag, words.split()[2])
        if what == "is NIL":
            return session.say(f"* 1 FETCH (UID {bad} BODY[] NIL)", f"{tag} OK done")
        return session.say(f"{tag} NO [SERVERBUG] it is broken")

    if "larger" not in what:
        imapd.faults["fetch"].append(refuse)
    imapd.deliver(mail(2))
    room = Mailroom(t, imapd, settings={"limits": {"message": 10000}})
    room.wait([2])
    room.log_says("stays in the mailbox")
    eventually(lambda: list(imapd.messages) == [bad], "only that one is left")
    room.finds("warning", "cannot be taken")


@limit(200)
def test_what_others_expunge_meanwhile_shifts_nothing(t):
    """Sequence numbers move while a round is under way, by our own hand too; another client takes
    two mails away. None is left for a later round."""
    imapd = Imapd(t, faults={})
    for number in range(1, 1101):
        imapd.deliver(mail(number))
    taken_by_others = {300, 301}

    def race(session, tag, words):
        for uid in taken_by_others:
            imapd.messages.pop(uid, None)
        imapd._fetch(session, tag, words.split()[2])

    imapd.faults["fetch"] = [None] * 10 + [race]
    room = Mailroom(t, imapd)
    room.wait([n for n in range(1, 1101) if n not in taken_by_others], 100)
    eventually(lambda: not imapd.messages, "an empty mailbox")


def test_what_others_mark_as_deleted_is_taken_and_expunged_by_its_uid_only(t):
    imapd = Imapd(t)
    imapd.deliver(mail(1), flags=["\\Deleted"])
    imapd.deliver(mail(2))
    room = Mailroom(t, imapd)
    room.wait([1, 2])
    eventually(lambda: not imapd.messages, "an empty mailbox")
    assert imapd.said("UID EXPUNGE") >= 1
    assert not imapd.said(r"^d\d+ (EXPUNGE|CLOSE)"), imapd.log


def test_message_is_removed_only_after_it_is_in_the_drop(t):
    """Where the drop cannot be written, the server keeps everything. I1."""
    imapd = Imapd(t)
    room = Mailroom(t, imapd)
    room.log_says("is open with")
    tmp, away = room.gateway.drop_dir / "tmp", room.gateway.drop_dir / "away"
    tmp.rename(away)
    imapd.deliver(mail(1))
    room.log_says("cannot create .*/drop/tmp/")
    assert not imapd.said("STORE|EXPUNGE"), imapd.log
    assert list(imapd.messages) == [1]
    away.rename(tmp)
    room.wait([1])
    eventually(lambda: not imapd.messages, "an empty mailbox")


def test_same_message_fetched_twice_is_one_arrival(t):
    """I2."""
    imapd = Imapd(t, faults={"store": ["drop"], "expunge": ["drop"]})
    imapd.deliver(mail(1))
    room = Mailroom(t, imapd)
    eventually(lambda: not imapd.messages, "an empty mailbox")
    room.wait([1])
    assert imapd.said("UID FETCH 1 ") == 3, imapd.log
    names = set(room.gateway.text_of_log().split("taken from the mailbox INBOX: ")[1:])
    assert len({name.split()[0] for name in names}) == 1, names


def test_idle_is_renewed(t):
    imapd = Imapd(t)
    room = Mailroom(t, imapd, idle="1s")
    eventually(lambda: imapd.said("IDLE$") >= 3 and imapd.said("^DONE$") >= 2, "IDLE is renewed")
    assert imapd.connections == 1, imapd.connections
    assert room.log_count("is open with") == 1


def test_silent_connection_is_probed(t):
    """A server that is gone without a word shows by TCP's keep-alive."""
    imapd = Imapd(t)
    room = Mailroom(t, imapd)
    eventually(lambda: imapd.said("IDLE$"), "IDLE")

    def timers():
        rows = [line.split() for line in open("/proc/net/tcp").read().splitlines()[1:]]
        return [row[5].split(":")[0] for row in rows
                if int(row[2].split(":")[1], 16) == imapd.port and row[3] == "01"]

    eventually(lambda: timers() == ["02"], "the one connection waits for a probe to send")
    assert room.log_count("is open with") == 1


def test_admins_are_told_when_the_mailbox_stays_out_of_reach(t):
    imapd = Imapd(t, faults={"login": [lambda session, tag, words: session.say(
        f"{tag} NO [UNAVAILABLE] the directory is down")] * 1000})
    admin = t.official("admin@gw.example")
    room = Mailroom(t, imapd, start=False, alarm="2s")
    room.gateway.add_key(admin)
    room.gateway.ctl("admin", "add", admin.address, "--key", admin.fingerprint)
    admin.meet(room.gateway)
    room.gateway.start()
    letter = admin.open(room.gateway.smarthost.only(admin.address, 60).raw)
    assert letter.good and "the directory is down" in letter.text, letter.text
    room.finds("bad")
    room.gateway.restart()
    room.log_says("cannot be watched", 4)
    time.sleep(2)
    assert len(room.gateway.smarthost.received(admin.address)) == 1, "told twice"
    imapd.faults.clear()
    imapd.deliver(mail(1))
    room.wait([1])
    room.finds("ok")


def test_mail_of_the_largest_size_is_taken(t):
    imapd = Imapd(t)
    whole = mail(1, size=34900000)
    imapd.deliver(whole)
    room = Mailroom(t, imapd)
    room.wait([1])
    eventually(lambda: not imapd.messages, "an empty mailbox")
    assert room.gateway.store_rows("SELECT size FROM arrival") == [(len(whole),)]


def test_server_that_talks_all_the_time_is_left_after_the_time_to_idle(t):
    heard = []

    def talk(session, tag, words):
        session.say("+ idling")
        for _ in range(2000):
            session.say(b"* OK still here\r\n" * 60000)
            if select.select([session.connection], [], [], 0)[0]:
                heard.append(session.read())
                break
        session.say(f"{tag} OK done")

    imapd = Imapd(t, faults={"idle": [talk]})
    room = Mailroom(t, imapd, idle="1s")
    eventually(lambda: imapd.said("IDLE$") >= 2, "IDLE anew", 20)
    assert heard == ["DONE"], (heard, room)


@sanitized
def test_server_that_says_nonsense_ends_no_process(t):
    nonsense = [b"* 1 FETCH (BODYSTRUCTURE " + b"(" * 900000 + b"\r\n",
                b"* 1 FETCH (UID 99999999999999999999 RFC822.SIZE -1)\r\n",
                b"* 1 FETCH (BODY[] {4000000000}\r\nabc",
                b"* 0 FETCH ()\r\n", b"* " + b"9" * 40 + b" EXISTS\r\n",
                b"* 4294967295 EXISTS\r\n* 4294967295 EXPUNGE\r\n* 0 EXPUNGE\r\n",
                b"* 1 FETCH (BODY[] \"\\\"\")\r\n", b"x" * 2000000, b"\r\n\r\n", b"d1\r\n",
                b"+ \r\n+ \r\n", b"* OK {5}\r\nhello\r\n", b"* LIST () \"/\" {3}\r\nabc\r\n"]
    faults = [lambda session, tag, words, said=said: session.say(said, f"{tag} OK done")
              for said in nonsense]
    imapd = Imapd(t)
    room = Mailroom(t, imapd, idle="1s")
    for number, fault in enumerate(faults, 1):
        imapd.deliver(mail(number))
        imapd.faults["noop"] = [fault]
        room.wait(range(1, number + 1))
        eventually(lambda: not pending(imapd), f"{nonsense[number - 1][:40]} was said")
    assert room.log_count("courier .* lost") == 0
