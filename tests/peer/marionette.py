"""A client of Marionette, by which programs of Mozilla's are driven: JSON with its length in front,
over TCP on loopback."""
import json
import socket

from harness import patience

COMMAND, ANSWER = 0, 1
SECONDS = 60  # that one command may take


class Failed(Exception):
    """What the program made of a command."""


class Marionette:
    def __init__(self, port):
        self.buffer, self.count = b"", 0
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS * patience())
        self._read()  # who it is
        self.command("WebDriver:NewSession")
        self.command("Marionette:SetContext", value="chrome")

    def close(self):
        self.socket.close()

    def _more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise EOFError("Marionette is gone")
        self.buffer += data

    def _read(self):
        while b":" not in self.buffer:
            self._more()
        length, _, self.buffer = self.buffer.partition(b":")
        while len(self.buffer) < int(length):
            self._more()
        data, self.buffer = self.buffer[:int(length)], self.buffer[int(length):]
        return json.loads(data)

    def command(self, name, **arguments):
        self.count += 1
        data = json.dumps([COMMAND, self.count, name, arguments]).encode()
        self.socket.sendall(b"%d:%s" % (len(data), data))
        kind, number, failure, result = self._read()
        assert (kind, number) == (ANSWER, self.count), (kind, number, failure)
        if failure:
            raise Failed(f"{failure['error']}: {failure['message']}\n{failure['stacktrace']}")
        return result

    def call(self, script, function, *arguments):
        """Calls a function of the script, with the program's own rights; what it gives, or what its
        promise gives in the end."""
        return self.command("WebDriver:ExecuteScript", script=f"{script}\nreturn {function}("
                            "...arguments);", args=list(arguments), sandbox="system")["value"]
