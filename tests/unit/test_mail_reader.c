#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "config/config.h"
#include "worker/frame.h"
#include "worker/pool.h"

#include "mail_reading.h"
#include "patience.h"

static struct mail_content *content_new(void)
{
	struct mail_content *content = calloc(1, sizeof *content);
	if (content == NULL)
		abort();
	content->message = content->signature = content->text = content->csaf.text = view_of("");
	return content;
}

static void fill_content(struct mail_content *content)
{
	content->readable = content->has_text = content->automatic = true;
	content->text = VIEW("text\n");
	view_copy(VIEW("subject"), content->subject, sizeof content->subject);
	content->part_count = 2;
	for (uint32_t i = 0; i < content->part_count; i++) {
		view_copy(VIEW("application/pdf"), content->parts[i].type, MAIL_TYPE_SIZE);
		view_copy(VIEW("a.pdf"), content->parts[i].name, MAIL_NAME_SIZE);
		content->parts[i].attachment = true;
		content->parts[i].content = VIEW("\0\1\2");
	}
	content->csaf.present = true;
	view_copy(VIEW("ID-1"), content->csaf.id, sizeof content->csaf.id);
	content->csaf.text = VIEW("rendered");
}

static void outline_survives_the_way(void **state)
{
	(void)state;
	const struct mail_outline sent = {.shape = MAIL_SIGNED,
	    .subject_tokens = {1, {"ABCDEFGHIJKLMNOP"}},
	    .tokens = {2, {"ABCDEFGHIJKLMNOQ", "ABCDEFGHIJKLMNOR"}},
	    .automatic = true,
	    .message = VIEW("signed"),
	    .signature = VIEW("sig")};
	struct mail_outline seen;
	struct buf body = BUF_EMPTY(BUF_SMALL);
	reader_put_outline(&body, &sent);
	assert_true(reader_take_outline(buf_view(&body), &seen));
	assert_int_equal(seen.shape, MAIL_SIGNED);
	assert_true(seen.automatic);
	assert_false(seen.whole);
	assert_view_is(seen.message, "signed");
	assert_view_is(seen.signature, "sig");
	assert_int_equal(seen.subject_tokens.count, 1);
	assert_true(token_is_in(&seen.subject_tokens, "ABCDEFGHIJKLMNOP"));
	assert_int_equal(seen.tokens.count, 2);
	assert_true(token_is_in(&seen.tokens, "ABCDEFGHIJKLMNOR"));
	buf_release(&body);
}

static void content_survives_the_way(void **state)
{
	(void)state;
	struct mail_content *sent = content_new();
	struct mail_content *seen = content_new();
	struct buf body = BUF_EMPTY(BUF_SMALL);
	fill_content(sent);
	reader_put_content(&body, sent);
	assert_true(reader_take_content(buf_view(&body), seen));
	assert_true(seen->readable);
	assert_true(seen->automatic);
	assert_false(seen->report);
	assert_view_is(seen->text, "text\n");
	assert_string_equal(seen->subject, "subject");
	assert_int_equal(seen->part_count, 2);
	assert_string_equal(seen->parts[1].name, "a.pdf");
	assert_int_equal(seen->parts[1].content.len, 3);
	assert_true(seen->csaf.present);
	assert_string_equal(seen->csaf.id, "ID-1");
	assert_view_is(seen->csaf.text, "rendered");
	buf_release(&body);
	free(sent);
	free(seen);
}

static void bodies_cut_or_continued_anywhere_are_malformed(void **state)
{
	(void)state;
	struct mail_content *content = content_new();
	struct mail_outline outline = {.message = VIEW("x"), .signature = VIEW("y")};
	struct buf body = BUF_EMPTY(BUF_SMALL);
	fill_content(content);
	reader_put_content(&body, content);
	for (size_t len = 0; len < body.len; len++)
		assert_false(reader_take_content(view_part(buf_view(&body), 0, len), content));
	buf_add_char(&body, '\0');
	assert_false(reader_take_content(buf_view(&body), content));
	buf_clear(&body);
	reader_put_outline(&body, &outline);
	for (size_t len = 0; len < body.len; len++)
		assert_false(reader_take_outline(view_part(buf_view(&body), 0, len), &outline));
	buf_add_char(&body, '\0');
	assert_false(reader_take_outline(buf_view(&body), &outline));
	buf_release(&body);
	free(content);
}

/* Any byte may be wrong: nothing but the verdict may change, and nothing is read out of bounds. */
static void bodies_with_any_byte_changed_are_safe(void **state)
{
	(void)state;
	struct mail_content *content = content_new();
	struct buf body = BUF_EMPTY(BUF_SMALL);
	fill_content(content);
	reader_put_content(&body, content);
	char *copy = reading_copy(buf_view(&body));
	for (size_t i = 0; i < body.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			copy[i] = (char)(body.data[i] ^ (char)(1U << bit));
			(void)reader_take_content((struct view){copy, body.len}, content);
		}
		copy[i] = body.data[i];
	}
	free(copy);
	buf_release(&body);
	free(content);
}

static void assert_content_malformed(const struct mail_content *sent)
{
	struct mail_content *seen = content_new();
	struct buf body = BUF_EMPTY(BUF_SMALL);
	reader_put_content(&body, sent);
	assert_false(reader_take_content(buf_view(&body), seen));
	buf_release(&body);
	free(seen);
}

static void answers_that_could_harm_are_malformed(void **state)
{
	(void)state;
	struct mail_content *content = content_new();
	fill_content(content);
	view_copy(VIEW("../x"), content->parts[0].name, MAIL_NAME_SIZE);
	assert_content_malformed(content);
	fill_content(content);
	view_copy(VIEW("two\nlines"), content->subject, MAIL_SUBJECT_SIZE);
	assert_content_malformed(content);
	fill_content(content);
	view_copy(VIEW("ill-formed \xff"), content->subject, MAIL_SUBJECT_SIZE);
	assert_content_malformed(content);
	fill_content(content);
	content->text = VIEW("ill-formed \xff");
	assert_content_malformed(content);
	free(content);
}

static void shapes_and_counts_out_of_range_are_malformed(void **state)
{
	(void)state;
	struct mail_outline outline = {.message = VIEW(""), .signature = VIEW("")};
	struct buf body = BUF_EMPTY(BUF_SMALL);
	reader_put_outline(&body, &outline);
	body.data[3] = MAIL_REFUSED + 1;
	assert_false(reader_take_outline(buf_view(&body), &outline));
	body.data[3] = MAIL_REFUSED;
	assert_true(reader_take_outline(buf_view(&body), &outline));
	buf_release(&body);
}

/* The worker as the gate sees it. */

struct asked {
	struct loop *loop;
	unsigned answers;
	unsigned died;
	enum mail_shape shape;
	struct buf text;
};

static bool take_answer(void *context, enum pool_event event, struct view body)
{
	struct asked *asked = context;
	struct mail_outline outline;
	struct mail_content *content = content_new();
	bool good = true;
	if (event == POOL_DIED) {
		asked->died++;
	} else if (asked->answers == 0) {
		good = reader_take_outline(body, &outline);
		asked->shape = outline.shape;
	} else {
		good = reader_take_content(body, content);
		buf_add_view(&asked->text, content->text);
	}
	asked->answers++;
	if (asked->answers == 2)
		loop_stop(asked->loop);
	free(content);
	return good;
}

static void ask(struct pool *pool, struct asked *asked, uint32_t type, struct view bytes)
{
	struct pool_request request = {.type = type,
	    .body = BUF_EMPTY(FRAME_BODY_MAX),
	    .deadline_ms = patient(20000),
	    .attempts = 1,
	    .answer = take_answer,
	    .context = asked};
	reader_put(&request.body, bytes);
	pool_ask(pool, &request);
}

static void reader_answers_in_a_process_of_its_own(void **state)
{
	(void)state;
	struct config *config = calloc(1, sizeof *config);
	assert_non_null(config);
	config->limits.header = (int64_t)reading_limits.header;
	config->limits.headers = (int64_t)reading_limits.headers;
	config->limits.header_line = (int64_t)reading_limits.header_line;
	config->limits.comments = (int64_t)reading_limits.comments;
	config->limits.parts = (int64_t)reading_limits.parts;
	config->limits.nesting = (int64_t)reading_limits.nesting;
	const struct worker_program programs[WORKER_KINDS] = {
	    [WORKER_READER] = {reader_main, config}};
	struct asked asked = {.loop = loop_new(), .text = BUF_EMPTY(BUF_SMALL)};
	struct starter *starter = starter_direct(programs);
	struct pool *pool = pool_new(asked.loop, starter, WORKER_READER, 1);
	struct err err;
	ask(pool, &asked, READER_OUTLINE, VIEW("Subject: x\n\n-----BEGIN PGP MESSAGE-----\n"));
	ask(pool, &asked, READER_CONTENT,
	    VIEW("Content-Type: text/plain; charset=koi8-r\n\n\xd0\xd2\n"));
	assert_int_equal(loop_run(asked.loop, &err), 0);
	assert_int_equal(asked.died, 0);
	assert_int_equal(asked.shape, MAIL_BROKEN);
	assert_string_equal(buf_text(&asked.text), "пр\n");
	pool_free(pool);
	starter_free(starter);
	loop_free(asked.loop);
	buf_release(&asked.text);
	free(config);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(outline_survives_the_way),
	    cmocka_unit_test(content_survives_the_way),
	    cmocka_unit_test(bodies_cut_or_continued_anywhere_are_malformed),
	    cmocka_unit_test(bodies_with_any_byte_changed_are_safe),
	    cmocka_unit_test(answers_that_could_harm_are_malformed),
	    cmocka_unit_test(shapes_and_counts_out_of_range_are_malformed),
	    cmocka_unit_test(reader_answers_in_a_process_of_its_own),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("mail_reader", tests, NULL, NULL);
}
