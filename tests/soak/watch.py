"""What the gateway's processes take: memory, open files, processes, files left lying, disk."""
import collections
import os
import pathlib
import re
import time

ROLES = ("dewlined", "gate", "courier", "reader", "vault", "gpg-agent")
STEADY = 3  # looks after one another that show no more memory than the one before
LOOKS = 20


class Figures:
    """kilobytes by role: private, proportional (PSS) and resident; open files by role."""

    def __init__(self):
        self.private, self.shared, self.resident = (collections.Counter() for _ in range(3))
        self.files, self.count, self.pids = collections.Counter(), collections.Counter(), {}
        self.lying = self.disk = 0


def memory_of(pid):
    text = pathlib.Path("/proc", str(pid), "smaps_rollup").read_text()
    found = {name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}
    return found["Private_Clean"] + found["Private_Dirty"] + found["Swap"], found["Pss"], found["Rss"]


def look(gateway):
    figures = Figures()
    for pid, role in gateway.processes().items():
        try:
            private, shared, resident = memory_of(pid)
            files = len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            continue
        figures.count[role] += 1
        figures.pids.setdefault(role, []).append(pid)
        figures.private[role] += private
        figures.shared[role] += shared
        figures.resident[role] += resident
        figures.files[role] += files
    for path in (gateway.dir / "state").rglob("*"):
        try:
            size = path.lstat().st_size
        except OSError:
            continue
        figures.disk += size
        figures.lying += not path.name.startswith("store.db")
    return figures


def settled(gateway):
    """The figures once they rise no more: what was needed a moment ago is given back."""
    best, same = look(gateway), 0
    for _ in range(LOOKS):
        time.sleep(0.5)
        now = look(gateway)
        same = same + 1 if now.private["gate"] == best.private["gate"] else 0
        best = now
        if same == STEADY:
            break
    return best


def line(figures):
    parts = [f"{role} {figures.private[role]} private {figures.shared[role]} PSS "
             f"{figures.resident[role]} RSS kB {figures.files[role]} fds"
             for role in ("dewlined", "gate")]
    parts += [f"{role} x{figures.count[role]} {figures.private[role]} private kB "
              f"{figures.files[role]} fds" for role in ROLES[2:]]
    return (", ".join(parts) + f"; {sum(figures.count.values())} processes, "
            f"{figures.lying} files beside the store, {figures.disk // 1024} kB on disk")


def growth(first, last, most):
    """What has grown beyond measure between two looks at the same processes."""
    found = []
    for role in ("dewlined", "gate"):
        if first.pids.get(role) != last.pids.get(role):
            found.append(f"{role} is another process now: {first.pids.get(role)}, "
                         f"{last.pids.get(role)}")
            continue
        ratio = last.private[role] / first.private[role]
        if ratio > most:
            found.append(f"{role} takes {ratio:.3f} times the private memory")
        if last.files[role] > first.files[role]:
            found.append(f"{role} holds {last.files[role]} files open, {first.files[role]} before")
    if sum(last.count.values()) > sum(first.count.values()) + 2:
        found.append(f"{sum(last.count.values())} processes, {sum(first.count.values())} before")
    if last.lying > first.lying + 10:
        found.append(f"{last.lying} files beside the store, {first.lying} before")
    return found
