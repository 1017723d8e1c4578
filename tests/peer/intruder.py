"""What somebody could do who has taken over a living process: any system call, from the inside.

The process is stopped while it sleeps in a system call, made to do another one with the same
instruction, and then goes on as if nothing had been. x86-64 only; it takes root.
"""
import ctypes
import os
import signal
import time

ATTACH, DETACH, SINGLESTEP, GETREGS, SETREGS = 16, 17, 9, 12, 13
WALL = 0x40000000
SYSCALL = b"\x0f\x05"
BELOW_STACK = 4096
ATTEMPTS = 200
NUMBERS = {"read": 0, "write": 1, "open": 2, "socket": 41, "connect": 42, "fork": 57, "execve": 59}
ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")


class Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in (
        "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx",
        "rsi", "rdi", "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds",
        "es", "fs", "gs")]


libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def needs_root(t):
    if os.geteuid() != 0:
        t.skip("only root can trace the processes of the daemon")
    if os.uname().machine != "x86_64":
        t.skip("processes are taken over on x86-64 only")


def ptrace(request, pid, data=None):
    if libc.ptrace(request, pid, None, data) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


class Killed(Exception):
    """The process was stopped by its sandbox."""


class Intruder:
    """Use as a context: with Intruder(pid) as intruder: intruder.call("open", b"/etc/group", 0)"""

    def __init__(self, pid):
        self.pid = pid

    def _wait(self):
        _, status = os.waitpid(self.pid, WALL)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGSYS, f"ended by signal {os.WTERMSIG(status)}"
            self.pid = None
            raise Killed
        assert os.WIFSTOPPED(status), f"wait status {status:#x}"
        return os.WSTOPSIG(status)

    def _registers(self):
        registers = Registers()
        ptrace(GETREGS, self.pid, ctypes.addressof(registers))
        return registers

    def __enter__(self):
        """Stops it in a system call: it may be at work just then, so that takes some tries."""
        for _ in range(ATTEMPTS):
            ptrace(ATTACH, self.pid)
            self._wait()
            self.before = self._registers()
            self.memory = open(f"/proc/{self.pid}/mem", "r+b", buffering=0)
            self.memory.seek(self.before.rip - len(SYSCALL))
            if self.before.orig_rax < 1 << 16 and self.memory.read(len(SYSCALL)) == SYSCALL:
                return self
            self.__exit__()
            time.sleep(0.01)
        raise AssertionError("it never sleeps")

    def call(self, name, *arguments):
        """What the call gives, -errno for a failure. Bytes are passed as a pointer to them."""
        registers = Registers.from_buffer_copy(self.before)
        place = self.before.rsp - BELOW_STACK
        for register, value in zip(ARGUMENTS, arguments):
            if isinstance(value, bytes):
                self.memory.seek(place)
                self.memory.write(value + b"\0")
                value, place = place, place - 512
            setattr(registers, register, value)
        registers.rax, registers.orig_rax = NUMBERS[name], (1 << 64) - 1
        registers.rip = self.before.rip - len(SYSCALL)
        ptrace(SETREGS, self.pid, ctypes.addressof(registers))
        ptrace(SINGLESTEP, self.pid)
        self._wait()
        result = self._registers().rax
        return result if result < 1 << 63 else result - (1 << 64)

    def __exit__(self, kind=None, *_):
        if self.pid is not None:
            self.memory.close()
            ptrace(SETREGS, self.pid, ctypes.addressof(self.before))
            ptrace(DETACH, self.pid)
        return False
