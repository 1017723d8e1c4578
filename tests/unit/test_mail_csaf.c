#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "mail_reading.h"

/* A small document of our own; %s is what goes into "document" and behind it. */
#define DOCUMENT(distribution, more)                                                               \
	"{\"document\":{\"category\":\"csaf_security_advisory\",\"csaf_version\":\"2.0\","         \
	"\"title\":\"Widget\\u00e4 "                                                               \
	"flaw\",\"publisher\":{\"category\":\"vendor\",\"name\":\"Acme\","                         \
	"\"namespace\":\"https://acme.example\"}" distribution ",\"tracking\":{\"id\":\"ACME-1\"," \
	"\"version\":\"1.2\",\"status\":\"final\",\"initial_release_date\":\"2026-01-02T03:04:"    \
	"05Z\","                                                                                   \
	"\"current_release_date\":\"2026-02-03T03:04:05Z\"},\"notes\":[{\"category\":\"summary\"," \
	"\"text\":\"The short of "                                                                 \
	"it.\"},{\"category\":\"legal_disclaimer\",\"text\":\"Lawyers.\"}],"                       \
	"\"references\":[{\"summary\":\"Page\",\"url\":\"https://acme.example/1\"}]}" more "}"

#define TREE                                                                                       \
	",\"product_tree\":{\"branches\":[{\"category\":\"vendor\",\"name\":\"Acme\","             \
	"\"branches\":["                                                                           \
	"{\"category\":\"product_version\",\"name\":\"1\",\"product\":{\"product_id\":\"P1\","     \
	"\"name\":\"Acme Widget 1\"}}]}]}"

#define VULNERABILITIES                                                                            \
	",\"vulnerabilities\":[{\"cve\":\"CVE-2026-0001\",\"cwe\":{\"id\":\"CWE-79\",\"name\":"    \
	"\"XSS\"},\"scores\":[{\"products\":[\"P1\"],\"cvss_v3\":{\"version\":\"3.1\","            \
	"\"vectorString\":\"CVSS:3.1/AV:N\",\"baseScore\":8.1,\"baseSeverity\":\"HIGH\"}}],"       \
	"\"product_status\":{\"known_affected\":[\"P1\",\"P9\"]},\"remediations\":[{\"category\":" \
	"\"vendor_fix\",\"details\":\"Update.\",\"product_ids\":[\"P1\"]}]},"                      \
	"{\"cve\":\"CVE-2026-0002\",\"scores\":[{\"products\":[\"P1\"],\"cvss_v2\":{\"version\":"  \
	"\"2.0\",\"vectorString\":\"AV:N\",\"baseScore\":5.0}}]}]"

static struct reading_content *read_attached(const char *type, const char *name, struct view json)
{
	struct buf raw = BUF_EMPTY(READING_STORE_MAX);
	buf_printf(&raw,
	    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\n"
	    "Content-Type: %s; name=\"%s\"\n\n",
	    type, name);
	buf_add_view(&raw, json);
	buf_add_text(&raw, "\n--b--\n");
	struct reading_content *content = reading_content_of(buf_view(&raw));
	assert_true(content->out.readable);
	assert_int_equal(content->out.part_count, 1);
	buf_release(&raw);
	return content;
}

static void assert_bad(const char *type, struct view json)
{
	struct reading_content *content = read_attached(type, "a.json", json);
	assert_true(content->out.csaf_bad);
	assert_false(content->out.csaf.present);
	assert_string_not_equal(content->out.reason, "");
	reading_content_free(content);
}

static void assert_none(const char *type, const char *name, const char *json)
{
	struct reading_content *content = read_attached(type, name, view_of(json));
	assert_false(content->out.csaf_bad);
	assert_false(content->out.csaf.present);
	reading_content_free(content);
}

static bool holds(struct view text, const char *what)
{
	return view_find(text, view_of(what)) != SIZE_MAX;
}

static void facts_are_taken_from_the_document(void **state)
{
	(void)state;
	struct reading_content *content = read_attached("application/json", "x",
	    view_of(DOCUMENT(
		",\"distribution\":{\"tlp\":{\"label\":\"AMBER\"}}", TREE VULNERABILITIES)));
	const struct csaf_facts *csaf = &content->out.csaf;
	assert_true(csaf->present);
	assert_string_equal(csaf->id, "ACME-1");
	assert_string_equal(csaf->version, "1.2");
	assert_string_equal(csaf->title, "Widgetä flaw");
	assert_string_equal(csaf->tlp, "AMBER");
	assert_string_equal(csaf->severity, "HIGH");
	reading_content_free(content);
}

static void text_tells_what_a_reader_needs(void **state)
{
	(void)state;
	struct reading_content *content = read_attached("application/octet-stream", "acme-1.JSON",
	    view_of(DOCUMENT(
		",\"distribution\":{\"tlp\":{\"label\":\"WHITE\"}}", TREE VULNERABILITIES)));
	const struct view text = content->out.csaf.text;
	static const char *const wanted[] = {"Widgetä flaw\n", "ACME-1\n", "1.2\n", "2026-01-02\n",
	    "2026-02-03\n", "Acme\n", "TLP:CLEAR\n", "HIGH\n", "The short of it.\n",
	    "CVE-2026-0001\n", "CWE-79 XSS\n", "CVSS 3.1: 8.1 HIGH, CVSS:3.1/AV:N\n",
	    "- Acme Widget 1\n", "- P9\n", "vendor fix: Update.\n      for: Acme Widget 1\n",
	    "CVSS 2.0: 5.0 MEDIUM, AV:N\n", "Page\n      https://acme.example/1\n"};
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		if (!holds(text, wanted[i]))
			fail_msg("missing: %s", wanted[i]);
	assert_false(holds(text, "Lawyers"));
	assert_string_equal(content->out.csaf.tlp, "CLEAR");
	reading_content_free(content);
}

static void said_severity_is_taken_before_the_scores(void **state)
{
	(void)state;
	struct reading_content *content = read_attached("application/csaf+json", "x",
	    view_of(DOCUMENT(",\"aggregate_severity\":{\"text\":\"important\"}", VULNERABILITIES)));
	assert_string_equal(content->out.csaf.severity, "important");
	assert_string_equal(content->out.csaf.tlp, "");
	reading_content_free(content);
}

static void other_json_is_no_csaf(void **state)
{
	(void)state;
	assert_none("application/json", "x.json", "{\"document\":{}}");
	assert_none("application/json", "x.json", "[1,2,3]");
	assert_none("application/json", "x.json", "not json at all {{{");
	assert_none("text/csv", "x.csv", "name;" DOCUMENT("", ""));
	assert_none("application/octet-stream", "x", "\"csaf_version\" is a field of {");
	assert_none("text/x-python", "x.py", "{\"csaf\": 1}");
}

static void document_counts_whatever_its_type_and_name_say(void **state)
{
	static const char *const types[] = {"text/csv", "application/octet-stream",
	    "application/pdf", "text/html", "application/vnd.oasis.csaf", "application/pgp-keys",
	    "image/png"};
	static const char *const names[] = {
	    "advisory.txt", "advisory", "advisory.json.bak", "a.pdf"};
	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
			struct reading_content *content = read_attached(types[i], names[j],
			    view_of("\xef\xbb\xbf \r\n" DOCUMENT(
				",\"distribution\":{\"tlp\":{\"label\":\"RED\"}}", "")));
			assert_true(content->out.csaf.present);
			assert_string_equal(content->out.csaf.tlp, "RED");
			reading_content_free(content);
		}
	}
	assert_bad("image/png", VIEW("{\"document\":{\"csaf_version\":\"2.0\""));
}

/* Each character takes `width` bytes, the last of them where `big`. */
static void add_wide(struct buf *out, const char *text, size_t width, bool big)
{
	for (; *text != '\0'; text++)
		for (size_t i = 0; i < width; i++)
			buf_add_char(out, i == (big ? width - 1 : 0) ? *text : '\0');
}

static void document_in_another_encoding_is_bad_by_name(void **state)
{
	static const struct {
		struct view mark;
		size_t width;
		bool big;
	} rows[] = {{{"\xff\xfe", 2}, 2, false}, {{"\xfe\xff", 2}, 2, true}, {{"", 0}, 2, false},
	    {{"", 0}, 2, true}, {{"\xff\xfe\0\0", 4}, 4, false}, {{"\0\0\xfe\xff", 4}, 4, true}};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf json = BUF_EMPTY(BUF_SMALL);
		struct buf armored = BUF_EMPTY(BUF_SMALL);
		buf_add_view(&json, rows[i].mark);
		add_wide(&json,
		    " \r\n" DOCUMENT(",\"distribution\":{\"tlp\":{\"label\":\"RED\"}}", ""),
		    rows[i].width, rows[i].big);
		buf_add_text(&armored,
		    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\n"
		    "Content-Type: text/plain; name=\"secret.txt\"\n"
		    "Content-Disposition: attachment\n"
		    "Content-Transfer-Encoding: base64\n\n");
		text_base64(&armored, buf_view(&json), TEXT_BASE64_LINE);
		buf_add_text(&armored, "\n--b--\n");
		struct reading_content *content = reading_content_of(buf_view(&armored));
		assert_true(content->out.csaf_bad);
		assert_string_equal(content->out.reason,
		    "\"secret.txt\" is in UTF-16 or UTF-32, and CSAF is in UTF-8: save it so");
		reading_content_free(content);
		buf_release(&json);
		buf_release(&armored);
	}
}

static void red_that_says_amber_strict_in_its_text_is_that(void **state)
{
	static const struct {
		const char *distribution;
		const char *tlp;
	} rows[] = {
	    {"{\"tlp\":{\"label\":\"RED\"},\"text\":\"TLPv2: TLP:AMBER+STRICT\"}", "AMBER+STRICT"},
	    {"{\"tlp\":{\"label\":\"RED\"},\"text\":\"TLP:RED\"}", "RED"},
	    {"{\"tlp\":{\"label\":\"RED\"},\"text\":\"not TLP:RED but TLP:AMBER+STRICT\"}", "RED"},
	    {"{\"tlp\":{\"label\":\"RED\"},\"text\":\"TLP:AMBER\"}", "RED"},
	    {"{\"tlp\":{\"label\":\"GREEN\"},\"text\":\"TLP:AMBER+STRICT\"}", "GREEN"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf json = BUF_EMPTY(BUF_SMALL);
		buf_printf(&json, DOCUMENT(",\"distribution\":%s", ""), rows[i].distribution);
		struct reading_content *content =
		    read_attached("application/json", "a.json", buf_view(&json));
		assert_string_equal(content->out.csaf.tlp, rows[i].tlp);
		reading_content_free(content);
		buf_release(&json);
	}
}

static void csaf_that_cannot_be_read_is_bad(void **state)
{
	(void)state;
	assert_bad("application/csaf+json", VIEW("{}"));
	assert_bad("application/csaf+json", VIEW("nothing"));
	assert_bad("application/json", VIEW("{\"document\":{\"csaf_version\":\"2.1\"}}"));
	assert_bad("application/json", VIEW("{\"document\":{\"csaf_version\":\"2.0\"}}"));
	assert_bad("application/json", VIEW("{\"document\":{\"csaf_version\":\"2.0\""));
	assert_bad("application/json",
	    VIEW("{\"document\":{\"csaf_version\":\"2.0\",\"csaf_version\":\"2.0\"}}"));
	assert_bad("application/json",
	    view_of(DOCUMENT(",\"distribution\":{\"tlp\":{\"label\":\"PURPLE\"}}", "")));
	assert_bad("application/json", view_of(DOCUMENT("", ",\"x\":1,\"x\":2")));
}

static void json_nested_too_deep_is_bad(void **state)
{
	(void)state;
	struct buf json = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&json, "{\"csaf_version\":");
	for (unsigned i = 0; i < 10000; i++)
		buf_add_char(&json, '[');
	assert_bad("application/json", buf_view(&json));
	buf_release(&json);
}

static void two_documents_are_bad(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&raw, "Content-Type: multipart/mixed; boundary=b\n\n");
	for (unsigned i = 0; i < 2; i++)
		buf_add_text(&raw, "--b\nContent-Type: application/json\n\n" DOCUMENT("", "") "\n");
	buf_add_text(&raw, "--b--\n");
	struct reading_content *content = reading_content_of(buf_view(&raw));
	assert_true(content->out.csaf_bad);
	assert_int_equal(content->out.part_count, 2);
	reading_content_free(content);
	buf_release(&raw);
}

static void long_documents_are_cut_and_name_the_rest(void **state)
{
	(void)state;
	struct buf json = BUF_EMPTY(READING_STORE_MAX);
	struct buf list = BUF_EMPTY(READING_STORE_MAX);
	for (unsigned i = 0; i < 3000; i++)
		buf_printf(&list,
		    "%s{\"cve\":\"CVE-2026-%05u\",\"notes\":[{\"category\":\"summary\","
		    "\"text\":\"A rather long story about what goes wrong in number %u.\"}]}",
		    i == 0 ? "" : ",", i, i);
	buf_add_text(&json, DOCUMENT("", ",\"vulnerabilities\":["));
	json.len--; /* the closing brace comes later */
	buf_add_view(&json, buf_view(&list));
	buf_add_text(&json, "]}");
	struct reading_content *content =
	    read_attached("application/json", "x.json", buf_view(&json));
	const struct view text = content->out.csaf.text;
	assert_true(content->out.csaf.present);
	assert_true(text.len < (size_t)256 * 1024);
	assert_true(holds(text, "attached CSAF document"));
	assert_true(holds(text, "CVE-2026-02999"));
	reading_content_free(content);
	buf_release(&json);
	buf_release(&list);
}

static void lines_are_wrapped_and_controls_left_out(void **state)
{
	(void)state;
	struct buf notes = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&notes, ",\"vulnerabilities\":[{\"cve\":\"CVE-2026-0001\",\"notes\":[{"
			     "\"category\":\"description\",\"text\":\"\\u001b[31m\\u202eabc ");
	for (unsigned i = 0; i < 300; i++)
		buf_add_text(&notes, "wörd ");
	buf_add_text(&notes, "\"}]}]}");
	struct buf json = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&json, DOCUMENT("", ""));
	json.len--;
	buf_add_view(&json, buf_view(&notes));
	struct reading_content *content =
	    read_attached("application/json", "x.json", buf_view(&json));
	struct view rest = content->out.csaf.text;
	struct view line;
	assert_true(content->out.csaf.present);
	assert_false(holds(rest, "\x1b"));
	assert_false(holds(rest, "\xe2\x80\xae"));
	while (view_next_line(&rest, &line)) {
		size_t width = 0;
		for (size_t i = 0; i < line.len; i++)
			width += ((unsigned char)line.data[i] & 0xc0U) != 0x80U;
		assert_true(width <= 76);
	}
	reading_content_free(content);
	buf_release(&json);
	buf_release(&notes);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(facts_are_taken_from_the_document),
	    cmocka_unit_test(text_tells_what_a_reader_needs),
	    cmocka_unit_test(said_severity_is_taken_before_the_scores),
	    cmocka_unit_test(other_json_is_no_csaf),
	    cmocka_unit_test(document_counts_whatever_its_type_and_name_say),
	    cmocka_unit_test(document_in_another_encoding_is_bad_by_name),
	    cmocka_unit_test(red_that_says_amber_strict_in_its_text_is_that),
	    cmocka_unit_test(csaf_that_cannot_be_read_is_bad),
	    cmocka_unit_test(json_nested_too_deep_is_bad),
	    cmocka_unit_test(two_documents_are_bad),
	    cmocka_unit_test(long_documents_are_cut_and_name_the_rest),
	    cmocka_unit_test(lines_are_wrapped_and_controls_left_out),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("mail_csaf", tests, NULL, NULL);
}
