bin_PROGRAMS += dewctl
dewctl_SOURCES = src/dewctl/main.c
dewctl_CPPFLAGS = $(AM_CPPFLAGS) -DSYSCONFDIR='"$(sysconfdir)"'

libdewline_a_SOURCES += \
	src/dewctl/ack.c \
	src/dewctl/admin.c \
	src/dewctl/advisory.c \
	src/dewctl/advisoryshow.c src/dewctl/advisoryshow.h \
	src/dewctl/advisorytrace.c src/dewctl/advisorytrace.h \
	src/dewctl/agreement.c \
	src/dewctl/agreementshow.c src/dewctl/agreementshow.h \
	src/dewctl/approval.c src/dewctl/approval.h \
	src/dewctl/audit.c \
	src/dewctl/backup.c \
	src/dewctl/bounce.c \
	src/dewctl/check.c \
	src/dewctl/contact.c \
	src/dewctl/ctl.c src/dewctl/ctl.h \
	src/dewctl/dewctl.c src/dewctl/dewctl.h \
	src/dewctl/evidence.c src/dewctl/evidence.h \
	src/dewctl/export.c src/dewctl/export.h \
	src/dewctl/find.c src/dewctl/find.h \
	src/dewctl/findings.c src/dewctl/findings.h \
	src/dewctl/findings_daemon.c src/dewctl/findings_looks.h \
	src/dewctl/findings_mail.c \
	src/dewctl/findings_state.c \
	src/dewctl/findings_work.c \
	src/dewctl/group.c \
	src/dewctl/help.c \
	src/dewctl/inbox.c \
	src/dewctl/init.c \
	src/dewctl/key.c \
	src/dewctl/keyadd.c src/dewctl/keyadd.h \
	src/dewctl/clock.c \
	src/dewctl/clocklook.c src/dewctl/clocklook.h \
	src/dewctl/material.c \
	src/dewctl/invite.c \
	src/dewctl/join.c \
	src/dewctl/keyaddresses.c src/dewctl/keyaddresses.h \
	src/dewctl/keyexport.c src/dewctl/keyexport.h \
	src/dewctl/keypassphrase.c src/dewctl/keypassphrase.h \
	src/dewctl/keypending.c src/dewctl/keypending.h \
	src/dewctl/keypreferences.c src/dewctl/keypreferences.h \
	src/dewctl/keyuse.c src/dewctl/keyuse.h \
	src/dewctl/member.c \
	src/dewctl/membernew.c src/dewctl/membernew.h \
	src/dewctl/options.c src/dewctl/options.h \
	src/dewctl/probe.c src/dewctl/probe.h \
	src/dewctl/passphrase.c src/dewctl/passphrase.h \
	src/dewctl/publisher.c \
	src/dewctl/queue.c \
	src/dewctl/reading.c src/dewctl/reading.h \
	src/dewctl/reports.c \
	src/dewctl/restore.c src/dewctl/restore.h \
	src/dewctl/reminder.c \
	src/dewctl/role.c src/dewctl/role.h \
	src/dewctl/stats.c \
	src/dewctl/stash.c src/dewctl/stash.h \
	src/dewctl/unread.c src/dewctl/unread.h \
	src/dewctl/verbs.h

dist_man_MANS += src/dewctl/dewctl.8

unit_tests += test_dewctl_options
test_dewctl_options_SOURCES = tests/unit/test_dewctl_options.c
test_dewctl_options_LDADD = $(unit_libs)

unit_tests += test_dewctl_commands
test_dewctl_commands_SOURCES = tests/unit/test_dewctl_commands.c tests/unit/dewctl_world.c \
	tests/unit/dewctl_world.h
test_dewctl_commands_LDADD = $(unit_libs)

unit_tests += test_dewctl_restore
test_dewctl_restore_SOURCES = tests/unit/test_dewctl_restore.c tests/unit/dewctl_world.c \
	tests/unit/dewctl_world.h
test_dewctl_restore_LDADD = $(unit_libs)

unit_tests += test_dewctl_check
test_dewctl_check_SOURCES = tests/unit/test_dewctl_check.c tests/unit/dewctl_world.c \
	tests/unit/dewctl_world.h $(courier_fixture)
test_dewctl_check_CPPFLAGS = $(test_courier_run_CPPFLAGS)
test_dewctl_check_LDADD = $(unit_libs)
EXTRA_test_dewctl_check_DEPENDENCIES = smarthost

unit_tests += test_dewctl_acks
test_dewctl_acks_SOURCES = tests/unit/test_dewctl_acks.c tests/unit/dewctl_world.c \
	tests/unit/dewctl_world.h
test_dewctl_acks_LDADD = $(unit_libs)
