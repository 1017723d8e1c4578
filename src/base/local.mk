libdewline_a_SOURCES += \
	src/base/buf.c src/base/buf.h \
	src/base/clock.c src/base/clock.h \
	src/base/digest.c src/base/digest.h \
	src/base/err.c src/base/err.h \
	src/base/file.c src/base/file.h \
	src/base/lock.c src/base/lock.h \
	src/base/log.c src/base/log.h \
	src/base/moment.c src/base/moment.h \
	src/base/text.c src/base/text.h \
	src/base/user.c src/base/user.h

unit_tests += test_base_buf test_base_file test_base_moment test_base_text
test_base_buf_SOURCES = tests/unit/test_base_buf.c
test_base_buf_LDADD = $(unit_libs)
test_base_file_SOURCES = tests/unit/test_base_file.c
test_base_file_LDADD = $(unit_libs)
test_base_moment_SOURCES = tests/unit/test_base_moment.c
test_base_moment_LDADD = $(unit_libs)
test_base_text_SOURCES = tests/unit/test_base_text.c
test_base_text_LDADD = $(unit_libs)
