"""Fixed points of the sweep (tests/sweep/run): one fault at one step of one way, and all that
must hold is held (I1, I3, I4, I7, I8, I12, I13, I14)."""
import point
from harness import cases, limit

POINTS = (
    "advisory/gate/fdatasync/1/kill", "advisory/gate/unlink/1/kill",
    "advisory/gate/pwrite64/9/torn", "advisory/gate/fdatasync/3/EIO",
    "advisory/gate/pwrite64/40/full", "advisory/gate/sendmsg/3/kill",
    "advisory/gate/recvmsg/8/kill", "advisory/gate/fdatasync/5/kill",
    "advisory/gate/pwrite64/96/kill", "advisory/courier/send/4/kill", "advisory/courier/recv/6/kill",
    "advisory/courier/sendmsg/2/kill", "advisory/reader/recvmsg/2/kill",
    "advisory/vault/execv/3/kill", "advisory/vault/write/2/kill", "advisory/gpg/open/20/kill",
    "advisory/dewlined/recvmsg/2/kill", "answer/gate/unlink/1/kill", "answer/gate/fdatasync/2/kill",
    "answer/vault/write/2/kill", "answer/gate/open/1/EIO", "answer/gate/unlink/1/EIO",
    "answer/gate/fdatasync/1/ENOSPC", "answer/gpg/open/10/kill", "answer/reader/sendmsg/2/kill",
    "approval/gate/fdatasync/2/kill", "approval/gate/fdatasync/3/kill",
    "rejection/gpg/fwrite/7/kill", "approval/vault/execv/2/kill",
    "bounce/gate/fdatasync/2/kill", "bounce/gate/unlink/1/kill",
    "key/gate/fdatasync/2/kill", "key/gpg/unlink/5/kill", "new-key/gpg/unlink/19/kill",
    "report/gate/fdatasync/2/kill", "agreement/gate/fdatasync/2/kill",
    "ctl-member-add/dewctl/fdatasync/1/kill", "ctl-contact-add/dewctl/pwrite64/3/torn",
    "ctl-backup/dewctl/fsync/1/kill", "ctl-init/gpg/pwrite64/6/kill",
    "ctl-restore/dewctl/fsync/5/kill",
    "ctl-restore/dewctl/pwrite64/1/EIO", "ctl-inbox-retry/dewctl/fdatasync/1/kill",
    "ctl-key-passphrase/dewctl/remove/1/kill", "ctl-agreement-publish/dewctl/fdatasync/1/kill",
)

@limit(180)
@cases(*POINTS)
def test_point(t, text):
    outcome = point.check(t, text)
    assert outcome.hit, "the fault was not met: are there still so many of these calls on this way?"
    assert not outcome.wrong, "\n".join(outcome.wrong)
