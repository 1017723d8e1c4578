/* A fresh store in a directory of its own for each test, and records to fill it with. */
#ifndef DEWLINE_TESTS_STORE_FIXTURE_H
#define DEWLINE_TESTS_STORE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "store/advisories.h"
#include "store/arrivals.h"
#include "store/certificates.h"
#include "store/messages.h"
#include "store/people.h"
#include "store/store.h"

enum { FIXTURE_PATH_SIZE = 128, FIXTURE_SHARD_SIZE = 3 };

struct fixture {
	char dir[FIXTURE_PATH_SIZE];
	char path[FIXTURE_PATH_SIZE];
	struct store *store;
	struct err err;
};

/* cmocka's setup and teardown of one test; *state becomes a struct fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* Fails the test, with err's text, unless the call returned 0. */
#define OK(fixture, call)                                                                          \
	do {                                                                                       \
		if ((call) != 0)                                                                   \
			fail_msg("%s: %s", #call, (fixture)->err.text);                            \
	} while (0)
#define REFUSED(call) assert_int_equal(call, -1)

/* A second connection that knows nothing of the store's rules: runs SQL as it is. */
void fixture_raw(const struct fixture *fixture, const char *sql);
/* The same, and fails unless SQLite refuses it. */
void fixture_refused(const struct fixture *fixture, const char *sql);
/* The number that a query gives. */
int64_t fixture_number(const struct fixture *fixture, const char *sql);

/* Certificate number n: fingerprint "%040X", key IDs made from n. */
void fixture_facts(int n, struct certificate_facts *facts);
void fixture_certificate(struct fixture *fixture, int n);
/* Member "m", contact n with address "cN@example.org" and certificate n. Returns its id. */
int64_t fixture_contact(struct fixture *fixture, int n);
int64_t fixture_publisher(struct fixture *fixture);
int64_t fixture_message(struct fixture *fixture, const char *message_id);
/* A queued delivery to contact n; then one that is sealed as well, alone in its batch. */
int64_t fixture_delivery(struct fixture *fixture, int64_t message, int64_t contact, int n);
int64_t fixture_sealed(struct fixture *fixture, int64_t message, int64_t contact, int n);
int64_t fixture_arrival(struct fixture *fixture, const char *raw);
int64_t fixture_advisory(struct fixture *fixture, const char *number);
/* With a message and an arrival of its own. */
void fixture_revision(
    struct fixture *fixture, int64_t advisory, const char *token, struct revision *revision);
/* Moves a delivery at time `now`, which must be allowed. */
void fixture_move(struct fixture *fixture, int64_t delivery, const char *event, int64_t now);
void fixture_expect_state(struct fixture *fixture, int64_t delivery, const char *state);

#endif
