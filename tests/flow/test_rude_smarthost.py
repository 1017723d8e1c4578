"""A smarthost that wants to harm: it costs time, and neither memory nor mail, and obeys nobody."""
import os
import pathlib
import socket
import threading

from gateway import Smarthost
from harness import cases, eventually
from scene import Scene
from test_terminal import HOSTILE, obeyed

MEMORY_MOST = 200 * 1024  # kB of a courier
PIECE = b"220-" + b"x" * 70 + b"\r\n"
REPLIES = b"220 x ESMTP\r\n"


class Rude(threading.Thread):
    """Takes each connection, says `first`, then `again` for ever (b"": closes)."""

    def __init__(self, port, first, again, listens):
        super().__init__(daemon=True)
        self.first, self.again, self.listens = first, again, listens
        self.heard, self.over = b"", threading.Event()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        self.socket.listen(16)
        self.socket.settimeout(0.2)
        self.met = 0
        self.start()

    def run(self):
        while not self.over.is_set():
            try:
                peer, _ = self.socket.accept()
            except OSError:
                continue
            self.met += 1
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        with peer:
            try:
                peer.settimeout(5)
                peer.sendall(self.first)
                if self.listens:
                    self.heard += peer.recv(4096)
                while self.again and not self.over.is_set():
                    peer.sendall(self.again)
            except OSError:
                pass  # it hung up, as it should

    def stop(self):
        self.over.set()
        self.join(5)
        self.socket.close()


MANNERS = {
    "endless greeting": (b"", PIECE * 100, False),
    "endless line": (b"220 ", b"x" * 8000, False),
    "endless answer to EHLO": (REPLIES, b"250-SIZE 1\r\n" * 500, True),
    "closes at once": (b"", b"", False),
    "closes after EHLO": (REPLIES, b"", True),
    "noise": (b"\x00\xff\x1b[2J\r\n" + HOSTILE.encode() + b"\r\n", os.urandom(4096), False),
    "terminal escapes in a refusal": (b"554 5.0.0 " + HOSTILE.replace("\n", "").encode()
                                      + b"\r\n", b"", False),
}


@cases(*MANNERS)
def test_rude_smarthost_delays_and_does_nothing_else(t, manners):
    smarthost = Smarthost(t)
    smarthost.stop()
    rude = Rude(smarthost.port, *MANNERS[manners])
    t.later(rude.stop)
    scene = Scene(t, 1, smarthost)
    gateway = scene.gateway
    number = scene.release()["number"]
    eventually(lambda: rude.met >= 2, "it was tried again")
    rows = eventually(lambda: [row for row in gateway.rows("queue", "list") if row["reason"]],
                      "the queue says why", 60)
    shown = gateway.ctl("queue", "list") + gateway.ctl("advisory", "show", number)
    assert obeyed(shown + gateway.text_of_log()) == [], rows
    for pid, role in gateway.processes().items():
        if role == "courier":
            status = pathlib.Path("/proc", str(pid), "status").read_text()
            peak = next(int(line.split()[1]) for line in status.splitlines()
                        if line.startswith("VmHWM"))
            assert peak < MEMORY_MOST, f"{peak} kB"
    assert b"MAIL" not in rude.heard and b"-----BEGIN" not in rude.heard
    rude.stop()
    smarthost.start()
    gateway.ctl("queue", "retry")
    scene.opened()
    smarthost.only(scene.official.address)
