"""The fixtures for tests with a real Dovecot hold what they promise."""
import imaplib
import ssl

from dovecot import Dovecot

MAIL = b"From: a@example.org\r\nSubject: hello\r\n\r\nOne line\r\n"


def test_dovecot_serves_what_was_delivered(t):
    dovecot = Dovecot(t, {"dewline": "secret", "official": "other"})
    dovecot.deliver("official", MAIL)
    assert dovecot.messages("official") == [MAIL]
    assert dovecot.messages("dewline") == []
    dovecot.restart()
    assert dovecot.messages("official") == [MAIL]


def test_dovecot_offers_starttls(t):
    dovecot = Dovecot(t, {"dewline": "secret"})
    plain = imaplib.IMAP4("localhost", dovecot.port)
    assert "STARTTLS" in plain.capabilities, plain.capabilities
    plain.starttls(ssl.create_default_context(cafile=dovecot.authority.ca))
    plain.login("dewline", "secret")
    plain.logout()
