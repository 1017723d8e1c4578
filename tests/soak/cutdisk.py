"""A disk that remembers every write and every flush, in order: what a power cut left can be made anew
for any moment.

A file system of one file, spoken to over /dev/fuse by the kernel's own protocol, so that nothing has to
be installed. The file is what a loop device stands on: its writes come here at once, its flushes as
fsync. Nothing is held back here, and nothing is lost: both is done when a cut is made of the record.
"""
import ctypes
import errno
import os
import signal
import stat
import struct
import subprocess
import time

from harness import eventually

HEADER = struct.Struct("<IIQQIIIHH")
ENTRY = struct.Struct("<cdQI")  # W or F, when (time.time), offset, bytes of data that follow
ROOT, DISK = 1, 2
LONGEST = 1 << 20
(LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC, FLUSH, INIT, OPENDIR,
 READDIR, RELEASEDIR, INTERRUPT, DESTROY, BATCH_FORGET) = (
    1, 2, 3, 4, 14, 15, 16, 17, 18, 20, 25, 26, 27, 28, 29, 36, 38, 42)
BIG_WRITES, MAX_PAGES = 1 << 5, 1 << 22


class Server:
    """Answers the kernel until the file system is unmounted."""

    def __init__(self, device, image, record):
        self.device, self.image = device, os.open(image, os.O_RDWR)
        self.size = os.fstat(self.image).st_size
        self.record = open(record, "wb", buffering=0)

    def attributes(self, node):
        mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o600
        return struct.pack("<6Q10I", node, self.size, self.size // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0,
                           0, 0, 4096, 0)

    def note(self, kind, offset=0, data=b""):
        self.record.write(ENTRY.pack(kind, time.time(), offset, len(data)) + data)

    def serve(self):
        while True:
            try:
                request = os.read(self.device, LONGEST + 8192)
            except OSError as error:
                if error.errno == errno.ENODEV:  # unmounted
                    return
                if error.errno in (errno.EINTR, errno.ENOENT):
                    continue
                raise
            _, opcode, unique, node, *_ = HEADER.unpack_from(request)
            if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            try:
                code, answer = 0, self.answer(opcode, node, request[HEADER.size:])
            except OSError as error:
                code, answer = -error.errno, b""
            os.write(self.device, struct.pack("<IiQ", 16 + len(answer), code, unique) + answer)

    def answer(self, opcode, node, body):
        if opcode == WRITE:
            _, offset, size = struct.unpack_from("<QQI", body)
            data = body[40:40 + size]
            os.pwrite(self.image, data, offset)
            self.note(b"W", offset, data)
            return struct.pack("<II", size, 0)
        if opcode == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return os.pread(self.image, size, offset)
        if opcode == FSYNC:
            self.note(b"F")
            return b""
        if opcode == LOOKUP:
            if body != b"disk\0":
                raise OSError(errno.ENOENT, "")
            return struct.pack("<4Q2I", DISK, 0, 3600, 3600, 0, 0) + self.attributes(DISK)
        if opcode in (GETATTR, SETATTR):
            return struct.pack("<Q2I", 3600, 0, 0) + self.attributes(node)
        if opcode in (OPEN, OPENDIR):
            return struct.pack("<QIi", 0, 0, 0)
        if opcode == INIT:
            return struct.pack("<4I2H2I2H", 7, 31, LONGEST, BIG_WRITES | MAX_PAGES, 16, 12, LONGEST,
                               1, LONGEST // 4096, 0).ljust(64, b"\0")
        if opcode == STATFS:
            return struct.pack("<5Q", 0, 0, 0, 2, 0) + struct.pack("<4I", 4096, 255, 4096, 0) + bytes(24)
        if opcode in (READDIR, RELEASE, FLUSH, RELEASEDIR, DESTROY):
            return b""
        raise OSError(errno.ENOSYS, "")


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True)
    assert done.returncode == 0, f"{command}: {done.stderr.decode()}"
    return done.stdout.decode().strip()


def unmount(*command):
    """Waits for the last process that holds it, which may be about to end."""
    try:
        eventually(lambda: subprocess.run(command, capture_output=True).returncode == 0,
                   " ".join(map(str, command)), 20)
    except AssertionError:
        if command[0] == "umount":
            run("umount", "-l", command[-1])
        raise


class Recorded:
    """The image, mounted at `top` over a disk whose record is kept; `leave` unmounts all."""

    def __init__(self, t, image, top):
        self.below, self.top, self.path = t.dir / "below", top, t.dir / "record"
        self.below.mkdir(exist_ok=True)
        self.child = self.begin(image)
        self.undo = []
        t.later(self.leave)
        try:
            self.loop = run("losetup", "-f", "--show", self.below / "disk")
            self.undo.append(("losetup", "-d", self.loop))
            run("mount", self.loop, top)
            self.undo.append(("umount", top))
        except BaseException:
            self.leave()
            raise

    def begin(self, image):
        device = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
        if ctypes.CDLL(None, use_errno=True).mount(
                b"cutdisk", os.fsencode(self.below), b"fuse", 6, options.encode()) != 0:
            raise OSError(ctypes.get_errno(), "cannot mount a FUSE file system")
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            code = 1
            try:
                Server(device, image, self.path).serve()
                code = 0
            finally:
                os._exit(code)
        os.close(device)
        return child

    def leave(self):
        if self.child is None:
            return
        while self.undo:
            unmount(*self.undo.pop())
        unmount("umount", self.below)
        os.waitpid(self.child, 0)
        self.child = None


def entries(path):
    """The record: (kind, when, offset, data)."""
    with open(path, "rb") as file:
        while head := file.read(ENTRY.size):
            kind, when, offset, size = ENTRY.unpack(head)
            yield kind, when, offset, file.read(size)
