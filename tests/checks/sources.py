"""What the checks read: the C files of the tree, by room. A check prints one line for each place
that breaks its rule and exits with 1 when there was one."""
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
ROOMS = ("base", "config", "worker", "mail", "pgp", "store", "rules", "courier", "gate", "report",
         "dewlined", "dewctl")


def c_files(*folders):
    for folder in folders or ("src", "tests"):
        for path in sorted((TOP / folder).rglob("*.[ch]")):
            yield path


def lines(path):
    return enumerate(path.read_text("utf-8").splitlines(), 1)


# The name of a test in a page of ours.
TEST_NAME = re.compile(r"`((?:flow|unit|check|fuzz)/[^`]+)`")


def known_tests():
    """The names of all tests, with and without their cases."""
    build = os.environ.get("DEWLINE_BUILD", TOP / "build")
    listed = subprocess.run([sys.executable, TOP / "tests" / "run", "--list", "--build", build],
                            capture_output=True, text=True, check=True).stdout.splitlines()
    return set(listed) | {name.partition("[")[0] for name in listed}


def place(path, number):
    return f"{path.relative_to(TOP)}:{number}"


def end(offences, looked_at):
    """Fails as well when nothing was looked at: a check that sees no file checks nothing."""
    for offence in offences:
        print(offence)
    print(f"looked at {looked_at}, found {len(offences)}")
    sys.exit(1 if offences or not looked_at else 0)
