"""A wire tap: stands between the gateway and a mail server and keeps every byte the gateway sent."""
import re
import socket
import threading

COMMANDS = re.compile(
    rb"EHLO [A-Za-z0-9.-]+|MAIL FROM:<[^<>\s]+>( RET=HDRS)?( SIZE=\d+)?"
    rb"|RCPT TO:<[^<>\s]+>( NOTIFY=FAILURE,DELAY)?|DATA|RSET|QUIT")
LINE_MOST = 998  # RFC 5322 section 2.1.1


class Recorder:
    def __init__(self, t, port):
        self.server_port, self.said, self.over = port, [], False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        t.later(self.stop)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.over = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while not self.over:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.server_port))
            said = bytearray()
            self.said.append(said)
            for pair in ((client, server, said), (server, client, None)):
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    @staticmethod
    def _pass_on(source, sink, said):
        try:
            while data := source.recv(65536):
                if said is not None:
                    said += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Transaction:
    """One mail on the wire: its envelope, and the message with doubled dots taken away."""

    def __init__(self, sender, recipient, lines):
        self.sender, self.recipient = sender, recipient
        self.stuffed = sum(line.startswith(b".") for line in lines)
        self.raw = b"".join(line.removeprefix(b".") + b"\r\n" for line in lines)


def strict_lines(said):
    """The lines of what one connection carried. Asserts: each ends with CR LF, which stand nowhere
    else; 7-bit; no NUL; none too long."""
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", said), "a CR or LF stands alone"
    assert not re.search(rb"[\x00\x80-\xff]", said), "an 8-bit byte or NUL"
    lines = said.split(b"\r\n")
    assert lines.pop() == b"", "the last line has no end"
    assert max(map(len, lines), default=0) <= LINE_MOST
    return lines


def transactions(said):
    """Reads what one connection carried as a strict server does (RFC 5321). Asserts: no command but
    those that the courier has, in their order; no line of a message that begins with a bare dot."""
    found, sender, recipient, message = [], b"", b"", None
    for line in strict_lines(bytes(said)):
        if message is not None:
            if line == b".":
                found.append(Transaction(sender.decode(), recipient.decode(), message))
                message = None
                continue
            assert not line.startswith(b".") or line.startswith(b".."), line
            message.append(line)
            continue
        assert COMMANDS.fullmatch(line), line
        if line.startswith(b"MAIL"):
            sender, recipient = line.split(b"<")[1].split(b">")[0], b""
        elif line.startswith(b"RCPT"):
            assert not recipient, "a second recipient"
            recipient = line.split(b"<")[1].split(b">")[0]
        elif line == b"DATA":
            message = []
    assert message is None, "a message has no end"
    return found
