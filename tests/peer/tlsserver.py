"""A small SMTP server with TLS that does what a bad one, or somebody in between, does.

It takes everything down: `heard` has each line that came, as (within TLS?, bytes). What came in the
clear between STARTTLS and the handshake is there as well.
"""
import base64
import select
import socket
import ssl
import threading

HANDSHAKE = b"\x16"  # RFC 8446 section 5.1


class TlsServer:
    """certificate: (certificate, key), paths of PEM files.
    starttls: what happens to STARTTLS: "offered", "stripped" (from the answer to EHLO), "late inject"
        (replies in the clear a moment after its reply).
    auth: where AUTH is offered: "tls", "clear".
    login: "user\\0password" that AUTH PLAIN takes."""

    def __init__(self, t, certificate, starttls="offered", auth="tls", login=None):
        self.starttls, self.auth, self.login = starttls, auth, login
        self.heard, self.mails = [], []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.over = False
        t.later(self.stop)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        if not self.over:
            self.over = True
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()

    def _accept(self):
        while not self.over:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(30)
        try:
            Session(self, connection).run()
        except OSError:  # ssl.SSLError is one: the other side went away
            pass
        finally:
            connection.close()

    def words(self, verb):
        """The lines that began with this command."""
        return [line for _, line in self.heard if line.upper().startswith(verb.encode())]

    # What a scene asks of its smarthost.

    def received(self, recipient=None):
        return list(self.mails)


class Session:
    def __init__(self, server, connection):
        self.server, self.connection = server, connection
        self.within = False

    def say(self, *lines):
        self.connection.sendall(b"".join(line.encode() + b"\r\n" for line in lines))

    def line(self):
        """One line, and not a byte more: what follows STARTTLS must not be read ahead."""
        read = b""
        while not read.endswith(b"\n"):
            byte = self.connection.recv(1)
            if not byte:
                return b""
            read += byte
        return read

    def take_early(self):
        """What the client says where it must be silent."""
        if select.select([self.connection], [], [], 0.1)[0]:
            early = self.connection.recv(4096)
            if early:
                self.server.heard.append((False, early))

    def run(self):
        self.say("220 mail.example ESMTP")
        while line := self.line():
            line = line.rstrip(b"\r\n")
            self.server.heard.append((self.within, line))
            verb = line.split(b" ")[0].upper().decode("ascii", "replace")
            answer = getattr(self, f"on_{verb.lower()}", None)
            if answer is None:
                self.say("250 2.0.0 ok")
            elif answer(line) is False:
                return

    def on_ehlo(self, line):
        offers = ["mail.example", "PIPELINING", "SIZE 1000000"]
        if not self.within and self.server.starttls != "stripped":
            offers.append("STARTTLS")
        if self.server.auth == ("tls" if self.within else "clear"):
            offers.append("AUTH PLAIN")
        self.say(*(f"250-{offer}" for offer in offers), "250 HELP")

    def on_starttls(self, line):
        self.take_early()
        self.say("220 2.0.0 go ahead")
        if self.server.starttls == "late inject":
            self.say("250-mail.example", "250 AUTH PLAIN")
        first = self.connection.recv(1, socket.MSG_PEEK)
        if first != HANDSHAKE:
            self.take_early()
            return False
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.within = True

    def on_auth(self, line):
        given = base64.b64decode(line.split(b" ")[2]).decode()
        if given == f"\0{self.server.login}":
            self.say("235 2.7.0 welcome")
        else:
            self.say("535 5.7.8 no")

    def on_data(self, line):
        self.say("354 go ahead")
        mail = []
        while (part := self.line()) not in (b".\r\n", b""):
            mail.append(part)
        self.server.mails.append(b"".join(mail))
        self.say("250 2.0.0 taken")

    def on_quit(self, line):
        self.say("221 2.0.0 bye")
        return False
