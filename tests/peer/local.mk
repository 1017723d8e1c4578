# Peers that tests, the demo and the benches talk to.
check_PROGRAMS += smarthost
smarthost_SOURCES = \
	tests/peer/smarthost.c tests/peer/smarthost.h \
	tests/peer/smarthost_script.c \
	tests/peer/smarthost_session.c \
	tests/peer/smarthost_smtp.c \
	tests/peer/smarthost_spool.c
smarthost_LDADD = libdewline.a $(GNUTLS_LIBS) $(NETTLE_LIBS)
smarthost_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests

# The daemon with a reader that is in its sender's hands; never installed.
check_PROGRAMS += dewlined-hostile
dewlined_hostile_SOURCES = src/dewlined/main.c tests/peer/hostile_reader.c
dewlined_hostile_CPPFLAGS = $(dewlined_CPPFLAGS) -Dreader_main=hostile_reader_main
