"""No change to a good acknowledgment makes a false one.

Officials sign; somebody without their keys changes what they signed in any way there is and drops
it, thousands of times, into a real gateway. Whatever it records must be what its contact truly signed:
same contact, revision, status, comment, time and key. What is true the test wrote down when the
officials signed, and not the gateway.

`make property PROPERTY_TRIES=100000` runs as many as that; PROPERTY_SEED=N repeats a run's choices.
A mail that made a false one is kept in the build directory.
"""
import collections
import hashlib
import os
import random
import re
import secrets
import sqlite3
import subprocess
import time

import letters
import mutants
import openpgp
from harness import eventually, limit, now
from scene import COUNTRIES, Scene

TRIES = int(os.environ.get("PROPERTY_TRIES", "250"))
SEED = os.environ.get("PROPERTY_SEED") or str(secrets.randbelow(10**9))
BATCH = 250
SAY_EVERY = 10000
SHOWN = 5         # false ones told of in full
SLOWEST = 8       # tries a second, at least, on a busy machine
SETUP_SECONDS = 120

Truth = collections.namedtuple("Truth", "address advisory revision status comment signed_at key")
Revision = collections.namedtuple("Revision", "advisory revision token addresses")

# What became of a mail, by the words of its row in the inbox; the first that fits.
STAGES = (
    ("no OpenPGP of one known shape", r"unknown it is not signed|OpenPGP part|once more|an empty mail|"
     r"multipart|armored|boundary|header|parts|nested|too large|two types"),
    ("not by anybody known", r"nobody here|neither a publisher nor a contact"),
    ("bad signature or key", r"the signature|the signing key|more than one signature|"
     r"the signer's|weak"),
    ("well signed, but no acknowledgment", r"token|before the release|automatic"),
    ("unreadable to GnuPG", r"sound OpenPGP message \(|changed on the way|more or less than one"),
    ("no sound packets or armor", r"^unreadable"),
)


def stage_of(row):
    words = " ".join(row)
    if row[:2] == ("done", "acknowledgment"):
        return "recorded, and true"
    return next((name for name, pattern in STAGES if re.search(pattern, words)), f"other: {words}")


class Officials:
    """The scene with its revisions, and all that was ever signed."""

    def __init__(self, t):
        self.scene = scene = Scene(t, 2)
        old = t.official(f"cert@{COUNTRIES[2]}.example", algorithm="rsa3072")
        scene.officials.append(scene.gateway.admit(old))
        first = scene.release()["number"]
        scene.release(advisory=f"update {first}", text="Now in 2.2.\n")
        scene.release(title="For one", audience=scene.officials[0].address)
        for official, count in zip(scene.officials, (3, 2, 2)):
            scene.opened(official, count)
        eventually(lambda: all(row["state"] == "complete" for row in scene.gateway.advisories()),
                   "all is handed over")
        everybody = [official.address for official in scene.officials]
        rows = scene.gateway.store_rows(
            "SELECT a.number, r.number, r.token FROM revision r JOIN advisory a"
            " ON a.id = r.advisory ORDER BY r.id")
        self.revisions = [Revision(*row, everybody if row[0] == first else everybody[:1])
                          for row in rows]
        self.stranger = t.official("stranger@nowhere.example")
        self.stranger.meet(scene.gateway)
        self.pool = list(self.true_ones()) + list(self.false_ones())

    def sign(self, official, revisions, status, comment, name, counts=True, options=(), **more):
        """One text, signed in every form."""
        tokens = "".join(f"> Token: {revision.token}\n" for revision in revisions)
        quoted = "> A title\n> \n> -- \n" + tokens if tokens else "> nothing\n"
        text = f"{status}\n\n{comment}\n\nThe gateway wrote:\n{quoted}"
        protected = [("Subject", f"Re: [{revisions[0].advisory} r1] {revisions[0].token} title")
                     ] if revisions and comment else []
        entity = letters.text_part(text, protected)
        home = [*options, "--digest-algo", "SHA256"] if "SHA1" not in options else list(options)
        times = set()

        def run(mode, data):
            done = official.home.gpg("--armor", *home, "-z", "0", "-u", official.fingerprint, mode,
                                     given=data, **more)
            times.update(int(row[4]) for row in done.lines("SIG_CREATED"))
            at = done.out.rindex(b"-----BEGIN PGP ")
            return openpgp.parse(openpgp.dearmor(done.out[at:]))

        plain = letters.crlf(text)
        made = (run("--detach-sign", entity), run("--sign", entity),
                {"detached": run("--clearsign", plain), "stream": run("--sign", plain)})
        truths = {Truth(official.address, revision.advisory, revision.revision,
                        status or "received", comment, at, official.fingerprint)
                  for revision in revisions for at in times
                  if counts and official.address in revision.addresses}
        return mutants.Signed(plain, entity, *made, frozenset(truths), name)

    def true_ones(self):
        first, update, other = self.revisions
        for n, official in enumerate(self.scene.officials):
            for m, status in enumerate((*mutants.STATUSES, "")):
                comment = ("", "Two stations.", "Die Pumpen laufen über.", "見ています",
                           "No, nothing of it here", f"Comment {n} of {m}")[(n + m) % 6]
                revision = (first, update)[(n + m) % 2]
                yield self.sign(official, [revision], status, comment,
                                f"{official.address} {revision.revision} {status}")
        mine = self.scene.officials[0]
        yield self.sign(mine, [other], "acting", "On the other", "the other advisory")
        yield self.sign(mine, [first, other], "affected", "On both", "two tokens")

    def false_ones(self):
        """Signed, and still nobody's acknowledgment."""
        first, update, other = self.revisions
        mine, insider = self.scene.officials[:2]
        yield self.sign(self.stranger, [first], "affected", "Mine", "a stranger's", False)
        yield self.sign(self.stranger, [update], "received", "", "another stranger's", False)
        yield self.sign(insider, [other], "affected", "Not mine", "the insider's", False)
        yield self.sign(mine, [], "affected", "About nothing", "no token", False)
        yield self.sign(mine, [first], "acting", "Too early", "from before", False,
                        faked=now() - 7200)
        yield self.sign(mine, [update], "acting", "Too weak", "with SHA-1", False,
                        ("--digest-algo", "SHA1", "--allow-weak-digest-algos"))
        yield self.sign(mine, [update], "acting", "Too late", "expired", False,
                        ("--default-sig-expire", "seconds=1"))
        time.sleep(2.5)

    def changer(self, rng):
        scene = self.scene
        if not hasattr(self, "session_key"):
            self.session_key = session_key(scene)
            self.key_ids = [row[4] for official in scene.officials
                            for row in official.home.keys() if row[0] in ("pub", "sub")]
        return mutants.Changer(rng, self.pool, [r.token for r in self.revisions],
                               [*(o.address for o in scene.officials), self.stranger.address],
                               self.session_key, self.key_ids)


def session_key(scene, gateway=None):
    """One that somebody knows who wrote to the gateway: it is the same for all recipients."""
    gateway = gateway or scene.gateway
    home = scene.official.home
    sent = home.gpg("--armor", "-r", gateway.fingerprint, "-r", scene.official.fingerprint,
                    "--encrypt", given=b"anything").out
    said = home.gpg("--show-session-key", "--decrypt", given=sent).err
    key = bytes.fromhex(re.search(rb"session key: '9:([0-9A-F]+)'", said)[1].decode())
    return openpgp.SessionKey(openpgp.parse(openpgp.dearmor(sent))[0][1], key)


class Ledger:
    """What the gateway recorded, read from its store."""

    def __init__(self, t, gateway):
        self.gateway, self.scratch = gateway, t.dir / "comments"
        self.scratch.mkdir()
        self.store = sqlite3.connect(gateway.dir / "state" / "store.db", timeout=60)
        t.later(self.store.close)
        # That a text was taken before must not hide what would become of it: no memory of texts.
        with self.store:
            self.store.execute("DELETE FROM signed_seen")
            self.store.execute("CREATE TRIGGER forget AFTER INSERT ON signed_seen BEGIN"
                               " DELETE FROM signed_seen WHERE digest = NEW.digest; END")
        self.last_arrival = self.one("SELECT max(id) FROM arrival")
        self.last = self.one("SELECT ifnull(max(id), 0) FROM acknowledgment")

    def one(self, statement):
        return self.store.execute(statement).fetchone()[0]

    def settled(self, count, seconds):
        """Waits for so many arrivals; {digest: (state, meaning, reason)} of them."""
        eventually(lambda: self.one("SELECT count(*) FROM arrival WHERE"
                                    f" id > {self.last_arrival}") == count
                   and not self.one("SELECT count(*) FROM arrival WHERE"
                                    " state IN ('received', 'judged')"),
                   f"{count} mails dealt with", seconds)
        rows = self.store.execute("SELECT lower(digest), state, meaning, reason, id FROM arrival"
                                  " WHERE id > ?", (self.last_arrival,)).fetchall()
        self.last_arrival = max(row[-1] for row in rows)
        return {row[0]: row[1:4] for row in rows}

    def acknowledged(self):
        """{digest of the mail: [Truth]} of what is new."""
        rows = self.store.execute(
            "SELECT k.id, lower(m.digest), c.address, a.number, r.number, k.status, k.comment,"
            " k.signed_at, k.fingerprint FROM acknowledgment k JOIN arrival m ON m.id = k.arrival"
            " JOIN contact c ON c.id = k.contact JOIN revision r ON r.id = k.revision"
            " JOIN advisory a ON a.id = r.advisory WHERE k.id > ?", (self.last,)).fetchall()
        self.last = max([self.last, *(row[0] for row in rows)])
        comments = self.opened({row[0]: row[6] for row in rows if row[6]})
        found = collections.defaultdict(list)
        for row in rows:
            found[row[1]].append(Truth(*row[2:6], comments.get(row[0], ""), *row[7:9]))
        return found

    def opened(self, sealed):
        for number, blob in sealed.items():
            (self.scratch / f"{number}.gpg").write_bytes(blob)
        if sealed:
            subprocess.run(["gpg", "--homedir", self.gateway.dir / "state" / "gnupg", "--batch",
                            "--quiet", "--yes", "--pinentry-mode", "loopback", "--passphrase-file",
                            self.gateway.dir / "dewline.passphrase", "--multifile", "--decrypt",
                            *(self.scratch / f"{number}.gpg" for number in sealed)],
                           check=True, capture_output=True)
        plain = {number: (self.scratch / str(number)).read_text() for number in sealed}
        for path in self.scratch.iterdir():
            path.unlink()
        return plain

    def counts(self):
        """Of all that no changed acknowledgment has a say in."""
        return {table: self.one(f"SELECT count(*) FROM {table}") for table in (
            "advisory", "revision", "contact", "publisher", "certificate", "report",
            "key_successor", "join_request", "bounce", "agreement_answer")}


class Trial:
    def __init__(self, t):
        self.t, self.officials = t, Officials(t)
        self.gateway = self.officials.scene.gateway
        self.ledger = Ledger(t, self.gateway)
        self.stages, self.false, self.tries = collections.Counter(), [], 0
        self.recorded, self.seen = collections.Counter(), set()

    def run(self, mails):
        """mails: {digest: (raw, truths, what was done)}; drops them and judges the gateway."""
        new = self.gateway.drop_dir / "new"
        for digest, (raw, _, _) in mails.items():
            draft = self.gateway.drop_dir / "tmp" / digest
            draft.write_bytes(raw)
            draft.rename(new / digest)
        rows = self.ledger.settled(len(mails), SETUP_SECONDS + len(mails) / SLOWEST)
        recorded = self.ledger.acknowledged()
        assert set(rows) == set(mails), "mails that nobody sent"
        assert set(recorded) <= set(mails), "acknowledgments of no mail"
        for digest, (raw, truths, done) in mails.items():
            stage = stage_of(rows[digest])
            said = recorded.get(digest, [])
            if not set(said) <= truths or len(said) > len(truths) or (
                    bool(said) != (stage == "recorded, and true")) or "ended the" in rows[digest][2]:
                self.keep(raw, truths, done, said, rows[digest])
                stage = "FALSE"
            self.stages[stage] += 1
            for one in said:
                self.recorded[one.address, one.advisory, one.revision] += 1
        self.tries += len(mails)
        return rows

    def say(self, seconds):
        self.t.note(f"{self.tries} mails, {self.tries / seconds:.0f} a second")
        for stage, count in self.stages.most_common():
            self.t.note(f"{count:7} {100 * count / self.tries:5.1f} %  {stage}")

    def keep(self, raw, truths, done, said, row):
        path = self.t.build / f"property-{SEED}-{len(self.false)}.eml"
        path.write_bytes(raw)
        self.false.append(f"{path}\n  made by: {'; '.join(done)}\n  inbox: {row}\n"
                          f"  recorded: {said}\n  true: {sorted(truths)}")

    def batch(self, first):
        mails = {}
        for number in range(first, first + BATCH):
            changer = self.officials.changer(random.Random(f"{SEED}/{number}"))
            raw = changer.mail().replace(b"\r\n", b"\n")
            truths = frozenset().union(*(signed.truths for signed in changer.used))
            digest = hashlib.sha256(raw).hexdigest()
            if digest not in self.seen:  # the same bytes again are no new mail; nothing is left of some
                mails[digest] = (raw, truths, changer.done)
        self.seen.update(mails)
        return mails

    def unchanged(self):
        """Every signed text in every shape as it is: what is true is recorded, all of it."""
        mails = {}
        for signed in self.officials.pool:
            for shape in mutants.SHAPES[:-1]:
                changer = self.officials.changer(random.Random(f"{SEED}/{signed.name}"))
                raw = changer.outside(changer.shaped(signed, shape)).replace(b"\r\n", b"\n")
                digest = hashlib.sha256(raw).hexdigest()
                mails[digest] = (raw, signed.truths, [f"{signed.name} as {shape}"])
        rows = self.run(mails)
        assert self.false == [], "\n".join(self.false)
        missed = [(mails[digest][2], row) for digest, row in rows.items()
                  if mails[digest][1] and row[:2] != ("done", "acknowledgment")]
        assert missed == [], missed
        self.stages.clear()
        self.recorded.clear()
        self.tries = 0


@limit(SETUP_SECONDS + TRIES // SLOWEST)
def test_changed_acknowledgment_is_never_a_false_one(t):
    """I7."""
    t.note(f"PROPERTY_SEED={SEED} PROPERTY_TRIES={TRIES}")
    trial = Trial(t)
    trial.unchanged()
    before, began = trial.ledger.counts(), time.monotonic()
    number = 0
    while trial.tries < TRIES and not trial.false:
        trial.run(trial.batch(number))
        number += BATCH
        if number % SAY_EVERY == 0:
            trial.say(time.monotonic() - began)
    trial.say(time.monotonic() - began)
    assert trial.false == [], f"seed {SEED}, false:\n" + "\n".join(trial.false[:SHOWN])
    assert trial.ledger.counts() == before, "a changed acknowledgment did something else"
    assert trial.gateway.process.poll() is None, "the gateway ended"
    # A test that never gets far would prove nothing.
    for stage, least in (("recorded, and true", 5), ("bad signature or key", 5),
                         ("unreadable to GnuPG", 5)):
        assert 100 * trial.stages[stage] >= least * trial.tries, (stage, trial.stages)
