libdewline_a_SOURCES += \
	src/store/advisories.c src/store/advisories.h \
	src/store/arrivals.c src/store/arrivals.h \
	src/store/audit.c src/store/audit.h \
	src/store/certificates.c src/store/certificates.h \
	src/store/deliveries.c src/store/delivery_row.h \
	src/store/groups.c \
	src/store/messages.c src/store/messages.h \
	src/store/migrate.c src/store/migrate.h \
	src/store/people.c src/store/people.h \
	src/store/queue.c \
	src/store/revisions.c \
	src/store/sql.c src/store/sql.h \
	src/store/state.c src/store/state.h \
	src/store/store.c src/store/store.h \
	src/store/value.c

# The schema as a C string.
nodist_libdewline_a_SOURCES = src/store/schema.c
CLEANFILES += src/store/schema.c
EXTRA_DIST += src/store/schema.sql
src/store/schema.c: src/store/schema.sql
	$(AM_V_GEN)$(MKDIR_P) src/store && \
	{ echo '#include "store/migrate.h"' && echo 'const char migrate_schema[] =' && \
	sed -e 's/[\\"]/\\&/g' -e 's/^/"/' -e 's/$$/\\n"/' $(srcdir)/src/store/schema.sql && \
	echo ';'; } >$@.tmp && mv $@.tmp $@

store_fixture = tests/unit/store_fixture.c tests/unit/store_fixture.h
unit_tests += test_store_deliveries
test_store_deliveries_SOURCES = tests/unit/test_store_deliveries.c $(store_fixture)
test_store_deliveries_LDADD = $(unit_libs)
unit_tests += test_store_queue
test_store_queue_SOURCES = tests/unit/test_store_queue.c $(store_fixture)
test_store_queue_LDADD = $(unit_libs)
