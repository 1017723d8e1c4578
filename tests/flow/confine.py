#!/usr/bin/env python3
"""Runs a program under what a unit of systemd says, without systemd: confine.py UNIT DIR PROGRAM...

What is forbidden by the unit's SystemCallFilter, MemoryDenyWriteExecute, RestrictNamespaces or
RestrictRealtime kills here, so that a test cannot pass over it; address families that it forbids
fail as they do there. As root also: no network with PrivateNetwork, everything read-only but DIR
with ProtectSystem=strict, /proc with ProcSubset and ProtectProc, no other users with PrivateUsers.
"""
import ctypes
import errno
import os
import pathlib
import socket
import subprocess
import sys

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
EQUAL, MASKED = 4, 7  # enum scmp_compare
PR_SET_NO_NEW_PRIVS, NEWNS, NEWNET, NEWUSER = 38, 0x20000, 0x40000000, 0x10000000
NAMESPACES = 0x7E020080  # CLONE_NEW*, of mount to time
WRITE, EXECUTE = 2, 4
FAMILIES = 46


class Argument(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64),
                ("b", ctypes.c_uint64)]


def read(unit):
    """{directive: [values]}; an empty value forgets those before it, as systemd does."""
    found = {}
    for line in pathlib.Path(unit).read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value.strip())
    return found


def members(group):
    """The system calls of a set, as systemd knows it."""
    listed = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", group],
                            capture_output=True, text=True, check=True).stdout
    found = set()
    for word in (line.strip() for line in listed.splitlines()[1:]):
        if word.startswith("@"):
            found |= members(word)
        elif word and not word.startswith("#"):
            found.add(word)
    return found


def allowed_calls(unit):
    """What SystemCallFilter= comes to: the first line says which kind of list it is."""
    allowed = members("@default")
    for value in unit["SystemCallFilter"]:
        names = set()
        for word in value.lstrip("~").split():
            names |= members(word) if word.startswith("@") else {word}
        allowed = allowed - names if value.startswith("~") else allowed | names
    return allowed


class Filter:
    def __init__(self):
        self.library = ctypes.CDLL("libseccomp.so.2")
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.library.seccomp_init(KILL))

    def add(self, action, name, *arguments):
        number = self.library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            array = (Argument * len(arguments))(*arguments)
            result = self.library.seccomp_rule_add_array(
                self.context, ctypes.c_uint32(action), number, len(arguments), array)
            assert result == 0, (name, result)

    def load(self):
        assert self.library.seccomp_load(self.context) == 0


def make_filter(unit):
    calls, filtered = allowed_calls(unit), Filter()
    families = {getattr(socket, name) for value in unit["RestrictAddressFamilies"]
                for name in value.split()}
    for family in range(FAMILIES):
        filtered.add(ALLOW if family in families else ERRNO | errno.EAFNOSUPPORT, "socket",
                     Argument(0, EQUAL, family, 0))
    calls.discard("socket")
    if unit.get("MemoryDenyWriteExecute") == ["yes"]:
        filtered.add(ALLOW, "mmap", Argument(2, MASKED, WRITE, 0))
        filtered.add(ALLOW, "mmap", Argument(2, MASKED, EXECUTE, 0))
        filtered.add(ALLOW, "mprotect", Argument(2, MASKED, EXECUTE, 0))
        calls -= {"mmap", "mprotect", "pkey_mprotect"}
    if unit.get("RestrictNamespaces") == ["yes"]:
        filtered.add(ALLOW, "clone", Argument(0, MASKED, NAMESPACES, 0))
        # As systemd has it: what its flags are no filter can see.
        filtered.add(ERRNO | errno.ENOSYS, "clone3")
        calls -= {"clone", "clone3", "unshare", "setns"}
    for name in calls:
        filtered.add(ALLOW, name)
    if os.geteuid() == 0:  # SQLite gives files to their owner when root asks; the services are not
        filtered.add(ERRNO | errno.EPERM, "fchown")
    return filtered


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def make_namespaces(unit, directory):
    libc = ctypes.CDLL(None, use_errno=True)

    def leave(kinds):
        assert libc.unshare(kinds) == 0, os.strerror(ctypes.get_errno())

    if unit.get("PrivateNetwork") == ["yes"]:
        leave(NEWNET)
    leave(NEWNS)
    mount("--make-rprivate", "/")
    mount("--bind", directory, directory)
    if unit.get("ProcSubset") == ["pid"]:
        mount("-t", "proc", "-o", f"subset=pid,hidepid={unit['ProtectProc'][0]}", "proc", "/proc")
    if unit.get("ProtectSystem") == ["strict"]:
        mount("-o", "remount,bind,ro", "/")
    if unit.get("PrivateUsers") == ["yes"]:
        leave(NEWUSER)
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text("0 0 1")
        pathlib.Path("/proc/self/gid_map").write_text("0 0 1")


def main(unit_file, directory, *program):
    unit = read(unit_file)
    filtered = make_filter(unit)
    if os.geteuid() == 0:
        make_namespaces(unit, directory)
    libc = ctypes.CDLL(None)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    filtered.load()
    os.execv(program[0], program)


if __name__ == "__main__":
    main(*sys.argv[1:])
