#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/file.h"
#include "courier/armor.h"
#include "courier/message.h"

enum { DATA_SIZE = 100 * 1000, OUT_MAX = 4 * 1000 * 1000 };

static struct armor_tables *tables;
static char directory[] = "/tmp/dl.XXXXXX";

static int make(void **state)
{
	(void)state;
	tables = armor_tables_new();
	return mkdtemp(directory) == NULL ? -1 : 0;
}

static int unmake(void **state)
{
	struct err err;
	(void)state;
	armor_tables_free(tables);
	return file_remove_tree(directory, &err);
}

static struct view noise(char *out, size_t len)
{
	random_bytes(out, len);
	return (struct view){out, len};
}

static void write_file(const char *name, struct view content)
{
	char path[64];
	struct err err;
	snprintf(path, sizeof path, "%s/%s", directory, name);
	assert_int_equal(file_write(path, content, 0600, &err), 0);
}

static void read_file(const char *name, struct buf *out)
{
	char path[64];
	struct err err;
	snprintf(path, sizeof path, "%s/%s", directory, name);
	buf_clear(out);
	assert_int_equal(file_read(path, out, &err), 0);
}

static void run(const char *command)
{
	char line[256];
	snprintf(line, sizeof line, "cd %s && %s", directory, command);
	assert_int_equal(system(line), 0);
}

/* The check value that catalogues of CRCs give for CRC-24/OPENPGP. */
static void crc_has_the_known_check_value(void **state)
{
	(void)state;
	assert_int_equal(armor_crc(tables, ARMOR_CRC_FIRST, VIEW("123456789")), 0x21cf02);
	assert_int_equal(armor_crc(tables, ARMOR_CRC_FIRST, VIEW("")), 0xb704ce);
}

static void crc_of_pieces_is_the_crc_of_the_whole(void **state)
{
	char bytes[64];
	const struct view whole = noise(bytes, sizeof bytes);
	(void)state;
	for (size_t at = 0; at <= whole.len; at++) {
		const uint32_t first = armor_crc(tables, ARMOR_CRC_FIRST, view_part(whole, 0, at));
		assert_int_equal(armor_crc(tables, first, view_part(whole, at, whole.len)),
		    armor_crc(tables, ARMOR_CRC_FIRST, whole));
	}
}

/* gpg writes the same lines but for the line ends, the header line and a comment. */
static void armor_is_what_gpg_writes(void **state)
{
	static char bytes[DATA_SIZE];
	struct buf ours = BUF_EMPTY(OUT_MAX);
	struct buf theirs = BUF_EMPTY(OUT_MAX);
	(void)state;
	for (size_t len = 1; len < sizeof bytes; len = len * 3 + 1) {
		const struct view whole = noise(bytes, len);
		buf_clear(&ours);
		armor_add(
		    &ours, tables, view_part(whole, 0, len / 2), view_part(whole, len / 2, len));
		write_file("in", whole);
		run("gpg --homedir . --batch --yes --no-comments --enarmor -o out in 2>log"
		    " && sed -i -e 's/ARMORED FILE/MESSAGE/' -e /^Comment/d -e 's/$/\\r/' out");
		read_file("out", &theirs);
		assert_string_equal(buf_text(&ours), buf_text(&theirs));
	}
	buf_release(&ours);
	buf_release(&theirs);
}

static void gpg_takes_the_armor_off_again(void **state)
{
	static char bytes[DATA_SIZE];
	const struct view whole = noise(bytes, sizeof bytes);
	struct buf out = BUF_EMPTY(OUT_MAX);
	(void)state;
	armor_add(&out, tables, view_part(whole, 0, 524), view_part(whole, 524, whole.len));
	write_file("in.asc", buf_view(&out));
	run("gpg --homedir . --batch --yes --dearmor -o out in.asc 2>log");
	read_file("out", &out);
	assert_true(view_equals(buf_view(&out), whole));
	buf_release(&out);
}

static void place_of_the_seam_does_not_show(void **state)
{
	char bytes[200];
	struct buf one = BUF_EMPTY(OUT_MAX);
	struct buf two = BUF_EMPTY(OUT_MAX);
	(void)state;
	for (size_t len = 0; len <= sizeof bytes; len++) {
		const struct view whole = noise(bytes, len);
		buf_clear(&one);
		armor_add(&one, tables, VIEW(""), whole);
		assert_int_equal(one.len, armor_size(len));
		for (size_t at = 1; at <= len; at++) {
			buf_clear(&two);
			armor_add(&two, tables, view_part(whole, 0, at), view_part(whole, at, len));
			assert_true(view_equals(buf_view(&one), buf_view(&two)));
		}
	}
	buf_release(&one);
	buf_release(&two);
}

static void past_its_maximum_the_buffer_overflows(void **state)
{
	struct buf out = BUF_EMPTY(100);
	(void)state;
	armor_add(&out, tables, VIEW("abc"), VIEW("defghijklmnopqrstuvwxyzabcdefghijklmnopqrst"));
	assert_true(out.overflow);
	buf_release(&out);
}

static void message_doubles_dots_and_counts_its_size_before(void **state)
{
	struct courier_run run_of_one = {
	    .head = VIEW(".first\r\n..second\r\nthird.\r\n\r\n"),
	    .data = VIEW("data"),
	    .tail = VIEW("\r\n.\r\n"),
	    .count = 1,
	    .deliveries = {{.pkesk = VIEW("pkesk")}},
	};
	struct courier_message message = {.size = 0};
	struct buf wanted = BUF_EMPTY(OUT_MAX);
	(void)state;
	buf_add_text(&wanted, "..first\r\n...second\r\nthird.\r\n\r\n");
	armor_add(&wanted, tables, VIEW("pkesk"), VIEW("data"));
	buf_add_text(&wanted, "\r\n..\r\n");
	for (int i = 0; i < 2; i++) {
		message_put(&message, tables, &run_of_one, 0);
		assert_string_equal(buf_text(&message.bytes), buf_text(&wanted));
		assert_int_equal(message.size, wanted.len - 3);
		assert_false(message.bytes.overflow);
	}
	message_release(&message);
	buf_release(&wanted);
}

static void only_whole_lines_are_lines(void **state)
{
	char line[1001];
	(void)state;
	memset(line, 'x', 998);
	memcpy(line + 998, "\r\n", 3);
	assert_true(message_is_lines(VIEW("")));
	assert_true(message_is_lines(VIEW("a\r\n\r\n.b\r\n")));
	assert_true(message_is_lines(view_of(line)));
	assert_false(message_is_lines(VIEW("a")));
	assert_false(message_is_lines(VIEW("a\n")));
	assert_false(message_is_lines(VIEW("a\r")));
	assert_false(message_is_lines(VIEW("a\rb\r\n")));
	assert_false(message_is_lines(VIEW("a\r\nb\n.\r\n")));
	assert_false(message_is_lines(VIEW("a\0\r\n")));
	memcpy(line + 997, "xx\r", 3);
	line[1000] = '\n';
	assert_false(message_is_lines((struct view){line, sizeof line}));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(crc_has_the_known_check_value),
	    cmocka_unit_test(crc_of_pieces_is_the_crc_of_the_whole),
	    cmocka_unit_test(armor_is_what_gpg_writes),
	    cmocka_unit_test(gpg_takes_the_armor_off_again),
	    cmocka_unit_test(place_of_the_seam_does_not_show),
	    cmocka_unit_test(past_its_maximum_the_buffer_overflows),
	    cmocka_unit_test(message_doubles_dots_and_counts_its_size_before),
	    cmocka_unit_test(only_whole_lines_are_lines),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("courier_armor", tests, make, unmake);
}
