"""The whole way and back over real servers: SMTP in, Postfix, the drop, the gateway, STARTTLS and
AUTH, Postfix, Dovecot, IMAP; and the answer the same way home."""
import keys
from harness import eventually, limit, sanitized
from scene import TEXT, TITLE
from served import Served


def fetched(scene, official, count=1):
    """The official's newest mail, as a mail program gets it: IMAP, TLS, login, FETCH."""
    def messages():
        found = scene.dovecot.messages(official.address)
        return found if len(found) >= count else None
    found = eventually(messages, f"{count} messages in the mailbox of {official.address}")
    assert len(found) == count, len(found)
    return found[-1]


def verified(t, scene, number, official):
    """Asserts: what `dewctl ack export` writes is verified by a gpg that knows the official."""
    out = scene.gateway.dir / "evidence" / official.address
    scene.gateway.ctl("ack", "export", number, official.address, out)
    stranger = keys.Home(t.dir / "stranger")
    t.later(stranger.stop)
    stranger.add(official.certificate)
    good = []
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        if path.suffix in (".sig", ".asc") and path.with_suffix("").exists():
            run = stranger.gpg("--verify", path, path.with_suffix(""), may_fail=True)
        else:
            run = stranger.gpg("--decrypt", path, may_fail=True)
        good += [row[-1] for row in run.lines("VALIDSIG") if run.lines("GOODSIG")]
    assert good == [official.fingerprint], good


@limit(240)
@sanitized
def test_whole_loop_over_postfix_and_dovecot(t):
    scene = Served(t, 3)
    answers = (("affected", "encrypted"), ("not affected", "signed-inside"), ("acting", "signed"))
    place = scene.gateway.dir / "evidence"
    place.mkdir()
    scene.gateway.give_away(place)
    number = scene.release(Acknowledge="4h")["number"]
    for official, (status, shape) in zip(scene.officials, answers):
        opened = official.open(fetched(scene, official))
        assert opened.good and TEXT in opened.text and TITLE in opened.subject
        reply = official.reply(opened, status, "We have seen it.", shape)
        scene.postfix.submit(official.address, scene.gateway.address, reply)
        scene.mails += 1
    rows = scene.gateway.settled(scene.mails)
    assert [row["state"] for row in rows] == ["done"] * scene.mails, rows
    said = {row["address"]: row["status"] for row in scene.gateway.acknowledgments(number)}
    assert said == {official.address: status
                    for official, (status, _) in zip(scene.officials, answers)}, said
    states = {row["state"] for row in scene.gateway.deliveries(number)}
    assert states == {"acknowledged"}, states
    verified(t, scene, number, scene.official)
    for part in ("new", "cur", "tmp"):
        assert not list((scene.gateway.drop_dir / part).iterdir()), f"drop/{part} is not empty"
    receipts = [scene.publisher.open(raw)
                for raw in scene.dovecot.messages(scene.publisher.address)]
    assert receipts and all(receipt.good for receipt in receipts)


@limit(180)
def test_answer_to_all_counts_once(t):
    """Reply to all goes to the list's address too, and both copies come into the drop."""
    scene = Served(t, 1)
    number = scene.release()["number"]
    opened = scene.official.open(fetched(scene, scene.official))
    reply = scene.official.reply(opened, "received")
    for address in (scene.gateway.address, "advisories@gw.example"):
        scene.postfix.submit(scene.official.address, address, reply)
        scene.mails += 1
    rows = scene.gateway.settled(scene.mails)
    assert {row["state"] for row in rows} == {"done"}, rows
    assert [row["status"] for row in scene.gateway.acknowledgments(number)] == ["received"]
