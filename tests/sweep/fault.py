"""The file through which tests/sweep/fault.c learns what is to fail, and tells what was asked of the system."""
import errno
import mmap
import struct

NAME, ROLES, WHAT, LOG_MOST = 16, 16, 76, 16384  # as in fault.c
FAULTS = {"kill": -1, "torn": -2, "EIO": errno.EIO, "ENOSPC": errno.ENOSPC, "full": errno.ENOSPC}
CALLS = (
    "open openat opendir mkdtemp fopen fclose close read pread64 write pwrite64 fwrite fflush fsync "
    "fdatasync ftruncate fchmod rename renameat renameat2 link symlink unlink unlinkat remove mkdir "
    "rmdir memfd_create socket socketpair connect send sendto sendmsg recv recvmsg fork execv "
    "waitpid").split()
HEAD = struct.Struct(f"=IiIIII{NAME}s{NAME}s")
ENTRY = struct.Struct(f"={NAME}s{NAME}sI{WHAT}s")
LOG_AT = HEAD.size + 4 * ROLES * len(CALLS)
SIZE = LOG_AT + ENTRY.size * LOG_MOST


def text(raw):
    return raw.split(b"\0")[0].decode("utf-8", "replace")


class Control:
    def __init__(self, path):
        self.path = path
        with open(path, "w+b") as file:
            file.truncate(SIZE)
            self.map = mmap.mmap(file.fileno(), SIZE)

    def arm(self, role="", call="", nth=0, fault=None):
        self.map[:HEAD.size] = HEAD.pack(1, FAULTS.get(fault, 0), nth, fault == "full", 0, 0,
                                         role.encode(), call.encode())

    def disarm(self):
        self.map[:4] = struct.pack("=I", 0)

    @property
    def hits(self):
        return HEAD.unpack(self.map[:HEAD.size])[4]

    def entries(self):
        """(role, call, n-th, what of) in the order in which they were asked."""
        count = min(HEAD.unpack(self.map[:HEAD.size])[5], LOG_MOST)
        for index in range(count):
            at = LOG_AT + index * ENTRY.size
            role, call, nth, what = ENTRY.unpack(self.map[at:at + ENTRY.size])
            yield text(role), text(call), nth, text(what)
