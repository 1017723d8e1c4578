# The files of src/gate/
libdewline_a_SOURCES += \
	src/gate/account.c src/gate/account.h \
	src/gate/acknowledge.c src/gate/acknowledge.h \
	src/gate/ahead.c src/gate/ahead.h \
	src/gate/agree.c src/gate/agree.h \
	src/gate/ask.c src/gate/ask.h \
	src/gate/approve.c src/gate/approve.h \
	src/gate/bounce.c src/gate/bounce.h \
	src/gate/claim.c src/gate/claim.h \
	src/gate/clear.c src/gate/clear.h \
	src/gate/confine.c \
	src/gate/context.h \
	src/gate/entitle.c src/gate/entitle.h \
	src/gate/gate.c src/gate/gate.h \
	src/gate/hold.c \
	src/gate/inform.c src/gate/inform.h \
	src/gate/inform_reply.c \
	src/gate/issue.c src/gate/issue.h src/gate/issuing.h \
	src/gate/judge.c src/gate/judge.h \
	src/gate/keep.c src/gate/keep.h \
	src/gate/keylife.c src/gate/keylife.h \
	src/gate/keyupdate.c src/gate/keyupdate.h \
	src/gate/letters.c src/gate/letters.h \
	src/gate/letters_answer.c src/gate/letters_answer.h \
	src/gate/letters_clear.c src/gate/letters_clear.h \
	src/gate/letters_clock.c src/gate/letters_clock.h \
	src/gate/letters_inform.c src/gate/letters_inform.h \
	src/gate/letters_agreement.c src/gate/letters_agreement.h \
	src/gate/letters_parts.c src/gate/letters_parts.h \
	src/gate/letters_release.c src/gate/letters_release.h \
	src/gate/letters_key.c src/gate/letters_key.h \
	src/gate/letters_alarm.c src/gate/letters_alarm.h \
	src/gate/letters_mailbox.c src/gate/letters_mailbox.h \
	src/gate/letters_unsent.c src/gate/letters_unsent.h \
	src/gate/mailbox.c src/gate/mailbox.h \
	src/gate/onward.c src/gate/onward.h \
	src/gate/open.c src/gate/open.h \
	src/gate/outgoing.c src/gate/outgoing.h \
	src/gate/pace.c src/gate/pace.h \
	src/gate/people.c src/gate/people.h \
	src/gate/receive.c src/gate/receive.h \
	src/gate/stuck.c src/gate/stuck.h \
	src/gate/recipients.c src/gate/recipients.h \
	src/gate/refuse.c src/gate/refuse.h \
	src/gate/refusals.c src/gate/refusals.h \
	src/gate/release.c src/gate/release.h \
	src/gate/restored.c src/gate/restored.h \
	src/gate/rollback.c src/gate/rollback.h \
	src/gate/letters_restored.c src/gate/letters_restored.h \
	src/gate/request.c src/gate/request.h \
	src/gate/remind.c src/gate/remind.h \
	src/gate/schedule.c src/gate/schedule.h \
	src/gate/seal.c src/gate/seal.h \
	src/gate/send.c src/gate/send.h \
	src/gate/shard.c src/gate/shard.h \
	src/gate/stranger.c src/gate/stranger.h \
	src/gate/tell.c src/gate/tell.h \
	src/gate/unsent.c src/gate/unsent.h \
	src/gate/trace.c src/gate/trace.h \
	src/gate/tries.c src/gate/tries.h \
	src/gate/turns.c src/gate/turns.h \
	src/gate/uncounted.c src/gate/uncounted.h \
	src/gate/vitals.c src/gate/vitals.h \
	src/gate/warn.c src/gate/warn.h \
	src/gate/withdraw.c

unit_tests += test_gate_letters test_gate_letters_all
test_gate_letters_all_SOURCES = tests/unit/test_gate_letters_all.c
test_gate_letters_all_LDADD = $(unit_libs)
test_gate_letters_SOURCES = tests/unit/test_gate_letters.c
test_gate_letters_LDADD = $(unit_libs)
unit_tests += test_gate_seal
test_gate_seal_SOURCES = tests/unit/test_gate_seal.c tests/unit/gate_world.c \
	tests/unit/gate_world.h $(store_fixture)
test_gate_seal_LDADD = $(unit_libs)
unit_tests += test_gate_refusals
test_gate_refusals_SOURCES = tests/unit/test_gate_refusals.c
test_gate_refusals_LDADD = $(unit_libs)
unit_tests += test_gate_keylife
test_gate_keylife_SOURCES = tests/unit/test_gate_keylife.c
test_gate_keylife_LDADD = $(unit_libs)
unit_tests += test_gate_turns
test_gate_turns_SOURCES = tests/unit/test_gate_turns.c
test_gate_turns_LDADD = $(unit_libs)
