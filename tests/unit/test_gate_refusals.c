#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gate/refusals.h"

static const char no_user[] = "RCPT TO: 550 5.1.1 User unknown";

static struct delivery to(int64_t id, const char *address)
{
	struct delivery delivery = {.id = id};
	snprintf(delivery.address, sizeof delivery.address, "%s", address);
	return delivery;
}

/* One that nobody was refused like, so that it was believed. */
static void believed(struct refusals *refusals, const struct delivery *delivery)
{
	refusals_add(refusals, delivery, no_user);
	assert_false(refusals_are_alike(refusals, delivery, no_user));
	refusals_believe(refusals, delivery->id);
	assert_null(refusals_take_back(refusals));
}

/* I6. */
static void one_alone_is_believed_until_another_is_refused_alike(void **state)
{
	struct refusals *refusals = refusals_new();
	const struct delivery one = to(1, "a@one.example");
	const struct delivery two = to(2, "b@two.example");
	(void)state;
	believed(refusals, &one);
	refusals_add(refusals, &two, no_user);
	assert_true(refusals_are_alike(refusals, &two, no_user));
	const struct delivery *back = refusals_take_back(refusals);
	assert_non_null(back);
	assert_int_equal(back->id, 1);
	assert_null(refusals_take_back(refusals)); /* once */
	refusals_free(refusals);
}

static void mail_that_was_taken_in_between_ends_it(void **state)
{
	struct refusals *refusals = refusals_new();
	const struct delivery one = to(1, "a@one.example");
	const struct delivery two = to(2, "b@two.example");
	(void)state;
	believed(refusals, &one);
	refusals_forget(refusals);
	believed(refusals, &two);
	refusals_free(refusals);
}

static void the_same_delivery_again_is_no_other(void **state)
{
	struct refusals *refusals = refusals_new();
	const struct delivery one = to(1, "a@one.example");
	(void)state;
	believed(refusals, &one);
	believed(refusals, &one);
	refusals_free(refusals);
}

static void more_than_are_remembered_are_still_known_as_alike(void **state)
{
	enum { MANY = 1000 };
	struct refusals *refusals = refusals_new();
	char address[32];
	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(address, sizeof address, "a@n%d.example", i);
		const struct delivery delivery = to(i + 1, address);
		refusals_add(refusals, &delivery, no_user);
		if (i > 0)
			assert_true(refusals_are_alike(refusals, &delivery, no_user));
	}
	refusals_free(refusals);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_alone_is_believed_until_another_is_refused_alike),
	    cmocka_unit_test(mail_that_was_taken_in_between_ends_it),
	    cmocka_unit_test(the_same_delivery_again_is_no_other),
	    cmocka_unit_test(more_than_are_remembered_are_still_known_as_alike),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("gate_refusals", tests, NULL, NULL);
}
