libdewline_a_SOURCES += \
	src/pgp/admission.c src/pgp/admission.h \
	src/pgp/agent.c src/pgp/agent.h \
	src/pgp/armor.c src/pgp/armor.h \
	src/pgp/certificate.c src/pgp/certificate.h \
	src/pgp/cleartext.c src/pgp/cleartext.h \
	src/pgp/conf.c src/pgp/conf.h \
	src/pgp/engine.c src/pgp/engine.h \
	src/pgp/home.c src/pgp/home.h \
	src/pgp/keyring.c src/pgp/keyring.h \
	src/pgp/listing.c src/pgp/listing.h \
	src/pgp/open.c src/pgp/open.h \
	src/pgp/packet.c src/pgp/packet.h \
	src/pgp/seal.c src/pgp/seal.h \
	src/pgp/shape.c src/pgp/shape.h \
	src/pgp/stash.c \
	src/pgp/vault.c src/pgp/vault.h \
	src/pgp/verdict.c src/pgp/verdict.h
