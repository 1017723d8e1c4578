/* The order in which mails are looked at, and the unsigned word that it goes by. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gate/claim.h"
#include "gate/turns.h"

enum { FLOOD = 10000, NOBODY = 0, FRANCE = 7, JAPAN = 8 };

static int64_t next(struct turns *turns)
{
	int64_t sender;
	int64_t mail;
	assert_true(turns_next(turns, &sender, &mail));
	return mail;
}

static void flood(struct turns *turns, int64_t sender, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		turns_add(turns, sender, -i);
}

static void mails_of_one_sender_keep_their_order(void **state)
{
	(void)state;
	struct turns *turns = turns_new();
	int64_t sender;
	int64_t mail;
	assert_false(turns_next(turns, &sender, &mail));
	for (int64_t i = 1; i <= 1000; i++)
		turns_add(turns, NOBODY, i);
	for (int64_t i = 1; i <= 1000; i++) {
		assert_true(turns_next(turns, &sender, &mail));
		assert_int_equal(sender, NOBODY);
		assert_int_equal(mail, i);
	}
	assert_int_equal(turns_waiting(turns), 0);
	turns_free(turns);
}

static void a_flood_of_one_holds_up_another_by_one_mail(void **state)
{
	(void)state;
	struct turns *turns = turns_new();
	flood(turns, NOBODY, FLOOD);
	next(turns);
	turns_add(turns, FRANCE, 1);
	turns_add(turns, JAPAN, 2);
	turns_add(turns, FRANCE, 3);
	assert_int_equal(next(turns), 1);
	assert_int_equal(next(turns), 2);
	assert_int_equal(next(turns), -1);
	assert_int_equal(next(turns), 3);
	assert_int_equal(next(turns), -2);
	turns_free(turns);
}

/* Mail that goes on coming in must not push back what waits already. */
static void what_comes_later_never_overtakes_a_whole_turn(void **state)
{
	(void)state;
	struct turns *turns = turns_new();
	int64_t served = 0;
	turns_add(turns, NOBODY, 1000000);
	turns_add(turns, NOBODY, 1000001);
	for (int64_t i = 0; i < 100; i++) {
		turns_add(turns, FRANCE, i);
		turns_add(turns, JAPAN, i);
		served += next(turns) >= 1000000;
	}
	assert_int_equal(served, 2);
	turns_free(turns);
}

static void an_idle_sender_saves_up_no_turns(void **state)
{
	(void)state;
	struct turns *turns = turns_new();
	for (int64_t i = 0; i < 100; i++) {
		turns_add(turns, NOBODY, i);
		turns_add(turns, NOBODY, i);
		next(turns);
	}
	for (int64_t i = 0; i < 10; i++)
		turns_add(turns, FRANCE, -1 - i);
	int64_t of_france = 0;
	for (int64_t i = 0; i < 10; i++)
		of_france += next(turns) < 0;
	assert_in_range(of_france, 4, 6);
	turns_free(turns);
}

static void check_claim(const char *head, const char *address)
{
	const struct view claimed = claim_address(view_of(head));
	if (!view_is(claimed, address))
		fail_msg("%s: %.*s", head, (int)claimed.len, claimed.data);
}

static void claim_is_the_address_of_the_first_from_field(void **state)
{
	(void)state;
	check_claim("Subject: x\r\nFrom: a@b.example\r\n\r\n", "a@b.example");
	check_claim("from: \"C, D\" <c@d.example>\n\n", "c@d.example");
	check_claim("From: CERT\n <c@d.example> (comment)\nTo: e@f.example\n\n", "c@d.example");
	check_claim("From: a@b.example\nFrom: c@d.example\n\n", "a@b.example");
	check_claim("FROM:<a@b.example", "a@b.example");
}

static void claim_that_is_no_address_is_nobody(void **state)
{
	(void)state;
	check_claim("", "");
	check_claim("\n\nFrom: a@b.example\n", "");
	check_claim("Subject: From: a@b.example\n\n", "");
	check_claim("From: <a@b.example\r\n DROP TABLE> \n\n", "");
	check_claim("From: <>\n\n", "");
	check_claim("From: a@b.example, c@d.example\n\n", "");
	check_claim("From:", "");
}

static void claim_beyond_the_head_is_not_looked_for(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY(BUF_SMALL);
	while (raw.len < CLAIM_HEAD)
		buf_add_text(&raw, "X-Long: header\n");
	buf_add_text(&raw, "From: a@b.example\n\n");
	assert_int_equal(claim_address(buf_view(&raw)).len, 0);
	buf_release(&raw);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mails_of_one_sender_keep_their_order),
	    cmocka_unit_test(a_flood_of_one_holds_up_another_by_one_mail),
	    cmocka_unit_test(what_comes_later_never_overtakes_a_whole_turn),
	    cmocka_unit_test(an_idle_sender_saves_up_no_turns),
	    cmocka_unit_test(claim_is_the_address_of_the_first_from_field),
	    cmocka_unit_test(claim_that_is_no_address_is_nobody),
	    cmocka_unit_test(claim_beyond_the_head_is_not_looked_for),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("gate_turns", tests, NULL, NULL);
}
