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

# The schema as a C string. Named as a prerequisite of its one reader too, so that a single test program
# can be built in a fresh tree.
BUILT_SOURCES += src/store/schema.inc
CLEANFILES += src/store/schema.inc
EXTRA_DIST += src/store/schema.sql
src/store/schema.inc: src/store/schema.sql
	$(AM_V_GEN)$(MKDIR_P) src/store && \
	sed -e 's/[\\"]/\\&/g' -e 's/^/"/' -e 's/$$/\\n"/' $(srcdir)/src/store/schema.sql >$@.tmp && \
	mv $@.tmp $@
src/store/migrate.$(OBJEXT): src/store/schema.inc
