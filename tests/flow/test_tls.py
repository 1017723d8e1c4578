"""TLS towards the smarthost: what is wrong ends the attempt before AUTH and MAIL, and an admin reads
in the queue, in the log and from `dewctl check --smarthost` what it was."""
from certificates import Authority, of_kind
from harness import cases, eventually, limit, sanitized
from scene import Scene
from test_smarthost import delivery, in_state
from tlsserver import HANDSHAKE, TlsServer

# What the server does: its options, the gateway's, and words that must be said. There are more in
# unit/courier_matrix.
FAULTS = {
    "other": ({}, {}, "it is for another name (it names mail.example, expected localhost)"),
    "stripped": ({"starttls": "stripped", "auth": "clear"}, {}, "does not offer STARTTLS"),
    "injected late": ({"starttls": "late inject"}, {}, "plain text"),
    "plain": ({}, {"tls": "tls"}, "it answered in plain text"),
    "auth in the clear": ({"auth": "clear"}, {}, "within TLS the server offers neither"),
}


def secured(t, authority, certificate, server=None, **settings):
    password = t.dir / "password"
    password.write_text("secret words\n")
    password.chmod(0o600)
    server = TlsServer(t, certificate, login="dewline\0secret words", **(server or {}))
    return Scene(t, 1, server, smarthost_settings={
        "host": "localhost", "tls": "starttls", "ca_file": authority.ca, "user": "dewline",
        "password_file": password, **settings}, retry={"first": "10m", "most": "10m"})


def connection(scene):
    """The finding of `dewctl check --smarthost`."""
    found = scene.gateway.rows("check", "--smarthost", may_fail=True)
    return next(row for row in found["findings"] if row["what"] == "connection")


def said_of(scene, words):
    """Asserts: what went wrong is told wherever an admin looks."""
    row = in_state(scene, "deferred")
    assert words in row["reason"], row
    assert words in scene.gateway.text_of_log()
    assert words in scene.gateway.ctl("queue", "list")
    finding = connection(scene)
    assert finding["result"] == "bad" and words in finding["detail"], finding
    assert scene.gateway.code == 1


@cases(*FAULTS)
def test_server_that_is_not_to_be_trusted_hears_neither_password_nor_mail(t, case):
    options, settings, words = FAULTS[case]
    authority = Authority(t)
    certificate = of_kind(t, authority, case) if case == "other" else authority.issue()
    scene = secured(t, authority, certificate, options, **settings)
    scene.release()
    said_of(scene, words)
    heard = scene.smarthost.heard
    if case == "plain":  # a handshake, and nothing that is no part of one
        assert heard[0][1].startswith(HANDSHAKE)
        assert not any(scene.smarthost.words(verb) for verb in ("EHLO", "AUTH", "MAIL")), heard
    else:
        verbs = {line.split(b" ")[0].upper() for _, line in heard}
        assert verbs <= {b"EHLO", b"STARTTLS", b"QUIT"}, heard
    assert scene.smarthost.mails == []
    assert "secret words" not in scene.gateway.text_of_log()


@cases("localhost", "127.0.0.1")
@sanitized
def test_server_to_be_trusted_hears_all_within_tls(t, host):
    authority = Authority(t)
    certificate = authority.issue(address=None if host == "localhost" else host)
    scene = secured(t, authority, certificate, host=host)
    finding = connection(scene)
    assert finding["result"] == "ok" and scene.gateway.code == 0, finding
    for word in ("TLS1.3", "certificate valid until 20", "logged in as dewline", "1000000 bytes"):
        assert word in finding["detail"], finding
    assert scene.smarthost.words("RCPT") and scene.smarthost.words("RSET")
    assert scene.smarthost.words("DATA") == [], "a mail was sent to try"
    scene.release()
    in_state(scene, "sent")
    clear = [line.split(b" ")[0] for within, line in scene.smarthost.heard if not within]
    assert set(clear) == {b"EHLO", b"STARTTLS"}, clear
    assert scene.official.open(scene.smarthost.mails[0]).good


@limit(180)
def test_wrong_password_is_found_before_the_emergency(t):
    authority = Authority(t)
    scene = secured(t, authority, authority.issue())
    (t.dir / "password").write_text("wrong\n")
    finding = connection(scene)
    assert finding["result"] == "bad" and "AUTH: 535 5.7.8 no" in finding["detail"], finding
    assert "wrong" not in finding["detail"]


@cases("missing", "a directory", "empty")
def test_ca_file_that_cannot_be_read_is_named(t, case):
    authority = Authority(t)
    certificate = authority.issue()
    place = t.dir / "ca-certificates"
    if case == "a directory":
        place.mkdir()
    elif case == "empty":
        place.write_text("")
    scene = secured(t, authority, certificate, ca_file=place)
    scene.release()
    said_of(scene, f"no CA certificate in {place}")
    assert scene.smarthost.heard == []


def test_nobody_there_is_told_too(t):
    authority = Authority(t)
    scene = secured(t, authority, authority.issue())
    scene.smarthost.stop()
    finding = connection(scene)
    assert finding["result"] == "bad", finding
    assert f"port {scene.smarthost.port}: Connection refused" in finding["detail"], finding
    scene.release()
    eventually(lambda: "Connection refused" in delivery(scene)["reason"], "the reason")
