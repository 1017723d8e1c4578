# `make bench` measures what the design promises; BENCHES="seal courier" runs some of it (seal, courier, whole).
EXTRA_PROGRAMS = dewline_bench
dewline_bench_SOURCES = \
	tests/bench/bench.c tests/bench/bench.h \
	tests/bench/certificates.c tests/bench/certificates.h \
	tests/bench/child.c \
	tests/bench/courier.c \
	tests/bench/figure.c \
	tests/bench/gateway.c tests/bench/gateway.h \
	tests/bench/seal.c \
	tests/bench/whole.c
dewline_bench_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests

.PHONY: bench
bench: dewline_bench$(EXEEXT) smarthost$(EXEEXT) dewlined$(EXEEXT) dewctl$(EXEEXT)
	@./dewline_bench$(EXEEXT) $(BENCHES)

CLEANFILES += dewline_bench$(EXEEXT)
clean-local: clean-bench
.PHONY: clean-bench
clean-bench:
	rm -rf bench-cache
