"""What the machine lacks for a while is waited for: the daemon comes back by itself, nobody's mail is
charged with it, and the log and the pre-flight name it."""
import os
import shutil
import subprocess

from gateway import Gateway
from harness import eventually, limit
from scene import Scene

# Where the daemon sees its own /dev, in which the test removes things; the machine's stays as it is.
OWN_DEV = """set -e
mount -t tmpfs none "$0"
for name in null zero full random urandom; do cp -a /dev/$name "$0"; done
ln -s /proc/self/fd "$0/fd"
mkdir "$0/shm"
mount --bind /dev/shm "$0/shm"
mount --rbind "$0" /dev
exec "$@"
"""
APART = ("unshare", "--mount", "--propagation", "private")


class ApartGateway(Gateway):
    def __init__(self, test, *arguments, **options):
        super().__init__(test, *arguments, **options)
        (test.dir / "dev").mkdir()
        self.wrapper = [*APART, "sh", "-c", OWN_DEV, test.dir / "dev"]

    def inside(self, *command):
        subprocess.run(["nsenter", "--mount", "--target", str(self.process.pid), *command],
                       check=True)

    def finding(self, what):
        rows = self.rows("check", may_fail=True)["findings"]
        return next(row for row in rows if row["what"] == what)


def scene_apart(t):
    """One advisory out, and its daemon can be made to lack something."""
    t.needs("unshare", "nsenter")
    if os.geteuid() != 0 or subprocess.run([*APART, "true"], capture_output=True).returncode:
        t.skip("a mount namespace of one's own is not allowed here")
    scene = Scene(t, make=ApartGateway)
    scene.release()
    scene.opened()
    return scene


def is_named(scene, *words):
    """While it lacks something and a mail has come."""
    gateway = scene.gateway
    gateway.drop(scene.publisher.publish("Second", "text\n"))
    eventually(lambda: gateway.finding("processes")["result"] == "bad", "check finds it bad")
    for word in words:
        assert word in gateway.finding("processes")["detail"] and word in gateway.text_of_log()


def is_made_up_for(scene):
    rows = scene.gateway.settled(2, 90)
    assert [row["state"] for row in rows] == ["done", "done"], rows
    assert "text" in scene.opened(count=2).text
    eventually(lambda: scene.gateway.finding("processes")["result"] != "bad", "check is content")


@limit(240)
def test_missing_null_device_is_waited_for_and_named(t):
    scene = scene_apart(t)
    scene.gateway.inside("mv", "/dev/null", "/dev/away")
    is_named(scene, "GnuPG needs /dev/null", "No such file")
    scene.gateway.inside("mv", "/dev/away", "/dev/null")
    is_made_up_for(scene)


@limit(240)
def test_other_null_device_than_at_the_start_ends_the_daemon_to_be_started_anew(t):
    scene = scene_apart(t)
    gateway = scene.gateway
    gateway.inside("rm", "/dev/null")
    is_named(scene, "GnuPG needs /dev/null")
    gateway.inside("mknod", "-m", "666", "/dev/null", "c", "1", "3")
    code = eventually(lambda: gateway.process.poll(), "it ends", 90)
    assert code == 1 and "another one than at the start" in gateway.text_of_log(), code
    gateway.log.close()
    gateway.start()  # as the service manager does
    is_made_up_for(scene)


@limit(240)
def test_missing_gpg_is_waited_for_and_named(t):
    """I6."""
    scene = scene_apart(t)
    gpg = shutil.which("gpg")
    scene.gateway.inside("mount", "--bind", "/dev/zero", gpg)
    is_named(scene, f"GnuPG cannot be run: {gpg}")
    scene.gateway.inside("umount", gpg)
    is_made_up_for(scene)
