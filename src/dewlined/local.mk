# The files of src/dewlined/
libdewline_a_SOURCES += \
	src/dewlined/confine.c \
	src/dewlined/key.c src/dewlined/key.h \
	src/dewlined/notify.c src/dewlined/notify.h \
	src/dewlined/ready.c src/dewlined/ready.h \
	src/dewlined/state.c src/dewlined/state.h \
	src/dewlined/supervise.c src/dewlined/supervise.h

sbin_PROGRAMS += dewlined
dewlined_SOURCES = src/dewlined/main.c
dewlined_CPPFLAGS = $(AM_CPPFLAGS) -DSYSCONFDIR='"$(sysconfdir)"'
dist_man_MANS += src/dewlined/dewlined.8
EXTRA_DIST += conf/dewlined.service conf/dewline-courier.socket conf/dewline-courier@.service

unit_tests += test_dewlined_ready test_dewlined_state test_dewlined_supervise
if SANDBOXED
unit_tests += test_dewlined_confine
endif
test_dewlined_confine_SOURCES = tests/unit/test_dewlined_confine.c tests/unit/other_clock.h
test_dewlined_confine_LDADD = $(unit_libs)
test_dewlined_ready_SOURCES = tests/unit/test_dewlined_ready.c
test_dewlined_ready_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_SRCDIR='"$(abs_srcdir)"'
test_dewlined_ready_LDADD = $(unit_libs)
test_dewlined_state_SOURCES = tests/unit/test_dewlined_state.c
test_dewlined_state_LDADD = $(unit_libs)
test_dewlined_supervise_SOURCES = tests/unit/test_dewlined_supervise.c
test_dewlined_supervise_LDADD = $(unit_libs)
