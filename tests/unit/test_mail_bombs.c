/* Small mail that would cost much: each reading ends within a multiple of the mail's size in
 * memory, and takes time in proportion to it, also where an operator has opened every limit.
 *
 * Each reading runs in a process of its own, so that its peak can be told. Time is the processor's,
 * and only compared: four times the mail may take ten times as long, where what is quadratic takes
 * sixteen. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mail_reading.h"

enum {
	TIMES = 4,
	RATIO_MOST = 10,
	NOISE_US = 4000, /* less than that is not compared */
	RUNS = 3,
	ATTEMPTS = 4,
	MEMORY_TIMES = 14, /* the mail, its copies as UTF-8, as lines, as text, and as an answer */
	MEMORY_LEAST_KB = 10 * 1024,
	CSAF_VALUES_KB = 100 * 1024, /* what half a million values take */
};
/* The sanitizer's own iconv looks at all that is left at every call: its time is not compared. */
#ifdef DEWLINE_SANITIZED
enum { SLACK = 8, SMALL = 100 * 1000 };
static const bool time_counts = false;
#else
enum { SLACK = 1, SMALL = 250 * 1000 };
static const bool time_counts = true;
#endif

/* As far as the configuration goes. */
static const struct mail_limits open_limits = {.header = 1048576,
    .headers = 10000,
    .header_line = 1048576,
    .comments = 1000,
    .parts = 1000,
    .nesting = 50};

typedef void make_fn(struct buf *raw, size_t size);

static void fill(struct buf *raw, size_t size, const char *text)
{
	while (raw->len < size)
		buf_add_text(raw, text);
}

static void header_then(struct buf *raw, const char *type, const char *encoding)
{
	buf_printf(
	    raw, "Subject: x\nContent-Type: %s\nContent-Transfer-Encoding: %s\n\n", type, encoding);
}

/* -- headers -- */

static void make_parentheses(struct buf *raw, size_t size)
{
	buf_add_text(raw, "Subject: ");
	fill(raw, size, "(");
	buf_add_text(raw, "\n\nx\n");
}

static void make_closed_comments(struct buf *raw, size_t size)
{
	buf_add_text(raw, "Content-Type: text/plain ");
	fill(raw, size, "((((a))))\n ");
	buf_add_text(raw, "\n\nx\n");
}

static void make_address_groups(struct buf *raw, size_t size)
{
	buf_add_text(raw, "To: ");
	fill(raw, size, "a:b:c:;,\n ");
	buf_add_text(raw, "x@y.example\n\nx\n");
}

static void make_addresses(struct buf *raw, size_t size)
{
	while (raw->len < size)
		buf_add_text(
		    raw, "Delivered-To: <<<<a@b.example>>>>, \"x\\\"\" <c@d.example>,,,\n");
	buf_add_text(raw, "\nx\n");
}

static void make_encoded_words(struct buf *raw, size_t size)
{
	buf_add_text(raw, "Subject: ");
	fill(raw, size, "=?utf-8?q?=41?=\n =?iso-2022-jp?b?GyRC?= =? ");
	buf_add_text(raw, "\n\nx\n");
}

static void make_parameters(struct buf *raw, size_t size)
{
	int number = 0;
	buf_add_text(raw, "Content-Type: text/plain");
	while (raw->len < size)
		buf_printf(raw, ";\n charset*%d*=utf-8''%%41%%", number++);
	buf_add_text(raw, "\n\nx\n");
}

static void make_quoted_boundary(struct buf *raw, size_t size)
{
	buf_add_text(raw, "Content-Type: multipart/mixed; boundary=\"");
	fill(raw, size, "\\\"");
	buf_add_text(raw, "\"\n\nx\n");
}

static void make_short_fields(struct buf *raw, size_t size)
{
	fill(raw, size, "A:\n");
	buf_add_text(raw, "\nx\n");
}

static void make_folded_lines(struct buf *raw, size_t size)
{
	buf_add_text(raw, "Subject:");
	fill(raw, size, " \n\t");
	buf_add_text(raw, "x\n\nx\n");
}

/* -- parts -- */

static void make_parts(struct buf *raw, size_t size)
{
	header_then(raw, "multipart/mixed; boundary=b", "7bit");
	fill(raw, size, "--b\n\nx\n");
}

static void make_nesting(struct buf *raw, size_t size)
{
	for (int depth = 0; raw->len < size; depth++)
		buf_printf(raw, "Content-Type: multipart/mixed; boundary=\"b%d\"\n\n--b%d\n", depth,
		    depth);
	buf_add_text(raw, "\nx\n");
}

/* Every line is held against every boundary that is open. */
static void make_near_boundaries(struct buf *raw, size_t size)
{
	for (int depth = 0; depth < 40; depth++)
		buf_printf(raw, "Content-Type: multipart/mixed; boundary=\"b%d\"\n\n--b%d\n", depth,
		    depth);
	buf_add_text(raw, "\n");
	fill(raw, size, "--b39x                                                    \n--\n");
}

static void make_nested_messages(struct buf *raw, size_t size)
{
	fill(raw, size, "Content-Type: message/rfc822\n\n");
}

/* -- bodies -- */

static void make_base64(struct buf *raw, size_t size)
{
	header_then(raw, "text/plain; charset=iso-8859-1", "base64");
	fill(raw, size, "6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp6enp\n");
}

static void make_bad_base64(struct buf *raw, size_t size)
{
	header_then(raw, "text/plain", "base64");
	fill(raw, size, "=A=\n");
}

static void make_quoted_printable(struct buf *raw, size_t size)
{
	header_then(raw, "text/plain; charset=utf-8", "quoted-printable");
	fill(raw, size, "=  \t=\n=4=\n  ");
}

static void make_utf16(struct buf *raw, size_t size)
{
	header_then(raw, "text/plain; charset=utf-16", "8bit");
	fill(raw, size, "\xd8\x41\xdc\x01\xd8\x41");
}

static void make_iso2022(struct buf *raw, size_t size)
{
	header_then(raw, "text/plain; charset=iso-2022-jp", "8bit");
	fill(raw, size, "\x1b$B\x1b(B\x1b$B!");
}

static void make_gb18030(struct buf *raw, size_t size)
{
	header_then(raw, "text/plain; charset=gb18030", "8bit");
	fill(raw, size, "\x81\x30\x81\x81\xff");
}

static void make_flowed(struct buf *raw, size_t size)
{
	header_then(raw, "text/plain; format=flowed; delsp=yes", "8bit");
	fill(raw, size, ">>>>>>>>>>>> x \n> \n");
}

static void make_carriage_returns(struct buf *raw, size_t size)
{
	header_then(raw, "text/plain", "8bit");
	fill(raw, size, "\r");
}

static void make_html_tags(struct buf *raw, size_t size)
{
	header_then(raw, "text/html", "8bit");
	fill(raw, size, "<table><tr><td><blockquote>");
}

static void make_html_open(struct buf *raw, size_t size)
{
	header_then(raw, "text/html", "8bit");
	fill(raw, size, "<a b='<!--<script><style>\"<");
}

static void make_html_comments(struct buf *raw, size_t size)
{
	header_then(raw, "text/html", "8bit");
	fill(raw, size, "<!--");
}

static void make_html_scripts(struct buf *raw, size_t size)
{
	header_then(raw, "text/html", "8bit");
	fill(raw, size, "<script></style><style></script>");
}

static void make_html_entities(struct buf *raw, size_t size)
{
	header_then(raw, "text/html", "8bit");
	fill(raw, size, "&#x10ffff;&&&amp&#99999999999;");
}

/* -- OpenPGP in text, reports -- */

static void make_armor(struct buf *raw, size_t size)
{
	header_then(raw, "text/plain", "8bit");
	fill(raw, size, "-----BEGIN PGP MESSAGE-----\n\n");
}

static void make_signed_armor(struct buf *raw, size_t size)
{
	header_then(raw, "text/plain", "8bit");
	fill(raw, size, "-----BEGIN PGP SIGNED MESSAGE-----\n-----BEGIN PGP SIGNATURE-----\n");
}

static void make_signed_parts(struct buf *raw, size_t size)
{
	header_then(
	    raw, "multipart/signed; protocol=\"application/pgp-signature\"; boundary=b", "8bit");
	buf_add_text(raw, "--b\n\n");
	fill(raw, size / 2, "\n");
	buf_add_text(raw, "\n--b\nContent-Type: application/pgp-signature\n\n");
	fill(raw, size, "-----BEGIN PGP SIGNATURE-----\n");
}

static void make_report(struct buf *raw, size_t size)
{
	header_then(raw, "multipart/report; report-type=delivery-status; boundary=b", "8bit");
	buf_add_text(raw, "--b\nContent-Type: message/delivery-status\n\n");
	fill(raw, size,
	    "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; =?utf-8?q?"
	    "?=\n\n");
}

/* -- CSAF -- */

static void csaf_then(struct buf *raw, const char *start)
{
	header_then(raw, "multipart/mixed; boundary=b", "8bit");
	buf_add_text(raw, "--b\n\nAdvisory: new\n\n--b\nContent-Type: application/csaf+json\n\n");
	buf_add_text(raw,
	    "{\"document\":{\"csaf_version\":\"2.0\",\"title\":\"t\",\"tracking\":{\"id\":\"i\","
	    "\"version\":\"1\"}},");
	buf_add_text(raw, start);
}

static void make_json_depth(struct buf *raw, size_t size)
{
	csaf_then(raw, "\"a\":");
	fill(raw, size, "[");
}

static void make_json_values(struct buf *raw, size_t size)
{
	csaf_then(raw, "\"a\":[{}");
	fill(raw, size, ",{}");
	buf_add_text(raw, "]}");
}

static void make_json_names(struct buf *raw, size_t size)
{
	int number = 0;
	csaf_then(raw, "\"a\":{\"x\":1");
	while (raw->len < size)
		buf_printf(raw, ",\"%d\":1", number++);
	buf_add_text(raw, "}}");
}

static void make_json_strings(struct buf *raw, size_t size)
{
	csaf_then(raw, "\"a\":\"");
	fill(raw, size, "\\u0041\\\\");
	buf_add_text(raw, "\"}");
}

/* Products that are named again in every vulnerability. */
static void make_json_products(struct buf *raw, size_t size)
{
	int number = 0;
	csaf_then(
	    raw, "\"product_tree\":{\"full_product_names\":[{\"product_id\":\"p\",\"name\":\"n\"}");
	while (raw->len < size / 2)
		buf_printf(raw, ",{\"product_id\":\"p%d\",\"name\":\"n%d\"}", number, number),
		    number++;
	buf_add_text(raw, "]},\"vulnerabilities\":[{}");
	while (raw->len < size)
		buf_printf(raw,
		    ",{\"cve\":\"CVE-2026-1\",\"product_status\":{\"known_affected\":[\"p%d\","
		    "\"p\"]}}",
		    --number);
	buf_add_text(raw, "]}");
}

struct bomb {
	const char *name;
	make_fn *make;
	long kilobytes; /* allowed besides; 0: nothing */
};
#define BOMB(name)                                                                                 \
	{                                                                                          \
#name, make_##name, 0                                                              \
	}
static const struct bomb bombs[] = {
    BOMB(parentheses),
    BOMB(closed_comments),
    BOMB(address_groups),
    BOMB(addresses),
    BOMB(encoded_words),
    BOMB(parameters),
    BOMB(quoted_boundary),
    BOMB(short_fields),
    BOMB(folded_lines),
    BOMB(parts),
    BOMB(nesting),
    BOMB(near_boundaries),
    BOMB(nested_messages),
    BOMB(base64),
    BOMB(bad_base64),
    BOMB(quoted_printable),
    BOMB(utf16),
    BOMB(iso2022),
    BOMB(gb18030),
    BOMB(flowed),
    BOMB(carriage_returns),
    BOMB(html_tags),
    BOMB(html_open),
    BOMB(html_comments),
    BOMB(html_scripts),
    BOMB(html_entities),
    BOMB(armor),
    BOMB(signed_armor),
    BOMB(signed_parts),
    BOMB(report),
    BOMB(json_depth),
    {"json_values", make_json_values, CSAF_VALUES_KB},
    {"json_names", make_json_names, CSAF_VALUES_KB},
    BOMB(json_strings),
    {"json_products", make_json_products, CSAF_VALUES_KB},
};

/* -- measuring -- */

struct cost {
	long kilobytes; /* at its peak */
	int64_t microseconds; /* of the processor */
};

/* Both readings, as the worker does them. */
static void read_both(struct view raw, const struct mail_limits *limits)
{
	const size_t most = reader_answer_most(raw.len);
	struct buf store = BUF_EMPTY(most);
	struct buf answer = BUF_EMPTY(most);
	struct mail_outline *outline = malloc(sizeof *outline);
	struct mail_content *content = malloc(sizeof *content);
	if (outline == NULL || content == NULL)
		abort();
	mail_read_outline(raw, limits, &store, outline);
	reader_put_outline(&answer, outline);
	buf_release(&store);
	buf_release(&answer);
	mail_read_content(raw, limits, &store, content);
	reader_put_content(&answer, content);
	buf_release(&store);
	buf_release(&answer);
	free(outline);
	free(content);
}

static struct cost read_apart(
    const struct bomb *bomb, size_t size, bool reading, const struct mail_limits *limits)
{
	struct rusage used;
	int status;
	const pid_t pid = fork();
	if (pid == 0) {
		struct buf raw = BUF_EMPTY(size + BUF_SMALL);
		bomb->make(&raw, size);
		if (reading)
			read_both(buf_view(&raw), limits);
		_exit(raw.overflow ? 1 : 0);
	}
	assert_int_equal(wait4(pid, &status, 0, &used), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("%s of %zu bytes ended its reader: status %d", bomb->name, size, status);
	return (struct cost){
	    used.ru_maxrss, (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
				used.ru_utime.tv_usec + used.ru_stime.tv_usec};
}

/* The least of some runs, without what making the mail takes. */
static struct cost cost_of(
    const struct bomb *bomb, size_t size, const struct mail_limits *limits, int runs)
{
	struct cost least = {0, INT64_MAX};
	for (int run = 0; run < runs; run++) {
		const struct cost made = read_apart(bomb, size, false, limits);
		const struct cost read = read_apart(bomb, size, true, limits);
		const int64_t microseconds = read.microseconds - made.microseconds;
		least.kilobytes = read.kilobytes;
		if (microseconds < least.microseconds)
			least.microseconds = microseconds;
	}
	if (least.microseconds < NOISE_US)
		least.microseconds = NOISE_US;
	return least;
}

/* Where a mail four times the size no longer fits the processor's caches, a busy neighbour adds to
 * that: what is really out of proportion is so each time, and in the least of some runs. */
static void check(const struct bomb *bomb, const struct mail_limits *limits)
{
	struct cost once = cost_of(bomb, SMALL, limits, time_counts ? RUNS : 1);
	struct cost more = cost_of(bomb, (size_t)SMALL * TIMES, limits, 1);
	int attempts = ATTEMPTS;
	while (time_counts && --attempts > 0 &&
	       more.microseconds > once.microseconds * RATIO_MOST) {
		once = cost_of(bomb, SMALL, limits, RUNS);
		more = cost_of(bomb, (size_t)SMALL * TIMES, limits, RUNS);
	}
	const long bound =
	    MEMORY_LEAST_KB + bomb->kilobytes + (long)SMALL * TIMES / 1024 * MEMORY_TIMES;
	if (more.kilobytes > bound * SLACK)
		fail_msg("%s took %ld kB, more than %ld", bomb->name, more.kilobytes, bound);
	if (time_counts && more.microseconds > once.microseconds * RATIO_MOST)
		fail_msg("%s: %lld us for %d bytes, %lld us for %d", bomb->name,
		    (long long)once.microseconds, SMALL, (long long)more.microseconds,
		    SMALL * TIMES);
}

static void no_bomb_takes_more_than_in_proportion(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++)
		check(&bombs[i], &reading_limits);
}

static void no_bomb_takes_more_where_every_limit_is_opened(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++)
		check(&bombs[i], &open_limits);
}

/* Thirty megabytes of empty objects would be gigabytes in memory. */
static void big_csaf_of_empty_values_is_refused_before_it_takes_memory(void **state)
{
	(void)state;
	const struct bomb bomb = {"json_values", make_json_values, 0};
	const size_t size = 30000000;
	const struct cost cost = read_apart(&bomb, size, true, &reading_limits);
	const long bound = MEMORY_LEAST_KB + (long)(size / 1024) * MEMORY_TIMES;
	if (cost.kilobytes > bound * SLACK)
		fail_msg("%ld kB, more than %ld", cost.kilobytes, bound);
	struct buf raw = BUF_EMPTY(size + BUF_SMALL);
	make_json_values(&raw, size);
	struct reading_content *content = reading_content_of(buf_view(&raw));
	assert_true(content->out.csaf_bad);
	assert_non_null(strstr(content->out.reason, "too many values"));
	reading_content_free(content);
	buf_release(&raw);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_bomb_takes_more_than_in_proportion),
	    cmocka_unit_test(no_bomb_takes_more_where_every_limit_is_opened),
	    cmocka_unit_test(big_csaf_of_empty_values_is_refused_before_it_takes_memory),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("mail_bombs", tests, NULL, NULL);
}
