"""Which points there are: from the calls that the processes made on a way without a fault."""
import collections

# What an error of a disk or a full one can meet. A close that fails, and a read of a socket, are no such.
FAILS = {
    "EIO": {"open", "openat", "opendir", "read", "pread64", "write", "pwrite64", "fsync", "fdatasync",
            "ftruncate", "fchmod", "rename", "renameat", "renameat2", "link", "symlink", "unlink",
            "unlinkat", "remove", "mkdir", "mkdtemp", "rmdir", "fopen", "fclose", "fwrite"},
    "ENOSPC": {"write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "renameat", "renameat2",
               "link", "symlink", "mkdir", "mkdtemp", "memfd_create", "fwrite", "fclose"},
    "full": {"pwrite64", "write", "ftruncate", "mkdir", "mkdtemp", "fwrite"},
    "torn": {"write", "pwrite64", "send"},
}
DULL = {"close", "read", "pread64"}  # nothing that stays is between one of these and the next


def chosen(count, deep):
    """The first, the last, and some between."""
    if count <= deep:
        return range(1, count + 1)
    step = (count - 1) / (deep - 1)
    return sorted({round(1 + step * index) for index in range(deep)})


def met_by(call, what):
    """The faults that a call can meet: pipes and sockets have no disk below them."""
    on_disk = not what.startswith("descriptor")
    return ["kill", *(fault for fault, calls in FAILS.items()
                      if call in calls and (on_disk or fault == "torn"))]


def points(traces, deep):
    found = []
    for way, trace in traces.items():
        counts = collections.Counter((role, call) for role, call, _, _ in trace)
        wanted = {key: set(chosen(count, max(2, deep // 4) if key[1] in DULL else deep))
                  for key, count in counts.items()}
        for role, call, nth, what in trace:
            if nth in wanted[role, call]:
                found += [f"{way}/{role}/{call}/{nth}/{fault}" for fault in met_by(call, what)]
    return found
