# Loaded into the programs that tests/sweep/run runs: no part of them, and never installed.
check_DATA = fault.so
CLEANFILES += fault.so
fault.so: tests/sweep/fault.c
	$(AM_V_CC)$(CC) -std=gnu17 -Wall -Wextra -O2 -fPIC -shared -U_FORTIFY_SOURCE -o $@ \
	    $(srcdir)/tests/sweep/fault.c

# One fault at every step of every way: tests/sweep/run says how. With the same seed and the same
# results it goes on where it ended.
SWEEP_MINUTES = 60
SWEEP_SEED =
.PHONY: sweep
sweep: all smarthost$(EXEEXT) fault.so
	$(srcdir)/tests/sweep/run --build . --minutes $(SWEEP_MINUTES) \
	    $(if $(SWEEP_SEED),--seed $(SWEEP_SEED))
