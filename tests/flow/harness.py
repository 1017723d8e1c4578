#!/usr/bin/env python3
"""What a flow test is given, and the start of one.

A flow test is a function `test_NAME(t)` in a file test_FILE.py; t is a Test. Its name states the
rule that it holds. Decorators say more: `@limit(seconds)`, `@cases(...)` (called as test_NAME(t,
case) once for each), `@sanitized` (run against the sanitized build as well), `@future` (run years
ahead as well).

tests/run runs each one in a process of its own; one alone: `harness.py test_FILE test_NAME [case]`.
"""
import importlib
import os
import pathlib
import shutil
import signal
import socket
import sys
import time
import traceback

SKIPPED = 77  # exit status of a test that lacks something; its last line says what
LIMIT = 120   # seconds, unless the test says otherwise
LOAD_MOST = 10.0
TESTS = pathlib.Path(__file__).resolve().parent.parent

ahead = 0  # seconds by which the programs of this test are ahead of the machine, see turning.py


class Skip(Exception):
    pass


def limit(seconds):
    def mark(function):
        function.limit = seconds
        return function
    return mark


def cases(*names):
    def mark(function):
        function.cases = names
        return function
    return mark


def sanitized(function):
    """Run with sanitizers as well. Not for tests that turn the clock: libfaketime and the
    AddressSanitizer of newer compilers wait for each other when a program starts."""
    function.sanitized = True
    return function


def future(function):
    """Run years ahead as well."""
    function.future = True
    return function


def now():
    """What the programs of this test take for the time, seconds since 1970."""
    return time.time() + ahead


def load():
    """How many times longer a program takes than with a processor of its own, by the load of now."""
    return min(max(os.getloadavg()[0] / (os.cpu_count() or 1), 1.0), LOAD_MOST)


def patience():
    """How much longer than usual everything may take: a sanitized build and some machines are slow,
    which tests/run knows, and so is one that has other things to do."""
    return float(os.environ.get("DEWLINE_PATIENCE", "1")) * load()


def eventually(probe, what, seconds=30, pause=None):
    """Calls probe until what it gives is true, and gives that; fails after `seconds`. pause: seconds
    between two looks; unless given, a tenth of what was waited already, for a look costs something."""
    started = time.monotonic()
    while True:
        value = probe()
        if value:
            return value
        waited = time.monotonic() - started
        if waited > seconds * patience():
            raise AssertionError(f"not within {waited:.0f} s: {what}")
        time.sleep(min(max(0.03, waited / 10), 1) if pause is None else pause)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# Processes, by walking /proc.

def parents():
    """{pid: (parent, state)} of every process."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = pathlib.Path("/proc", entry, "stat").read_text()
            except OSError:
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            found[int(entry)] = (int(parent), state)
    return found


def descendants(pid):
    """Living processes below pid."""
    table, found, look = parents(), [], [pid]
    while look:
        above = look.pop()
        for child, (parent, state) in table.items():
            if parent == above:
                look.append(child)
                if state != "Z":
                    found.append(child)
    return found


def command_line(pid):
    try:
        raw = pathlib.Path("/proc", str(pid), "cmdline").read_bytes()
        name = pathlib.Path("/proc", str(pid), "comm").read_text().strip()
    except OSError:
        return "(ended)"
    return raw.replace(b"\0", b" ").decode("utf-8", "replace").strip() or f"[{name}]"


class Test:
    """One running test: a directory of its own, the build, and what to clean up."""

    def __init__(self, directory, build):
        self.dir, self.build = pathlib.Path(directory), pathlib.Path(build)
        self.cleanups, self.gateways = [], []

    def needs(self, *programs):
        """Skips the test, by name and reason, where a program is missing."""
        for program in programs:
            if not shutil.which(program):
                raise Skip(f"{program} is not installed")

    def note(self, text):
        """A figure that is shown also when the test passes."""
        print(f"note: {text}", flush=True)

    def skip(self, reason):
        raise Skip(reason)

    def later(self, function, *arguments):
        """Calls function at the end of the test, last come first."""
        self.cleanups.append((function, arguments))

    def clean(self):
        """False when a clean-up failed: then the test has too."""
        well = True
        while self.cleanups:
            function, arguments = self.cleanups.pop()
            try:
                function(*arguments)
            except Exception:
                traceback.print_exc()
                well = False
        return well

    def show_logs(self):
        for path in sorted(self.dir.rglob("*.log")):
            lines = path.read_text("utf-8", "replace").splitlines()
            print(f"--- {path.name}, last of {len(lines)} lines")
            print("\n".join(lines[-60:]))

    def calendar(self):
        """A clock to turn for all that is started from now on."""
        from turning import Calendar
        return Calendar(self)

    # The cast, so that a test need not know where they live.

    def gateway(self, **settings):
        from gateway import Gateway
        return Gateway(self, **settings)

    def official(self, address, **options):
        from official import Official
        return Official(self, address, **options)

    def publisher(self, address="publisher@vendor.example", **options):
        from official import Publisher
        return Publisher(self, address, **options)


def main(module, function, case=None):
    here = os.environ.get("DEWLINE_TEST_DIR")
    directory = here or os.path.join("/tmp", f"dl.{os.getpid()}")
    pathlib.Path(directory).mkdir(mode=0o700, exist_ok=True)
    t = Test(directory, os.environ.get("DEWLINE_BUILD", TESTS.parent / "build"))
    code = 1
    try:
        if int(os.environ.get("DEWLINE_AHEAD", 0)):
            importlib.import_module("turning").live_ahead(t, int(os.environ["DEWLINE_AHEAD"]))
        test = getattr(importlib.import_module(module), function)
        test(t) if case is None else test(t, case)
        code = 0
    except Skip as reason:
        code, last = SKIPPED, f"skip: {reason}"
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        t.show_logs()
    if not t.clean() and code != 1:
        t.show_logs()
        code = 1
    if code == SKIPPED:
        print(last)
    if not here:
        shutil.rmtree(directory, ignore_errors=True)
    sys.stdout.flush()
    return code


def run(module, function, case=None):
    """The same as a process of its own that may be asked to end, and then shows its logs."""
    def stop(number, frame):
        raise SystemExit(f"signal {number}")

    signal.signal(signal.SIGTERM, stop)
    return main(module, function, case)


if __name__ == "__main__":
    # Under the name that the tests import, so that there is one Skip only.
    sys.path[:0] = [str(TESTS / name) for name in ("flow", "peer", "interop", "soak", "sweep")]
    sys.modules["harness"] = sys.modules["__main__"]
    sys.exit(run(*sys.argv[1:4]))
