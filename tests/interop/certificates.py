"""Throw-away certification authorities for tests, and the certificates that they sign."""
import subprocess
import time

from harness import now

KINDS = ("good", "other", "expired", "self-signed", "stranger")
DAY = 86400


def life():
    """Valid for the programs of a test, at whatever date they live, and today for the test itself."""
    bounds = ("activation", time.time() - DAY), ("expiration", now() + 10 * DAY)
    return [time.strftime(f'{name}_date = "%Y-%m-%d %H:%M:%S UTC"', time.gmtime(when))
            for name, when in bounds]


class Authority:
    """A CA of its own in a directory: ca.pem vouches for whatever issue() makes."""

    def __init__(self, t, name="ca"):
        t.needs("certtool")
        self.dir = t.dir / f"tls-{name}"
        self.dir.mkdir()
        self.ca = self.dir / "ca.pem"
        self._key("ca")
        self._sign("ca", ["--generate-self-signed"], "cn = Test authority", "ca",
                   "cert_signing_key", *life())

    def issue(self, name="server", host="localhost", expired=False, own_signature=False,
              address=None):
        """A server's certificate and its key, as two paths. address: it names this one, and no
        host."""
        valid = (['activation_date = "2020-01-01 00:00:00 UTC"',
                  'expiration_date = "2020-06-01 00:00:00 UTC"'] if expired
                 else life())
        signed = (["--generate-self-signed"] if own_signature else
                  ["--generate-certificate", "--load-ca-certificate", self.ca,
                   "--load-ca-privkey", self.dir / "ca.key"])
        self._key(name)
        return self._sign(name, signed, f"cn = {host}",
                          f"ip_address = {address}" if address else f"dns_name = {host}",
                          "tls_www_server",
                          "signing_key", *valid)

    def _key(self, name):
        self._certtool("--generate-privkey", "--key-type", "ecdsa",
                       "--outfile", self.dir / f"{name}.key")

    def _sign(self, name, how, *lines):
        template = self.dir / f"{name}.cfg"
        template.write_text("".join(f"{line}\n" for line in lines))
        paths = self.dir / f"{name}.pem", self.dir / f"{name}.key"
        self._certtool(*how, "--load-privkey", paths[1], "--template", template,
                       "--outfile", paths[0])
        return paths

    @staticmethod
    def _certtool(*arguments):
        subprocess.run(["certtool", *map(str, arguments)], check=True, capture_output=True)


def of_kind(t, authority, kind):
    """A server's certificate with what the kind says: (certificate, key), for localhost."""
    if kind == "stranger":  # in order, but of an authority that nobody here knows
        return Authority(t, "stranger").issue(kind)
    return authority.issue(kind, host="mail.example" if kind == "other" else "localhost",
                           expired=kind == "expired", own_signature=kind == "self-signed")
