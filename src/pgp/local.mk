libdewline_a_SOURCES += \
	src/pgp/additional.c src/pgp/additional.h \
	src/pgp/admission.c src/pgp/admission.h \
	src/pgp/agent.c src/pgp/agent.h \
	src/pgp/armor.c src/pgp/armor.h \
	src/pgp/certificate.c src/pgp/certificate.h \
	src/pgp/cleartext.c src/pgp/cleartext.h \
	src/pgp/confine.c \
	src/pgp/conf.c src/pgp/conf.h \
	src/pgp/distribute.c src/pgp/distribute.h \
	src/pgp/engine.c src/pgp/engine.h \
	src/pgp/fault.c src/pgp/fault.h \
	src/pgp/home.c src/pgp/home.h \
	src/pgp/keyfile.c src/pgp/keyfile.h \
	src/pgp/identity.c src/pgp/identity.h \
	src/pgp/keyring.c src/pgp/keyring.h \
	src/pgp/listing.c src/pgp/listing.h \
	src/pgp/lone.c src/pgp/lone.h \
	src/pgp/open.c src/pgp/open.h \
	src/pgp/packet.c src/pgp/packet.h \
	src/pgp/passphrase.c src/pgp/passphrase.h \
	src/pgp/place.c src/pgp/place.h \
	src/pgp/preferences.c src/pgp/preferences.h \
	src/pgp/rekey.c src/pgp/rekey.h \
	src/pgp/renew.c src/pgp/renew.h \
	src/pgp/scratch.c src/pgp/scratch.h \
	src/pgp/seal.c src/pgp/seal.h \
	src/pgp/sign.c src/pgp/sign.h \
	src/pgp/entry.c src/pgp/entry.h \
	src/pgp/explain.c src/pgp/explain.h \
	src/pgp/feed.c src/pgp/feed.h \
	src/pgp/framing.c src/pgp/framing.h \
	src/pgp/merge.c src/pgp/merge.h \
	src/pgp/sigpacket.c src/pgp/sigpacket.h \
	src/pgp/stranger.c src/pgp/stranger.h \
	src/pgp/stash.c \
	src/pgp/vault.c src/pgp/vault.h \
	src/pgp/verdict.c src/pgp/verdict.h

unit_tests += test_pgp_fault test_pgp_packet test_pgp_seal
test_pgp_fault_SOURCES = tests/unit/test_pgp_fault.c
test_pgp_fault_LDADD = $(unit_libs)
test_pgp_packet_SOURCES = tests/unit/test_pgp_packet.c
test_pgp_packet_LDADD = $(unit_libs)
test_pgp_seal_SOURCES = tests/unit/test_pgp_seal.c tests/unit/pgp_fixtures.h tests/unit/pgp_world.h
test_pgp_seal_LDADD = $(unit_libs)
unit_tests += test_pgp_distribute
test_pgp_distribute_SOURCES = tests/unit/test_pgp_distribute.c
test_pgp_distribute_LDADD = $(unit_libs)
unit_tests += test_pgp_place
test_pgp_place_SOURCES = tests/unit/test_pgp_place.c tests/unit/pgp_world.h
test_pgp_place_LDADD = $(unit_libs)
unit_tests += test_pgp_open
test_pgp_open_SOURCES = tests/unit/test_pgp_open.c tests/unit/pgp_world.h
test_pgp_open_LDADD = $(unit_libs)
unit_tests += test_pgp_merge
test_pgp_merge_SOURCES = tests/unit/test_pgp_merge.c tests/unit/pgp_world.h
test_pgp_merge_LDADD = $(unit_libs)
unit_tests += test_pgp_certificate
test_pgp_certificate_SOURCES = tests/unit/test_pgp_certificate.c tests/unit/pgp_world.h
test_pgp_certificate_LDADD = $(unit_libs)
unit_tests += test_pgp_home test_pgp_vault
test_pgp_home_SOURCES = tests/unit/test_pgp_home.c tests/unit/pgp_fixtures.h tests/unit/pgp_world.h
test_pgp_home_LDADD = $(unit_libs)
test_pgp_vault_SOURCES = tests/unit/test_pgp_vault.c tests/unit/pgp_world.h tests/unit/other_clock.h
test_pgp_vault_LDADD = $(unit_libs)
