"""The soak in short: `make soak` goes on for as long as you like, with hundreds of officials."""
import random

import soak
from harness import eventually, limit
from traffic import WEIGHTS, act

OFFICIALS, MEMBERS, SEED = 8, 2, 20261130
ATTEMPTS = "SELECT total(attempts) FROM delivery"
# Each once: the smarthost's moods and the kills of the whole machinery in turn.
TROUBLES = ("cut", "everything", "refuse_somebody", "gate", "drop", "worker", "defer", "dewlined")


def in_trouble(run, trouble, deeds):
    """An advisory goes out while it lasts, and people do these other things."""
    before = run.gateway.store_rows(ATTEMPTS)
    getattr(run.trouble, trouble)()
    run.traffic.publish("new", "all", run.traffic.stable())
    for deed in deeds:
        run.post.fetch()
        act(run.traffic, {deed: 1})
    eventually(lambda: run.gateway.store_rows(ATTEMPTS) != before, f"mail goes out: {trouble}", 60)
    run.trouble.clear()


@limit(420)
def test_short_soak_loses_nothing_and_takes_nothing_false(t):
    t.needs("sqop", "gpg")
    run = soak.Soak(t, SEED, OFFICIALS, MEMBERS)
    run.traffic.later = 3
    for _ in range(2):
        run.traffic.publish("new", "all", run.traffic.stable())
    eventually(lambda: run.post.fetch() or len(run.post.unread) >= 2 * OFFICIALS, "both are out", 60)
    deeds = [name for name in WEIGHTS for _ in range(8 if name == "read_mail" else 1)]
    random.Random(SEED).shuffle(deeds)
    for number, trouble in enumerate(TROUBLES):
        in_trouble(run, trouble, deeds[number::len(TROUBLES)])
    run.judge("at the end")
    figures = run.verdicts[-1].figures
    t.note(f"{sum(run.traffic.done.values())} mails in, {figures['copies']} copies out, "
           f"{figures['answers counted']} answers, {figures['ambiguous']} ambiguous")
    assert not run.faults(), run.faults()
    assert figures["answers counted"] >= 5 and figures["mails with their effect"] >= 15, figures
