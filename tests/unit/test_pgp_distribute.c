#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pgp/distribute.h"

/* Made-up packets: a session key whose key ID is this octet eight times. */
#define PKESK(digit)                                                                               \
	"\xc1\x0e\x03" digit digit digit digit digit digit digit digit "\x12"                      \
	"abcd"
#define SEIPD                                                                                      \
	"\xd2\x05\x01"                                                                             \
	"data"
#define OCB                                                                                        \
	"\xd4\x05\x01"                                                                             \
	"data"

#define ANN "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define BOB "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"
#define CYD "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC"
#define GATEWAY "9999999999999999999999999999999999999999"
#define A1 "A1A1A1A1A1A1A1A1"
#define B1 "B1B1B1B1B1B1B1B1"
#define E1 "E1E1E1E1E1E1E1E1"
#define OWN "9191919191919191"

enum { MOST = 4096 };

/* Ann and Bob, and what each was handed. */
struct outcome {
	struct seal_recipient people[2];
	struct buf data;
	struct err err;
	int result;
};

static struct outcome hand_out(const char *additional, struct view sealed)
{
	struct outcome out = {
	    .people =
		{
		    {.fingerprint = ANN, .key_id = A1, .pkesk = BUF_EMPTY(MOST)},
		    {.fingerprint = BOB, .key_id = B1, .pkesk = BUF_EMPTY(MOST)},
		},
	    .data = BUF_EMPTY(0),
	};
	out.result =
	    distribute(GATEWAY, view_of(additional), sealed, out.people, 2, &out.data, &out.err);
	return out;
}

static void release(struct outcome *out)
{
	buf_release(&out->people[0].pkesk);
	buf_release(&out->people[1].pkesk);
	buf_release(&out->data);
}

static void expect(const char *additional, struct view sealed, struct view ann, struct view bob)
{
	struct outcome out = hand_out(additional, sealed);
	if (out.result != 0)
		fail_msg("%s", out.err.text);
	assert_true(view_equals(buf_view(&out.people[0].pkesk), ann));
	assert_true(view_equals(buf_view(&out.people[1].pkesk), bob));
	assert_true(view_is(buf_view(&out.data), SEIPD));
	release(&out);
}

static void expect_nothing(const char *additional, struct view sealed, const char *why)
{
	struct outcome out = hand_out(additional, sealed);
	assert_int_equal(out.result, -1);
	if (strstr(out.err.text, why) == NULL)
		fail_msg("not \"%s\" but \"%s\"", why, out.err.text);
	assert_int_equal(out.data.len, 0);
	release(&out);
}

static void gateways_own_session_key_is_dropped(void **state)
{
	(void)state;
	expect(GATEWAY " " OWN "\n", VIEW(PKESK("\xa1") PKESK("\x91") PKESK("\xb1") SEIPD),
	    VIEW(PKESK("\xa1")), VIEW(PKESK("\xb1")));
}

static void gateways_subkey_that_a_recipient_adopted_serves_the_recipient(void **state)
{
	(void)state;
	expect(GATEWAY " " OWN "\n" ANN " " OWN "\n",
	    VIEW(PKESK("\xa1") PKESK("\x91") PKESK("\xb1") SEIPD),
	    VIEW(PKESK("\xa1") PKESK("\x91")), VIEW(PKESK("\xb1")));
}

static void additional_key_goes_into_its_owners_message_behind_the_recorded_one(void **state)
{
	(void)state;
	expect(BOB " " E1 "\n", VIEW(PKESK("\xe1") PKESK("\xa1") PKESK("\xb1") SEIPD),
	    VIEW(PKESK("\xa1")), VIEW(PKESK("\xb1") PKESK("\xe1")));
}

static void additional_key_of_two_serves_both(void **state)
{
	(void)state;
	expect(ANN " " E1 "\n" BOB " " E1 "\n",
	    VIEW(PKESK("\xa1") PKESK("\xb1") PKESK("\xe1") SEIPD),
	    VIEW(PKESK("\xa1") PKESK("\xe1")), VIEW(PKESK("\xb1") PKESK("\xe1")));
	/* Bob's own is Ann's additional one, and stands there once. */
	expect(ANN " " B1 "\n", VIEW(PKESK("\xa1") PKESK("\xb1") SEIPD),
	    VIEW(PKESK("\xa1") PKESK("\xb1")), VIEW(PKESK("\xb1")));
}

static void additional_key_that_gpg_passed_over_is_missed_by_nobody(void **state)
{
	(void)state;
	expect(ANN " " E1 "\n" ANN " " A1 "\n", VIEW(PKESK("\xa1") PKESK("\xb1") SEIPD),
	    VIEW(PKESK("\xa1")), VIEW(PKESK("\xb1")));
}

static void session_key_of_nobody_seals_for_nobody(void **state)
{
	(void)state;
	const struct view sealed = VIEW(PKESK("\xa1") PKESK("\xb1") PKESK("\xe1") SEIPD);
	expect_nothing("", sealed, "which no recipient has");
	expect_nothing(CYD " " E1 "\n", sealed, "which no recipient has");
	expect_nothing(ANN " " OWN "\n", sealed, "which no recipient has");
	/* The gateway's is dropped because it is known, and not whatever is left over. */
	expect_nothing(GATEWAY " " OWN "\n", sealed, "which no recipient has");
}

static void missing_or_doubled_session_key_seals_for_nobody(void **state)
{
	(void)state;
	const char *known = GATEWAY " " OWN "\n" BOB " " E1 "\n";
	expect_nothing(known, VIEW(PKESK("\xa1") PKESK("\x91") PKESK("\xe1") SEIPD), B1);
	expect_nothing(
	    known, VIEW(PKESK("\xa1") PKESK("\xb1") PKESK("\xa1") SEIPD), "two session keys");
	expect_nothing(known, VIEW(PKESK("\xa1") PKESK("\xb1") PKESK("\x91") PKESK("\x91") SEIPD),
	    "two session keys");
}

static void ocb_packet_seals_for_nobody(void **state)
{
	(void)state;
	expect_nothing(
	    GATEWAY " " OWN "\n", VIEW(PKESK("\xa1") PKESK("\xb1") PKESK("\x91") OCB), "tag 20");
}

static void session_keys_past_the_limit_of_one_recipient_seal_for_nobody(void **state)
{
	(void)state;
	struct outcome out = {
	    .people = {{.fingerprint = ANN, .key_id = A1, .pkesk = BUF_EMPTY(20)}},
	    .data = BUF_EMPTY(0),
	};
	assert_int_equal(
	    distribute(GATEWAY, VIEW(ANN " " E1 "\n"), VIEW(PKESK("\xa1") PKESK("\xe1") SEIPD),
		out.people, 1, &out.data, &out.err),
	    -1);
	assert_non_null(strstr(out.err.text, "too large"));
	release(&out);
}

static void recipient_who_was_left_out_gets_nothing(void **state)
{
	(void)state;
	struct outcome out = {
	    .people = {{.fingerprint = ANN, .key_id = A1, .pkesk = BUF_EMPTY(MOST)},
		{.fingerprint = BOB, .key_id = B1, .pkesk = BUF_EMPTY(MOST), .reason = "gone"}},
	    .data = BUF_EMPTY(0),
	};
	const struct view additional = VIEW(BOB " " E1 "\n");
	assert_int_equal(distribute(GATEWAY, additional, VIEW(PKESK("\xa1") SEIPD), out.people, 2,
			     &out.data, &out.err),
	    0);
	assert_int_equal(out.people[1].pkesk.len, 0);
	buf_clear(&out.people[0].pkesk);
	buf_release(&out.data);
	assert_int_equal(distribute(GATEWAY, additional, VIEW(PKESK("\xa1") PKESK("\xe1") SEIPD),
			     out.people, 2, &out.data, &out.err),
	    -1);
	release(&out);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gateways_own_session_key_is_dropped),
	    cmocka_unit_test(gateways_subkey_that_a_recipient_adopted_serves_the_recipient),
	    cmocka_unit_test(additional_key_goes_into_its_owners_message_behind_the_recorded_one),
	    cmocka_unit_test(additional_key_of_two_serves_both),
	    cmocka_unit_test(additional_key_that_gpg_passed_over_is_missed_by_nobody),
	    cmocka_unit_test(session_key_of_nobody_seals_for_nobody),
	    cmocka_unit_test(missing_or_doubled_session_key_seals_for_nobody),
	    cmocka_unit_test(ocb_packet_seals_for_nobody),
	    cmocka_unit_test(session_keys_past_the_limit_of_one_recipient_seal_for_nobody),
	    cmocka_unit_test(recipient_who_was_left_out_gets_nothing),
	};
	return cmocka_run_group_tests_name("pgp_distribute", tests, NULL, NULL);
}
