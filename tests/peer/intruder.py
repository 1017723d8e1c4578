"""What somebody could do who has taken over a living process: any system call, from the inside.

The process is stopped while it sleeps in a system call, made to do another one with the same
instruction, and then goes on as if nothing had been. x86-64 only; it takes root.

What a call gave is read at one moment only: when the kernel says that this process stands at the
exit of a call, behind our instruction, after it stood at the entry of the very call that we asked
for. Before each call another one that must succeed, getpid, shows that reading works.
"""
import ctypes
import os
import pathlib
import signal
import time

SEIZE, INTERRUPT, GET_SYSCALL_INFO = 0x4206, 0x4207, 0x420E
CONT, GETREGS, SETREGS, DETACH, SYSCALL = 7, 12, 13, 17, 24
TRACESYSGOOD, EVENT_STOP = 1, 128
SYSCALL_STOP = signal.SIGTRAP | 0x80
ENTRY, EXIT = 1, 2  # struct ptrace_syscall_info
WALL = 0x40000000
INSTRUCTION = b"\x0f\x05"
BELOW_STACK = 4096
ATTEMPTS = 200
NOT_IN_A_CALL = (1 << 64) - 1  # in orig_rax: the kernel then restarts nothing
RESTART_SYSCALL, RESTART_BLOCK = 219, 516
RESTARTS = (512, 513, 514)  # ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND: never seen by a program
NUMBERS = {"read": 0, "write": 1, "open": 2, "getpid": 39, "socket": 41, "connect": 42,
           "execve": 59}
ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")


class Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in (
        "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx",
        "rsi", "rdi", "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds",
        "es", "fs", "gs")]


class Entry(ctypes.Structure):
    _fields_ = [("number", ctypes.c_ulonglong), ("arguments", ctypes.c_ulonglong * 6)]


class Exit(ctypes.Structure):
    _fields_ = [("value", ctypes.c_longlong), ("failed", ctypes.c_ubyte)]


class Kind(ctypes.Union):
    _fields_ = [("entry", Entry), ("exit", Exit), ("room", ctypes.c_ubyte * 64)]


class SyscallInfo(ctypes.Structure):
    _fields_ = [("op", ctypes.c_ubyte), ("arch", ctypes.c_uint), ("rip", ctypes.c_ulonglong),
                ("rsp", ctypes.c_ulonglong), ("kind", Kind)]


libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def needs_root(t):
    if os.geteuid() != 0:
        t.skip("only root can trace the processes of the daemon")
    if os.uname().machine != "x86_64":
        t.skip("processes are taken over on x86-64 only")


def ptrace(request, pid, address=None, data=None):
    if libc.ptrace(request, pid, address, data) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


class Killed(Exception):
    """The process was stopped by its sandbox."""


class Misread(AssertionError):
    """The tool does not know what a call gave: no verdict on the sandbox."""


class Intruder:
    """Use as a context: with Intruder(pid) as intruder: intruder.call("open", b"/etc/group", 0)"""

    def __init__(self, pid):
        self.pid = pid
        self.signals = set()  # that came while it was ours: it gets them afterwards

    # Stops.

    def _wait(self):
        """The signal of the next stop, and its event."""
        _, status = os.waitpid(self.pid, WALL)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGSYS, f"ended by signal {os.WTERMSIG(status)}"
            self.pid = None
            raise Killed
        assert os.WIFSTOPPED(status), f"wait status {status:#x}"
        return os.WSTOPSIG(status), status >> 16

    def _interrupt(self):
        """Until it stands still because we asked it to; what else stops it goes its way."""
        ptrace(INTERRUPT, self.pid)
        while True:
            stopped_by, event = self._wait()
            if event == EVENT_STOP and stopped_by == signal.SIGTRAP:
                return
            ptrace(CONT, self.pid, None, 0 if event else stopped_by)

    def _next_call_stop(self):
        """Goes on to the next entry or exit of a system call."""
        while True:
            ptrace(SYSCALL, self.pid)
            stopped_by, event = self._wait()
            if stopped_by == SYSCALL_STOP:
                break
            if not event:  # a signal, before it is delivered: not now
                self.signals.add(stopped_by)
        info = SyscallInfo()
        ptrace(GET_SYSCALL_INFO, self.pid, ctypes.sizeof(info), ctypes.addressof(info))
        return info

    # Registers.

    def _registers(self):
        registers = Registers()
        ptrace(GETREGS, self.pid, None, ctypes.addressof(registers))
        return registers

    def _set(self, registers):
        ptrace(SETREGS, self.pid, None, ctypes.addressof(registers))

    def __enter__(self):
        """Stops it in a system call: it may be at work just then, so that takes some tries."""
        self.number = int(next(line for line in pathlib.Path(
            "/proc", str(self.pid), "status").read_text().splitlines()
            if line.startswith("NSpid:")).split()[-1])
        ptrace(SEIZE, self.pid, None, TRACESYSGOOD)
        for _ in range(ATTEMPTS):
            self._interrupt()
            self.before = self._registers()
            self.memory = open(f"/proc/{self.pid}/mem", "r+b", buffering=0)
            self.memory.seek(self.before.rip - len(INSTRUCTION))
            if (self.before.orig_rax < 1 << 16
                    and self.memory.read(len(INSTRUCTION)) == INSTRUCTION):
                return self
            self.memory.close()
            ptrace(CONT, self.pid)
            time.sleep(0.01)
        raise AssertionError("it never sleeps")

    def call(self, name, *arguments):
        """What the call gives, -errno for a failure. Bytes are passed as a pointer to them."""
        place, values = self.before.rsp - BELOW_STACK, []
        for value in arguments:
            if isinstance(value, bytes):
                self.memory.seek(place)
                self.memory.write(value + b"\0")
                value, place = place, place - 512
            values.append(value)
        got = self._do("getpid")
        if got != self.number:
            raise Misread(f"getpid gave {got} in the process {self.number}")
        return self._do(name, *values)

    def _do(self, name, *values):
        while True:
            result = self._attempt(name, values)
            if -result not in (*RESTARTS, RESTART_BLOCK):  # else a signal came in between
                return result

    def _attempt(self, name, values):
        registers = Registers.from_buffer_copy(self.before)
        for register, value in zip(ARGUMENTS, values):
            setattr(registers, register, value)
        registers.rax, registers.orig_rax = NUMBERS[name], NOT_IN_A_CALL
        registers.rip = self.before.rip - len(INSTRUCTION)
        self._set(registers)
        info = self._next_call_stop()
        asked = (ENTRY, self.before.rip, NUMBERS[name], list(values))
        stands = (info.op, info.rip, info.kind.entry.number,
                  list(info.kind.entry.arguments)[:len(values)])
        if stands != asked:
            raise Misread(f"it does {stands} and not {asked}")
        info = self._next_call_stop()
        replaced = name == "execve" and info.kind.exit.value == 0  # by another program
        if info.op != EXIT or (info.rip != self.before.rip and not replaced):
            raise Misread(f"it stands at {info.op}, {info.rip:#x} and not behind the call {name}")
        if self._is_condemned():
            self._see_it_end()
        return info.kind.exit.value

    def _is_condemned(self):
        """A filter that kills puts back the number of the call as if it were the result, has the
        exit of the call passed, and only then lets SIGSYS end the process."""
        text = pathlib.Path("/proc", str(self.pid), "status").read_text()
        pending = int(next(line.split()[1] for line in text.splitlines()
                           if line.startswith("SigPnd:")), 16)
        return pending >> signal.SIGSYS - 1 & 1

    def _see_it_end(self):
        deliver = 0
        while True:
            ptrace(CONT, self.pid, None, deliver)
            stopped_by, event = self._wait()
            deliver = 0 if event or stopped_by == SYSCALL_STOP else stopped_by

    def __exit__(self, kind=None, *_):
        if self.pid is None:
            return False
        self.memory.close()
        self._set(self._restarted())
        ptrace(DETACH, self.pid)
        for number in self.signals:
            os.kill(self.pid, number)
        return False

    def _restarted(self):
        """As the kernel leaves a call that was interrupted: ready to be done again."""
        registers = Registers.from_buffer_copy(self.before)
        code = (1 << 64) - registers.rax
        if code in (*RESTARTS, RESTART_BLOCK):
            registers.rax = RESTART_SYSCALL if code == RESTART_BLOCK else registers.orig_rax
            registers.rip -= len(INSTRUCTION)
        registers.orig_rax = NOT_IN_A_CALL
        return registers
