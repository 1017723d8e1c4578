"""A screen that nobody sits at (Xvfb), for programs with windows."""
import os
import subprocess

SIZE = "1280x800"


class Screen:
    def __init__(self, t):
        t.needs("Xvfb")
        self.t = t
        ready, said = os.pipe()
        self.log = open(t.dir / "xvfb.log", "wb")
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(said), "-screen", "0", f"{SIZE}x24", "-nolisten", "tcp",
             "-noreset"], pass_fds=[said], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log)
        t.later(self.stop)
        os.close(said)
        with open(ready, encoding="ascii") as answer:
            number = answer.readline().strip()  # when it takes clients; nothing when it ended
        assert number, "Xvfb did not start"
        self.environment = {"DISPLAY": f":{number}", "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1"}

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
