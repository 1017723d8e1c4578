# libFuzzer targets: one program a file, tests/fuzz/fuzz_TARGET.c, built with --enable-fuzzing and
# run by `make fuzz` (tests/fuzz/run says how). The seeds of TARGET are in tests/fuzz/seeds/TARGET/,
# words for it in tests/fuzz/words/TARGET where there are any.
EXTRA_DIST += tests/fuzz/run tests/fuzz/fuzz.h tests/fuzz/seeds tests/fuzz/words
fuzz_programs = \
	fuzz_outline \
	fuzz_content \
	fuzz_csaf \
	fuzz_dsn \
	fuzz_fields \
	fuzz_decode \
	fuzz_encode \
	fuzz_packets \
	fuzz_armor \
	fuzz_control \
	fuzz_reply \
	fuzz_trace \
	fuzz_frames \
	fuzz_answers \
	fuzz_smtp \
	fuzz_imap \
	fuzz_config
fuzz_link = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
fuzz_outline_SOURCES = tests/fuzz/fuzz_outline.c
fuzz_outline_LDFLAGS = $(fuzz_link)
fuzz_content_SOURCES = tests/fuzz/fuzz_content.c
fuzz_content_LDFLAGS = $(fuzz_link)
fuzz_csaf_SOURCES = tests/fuzz/fuzz_csaf.c
fuzz_csaf_LDFLAGS = $(fuzz_link)
fuzz_dsn_SOURCES = tests/fuzz/fuzz_dsn.c
fuzz_dsn_LDFLAGS = $(fuzz_link)
fuzz_fields_SOURCES = tests/fuzz/fuzz_fields.c
fuzz_fields_LDFLAGS = $(fuzz_link)
fuzz_decode_SOURCES = tests/fuzz/fuzz_decode.c
fuzz_decode_LDFLAGS = $(fuzz_link)
fuzz_encode_SOURCES = tests/fuzz/fuzz_encode.c
fuzz_encode_LDFLAGS = $(fuzz_link)
fuzz_packets_SOURCES = tests/fuzz/fuzz_packets.c
fuzz_packets_LDFLAGS = $(fuzz_link)
fuzz_armor_SOURCES = tests/fuzz/fuzz_armor.c
fuzz_armor_LDFLAGS = $(fuzz_link)
fuzz_control_SOURCES = tests/fuzz/fuzz_control.c
fuzz_control_LDFLAGS = $(fuzz_link)
fuzz_reply_SOURCES = tests/fuzz/fuzz_reply.c
fuzz_reply_LDFLAGS = $(fuzz_link)
fuzz_trace_SOURCES = tests/fuzz/fuzz_trace.c
fuzz_trace_LDFLAGS = $(fuzz_link)
fuzz_frames_SOURCES = tests/fuzz/fuzz_frames.c
fuzz_frames_LDFLAGS = $(fuzz_link)
fuzz_answers_SOURCES = tests/fuzz/fuzz_answers.c
fuzz_answers_LDFLAGS = $(fuzz_link)
fuzz_smtp_SOURCES = tests/fuzz/fuzz_smtp.c
fuzz_smtp_LDFLAGS = $(fuzz_link) \
	-Wl,--wrap=socket_open,--wrap=stream_start_tls,--wrap=stream_is_encrypted,--wrap=tls_trust_new,--wrap=secret_read
fuzz_imap_SOURCES = tests/fuzz/fuzz_imap.c
fuzz_imap_LDFLAGS = $(fuzz_link) \
	-Wl,--wrap=socket_open,--wrap=stream_start_tls,--wrap=tls_trust_new,--wrap=secret_read,--wrap=deposit,--wrap=deposit_sync,--wrap=deposit_clean,--wrap=pool_reply
fuzz_config_SOURCES = tests/fuzz/fuzz_config.c
fuzz_config_LDFLAGS = $(fuzz_link)

if FUZZING
noinst_PROGRAMS += $(fuzz_programs)
fuzz_needs = $(fuzz_programs)
else
fuzz_needs = no-fuzzing
endif

.PHONY: fuzz no-fuzzing
fuzz: $(fuzz_needs)
	$(srcdir)/tests/fuzz/run --build .
no-fuzzing:
	@echo "configure with --enable-fuzzing CC=clang first" >&2; exit 1
