/* Certificates that GnuPG 2.4 made, as of 2025 and without expiry: Fay's names the encryption
 * subkey of Archive's as an additional decryption subkey; Olga's asks for OCB packets. */
#ifndef DEWLINE_TEST_PGP_FIXTURES_H
#define DEWLINE_TEST_PGP_FIXTURES_H

#define FAY_FINGERPRINT "67C7F97ED4BFD8446301B710205E17FD86D15136"
#define FAY_KEY_ID "1FCC3EC15FCB1C6B"
#define ARCHIVE_FINGERPRINT "4E0DCB8E3E2C4A71B1E9DE4804A4B257008C7B33"
#define ARCHIVE_KEY_ID "FC92DC0C86A0043F"

__attribute__((unused)) static const char fay_certificate[] =
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
    "\n"
    "mDMEZ3SFgBYJKwYBBAHaRw8BAQdAuqyRfOJQPTs3nurzB2O5eqg+9nYnDdGjr45x\n"
    "3gwOTrS0FUZheSA8ZmF5QGV4YW1wbGUubmV0PoiQBBMWCgA4FiEEZ8f5ftS/2ERj\n"
    "AbcQIF4X/YbRUTYFAmd0hYACGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQ\n"
    "IF4X/YbRUTadJgEA1Hh0fHhbZRiR27MseyrGFG0zHmYHC+S8iWh7Z54Wue8BAMm3\n"
    "j+OOqpbfayoguR2DKTbxI1zN02bDoC1Rt7xL4vIJuDgEZ3SFgBIKKwYBBAGXVQEF\n"
    "AQEHQHL1ltcH4cJl/49e30CGCBUmNZOD/5eBNhvNFDfObzR+AwEIB4h4BBgWCgAg\n"
    "FiEEZ8f5ftS/2ERjAbcQIF4X/YbRUTYFAmd0hYACGwwACgkQIF4X/YbRUTZikgD/\n"
    "XSwTeXYV/wLLGJXHIhXxAq9rxVNnCU2QOlfGS/WO4GkA/1vwPCpt9Nx59GQHT4ve\n"
    "aV5zaVpu6TOxLZ55wqL4PiwJuDgEZ3SFgBIKKwYBBAGXVQEFAQEHQHYAYutLuFBb\n"
    "5tVUHU+EqGDI2t+v/fFw938BgigU0gsIAwEIB4hvBBgWCgAhFiEEZ8f5ftS/2ERj\n"
    "AbcQIF4X/YbRUTYFAmd0hYADGwAEAADYHQD/U3poraSEmcuIbig95JOeexXKC9kf\n"
    "k/gIE99euHVJJz4BALn7xgVCzKQ7dFuQ9LgtRZyHKRw/LXHkJgOPqHrvwjAN\n"
    "=Xkt4\n"
    "-----END PGP PUBLIC KEY BLOCK-----\n";

__attribute__((unused)) static const char archive_certificate[] =
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
    "\n"
    "mDMEZ3SFgBYJKwYBBAHaRw8BAQdARbUOfh6Tuj77DtQGsOYs4amTGu//xWTqnPlp\n"
    "ANBrbkm0HUFyY2hpdmUgPGFyY2hpdmVAZXhhbXBsZS5uZXQ+iJAEExYKADgWIQRO\n"
    "DcuOPixKcbHp3kgEpLJXAIx7MwUCZ3SFgAIbAwULCQgHAgYVCgkICwIEFgIDAQIe\n"
    "AQIXgAAKCRAEpLJXAIx7M0msAQCaVsD5Ths+aTbFyhhE0wBVGooUZYhxhezyMZJ4\n"
    "/VbNAAEAl0U+g2myKvAHukY+Ux2hgFy3z2tVC6HBH9EdP0JSxA64OARndIWAEgor\n"
    "BgEEAZdVAQUBAQdAdgBi60u4UFvm1VQdT4SoYMja36/98XD3fwGCKBTSCwgDAQgH\n"
    "iHgEGBYKACAWIQRODcuOPixKcbHp3kgEpLJXAIx7MwUCZ3SFgAIbDAAKCRAEpLJX\n"
    "AIx7M9XHAP4tv64g/beZjjXrGna9TjYARJXOUix4cSPczAeDxPh6DwEAlub6xnH5\n"
    "9BOfREXm0vRcQyavg0HnZ1h9g58qb4r7OwA=\n"
    "=0b1j\n"
    "-----END PGP PUBLIC KEY BLOCK-----\n";

__attribute__((unused)) static const char olga_certificate[] =
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
    "\n"
    "mDMEZ3SFgBYJKwYBBAHaRw8BAQdAzpApsmFJFcdiQuX1F1gy5TRF4V+qYjSmm4RH\n"
    "oHCLAia0F09sZ2EgPG9sZ2FAZXhhbXBsZS5uZXQ+iJMEExYKADsWIQSKlpiCmiF0\n"
    "7KF24JMP99qsSATj4QUCZ3SFgAIbAwULCQgHAgIiAgYVCgkICwIEFgIDAQIeBwIX\n"
    "gAAKCRAP99qsSATj4Z1oAQDCi6rUaY4qzwBnGJ0R+Xtf1zU6jQ1Qnq705aHGHIGC\n"
    "EQD/c3CnibzS421X0+xttGVFEtKZPRn6JFnuKeRNl7cAygq4OARndIWAEgorBgEE\n"
    "AZdVAQUBAQdAYGrYv+75TmwzDe0G3rX4pgTCpwAtPMvquxFdolrK/FcDAQgHiHcE\n"
    "GBYKACAWIQSKlpiCmiF07KF24JMP99qsSATj4QUCZ3SFgAIbDAAKCRAP99qsSATj\n"
    "4TpSAP0duJe2LEbOqCYteeVkoyg1ncbbdxU0rOr6cejM19T7HQD2P552wxVXarNg\n"
    "/5hQIFhg8yh3+1j0vys5bE1SdjUTBg==\n"
    "=T3zN\n"
    "-----END PGP PUBLIC KEY BLOCK-----\n";

#endif
