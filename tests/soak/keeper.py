"""Runs a long test in a process of its own, and leaves nothing behind: no process, no mount."""
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import harness

PR_SET_CHILD_SUBREAPER, CLONE_NEWNS = 36, 0x20000


def free_disks(directory):
    """Whatever is mounted below it still, and the loop devices on its files."""
    with open("/proc/mounts") as mounts:
        places = [line.split()[1] for line in mounts]
    for place in reversed([place for place in places if place.startswith(f"{directory}/")]):
        subprocess.run(["umount", "-l", place])
    if shutil.which("losetup"):
        listed = subprocess.run(["losetup", "-l", "-n", "-O", "NAME,BACK-FILE"], capture_output=True,
                                text=True).stdout
        for device, _, file in (line.partition(" ") for line in listed.splitlines()):
            if file.strip().startswith(f"{directory}/"):
                subprocess.run(["losetup", "-d", device])


def mount_apart():
    """What is mounted from here on is seen by nobody else, so that nobody else can hold it, and is
    gone with our last process. Only root can."""
    if os.geteuid() == 0 and ctypes.CDLL(None).unshare(CLONE_NEWNS) == 0:
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)


def in_directory(name, build, keep, function):
    """function(t) in a directory of its own, which goes when all was well. Its exit status."""
    directory = pathlib.Path(f"/tmp/dl.{name}.{os.getpid()}")
    directory.mkdir(mode=0o700)
    mount_apart()
    t, well = harness.Test(directory, build.resolve()), False
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        well = function(t)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):  # asked once is enough
            signal.signal(number, signal.SIG_IGN)
        well = t.clean() and well
        free_disks(directory)
        if well and not keep:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            print(f"left to look at: {directory}", flush=True)
    return 0 if well else 1


def forked(function):
    """The process ID of one that runs function and has its exit status."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = function()
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return child


def kept(function):
    """Runs it and collects whatever loses its parent on the way: hours leave many ended processes.
    The exit status."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = forked(function)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: os.kill(child, signal.SIGTERM))
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            break
    for pid in harness.descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)
