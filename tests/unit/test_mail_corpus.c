/* Real mail and real advisories, where they are at hand (DEWLINE_CORPUS, or ../shared/corpus beside
 * the sources); and damage done to all of them, which must never do more than change the answer. */
#include "config.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"

#include "mail_reading.h"
#include "patience.h"

enum { DAMAGES = 60, FILE_MAX = 4 << 20, QUICK_MS = 5000 };

typedef void visit_fn(const char *path, struct view bytes);

static bool find_corpus(char *out, size_t size, const char *folder)
{
	const char *named = getenv("DEWLINE_CORPUS");
	const char *source = getenv("srcdir");
	struct stat status;
	if (named != NULL)
		snprintf(out, size, "%s/%s", named, folder);
	else
		snprintf(
		    out, size, "%s/../shared/corpus/%s", source == NULL ? "." : source, folder);
	return stat(out, &status) == 0 && S_ISDIR(status.st_mode);
}

static unsigned visit_all(const char *folder, const char *ending, visit_fn *visit)
{
	char directory[3072];
	unsigned count = 0;
	if (!find_corpus(directory, sizeof directory, folder))
		skip();
	DIR *listing = opendir(directory);
	assert_non_null(listing);
	for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
		char path[4096];
		struct buf bytes = BUF_EMPTY(FILE_MAX);
		struct err err;
		const char *dot = strrchr(entry->d_name, '.');
		if (dot == NULL || strcmp(dot, ending) != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		assert_int_equal(file_read(path, &bytes, &err), 0);
		visit(path, buf_view(&bytes));
		buf_release(&bytes);
		count++;
	}
	closedir(listing);
	return count;
}

static void read_both_ways(struct view bytes)
{
	const int64_t start = processor_ms();
	struct reading_outline *outline = reading_outline_of(bytes);
	struct reading_content *content = reading_content_of(bytes);
	assert_true(text_is_utf8(content->out.text));
	assert_true(text_is_utf8(view_of(content->out.subject)));
	assert_true(text_is_utf8(content->out.csaf.text));
	struct buf body = BUF_EMPTY(READING_STORE_MAX);
	reader_put_content(&body, &content->out);
	struct mail_content *again = malloc(sizeof *again);
	assert_non_null(again);
	assert_true(reader_take_content(buf_view(&body), again));
	free(again);
	buf_release(&body);
	reading_outline_free(outline);
	reading_content_free(content);
	assert_true(processor_ms() - start < patient(QUICK_MS));
}

/* The same numbers each time, so that a failure can be repeated. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

static void damage_and_read(struct view bytes)
{
	static const char marks[] = "\n\r:;=\"\\()<>?-_ \t\0\xff*'%/&#{}[],";
	uint32_t random = (uint32_t)bytes.len;
	if (bytes.len == 0)
		return;
	for (unsigned round = 0; round < DAMAGES; round++) {
		char *copy = reading_copy(bytes);
		size_t len = bytes.len;
		for (unsigned i = 0; i <= round % 8; i++)
			copy[next_random(&random) % len] =
			    marks[next_random(&random) % (sizeof marks - 1)];
		if (round % 5 == 4)
			len = next_random(&random) % len + 1;
		read_both_ways((struct view){copy, len});
		free(copy);
	}
}

static void visit_mail(const char *path, struct view bytes)
{
	(void)path;
	read_both_ways(bytes);
	damage_and_read(bytes);
}

static void odd_mail_is_read_whole_and_damaged(void **state)
{
	(void)state;
	assert_true(visit_all("mime", ".eml", visit_mail) > 0);
}

static void bounces_are_read_whole_and_damaged(void **state)
{
	(void)state;
	assert_true(visit_all("bounces", ".eml", visit_mail) > 0);
}

static void attach_json(struct buf *raw, struct view json)
{
	buf_add_text(raw, "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
			  "Content-Type: application/json; name=advisory.json\n\n");
	buf_add_view(raw, json);
	buf_add_text(raw, "\n--b--\n");
}

static void visit_csaf(const char *path, struct view bytes)
{
	struct buf raw = BUF_EMPTY(FILE_MAX * 2);
	attach_json(&raw, bytes);
	struct reading_content *content = reading_content_of(buf_view(&raw));
	const struct csaf_facts *csaf = &content->out.csaf;
	if (!csaf->present)
		fail_msg("%s: %s", path, content->out.reason);
	assert_false(content->out.csaf_bad);
	assert_string_not_equal(csaf->id, "");
	assert_string_not_equal(csaf->title, "");
	assert_string_not_equal(csaf->severity, "");
	assert_true(csaf->text.len > 1000 && csaf->text.len < (size_t)256 * 1024);
	assert_true(view_find(csaf->text, view_of(csaf->id)) != SIZE_MAX);
	assert_true(view_find(csaf->text, VIEW("CVE-")) != SIZE_MAX);
	assert_true(view_find(csaf->text, VIEW("What to do:")) != SIZE_MAX);
	assert_true(view_find(csaf->text, VIEW("Affected:")) != SIZE_MAX);
	reading_content_free(content);
	if (bytes.len < (size_t)64 * 1024)
		damage_and_read(buf_view(&raw));
	buf_release(&raw);
}

static void real_advisories_are_rendered(void **state)
{
	(void)state;
	assert_true(visit_all("csaf", ".json", visit_csaf) > 0);
}

/* Ours, so that this program tests something everywhere. */
static void own_mail_is_read_whole_and_damaged(void **state)
{
	(void)state;
	visit_mail("",
	    VIEW("From: =?utf-8?Q?J=C3=B6rg?= <j@example.org>\nSubject: =?koi8-r?B?0NI=?= x\n"
		 "Auto-Submitted: auto-replied (vacation)\n"
		 "Content-Type: multipart/mixed; boundary=\"a(b\";\n protected-headers=\"v1\"\n\n"
		 "--a(b\nContent-Type: multipart/alternative; boundary=c\n\n"
		 "--c\nContent-Type: text/plain; format=flowed; charset=iso-2022-jp\n\n"
		 "> a \n> b\n\x1b$BF|K\\\x1b(B\n"
		 "--c\nContent-Type: text/html; charset=windows-1252\n"
		 "Content-Transfer-Encoding: quoted-printable\n\n<p a=3D\"b>\">x&amp;=E4</p><!-- "
		 "-->\n"
		 "--c--\n--a(b\nContent-Type: application/json; name*0*=utf-8''%C3; name*1=x.json\n"
		 "Content-Disposition: attachment; filename=\"=?utf-8?B?w6Q=?=.json\"\n\n"
		 "{\"document\":{\"csaf_version\":\"2.0\",\"title\":\"t\",\"tracking\":{\"id\":"
		 "\"i\","
		 "\"version\":\"1\"}},\"vulnerabilities\":[{\"cve\":\"CVE-1\"}]}\n"
		 "--a(b\nContent-Type: text/plain\n\n-----BEGIN PGP MESSAGE-----\n\nabc\n"
		 "-----END PGP MESSAGE-----\n--a(b--\n"));
	visit_mail(
	    "", VIEW("Content-Type: multipart/signed; protocol=\"application/pgp-signature\";\r\n"
		     " boundary=s\r\n\r\n--s\r\n\r\nx\r\n--s\r\n"
		     "Content-Type: application/pgp-signature\r\n\r\ny\r\n--s--\r\n"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(own_mail_is_read_whole_and_damaged),
	    cmocka_unit_test(odd_mail_is_read_whole_and_damaged),
	    cmocka_unit_test(bounces_are_read_whole_and_damaged),
	    cmocka_unit_test(real_advisories_are_rendered),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("mail_corpus", tests, NULL, NULL);
}
