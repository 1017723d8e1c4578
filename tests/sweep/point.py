"""One point of the sweep: a way of the gateway with one fault in it, and what came of it."""
import json
import os
import shutil
import time

import fault
import harness
import judge
import once
import world
from gateway import Smarthost
from harness import eventually, patience
from commands import COMMANDS
from ways import GATEWAY_WAYS

PATIENCE = 5    # seconds after which a gateway that is still at work is started anew
LAST_PATIENCE = 30
REST = 20       # looks, between which nothing changes any more
STARTS = 3
SETTINGS = {"retry": {"first": "1s", "most": "1s", "give_up": "1h"}, "sealing": {"vaults": 1}}
WAYS = {way.name: way for way in (*GATEWAY_WAYS, *COMMANDS)}


class Point:
    """WAY/ROLE/CALL/N/FAULT"""

    def __init__(self, text):
        self.text = text
        self.way, self.role, self.call, nth, self.fault = text.split("/")
        self.nth = int(nth)


class Outcome:
    def __init__(self):
        self.hit = False
        self.wrong, self.notes = [], []
        self.picture, self.files, self.trace = [], [], []

    def add(self, lines):
        self.wrong += lines


class Course:
    """A copy of the world on its way."""

    def __init__(self, t, of_world, way, point=None):
        self.t, self.world, self.way, self.point = t, of_world, way, point
        self.smarthost = Smarthost(t)
        self.gateway = of_world.gateway(t, self.smarthost, **{**SETTINGS, **way.settings})
        self.gateway.delivered_before = self.gateway.store_rows("SELECT max(id) FROM delivery")[0][0]
        (t.dir / "shared").mkdir()
        self.control = fault.Control(t.dir / "shared" / "control")
        self.outcome = Outcome()

    def library(self):
        return self.t.build / "fault.so"

    def watching(self):
        """The environment in which a program meets the fault."""
        names = [os.environ.get("LD_PRELOAD", ""), str(self.library())]
        return {"LD_PRELOAD": ":".join(filter(None, names)), "DEWLINE_SWEEP": str(self.control.path)}

    def start(self, watched=False):
        words = [f"{name}={value}" for name, value in self.watching().items()]
        self.gateway.wrapper = ["env", *words] if watched else []
        self.gateway.start()

    def is_ready(self):
        log = self.gateway.log_path.read_bytes()[self.gateway.log_before:]
        return b"ready: mail comes in at" in log

    def arm(self):
        point = self.point
        if point:
            self.control.arm(point.role, point.call, point.nth, point.fault)
        else:
            self.control.arm()

    def begin(self):
        # So that gpg and gpg-agent, which are programs of their own, find both.
        self.gateway.settings["sandbox_read"] = str(self.library().parent)
        self.gateway.settings["sandbox_write"] = str(self.control.path.parent)
        self.gateway.configure()
        self.way.prepare(self.t, self.gateway, self.world)
        if self.way.is_command:
            self.way.first(self)
            self.arm()
            self.way.go(self, self.watching())
            return
        early = self.way.from_the_start
        if early:
            self.arm()
        self.start(watched=True)
        if not early:
            eventually(self.is_ready, "the gateway is ready")
            self.arm()
        self.way.go(self.gateway, self.world)

    def is_at_end(self, expected):
        return (not judge.waits_in_drop(self.gateway)
                and not judge.differences(expected, judge.picture(self.gateway)))

    def comes_to_end(self, expected, seconds):
        return True if self.way.is_command else self.awaits_end(expected, seconds)

    def awaits_end(self, expected, seconds):
        """Waits until all is as it is to be, or nothing moves; a dewlined that ended is started again,
        as systemd would."""
        deadline = time.monotonic() + seconds * patience()
        last, still = None, 0
        while time.monotonic() < deadline and still < REST * min(patience(), 4):
            if self.gateway.process.poll() is not None:
                self.gateway.log.close()
                self.control.disarm()
                self.start()
            waits, now = judge.waits_in_drop(self.gateway), judge.picture(self.gateway)
            if not waits and not judge.differences(expected, now):
                return True
            still = still + 1 if (waits, now) == last and judge.rests(now) else 0
            last = waits, now
            time.sleep(0.05)
        return False

    def stop(self):
        self.control.disarm()
        if self.gateway.process is None:
            return
        if self.gateway.process.poll() is not None:
            self.gateway.process = None
            self.gateway.log.close()
            return
        try:
            self.gateway.stop()
        except AssertionError:
            # What the fault has ended may take the rest along, at this very moment.
            if not self.control.hits:
                raise

    def restart(self):
        self.stop()
        self.start()
        eventually(self.is_ready, "the gateway is ready again")


def baseline(t, of_world, way):
    """The way without a fault: its end and its calls. It is the measure of all others, so what
    must hold is held against it too."""
    course = Course(t, of_world, WAYS[way])
    course.begin()
    course.comes_to_end(None, LAST_PATIENCE)
    outcome = course.outcome
    findings = [] if course.way.is_command else sorted(judge.findings(course.gateway))
    outcome.trace = list(course.control.entries())
    course.stop()
    outcome.picture = judge.picture(course.gateway)
    outcome.files = judge.files(course.gateway)
    verdict(course)
    assert not outcome.wrong, outcome.wrong
    return {"picture": outcome.picture, "files": outcome.files, "trace": outcome.trace,
            "findings": findings}


def verdict(course):
    gateway, outcome = course.gateway, course.outcome
    outcome.add(judge.delivered(gateway, course.smarthost))
    outcome.add(judge.in_the_clear(gateway, course.smarthost))
    outcome.add(judge.sound(gateway))
    outcome.add(course.way.verify(course))


def says_what_waits(course, base):
    """Something is not at its end after a while: `check` must say more than it does at the end."""
    found = judge.findings(course.gateway)
    if not judge.waits_in_drop(course.gateway) and course.is_at_end(base["picture"]):
        return  # it came there while check looked
    course.outcome.notes.append("came to its end only after a new start")
    if not found - {tuple(row) for row in base["findings"]}:
        course.outcome.wrong.append("silent: something waits, and check says that all is well")


def leftovers(course, expected):
    """Files that a command and a start in good order leave behind."""
    if not set(judge.files(course.gateway)) - set(expected):
        return
    expected = {*expected, *course.world.files}
    course.gateway.ctl("key", "export", may_fail=True)  # it looks after dewctl's own part of GnuPG's
    may_leave = getattr(course.way, "may_leave", None)
    left = set()
    for _ in range(STARTS):  # what it is stopped in may leave something for the next
        course.start()
        eventually(course.is_ready, "the gateway is ready for the last time")
        course.stop()
        left = set(judge.files(course.gateway)) - expected
        left = {name for name in left if not (may_leave and name.startswith(may_leave))}
        if not left:
            break
    course.outcome.wrong += [f"left over: {name}" for name in sorted(left)]


def run(t, of_world, text, base):
    """The outcome of a point, against what the same way gives without a fault."""
    point = Point(text)
    course = Course(t, of_world, WAYS[point.way], point)
    course.begin()
    came = course.comes_to_end(base["picture"], PATIENCE)
    if not came:
        says_what_waits(course, base)
        course.restart()
        came = course.comes_to_end(base["picture"], LAST_PATIENCE)
    outcome = course.outcome
    outcome.hit = course.control.hits > 0
    course.stop()
    if not came:
        outcome.wrong += [f"lost: in the drop: {path}" for path in judge.waits_in_drop(course.gateway)]
    outcome.wrong += [f"{'lost' if line[0] == '-' else 'false'}: {line}" for line in
                      judge.differences(base["picture"], judge.picture(course.gateway))
                      # A command that is given twice stands in the log twice.
                      if not (course.way.is_command and line.startswith("+ log "))]
    verdict(course)
    leftovers(course, base["files"])
    return outcome


# What is made once a run and used by every point of it.

def apart(t, name):
    """A test within the test, that cleans up for itself."""
    path = t.dir / name
    path.mkdir(mode=0o700)
    return harness.Test(path, t.build)


def made_once(t, name, make):
    """What `make(test, folder)` leaves in a folder of the run's; it is made by whoever comes first."""
    with once.alone(name) as made:
        if not made.exists():
            inner = apart(t, "once")
            try:
                with once.draft(made) as folder:
                    make(inner, folder)
            except BaseException:
                inner.show_logs()
                raise
            finally:
                inner.clean()
            shutil.rmtree(inner.dir, ignore_errors=True)
    return made


def world_of(t):
    return world.World(made_once(t, "sweep-world", world.make))


def base_of(t, of_world, way):
    def make(inner, folder):
        (folder / "base.json").write_text(json.dumps(baseline(inner, of_world, way)))
    return json.loads((made_once(t, f"sweep-{way}", make) / "base.json").read_text())


def check(t, text):
    """Runs one point; the outcome."""
    of_world = world_of(t)
    return run(t, of_world, text, base_of(t, of_world, text.split("/")[0]))
