# Unit tests (cmocka): one program a file, tests/unit/test_ROOM_WHAT.c, listed by the room it tests:
#     unit_tests += test_store_audit
#     test_store_audit_SOURCES = tests/unit/test_store_audit.c
#     test_store_audit_LDADD = $(unit_libs)
EXTRA_DIST += tests/unit/patience.h
unit_libs = $(LDADD) $(CMOCKA_LIBS)
if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
endif

# Changed acknowledgments, as many as you like: `make property PROPERTY_TRIES=100000`.
PROPERTY_TRIES = 100000
.PHONY: property
property: all smarthost
	PROPERTY_TRIES=$(PROPERTY_TRIES) PROPERTY_SEED=$(PROPERTY_SEED) \
	    $(srcdir)/tests/run --build . --jobs 1 flow/property

# The unit and flow tests at other dates: hours.
FUTURE_DATES = +1d +1m +1y +2y +10y 2028-02-29
.PHONY: check-future
check-future: all $(check_PROGRAMS) $(noinst_PROGRAMS)
	@bad=; for date in $(FUTURE_DATES); do \
	    echo "at $$date:"; \
	    $(srcdir)/tests/run --build . --at $$date || bad="$$bad $$date"; \
	done; test -z "$$bad" || { echo "failed at$$bad"; exit 1; }

include $(srcdir)/tests/peer/local.mk
include $(srcdir)/tests/bench/local.mk
include $(srcdir)/tests/fuzz/local.mk
include $(srcdir)/tests/sweep/local.mk

# Ten thousand bad mails and a hundred good ones, on a whole gateway: some minutes.
FLOOD = 10000
.PHONY: flood
flood: all smarthost$(EXEEXT)
	DEWLINE_FLOOD=$(FLOOD) $(srcdir)/tests/run --build . --jobs 1 flow/flood

# Both commands in a clean root of a Debian release, as root: tests/debian says how.
.PHONY: check-debian12 check-debian13
check-debian12:
	$(srcdir)/tests/debian bookworm
check-debian13:
	$(srcdir)/tests/debian trixie

# An advisory to all of Debian's keyring, and a crowd of officials under many kills: minutes each.
CROWD = 300
KILLS = 10
.PHONY: keyring kills
keyring: all smarthost$(EXEEXT)
	DEWLINE_KEYRING=all $(srcdir)/tests/run --build . --jobs 1 flow/keyring
kills: all smarthost$(EXEEXT)
	DEWLINE_CROWD=$(CROWD) DEWLINE_KILLS=$(KILLS) \
	    $(srcdir)/tests/run --build . --jobs 1 flow/kill/killed_at_random

# A whole gateway at work for as long as you like: `make soak SOAK_MINUTES=60`; as root, full disks too.
SOAK_MINUTES = 10
SOAK_OFFICIALS = 300
.PHONY: soak
soak: all smarthost$(EXEEXT)
	$(srcdir)/tests/soak/run --build . --minutes $(SOAK_MINUTES) --officials $(SOAK_OFFICIALS) \
	    $${SOAK_SEED:+--seed $$SOAK_SEED}

# The power of a gateway's disk cut at each flush: takes root, /dev/fuse and loop devices.
POWERCUT_MINUTES = 30
.PHONY: powercut
powercut: all smarthost$(EXEEXT)
	$(srcdir)/tests/soak/powercut --build . --minutes $(POWERCUT_MINUTES) \
	    $${POWERCUT_SEED:+--seed $$POWERCUT_SEED}
