#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "courier/codec.h"
#include "courier/reply.h"
#include "worker/frame.h"

static struct courier_run sample(void)
{
	return (struct courier_run){
	    .head = VIEW("From: a@b.example\r\n\r\n"),
	    .data = VIEW("data\0packet"),
	    .tail = VIEW("--end--\r\n"),
	    .count = 2,
	    .deliveries =
		{
		    {.id = 7,
			.sender = "b+1@x.example",
			.recipient = "one@y.example",
			.pkesk = VIEW("\x84")},
		    {.id = INT64_MAX,
			.sender = "",
			.recipient = "two@y.example",
			.pkesk = VIEW("\0\1")},
		},
	};
}

static bool survives(const struct courier_run *run)
{
	struct courier_run back;
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	courier_put_run(&body, run);
	const bool taken = courier_take_run(buf_view(&body), &back);
	buf_release(&body);
	return taken;
}

static void run_comes_back_as_it_was(void **state)
{
	const struct courier_run run = sample();
	struct courier_run back;
	struct buf body = BUF_EMPTY(BUF_SMALL);
	(void)state;
	courier_put_run(&body, &run);
	assert_true(courier_take_run(buf_view(&body), &back));
	assert_true(view_equals(back.head, run.head));
	assert_true(view_equals(back.data, run.data));
	assert_true(view_equals(back.tail, run.tail));
	assert_int_equal(back.count, run.count);
	for (size_t i = 0; i < run.count; i++) {
		assert_int_equal(back.deliveries[i].id, run.deliveries[i].id);
		assert_string_equal(back.deliveries[i].sender, run.deliveries[i].sender);
		assert_string_equal(back.deliveries[i].recipient, run.deliveries[i].recipient);
		assert_true(view_equals(back.deliveries[i].pkesk, run.deliveries[i].pkesk));
	}
	buf_release(&body);
}

static void cut_or_lengthened_run_is_malformed(void **state)
{
	const struct courier_run run = sample();
	struct courier_run back;
	struct buf body = BUF_EMPTY(BUF_SMALL);
	(void)state;
	courier_put_run(&body, &run);
	for (size_t len = 0; len < body.len; len++)
		assert_false(courier_take_run(view_part(buf_view(&body), 0, len), &back));
	buf_add_char(&body, '\0');
	assert_false(courier_take_run(buf_view(&body), &back));
	buf_release(&body);
}

static void run_without_a_part_is_malformed(void **state)
{
	(void)state;
	struct courier_run run = sample();
	assert_true(survives(&run));
	run.count = 0;
	assert_false(survives(&run));
	run = sample();
	run.data.len = 0;
	assert_false(survives(&run));
	run = sample();
	run.head.len = 0;
	assert_false(survives(&run));
	run = sample();
	run.deliveries[1].pkesk.len = 0;
	assert_false(survives(&run));
}

static void head_and_tail_must_be_whole_lines(void **state)
{
	(void)state;
	struct courier_run run = sample();
	run.head = VIEW("From: a\n\n");
	assert_false(survives(&run));
	run = sample();
	run.tail = VIEW("--end--\r\n.\nMAIL FROM:<x@y>\r\n");
	assert_false(survives(&run));
}

static struct courier_run notice(void)
{
	struct courier_run run = sample();
	run.clear = true;
	run.data = VIEW("signed body\r\n");
	run.count = 1;
	run.deliveries[0].pkesk = VIEW("");
	return run;
}

static void notice_in_the_clear_is_for_one_and_has_no_session_key(void **state)
{
	struct courier_run run = notice();
	(void)state;
	assert_true(survives(&run));
	run.clear = false;
	assert_false(survives(&run)); /* nor does anything sealed go without one */
	run = notice();
	run.count = 2;
	run.deliveries[1].pkesk = VIEW("");
	assert_false(survives(&run));
	run = notice();
	run.deliveries[0].pkesk = VIEW("\x84");
	assert_false(survives(&run));
	run = notice();
	run.data = VIEW("a line without end");
	assert_false(survives(&run));
}

static void more_than_the_most_deliveries_are_malformed(void **state)
{
	struct buf body = BUF_EMPTY(BUF_SMALL);
	struct courier_run back;
	(void)state;
	for (uint32_t count = COURIER_RUN_MAX; count <= COURIER_RUN_MAX + 1; count++) {
		buf_clear(&body);
		put_u8(&body, 0);
		put_text(&body, "h\r\n");
		put_text(&body, "data");
		put_text(&body, "");
		put_u32(&body, count);
		for (uint32_t i = 0; i < count; i++) {
			put_i64(&body, i);
			put_text(&body, "a@b.example");
			put_text(&body, "c@d.example");
			put_text(&body, "pkesk");
		}
		assert_int_equal(
		    courier_take_run(buf_view(&body), &back), count == COURIER_RUN_MAX);
	}
	buf_release(&body);
}

static void result_comes_back_as_it_was(void **state)
{
	const struct courier_result result = {
	    42, COURIER_AMBIGUOUS, COURIER_ABOUT_GATEWAY, 0, true, "the final dot: broke"};
	struct courier_result back;
	struct buf body = BUF_EMPTY(BUF_SMALL);
	(void)state;
	courier_put_result(&body, &result);
	assert_true(courier_take_result(buf_view(&body), &back));
	assert_int_equal(back.id, 42);
	assert_int_equal(back.outcome, COURIER_AMBIGUOUS);
	assert_int_equal(back.about, COURIER_ABOUT_GATEWAY);
	assert_int_equal(back.code, 0);
	assert_true(back.smarthost_down);
	assert_string_equal(back.text, result.text);
	for (size_t len = 0; len < body.len; len++)
		assert_false(courier_take_result(view_part(buf_view(&body), 0, len), &back));
	buf_add_char(&body, 'x');
	assert_false(courier_take_result(buf_view(&body), &back));
	buf_release(&body);
}

static bool takes(uint8_t outcome, uint8_t about, uint32_t code, uint8_t down)
{
	struct buf body = BUF_EMPTY(BUF_SMALL);
	struct courier_result back;
	put_i64(&body, 1);
	put_u8(&body, outcome);
	put_u8(&body, about);
	put_u32(&body, code);
	put_u8(&body, down);
	put_text(&body, "text");
	const bool taken = courier_take_result(buf_view(&body), &back);
	buf_release(&body);
	return taken;
}

static bool takes_text(struct view text)
{
	struct buf body = BUF_EMPTY(BUF_SMALL);
	struct courier_result back;
	put_i64(&body, 1);
	put_u8(&body, COURIER_FAILED);
	put_u8(&body, COURIER_ABOUT_RECIPIENT);
	put_u32(&body, 550);
	put_u8(&body, 0);
	put_view(&body, text);
	const bool taken = courier_take_result(buf_view(&body), &back);
	buf_release(&body);
	return taken;
}

/* It goes to the log and to a terminal. */
static void result_whose_text_is_not_one_shown_line_is_malformed(void **state)
{
	(void)state;
	assert_true(takes_text(VIEW("550 5.1.1 k\xc3\xb6nnte")));
	assert_false(takes_text(VIEW("550 no\n<3>dewlined: all is well")));
	assert_false(takes_text(VIEW("550 \x1b[2J")));
	assert_false(takes_text(VIEW("550 \x7f")));
	assert_false(takes_text(VIEW("550 \xc3")));
	assert_false(takes_text((struct view){"a\0b", 3}));
}

static void event_of_the_mailbox_whose_text_is_not_one_shown_line_is_malformed(void **state)
{
	struct courier_watch watch = {.what = COURIER_WATCH_LEFT, .uid = 7, .text = "too large"};
	struct courier_watch back;
	struct buf body = BUF_EMPTY(BUF_SMALL);
	(void)state;
	courier_put_watch(&body, &watch);
	assert_true(courier_take_watch(buf_view(&body), &back));
	assert_string_equal(back.text, watch.text);
	buf_clear(&body);
	memcpy(watch.text, "\x1b[2J", sizeof "\x1b[2J");
	courier_put_watch(&body, &watch);
	assert_false(courier_take_watch(buf_view(&body), &back));
	buf_release(&body);
}

static void result_beyond_its_values_is_malformed(void **state)
{
	(void)state;
	assert_true(takes(COURIER_AMBIGUOUS, COURIER_ABOUT_GATEWAY, 599, 1));
	assert_false(takes(COURIER_AMBIGUOUS + 1, COURIER_ABOUT_GATEWAY, 599, 1));
	assert_false(takes(COURIER_AMBIGUOUS, COURIER_ABOUT_GATEWAY + 1, 599, 1));
	assert_false(takes(COURIER_AMBIGUOUS, COURIER_ABOUT_GATEWAY, 600, 1));
	assert_false(takes(COURIER_AMBIGUOUS, COURIER_ABOUT_GATEWAY, 599, 2));
}

static void reply_becomes_one_line_that_can_be_shown(void **state)
{
	struct courier_reply reply;
	char long_text[2000];
	(void)state;
	reply_set(&reply, PHASE_RCPT, 550, VIEW("5.1.1 no\x1b[31m such\r\n\r\n  user \n"));
	assert_string_equal(reply.text, "5.1.1 no\\x1b[31m such user");
	assert_int_equal(reply.code, 550);
	for (size_t i = 0; i + 1 < sizeof long_text; i += 2)
		memcpy(long_text + i, "\xc3\xa9", 2);
	reply_set(&reply, PHASE_RCPT, 550, (struct view){long_text, sizeof long_text});
	assert_int_equal(strlen(reply.text), COURIER_TEXT_SIZE - 2);
	reply_set(&reply, PHASE_RCPT, 199, VIEW("odd"));
	assert_int_equal(reply.code, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(run_comes_back_as_it_was),
	    cmocka_unit_test(cut_or_lengthened_run_is_malformed),
	    cmocka_unit_test(run_without_a_part_is_malformed),
	    cmocka_unit_test(head_and_tail_must_be_whole_lines),
	    cmocka_unit_test(notice_in_the_clear_is_for_one_and_has_no_session_key),
	    cmocka_unit_test(more_than_the_most_deliveries_are_malformed),
	    cmocka_unit_test(result_comes_back_as_it_was),
	    cmocka_unit_test(result_whose_text_is_not_one_shown_line_is_malformed),
	    cmocka_unit_test(event_of_the_mailbox_whose_text_is_not_one_shown_line_is_malformed),
	    cmocka_unit_test(result_beyond_its_values_is_malformed),
	    cmocka_unit_test(reply_becomes_one_line_that_can_be_shown),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("courier_codec", tests, NULL, NULL);
}
