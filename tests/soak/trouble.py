"""What goes wrong: processes killed, a smarthost in all its moods, a disk that is full."""
import contextlib
import os
import shutil
import signal
import subprocess

from harness import eventually

STEPS = ("connect", "ehlo", "mail", "rcpt", "data", "body", "dot")
REPLIES = ("mail", "rcpt", "data", "dot")
WORKERS = ("courier", "reader", "vault", "gpg-agent")
SPARE = (0, 1 << 16, 1 << 18, 1 << 20, 1 << 24)


def can_have_volume():
    """Whether a file can be mounted as a disk here."""
    return os.geteuid() == 0 and all(map(shutil.which, ("mkfs.ext4", "losetup", "mount"))) and (
        subprocess.run(["losetup", "-f"], capture_output=True).returncode == 0)


class Volume:
    """A disk of its own for a gateway, ext4 in a file; root only."""

    def __init__(self, t, size="6G"):
        self.top, image = t.dir / "v", t.dir / "volume.img"
        self.top.mkdir()
        subprocess.run(["truncate", "-s", size, image], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, self.top], check=True)
        t.later(self.leave)
        self.filler = self.top / "filler"

    def leave(self):
        subprocess.run(["umount", "-l", self.top], check=True)

    def fill(self, left):
        """Leaves about so many bytes; 0: none at all."""
        space = os.statvfs(self.top)
        free = space.f_bavail * space.f_bsize
        with open(self.filler, "ab", buffering=0) as file:
            for spare in SPARE:  # the file system takes some for itself
                try:
                    os.posix_fallocate(file.fileno(), 0, max(free - left - spare, 4096))
                    break
                except OSError:
                    continue
            if left == 0:
                with contextlib.suppress(OSError):
                    while file.write(bytes(4096)):
                        pass

    def free(self):
        self.filler.unlink(missing_ok=True)


class Trouble:
    """One fault at a time, begun and ended by `turn`. harmless: only such after which the gate and
    dewlined have to be the same processes still."""

    def __init__(self, gateway, book, chance, volume=None, addresses=()):
        self.gateway, self.book, self.chance, self.volume = gateway, book, chance, volume
        self.smarthost, self.addresses = gateway.smarthost, sorted(addresses)
        self.script, self.end, self.counts, self.ends = self.smarthost.dir / "script", None, {}, []
        self.restarts = 0

    # The smarthost.

    def rules(self, *rules):
        draft = self.script.with_suffix(".new")
        draft.write_text("".join(f"{rule}\n" for rule in rules) or "# as ever\n")
        draft.rename(self.script)

    def clear(self):
        self.rules()
        if self.smarthost.process is None:
            self.smarthost.start()
        if self.volume:
            self.volume.free()

    def refuse(self):
        step = self.chance.choice(("connect", "ehlo"))
        self.rules(f"{step} * * reply {self.chance.choice(('421 4.3.2 not now', '554 5.7.1 no'))}")

    def defer(self):
        self.rules(f"{self.chance.choice(REPLIES)} * * reply 451 4.2.0 later")

    def hang(self):
        self.rules(f"{self.chance.choice(STEPS)} * 2 stall {self.chance.randrange(5, 25)}")

    def drop(self):
        self.rules(f"{self.chance.choice(STEPS)} * {self.chance.randrange(2, 9)} drop")

    def slow(self):
        self.rules(f"connect * * slow {self.chance.choice((300, 2000))}")

    def cut(self):
        """250, that nobody hears."""
        self.rules(f"dot * {self.chance.randrange(1, 20)} drop-after-store")

    def refuse_somebody(self):
        address = self.chance.choice(self.addresses)
        self.book.may_fail.add(address)
        self.rules(f"rcpt {address} 1 reply 550 5.1.1 no such user")

    def down(self):
        self.smarthost.stop()

    # Kills.

    def worker(self):
        self.gateway.kill(self.chance.choice(WORKERS))

    def gate(self):
        self.gateway.kill("gate")

    def dewlined(self):
        below = [pid for pid, role in self.gateway.processes().items() if role != "gpg-agent"]
        os.kill(self.gateway.process.pid, signal.SIGKILL)
        self.gateway.process.wait()
        self.gateway.process = None
        self.gateway.log.close()
        eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in below),
                   "all end with dewlined")
        self.gateway.start()

    def everything(self):
        self.gateway.kill_everything()
        self.gateway.start()

    def restart(self):
        self.gateway.restart()

    # The disk.

    def full_disk(self):
        self.volume.fill(self.chance.choice((0, 0, 4096, 40960, 200000)))

    HARMLESS = ("refuse", "defer", "hang", "drop", "slow", "cut", "refuse_somebody", "down", "worker")
    HARMFUL = ("gate", "dewlined", "everything", "restart")

    def begin(self, harmless):
        """A fault, whichever comes; its name."""
        names = list(self.HARMLESS)
        if not harmless:
            names += 2 * list(self.HARMFUL) + (["full_disk"] * 4 if self.volume else [])
        name = self.chance.choice(names)
        self.counts[name] = self.counts.get(name, 0) + 1
        getattr(self, name)()
        return name

    def keep_alive(self):
        """What the service manager does. An end that nobody made is written down."""
        code = self.gateway.process.poll()
        if code is not None:
            self.ends.append(code)
            self.gateway.log.close()
            self.gateway.start()
