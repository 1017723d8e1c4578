"""What is made once a run of the tests and copied by each that needs it: keys, gateways with people."""
import contextlib
import fcntl
import os
import pathlib
import shutil
import stat
import tempfile


def store():
    """The run's folder for such things; None where a test runs by itself."""
    path = os.environ.get("DEWLINE_TEST_KEYS")
    return pathlib.Path(path) if path else None


@contextlib.contextmanager
def alone(name):
    """Holds the lock `name` of the run: gives the path that is to be there, or is to be made."""
    with open(store() / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield store() / name


@contextlib.contextmanager
def draft(made):
    """A directory to fill, which takes the name `made` when all in it is there."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="k.", dir=store()))
    yield path
    path.rename(made)


def copy(source, target, *but):
    """A directory with all in it but what these patterns name, and but sockets, which are of a
    process that does not come along."""
    unwanted = shutil.ignore_patterns(*but)

    def left_out(folder, names):
        return unwanted(folder, names) | {
            name for name in names if stat.S_ISSOCK(os.lstat(os.path.join(folder, name)).st_mode)}
    shutil.copytree(source, target, symlinks=True, ignore=left_out, dirs_exist_ok=True)
