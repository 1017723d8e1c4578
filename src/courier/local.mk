libdewline_a_SOURCES += \
	src/courier/armor.c src/courier/armor.h \
	src/courier/classify.c src/courier/classify.h \
	src/courier/codec.c src/courier/codec.h \
	src/courier/confine.c \
	src/courier/connection.c src/courier/connection.h \
	src/courier/courier.c src/courier/courier.h \
	src/courier/deposit.c src/courier/deposit.h \
	src/courier/dialogue.c src/courier/dialogue.h \
	src/courier/distrust.c src/courier/distrust.h \
	src/courier/greeting.c src/courier/greeting.h \
	src/courier/imap_link.c src/courier/imap_link.h \
	src/courier/imap_login.c src/courier/imap_login.h \
	src/courier/imap_mailbox.c src/courier/imap_mailbox.h \
	src/courier/imap_response.c src/courier/imap_response.h \
	src/courier/message.c src/courier/message.h \
	src/courier/password.c src/courier/password.h \
	src/courier/reply.c src/courier/reply.h \
	src/courier/socket.c src/courier/socket.h \
	src/courier/stream.c src/courier/stream.h \
	src/courier/tls.c src/courier/tls.h \
	src/courier/watch.c src/courier/watch.h

unit_tests += test_courier_greeting
test_courier_greeting_SOURCES = tests/unit/test_courier_greeting.c
test_courier_greeting_LDADD = $(unit_libs)
unit_tests += test_courier_armor test_courier_classify test_courier_codec
test_courier_armor_SOURCES = tests/unit/test_courier_armor.c
test_courier_armor_LDADD = $(unit_libs)
test_courier_classify_SOURCES = tests/unit/test_courier_classify.c
test_courier_classify_LDADD = $(unit_libs)
test_courier_codec_SOURCES = tests/unit/test_courier_codec.c
test_courier_codec_LDADD = $(unit_libs)
unit_tests += test_courier_names
test_courier_names_SOURCES = tests/unit/test_courier_names.c
test_courier_names_LDADD = $(unit_libs)

unit_tests += test_courier_imap
test_courier_imap_SOURCES = tests/unit/test_courier_imap.c
test_courier_imap_LDADD = $(unit_libs)

# These talk to the fake smarthost, tests/peer/.
courier_fixture = tests/unit/courier_fixture.c tests/unit/courier_fixture.h
unit_tests += test_courier_dialogue test_courier_matrix test_courier_run test_courier_tls
test_courier_matrix_SOURCES = tests/unit/test_courier_matrix.c $(courier_fixture)
test_courier_matrix_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
test_courier_matrix_LDADD = $(unit_libs)
EXTRA_test_courier_matrix_DEPENDENCIES = smarthost
test_courier_dialogue_SOURCES = tests/unit/test_courier_dialogue.c $(courier_fixture)
test_courier_dialogue_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
test_courier_dialogue_LDADD = $(unit_libs)
EXTRA_test_courier_dialogue_DEPENDENCIES = smarthost
test_courier_run_SOURCES = tests/unit/test_courier_run.c $(courier_fixture)
test_courier_run_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
test_courier_run_LDADD = $(unit_libs)
EXTRA_test_courier_run_DEPENDENCIES = smarthost
test_courier_tls_SOURCES = tests/unit/test_courier_tls.c $(courier_fixture)
test_courier_tls_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests
test_courier_tls_LDADD = $(unit_libs)
EXTRA_test_courier_tls_DEPENDENCIES = smarthost
