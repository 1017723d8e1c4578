# The files of src/rules/
dist_man_MANS += src/rules/dewline.7

libdewline_a_SOURCES += \
	src/rules/advisory.c src/rules/advisory.h \
	src/rules/agreement.c src/rules/agreement.h \
	src/rules/alike.c src/rules/alike.h \
	src/rules/audience.c src/rules/audience.h \
	src/rules/block.c src/rules/block.h \
	src/rules/bounced.c src/rules/bounced.h \
	src/rules/control.c src/rules/control.h \
	src/rules/inform.c src/rules/inform.h \
	src/rules/intake.c src/rules/intake.h \
	src/rules/keyfate.c src/rules/keyfate.h \
	src/rules/keylife.c src/rules/keylife.h \
	src/rules/join.c src/rules/join.h \
	src/rules/figures.c src/rules/figures.h \
	src/rules/pace.c src/rules/pace.h \
	src/rules/quoting.c src/rules/quoting.h \
	src/rules/reach.c src/rules/reach.h \
	src/rules/release.c src/rules/release.h \
	src/rules/refusal.c src/rules/refusal.h \
	src/rules/remind.c src/rules/remind.h \
	src/rules/reply.c src/rules/reply.h \
	src/rules/retry.c src/rules/retry.h \
	src/rules/signature.c src/rules/signature.h \
	src/rules/status.c src/rules/status.h \
	src/rules/tlp.c src/rules/tlp.h \
	src/rules/trace.c src/rules/trace.h \
	src/rules/tries.c src/rules/tries.h \
	src/rules/uncounted.c src/rules/uncounted.h \
	src/rules/witness.c src/rules/witness.h

unit_tests += test_rules_advisory
test_rules_advisory_SOURCES = tests/unit/test_rules_advisory.c
test_rules_advisory_LDADD = $(unit_libs)

unit_tests += test_rules_agreement
test_rules_agreement_SOURCES = tests/unit/test_rules_agreement.c
test_rules_agreement_LDADD = $(unit_libs)

unit_tests += test_rules_alike
test_rules_alike_SOURCES = tests/unit/test_rules_alike.c
test_rules_alike_LDADD = $(unit_libs)

unit_tests += test_rules_audience
test_rules_audience_SOURCES = tests/unit/test_rules_audience.c
test_rules_audience_LDADD = $(unit_libs)

unit_tests += test_rules_control
test_rules_control_SOURCES = tests/unit/test_rules_control.c
test_rules_control_LDADD = $(unit_libs)

unit_tests += test_rules_inform
test_rules_inform_SOURCES = tests/unit/test_rules_inform.c
test_rules_inform_LDADD = $(unit_libs)

unit_tests += test_rules_trace
test_rules_trace_SOURCES = tests/unit/test_rules_trace.c
test_rules_trace_LDADD = $(unit_libs)
unit_tests += test_rules_join
test_rules_join_SOURCES = tests/unit/test_rules_join.c
test_rules_join_LDADD = $(unit_libs)
unit_tests += test_rules_figures
test_rules_figures_SOURCES = tests/unit/test_rules_figures.c
test_rules_figures_LDADD = $(unit_libs)

unit_tests += test_rules_reach
test_rules_reach_SOURCES = tests/unit/test_rules_reach.c
test_rules_reach_LDADD = $(unit_libs)

unit_tests += test_rules_release
test_rules_release_SOURCES = tests/unit/test_rules_release.c
test_rules_release_LDADD = $(unit_libs)

unit_tests += test_rules_intake
test_rules_intake_SOURCES = tests/unit/test_rules_intake.c
test_rules_intake_LDADD = $(unit_libs)

unit_tests += test_rules_reply
test_rules_reply_SOURCES = tests/unit/test_rules_reply.c
test_rules_reply_LDADD = $(unit_libs)

unit_tests += test_rules_pace
test_rules_pace_SOURCES = tests/unit/test_rules_pace.c
test_rules_pace_LDADD = $(unit_libs)
unit_tests += test_rules_witness
test_rules_witness_SOURCES = tests/unit/test_rules_witness.c
test_rules_witness_LDADD = $(unit_libs)
unit_tests += test_rules_retry
test_rules_retry_SOURCES = tests/unit/test_rules_retry.c
test_rules_retry_LDADD = $(unit_libs)

unit_tests += test_rules_tries
test_rules_tries_SOURCES = tests/unit/test_rules_tries.c
test_rules_tries_LDADD = $(unit_libs)

unit_tests += test_rules_signature
test_rules_signature_SOURCES = tests/unit/test_rules_signature.c
test_rules_signature_LDADD = $(unit_libs)

unit_tests += test_rules_tlp
test_rules_tlp_SOURCES = tests/unit/test_rules_tlp.c
test_rules_tlp_LDADD = $(unit_libs)

unit_tests += test_rules_keyfate
test_rules_keyfate_SOURCES = tests/unit/test_rules_keyfate.c
test_rules_keyfate_LDADD = $(unit_libs)
unit_tests += test_rules_keylife
test_rules_keylife_SOURCES = tests/unit/test_rules_keylife.c
test_rules_keylife_LDADD = $(unit_libs)

unit_tests += test_rules_remind
test_rules_remind_SOURCES = tests/unit/test_rules_remind.c
test_rules_remind_LDADD = $(unit_libs)

unit_tests += test_rules_bounced
test_rules_bounced_SOURCES = tests/unit/test_rules_bounced.c
test_rules_bounced_LDADD = $(unit_libs)
