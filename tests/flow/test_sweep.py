"""Forty fixed points of the sweep (tests/sweep/run): one fault at one step of one way, and all that
must hold is held (I1, I3, I4, I7, I8, I12, I13, I14)."""
import point
from harness import cases, limit

POINTS = (
    "advisory/gate/fdatasync/1/kill", "advisory/gate/unlink/1/kill", "advisory/gate/pwrite64/9/torn",
    "advisory/gate/fdatasync/3/EIO", "advisory/courier/send/4/kill", "advisory/reader/recvmsg/2/kill",
    "answer/gate/unlink/1/kill", "answer/gate/fdatasync/2/kill", "answer/vault/write/2/kill",
)


@limit(180)
@cases(*POINTS)
def test_point(t, text):
    outcome = point.check(t, text)
    assert outcome.hit, "the fault was not met: are there still so many of these calls on this way?"
    assert not outcome.wrong, "\n".join(outcome.wrong)
