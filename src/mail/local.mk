# The files of src/mail/
libdewline_a_SOURCES += \
	src/mail/armor.c src/mail/armor.h \
	src/mail/charset.c src/mail/charset.h \
	src/mail/compose.c src/mail/compose.h \
	src/mail/confine.c \
	src/mail/content.c \
	src/mail/csaf.c src/mail/csaf.h \
	src/mail/csaf_text.c src/mail/csaf_text.h \
	src/mail/decode.c src/mail/decode.h \
	src/mail/dsn.c src/mail/dsn.h \
	src/mail/encode.c src/mail/encode.h \
	src/mail/entity.h \
	src/mail/exposed.c src/mail/exposed.h \
	src/mail/field.c src/mail/field.h \
	src/mail/html.c src/mail/html.h \
	src/mail/limits.c src/mail/limits.h \
	src/mail/notice.c src/mail/notice.h \
	src/mail/paragraph.c src/mail/paragraph.h \
	src/mail/part.c src/mail/part.h \
	src/mail/reader.c src/mail/reader.h \
	src/mail/returned.c src/mail/returned.h \
	src/mail/shape.c src/mail/shape.h \
	src/mail/token.c src/mail/token.h \
	src/mail/tree.c src/mail/tree.h \
	src/mail/word.c src/mail/word.h

EXTRA_DIST += tests/unit/mail_reading.h tests/unit/bounces.expected
unit_tests += test_mail_dsn
test_mail_dsn_SOURCES = tests/unit/test_mail_dsn.c
test_mail_dsn_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_SRCDIR='"$(abs_srcdir)"'
test_mail_dsn_LDADD = $(unit_libs)
unit_tests += test_mail_word
test_mail_word_SOURCES = tests/unit/test_mail_word.c
test_mail_word_LDADD = $(unit_libs)
unit_tests += test_mail_limits test_mail_shape test_mail_content test_mail_csaf test_mail_compose \
	test_mail_reader test_mail_corpus
test_mail_limits_SOURCES = tests/unit/test_mail_limits.c
test_mail_limits_LDADD = $(unit_libs)
test_mail_shape_SOURCES = tests/unit/test_mail_shape.c
test_mail_shape_LDADD = $(unit_libs)
test_mail_content_SOURCES = tests/unit/test_mail_content.c
test_mail_content_LDADD = $(unit_libs)
test_mail_csaf_SOURCES = tests/unit/test_mail_csaf.c
test_mail_csaf_LDADD = $(unit_libs)
test_mail_compose_SOURCES = tests/unit/test_mail_compose.c
test_mail_compose_LDADD = $(unit_libs)
test_mail_reader_SOURCES = tests/unit/test_mail_reader.c
test_mail_reader_LDADD = $(unit_libs)
test_mail_corpus_SOURCES = tests/unit/test_mail_corpus.c
test_mail_corpus_LDADD = $(unit_libs)
unit_tests += test_mail_bombs
test_mail_bombs_SOURCES = tests/unit/test_mail_bombs.c tests/unit/mail_reading.h
test_mail_bombs_LDADD = $(unit_libs)
