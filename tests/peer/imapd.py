"""An IMAP server that does what a test tells it to: in good order, or wrong at a chosen step.

    imapd = Imapd(t)                     TLS from the first byte, for `localhost`
    imapd.deliver(raw)                   as new mail; whoever idles hears of it
    imapd.faults["fetch"] = ["drop"]     the next UID FETCH finds the connection closed

Steps: greeting, capability, starttls, login, select, list, fetch, store, expunge, noop, idle, done.
Faults: drop (closes), late (does it, then closes without a word), half (closes in the middle of the
answer), no, bye, garbage, or a function that is called with the session, the tag and the line.
"""
import re
import socket
import ssl
import threading
import time

from certificates import Authority

CAPABILITIES = "IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS IDLE"


class Closed(Exception):
    """The conversation is over."""


class Session:
    def __init__(self, server, plain):
        self.server, self.plain = server, plain
        self.plain.settimeout(600)
        self.connection, self.input = plain, plain.makefile("rb")
        self.view = []  # the UIDs as this client has been told of them

    def secure(self):
        self.connection = self.server.tls.wrap_socket(self.plain, server_side=True)
        self.input = self.connection.makefile("rb")

    def say(self, *lines):
        """Sends lines; bytes are sent as they are, without a line end."""
        whole = b"".join(line if isinstance(line, bytes) else line.encode() + b"\r\n"
                         for line in lines)
        if self.server.half:
            self.server.half = False
            self.connection.sendall(whole[:len(whole) // 2])
            raise Closed
        self.connection.sendall(whole)

    def read(self):
        line = self.input.readline()
        if not line:
            raise Closed
        self.server.log.append(line.decode("utf-8", "replace").rstrip())
        return self.server.log[-1]

    def close(self):
        for end in (self.input, self.connection, self.plain):
            try:
                end.close()
            except OSError:
                pass

    # What the client is told without asking.

    def news(self):
        """Lines that bring its view of the mailbox up to date."""
        lines, now = [], sorted(self.server.messages)
        for uid in [uid for uid in self.view if uid not in now]:
            lines.append(f"* {self.view.index(uid) + 1} EXPUNGE")
            self.view.remove(uid)
        if now != self.view:
            lines.append(f"* {len(now)} EXISTS")
            self.view = now
        return lines


class Imapd:
    def __init__(self, t, certificate=None, implicit=True, capabilities=CAPABILITIES,
                 before_tls="IMAP4rev1 STARTTLS LOGINDISABLED", newest_tls=None, faults=None):
        self.authority = Authority(t, "imapd")
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(*map(str, certificate or self.authority.issue()))
        if newest_tls:
            self.tls.set_ciphers("ALL:@SECLEVEL=0")
            self.tls.minimum_version = ssl.TLSVersion.TLSv1
            self.tls.maximum_version = newest_tls
        self.implicit, self.capabilities, self.before_tls = implicit, capabilities, before_tls
        self.faults = faults or {}
        self.half = False
        self.validity, self.next_uid = 1700000000, 1
        self.messages, self.deleted = {}, set()  # {uid: raw}; UIDs
        self.sizes = {}                           # {uid: bytes}, where the server lies
        self.log, self.connections = [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sessions = []
        threading.Thread(target=self._accept, daemon=True).start()
        t.later(self.stop)

    def stop(self):
        self.listener.close()
        for session in self.sessions:
            session.close()

    def deliver(self, raw, flags=()):
        uid, self.next_uid = self.next_uid, self.next_uid + 1
        self.messages[uid] = raw
        if "\\Deleted" in flags:
            self.deleted.add(uid)
        return uid

    def said(self, pattern):
        """How often clients said something that matches, case ignored."""
        return sum(1 for line in self.log if re.search(pattern, line, re.I))

    # The conversation.

    def _accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            session = Session(self, plain)
            self.sessions.append(session)
            threading.Thread(target=self._serve, args=(session,), daemon=True).start()

    def _serve(self, session):
        try:
            if self.implicit:
                session.secure()
            self._step("greeting", session, "*", "", lambda: session.say("* OK ready"))
            while True:
                line = session.read()
                tag, _, words = line.partition(" ")
                self._command(session, tag, words)
        except (Closed, OSError, ValueError):
            pass
        finally:
            session.close()

    def _step(self, name, session, tag, words, action):
        """Does the action, unless a fault stands at this step."""
        waiting = self.faults.get(name, [])
        fault = waiting.pop(0) if waiting else None
        if callable(fault):
            return fault(session, tag, words)
        if fault == "drop":
            raise Closed
        if fault == "late":
            action()
            raise Closed
        if fault == "half":
            self.half = True
        if fault == "bye":
            session.say("* BYE going down for a moment")
            raise Closed
        if fault == "garbage":
            session.say(b"\x00\xff(((((\r\n\r\n220 smtp.example ESMTP\r\n")
            raise Closed
        if fault == "no":
            return session.say(f"{tag} NO not now")
        assert fault in (None, "late", "half"), fault
        return action()

    def _command(self, session, tag, words):
        for pattern, name, action in (
                ("CAPABILITY", "capability", self._capability),
                ("STARTTLS", "starttls", self._starttls),
                ("AUTHENTICATE|LOGIN", "login", self._ok),
                ("SELECT", "select", self._select),
                (r"FETCH (\d+):(\d+)", "list", self._list),
                (r"UID FETCH (\d+) ", "fetch", self._fetch),
                (r"UID STORE ([\d,]+) \+FLAGS.SILENT \(\\Deleted\)$", "store", self._store),
                (r"UID EXPUNGE ([\d,]+)$", "expunge", self._expunge),
                ("NOOP$", "noop", self._noop),
                ("IDLE$", "idle", self._idle)):
            match = re.match(pattern, words, re.I)
            if match:
                return self._step(name, session, tag, words,
                                  lambda: action(session, tag, *match.groups()))
        if words.upper() == "LOGOUT":
            raise Closed
        return session.say(f"{tag} BAD what is {words}?")

    @staticmethod
    def _ok(session, tag):
        session.say(f"{tag} OK done")

    def _capability(self, session, tag):
        secure = isinstance(session.connection, ssl.SSLSocket)
        words = self.capabilities if secure else self.before_tls
        session.say(f"* CAPABILITY {words}", f"{tag} OK done")

    @staticmethod
    def _starttls(session, tag):
        session.say(f"{tag} OK go ahead")
        session.secure()

    def _select(self, session, tag):
        session.view = sorted(self.messages)
        session.say("* FLAGS (\\Seen \\Deleted)", f"* {len(session.view)} EXISTS", "* 0 RECENT",
                    f"* OK [UIDVALIDITY {self.validity}] valid",
                    f"* OK [UIDNEXT {self.next_uid}] next", f"{tag} OK [READ-WRITE] open")

    def _list(self, session, tag, first, last):
        lines = []
        for number in range(int(first), min(int(last), len(session.view)) + 1):
            uid = session.view[number - 1]
            size = self.sizes.get(uid, len(self.messages.get(uid, b"")))
            lines.append(f"* {number} FETCH (FLAGS (\\Recent $odd) UID {uid} RFC822.SIZE {size})")
        session.say(*lines, f"{tag} OK done")

    def _fetch(self, session, tag, uid):
        uid, parts = int(uid), session.news()
        if uid in self.messages:
            raw = self.messages[uid]
            parts += [f"* {session.view.index(uid) + 1} FETCH (BODY[] {{{len(raw)}}}", raw,
                      f" X-ODD (1 (2 \"(\")) UID {uid})"]
        session.say(*parts, f"{tag} OK done")

    @staticmethod
    def _uids(text):
        return {int(uid) for uid in text.split(",")}

    def _store(self, session, tag, uids):
        self.deleted |= self._uids(uids) & set(self.messages)
        session.say(f"{tag} OK done")

    def _expunge(self, session, tag, uids):
        for uid in self._uids(uids) & self.deleted:
            self.messages.pop(uid, None)
        session.say(*session.news(), f"{tag} OK done")

    @staticmethod
    def _noop(session, tag):
        session.say(*session.news(), f"{tag} OK done")

    def _idle(self, session, tag):
        session.say("+ idling")
        done = threading.Event()

        def tell():
            while not done.is_set():
                lines = session.news()
                if lines:
                    session.say(*lines)
                time.sleep(0.05)

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        try:
            line = session.read()
        finally:
            done.set()
            teller.join()
        self._step("done", session, tag, line, lambda: session.say(f"{tag} OK done"))
