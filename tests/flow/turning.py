"""Time that a test turns on, or that a whole run lives in: libfaketime below every program.

The library reads a distance to the real time, so that all programs agree to the second, whenever
they were started, and time goes on; monotonic time stays real, so deadlines of workers and
connections do not pass while the calendar turns. In a run at another date (tests/run --at) the
distance stands in the environment; a Calendar has it in a file, which is read at every look at the
clock. The tests themselves run without the library and ask harness.now().
"""
import calendar
import contextlib
import ctypes
import datetime
import math
import os
import pathlib
import re
import subprocess

import harness

MINUTE, HOUR, DAY = 60, 3600, 86400
LIBRARY = "libfaketimeMT.so.1"
SHARED, MANY = "/dev/shm", 10000
NOON = datetime.time(12, tzinfo=datetime.timezone.utc)


def library():
    """Path of libfaketime, as dpkg knows it; skips where there is none."""
    try:
        listed = subprocess.run(["dpkg", "-L", "libfaketime"], capture_output=True, text=True)
    except OSError:
        raise harness.Skip("there is no dpkg to ask for libfaketime") from None
    for line in listed.stdout.splitlines():
        if pathlib.Path(line).name == LIBRARY:
            return line
    raise harness.Skip("libfaketime is not installed")


def environment(ahead):
    """What a program has to find in its environment to live so many seconds ahead."""
    return {"LD_PRELOAD": library(), "FAKETIME": f"{ahead:+d}", "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def moment(text, now):
    """The time that is meant by +3d, +2m, +10y (days, months, years from now), 2028-02-29 (at noon)
    or 2028-02-29T08:00:00Z. ValueError when it is none of these."""
    later = re.fullmatch(r"\+(\d+)([dmy])", text)
    if later is None:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return datetime.datetime.combine(datetime.date.fromisoformat(text), NOON)
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    count, unit = int(later[1]), later[2]
    if unit == "d":
        return now + datetime.timedelta(days=count)
    year, month = divmod(now.year * 12 + now.month - 1 + count * (12 if unit == "y" else 1), 12)
    last = calendar.monthrange(year, month + 1)[1]
    return now.replace(year=year, month=month + 1, day=min(now.day, last))


def ahead_of_now(text):
    """Seconds from now to what `moment` makes of the text."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return round((moment(text, now) - now).total_seconds())


def kept():
    """What of this a program needs that is given no other environment."""
    return {name: value for name, value in os.environ.items()
            if name.startswith("FAKETIME") or name == "LD_PRELOAD"}


def machines_time():
    """The environment of a program that lives today whatever the test does: without the clock, and
    without the keys that were made at another date."""
    ours = {*kept(), "DEWLINE_AHEAD", "DEWLINE_TEST_KEYS"}
    return {name: value for name, value in os.environ.items() if name not in ours}


def open_for_many(name):
    """Who is killed while it holds the library's semaphore would stop all others for good. It guards
    nothing that we use, so that many may hold it at a time."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.sem_open.restype = ctypes.c_void_p
    semaphore = libc.sem_open(name.encode(), 0)
    assert semaphore, os.strerror(ctypes.get_errno())
    for _ in range(MANY):
        libc.sem_post(ctypes.c_void_p(semaphore))
    libc.sem_close(ctypes.c_void_p(semaphore))


def shared(clock):
    """What the library's programs share: its name, and the files. The first program makes it, and
    takes it away at its end, unless it is killed: here it always is, so that it is ours to remove.
    A gateway may run as nobody, and needs it too."""
    made = subprocess.run(["sh", "-c", 'echo "$FAKETIME_SHARED"; kill -KILL $$'],
                          capture_output=True, text=True, env={**os.environ, **clock}).stdout
    semaphore, memory = made.split()
    open_for_many(semaphore)
    files = [pathlib.Path(SHARED, f"sem.{semaphore.lstrip('/')}"),
             pathlib.Path(SHARED, memory.lstrip("/"))]
    for file in files:
        file.chmod(0o666)
    return made.strip(), files


@contextlib.contextmanager
def clock_ahead(seconds):
    """The environment of programs that live so many seconds ahead."""
    clock = environment(seconds)
    clock["FAKETIME_SHARED"], files = shared(clock)
    try:
        yield clock
    finally:
        for file in files:
            file.unlink()


def share(t):
    if "FAKETIME_SHARED" not in os.environ:
        os.environ["FAKETIME_SHARED"], files = shared({})
        for file in files:
            t.later(file.unlink)


def live_ahead(t, seconds):
    """From now on every program of this test lives so many seconds ahead."""
    os.environ.update(environment(seconds))
    harness.ahead = seconds
    share(t)


class Calendar:
    """Turns the time of all programs of a test; to be made before any of them is started. A gateway
    does not believe a clock that is turned, since the running time is not: an admin confirms it."""

    def __init__(self, t):
        self.test = t
        folder = t.dir / "clock"  # of its own: the sandboxes have to let it be read
        folder.mkdir()
        self.file = folder / "faketime"
        self.begin = harness.ahead
        self._write()
        os.environ.update(environment(0), FAKETIME_TIMESTAMP_FILE=str(self.file))
        del os.environ["FAKETIME"]  # which would count more than the file
        share(t)
        told = subprocess.run(["date", "+%s"], capture_output=True, text=True).stdout
        assert told.strip().isdigit(), f"nothing runs under libfaketime: {told}"
        assert abs(int(told) - harness.now()) < HOUR, f"libfaketime does not tell our time: {told}"

    def _write(self):
        draft = self.file.with_suffix(".new")
        draft.write_text(f"{harness.ahead:+d}\n")
        draft.rename(self.file)

    @property
    def turned(self):
        """Seconds since the calendar was made, but for those that passed by themselves."""
        return harness.ahead - self.begin

    def forward(self, seconds):
        """Turns the clock of all that runs; never back."""
        assert seconds >= 0
        self.turn(seconds)
        if seconds:
            for gateway in self.test.gateways:
                gateway.confirm_clock()

    def turn(self, seconds):
        """Turns it, back as well, and nobody says that it is right."""
        harness.ahead += int(seconds)
        self._write()

    def to(self, moment):
        """Turns it to a time, in seconds since 1970, unless that has passed."""
        self.forward(max(math.ceil(moment - harness.now()), 0))
