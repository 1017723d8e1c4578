libdewline_a_SOURCES += \
	src/store/advisories.c src/store/advisories.h \
	src/store/agreements.c src/store/agreements.h \
	src/store/arrivals.c src/store/arrivals.h \
	src/store/audit.c src/store/audit.h \
	src/store/backlog.c src/store/backlog.h \
	src/store/bounces.c src/store/bounces.h \
	src/store/certificates.c src/store/certificates.h \
	src/store/compare.c src/store/compare.h \
	src/store/clear.c src/store/clear.h \
	src/store/copies.c src/store/copies.h \
	src/store/deliveries.c src/store/delivery_row.h \
	src/store/epoch.c src/store/epoch.h \
	src/store/former.c src/store/former.h \
	src/store/groups.c \
	src/store/inform.c src/store/inform.h \
	src/store/holds.c src/store/holds.h \
	src/store/joins.c \
	src/store/approvals.c src/store/approvals.h \
	src/store/keylife.c src/store/keylife.h \
	src/store/lines.c src/store/lines.h \
	src/store/lost.c src/store/lost.h \
	src/store/mailbox.c src/store/mailbox.h \
	src/store/mark.c src/store/mark.h \
	src/store/messages.c src/store/messages.h \
	src/store/migrate.c src/store/migrate.h \
	src/store/outcomes.c src/store/outcomes.h \
	src/store/pace.c src/store/pace.h \
	src/store/people.c src/store/people.h \
	src/store/queue.c \
	src/store/reminders.c src/store/reminders.h \
	src/store/room.c src/store/room.h \
	src/store/revisions.c \
	src/store/sql.c src/store/sql.h \
	src/store/state.c src/store/state.h \
	src/store/stuck.c src/store/stuck.h \
	src/store/stats.c src/store/stats.h \
	src/store/store.c src/store/store.h \
	src/store/uncounted.c src/store/uncounted.h \
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
unit_tests += test_store_advisories
test_store_advisories_SOURCES = tests/unit/test_store_advisories.c $(store_fixture)
test_store_advisories_LDADD = $(unit_libs)
unit_tests += test_store_arrivals
test_store_arrivals_SOURCES = tests/unit/test_store_arrivals.c $(store_fixture)
test_store_arrivals_LDADD = $(unit_libs)
unit_tests += test_store_audit
test_store_audit_SOURCES = tests/unit/test_store_audit.c $(store_fixture)
test_store_audit_LDADD = $(unit_libs)
unit_tests += test_store_certificates
test_store_certificates_SOURCES = tests/unit/test_store_certificates.c $(store_fixture)
test_store_certificates_LDADD = $(unit_libs)
unit_tests += test_store_deliveries
test_store_deliveries_SOURCES = tests/unit/test_store_deliveries.c $(store_fixture)
test_store_deliveries_LDADD = $(unit_libs)
unit_tests += test_store_epoch
test_store_epoch_SOURCES = tests/unit/test_store_epoch.c $(store_fixture)
test_store_epoch_LDADD = $(unit_libs)
unit_tests += test_store_file
test_store_file_SOURCES = tests/unit/test_store_file.c $(store_fixture)
test_store_file_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_SRCDIR='"$(abs_srcdir)"'
test_store_file_LDADD = $(unit_libs)
EXTRA_DIST += tests/unit/store_version_1.sql tests/unit/store_version_2.sql
unit_tests += test_store_holds
test_store_holds_SOURCES = tests/unit/test_store_holds.c $(store_fixture)
test_store_holds_LDADD = $(unit_libs)
unit_tests += test_store_people
test_store_people_SOURCES = tests/unit/test_store_people.c $(store_fixture)
test_store_people_LDADD = $(unit_libs)
unit_tests += test_store_outcomes test_store_plans
test_store_outcomes_SOURCES = tests/unit/test_store_outcomes.c $(store_fixture)
test_store_outcomes_LDADD = $(unit_libs)
test_store_plans_SOURCES = tests/unit/test_store_plans.c $(store_fixture)
test_store_plans_LDADD = $(unit_libs)
unit_tests += test_store_queue
test_store_queue_SOURCES = tests/unit/test_store_queue.c $(store_fixture)
test_store_queue_LDADD = $(unit_libs)
unit_tests += test_store_state
test_store_state_SOURCES = tests/unit/test_store_state.c
test_store_state_LDADD = $(unit_libs)
unit_tests += test_store_keylife
test_store_keylife_SOURCES = tests/unit/test_store_keylife.c $(store_fixture)
test_store_keylife_LDADD = $(unit_libs)
