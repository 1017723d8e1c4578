"""Time that a test turns on: libfaketime below every program that the test starts.

The library reads one file at every look at the clock. It holds a distance to the real time, so that
all programs agree to the second, whenever they were started; monotonic time stays real, so
deadlines of workers and connections do not pass while the calendar turns.
"""
import datetime
import os
import pathlib
import subprocess
import time

from harness import Skip

MINUTE, HOUR, DAY = 60, 3600, 86400
LIBRARY = "libfaketimeMT.so.1"


def library():
    """Path of libfaketime, as dpkg knows it; skips where there is none."""
    try:
        listed = subprocess.run(["dpkg", "-L", "libfaketime"], capture_output=True, text=True)
    except OSError:
        raise Skip("there is no dpkg to ask for libfaketime") from None
    for line in listed.stdout.splitlines():
        if pathlib.Path(line).name == LIBRARY:
            return line
    raise Skip("libfaketime is not installed")


class Calendar:
    def __init__(self, t):
        path = library()
        folder = t.dir / "clock"  # of its own: the sandboxes have to let it be read
        folder.mkdir()
        self.file = folder / "faketime"
        self.ahead = 0  # seconds
        self._write()
        os.environ.update(LD_PRELOAD=path, FAKETIME_TIMESTAMP_FILE=str(self.file),
                          FAKETIME_NO_CACHE="1", FAKETIME_DONT_FAKE_MONOTONIC="1", NO_FAKE_STAT="1")
        told = subprocess.run(["date", "+%s"], capture_output=True, text=True).stdout
        assert told.strip().isdigit(), f"nothing runs under libfaketime: {told}"

    def _write(self):
        draft = self.file.with_suffix(".new")
        draft.write_text(f"+{self.ahead}\n")
        draft.rename(self.file)

    def now(self):
        """What the programs take for the time, seconds since 1970."""
        return time.time() + self.ahead

    def today(self):
        return datetime.datetime.fromtimestamp(self.now(), datetime.timezone.utc).date()

    def forward(self, seconds):
        """Turns the clock of all that runs; never back."""
        assert seconds >= 0
        self.ahead += int(seconds)
        self._write()
