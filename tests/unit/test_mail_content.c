#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "mail_reading.h"

#include "mail/decode.h"

static void assert_text(const char *entity, const char *text)
{
	struct reading_content *content = reading_content_of(view_of(entity));
	assert_true(content->out.readable);
	assert_true(content->out.has_text);
	assert_view_is(content->out.text, text);
	reading_content_free(content);
}

static void assert_subject(const char *entity, const char *subject)
{
	struct reading_content *content = reading_content_of(view_of(entity));
	assert_true(content->out.readable);
	assert_string_equal(content->out.subject, subject);
	reading_content_free(content);
}

static void bare_text_is_text_even_when_it_looks_like_a_header(void **state)
{
	(void)state;
	assert_text(
	    "Advisory: new\r\nTLP: AMBER\r\n\r\nText\r\n", "Advisory: new\nTLP: AMBER\n\nText\n");
	assert_text("received\n\nContent-Type: not a header here\n",
	    "received\n\nContent-Type: not a header here\n");
	assert_text("gr\xfc\xdf", "grüß");
	assert_text("", "");
}

static void charsets_become_utf8(void **state)
{
	(void)state;
	assert_text("Content-Type: text/plain; charset=utf-8\n\ngr\xc3\xbc\xc3\x9f\n", "grüß\n");
	assert_text("Content-Type: text/plain; charset=\"ISO-8859-1\"\n\ngr\xfc\xdf\n", "grüß\n");
	assert_text(
	    "Content-Type: text/plain; charset=windows-1252\n\n\x93x\x94 \x80\n", "“x” €\n");
	assert_text("Content-Type: text/plain; charset=iso-8859-15\n\n\xa4\n", "€\n");
	assert_text("Content-Type: text/plain; charset=koi8-r\n\n\xd0\xd2\n", "пр\n");
	assert_text("Content-Type: text/plain; charset=Shift_JIS\n\n\x93\xfa\x96{\n", "日本\n");
	assert_text(
	    "Content-Type: text/plain; charset=iso-2022-jp\n\n\x1b$BF|K\\\x1b(B\n", "日本\n");
	assert_text("Content-Type: text/plain; charset=x-no-such\n\ngr\xfc\xdf\n", "grüß\n");
	assert_text("Content-Type: text/plain\n\ngr\xc3\xbc\xc3\x9f\n", "grüß\n");
}

static void ill_formed_utf8_and_nul_are_replaced(void **state)
{
	(void)state;
	struct reading_content *content = reading_content_of(
	    VIEW("Content-Type: text/plain; charset=utf-8\n\na\xff\0\xed\xa0\x80z\n"));
	assert_view_is(
	    content->out.text, "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\n");
	reading_content_free(content);
}

static void transfer_encodings_are_undone(void **state)
{
	(void)state;
	assert_text("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: "
		    "Quoted-Printable\n\na=3Db =\r\nc=C3=A4 \t\r\nlast=A",
	    "a=b cä\nlast=A");
	assert_text("Content-Type: text/plain\nContent-Transfer-Encoding: base64 (so)\n\n"
		    "cmVj\r\nZWl2ZWQ=\r\n",
	    "received");
	assert_text(
	    "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\ncm*Vj\n", "rec");
	assert_text("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
		    "cmVjZQ==\n____\nlist footer\n",
	    "rece");
	assert_text(
	    "Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\n\na=3D\n", "a=3D\n");
}

static void quoted_printable_keeps_what_is_malformed(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {{"=", ""}, {"=\n", ""}, {"=4", "=4"}, {"=ZZ", "=ZZ"}, {"==41", "=A"},
	    {"a= \t\nb", "ab"}, {"a  \nb", "a\nb"}, {"\r\n", "\r\n"}, {"a\rb", "a\rb"}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf out = BUF_EMPTY(BUF_SMALL);
		const struct view in = view_of(cases[i].in);
		char *exact = reading_copy(in);
		decode_quoted_printable((struct view){exact, in.len}, &out);
		assert_string_equal(buf_text(&out), cases[i].out);
		buf_release(&out);
		free(exact);
	}
}

static void flowed_text_is_joined(void **state)
{
	(void)state;
	assert_text(
	    "Content-Type: text/plain; format=flowed\n\nA line that \nflows on.\n From here\n"
	    "> quoted \n> text\nanswer\n-- \nAda\n",
	    "A line that flows on.\nFrom here\n> quoted text\nanswer\n-- \nAda\n");
	assert_text(
	    "Content-Type: text/plain; format=flowed; delsp=yes\n\nABCD \nEFGH\n", "ABCDEFGH\n");
	assert_text("Content-Type: text/plain; format=fixed\n\na \nb\n", "a \nb\n");
}

static void html_alone_becomes_text(void **state)
{
	(void)state;
	assert_text("Content-Type: text/html; charset=utf-8\n\n<html><head><title>no</title>"
		    "<style>p{}</style></head><body><p>Received,\n thanks &amp; <b>bye</b></p>"
		    "<div>1 &lt; 2&nbsp;&#8364;</div><script>if (a<b) x()</script>"
		    "<ul><li>one</li><li>two</li></ul><!-- hidden > --><br>end</body></html>",
	    "Received, thanks & bye\n\n1 < 2 €\n\n* one\n* two\n\nend\n");
	assert_text(
	    "Content-Type: text/html\n\nno markup, 3 < 4 & <unclosed", "no markup, 3 < 4 &\n");
	assert_text("Content-Type: text/html\n\n&#0;&#x1b;&bogus;&#xd800;x\n",
	    "&#0;&#x1b;&bogus;&#xd800;x\n");
	assert_text(
	    "Content-Type: text/html\n\n<p>TLP:&ensp;&emsp;&thinsp;R&shy;ED&zwnj;&zwj;&#8203;</p>",
	    "TLP:\xe2\x80\x82\xe2\x80\x83\xe2\x80\x89R\xc2\xad"
	    "ED\xe2\x80\x8c\xe2\x80\x8d\xe2\x80\x8b\n");
}

static void block_quotations_of_html_have_marks(void **state)
{
	(void)state;
	assert_text("Content-Type: text/html\n\n<p>acting</p><div>On Monday, Gateway wrote:<br>"
		    "<blockquote>one<br>two<p>three</p><blockquote>four</blockquote></blockquote>"
		    "</div><p>not affected</p>",
	    "acting\n\nOn Monday, Gateway wrote:\n\n> one\n> two\n\n> three\n\n> > four\n\n"
	    "not affected\n");
	assert_text("Content-Type: text/html\n\n</blockquote>one", "one\n");
}

static void plain_text_is_chosen_before_html(void **state)
{
	(void)state;
	static const char mail[] = "Content-Type: multipart/alternative; boundary=b\n\n"
				   "--b\nContent-Type: text/html\n\n<p>html</p>\n"
				   "--b\nContent-Type: text/plain\n\nplain\n--b--\n";
	assert_text(mail, "plain");
	struct reading_content *content = reading_content_of(view_of(mail));
	assert_int_equal(content->out.part_count, 0);
	reading_content_free(content);
}

static void html_is_chosen_before_empty_plain_text(void **state)
{
	(void)state;
	assert_text("Content-Type: multipart/alternative; boundary=b\n\n"
		    "--b\nContent-Type: text/plain\n\n \n"
		    "--b\nContent-Type: text/html\n\n<p>html</p>\n--b--\n",
	    "html\n");
}

static void later_text_is_kept_as_a_part(void **state)
{
	(void)state;
	struct reading_content *content = reading_content_of(
	    VIEW("Content-Type: multipart/mixed; boundary=b\n\n"
		 "--b\nContent-Type: text/plain\n\nfirst\n"
		 "--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64"
		 "\n\niVBORw0KGgo=\n"
		 "--b\nContent-Type: text/plain; charset=iso-8859-1\n\n\xe4\r\n\n"
		 "--b--\n"));
	assert_view_is(content->out.text, "first");
	assert_int_equal(content->out.part_count, 2);
	assert_string_equal(content->out.parts[0].type, "image/png");
	assert_true(content->out.parts[0].attachment);
	assert_int_equal(content->out.parts[0].content.len, 8);
	assert_memory_equal(content->out.parts[0].content.data, "\x89PNG\r\n\x1a\n", 8);
	assert_false(content->out.parts[1].attachment);
	assert_view_is(content->out.parts[1].content, "ä\n");
	reading_content_free(content);
}

static void attached_text_is_kept_byte_for_byte(void **state)
{
	(void)state;
	struct reading_content *content = reading_content_of(
	    VIEW("Content-Type: multipart/mixed; boundary=b\n\n"
		 "--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n"
		 "Content-Transfer-Encoding: base64\n\n5A0KAA==\n"
		 "--b\nContent-Type: text/plain\n\nbody\n--b--\n"));
	assert_view_is(content->out.text, "body");
	assert_int_equal(content->out.part_count, 1);
	assert_true(content->out.parts[0].attachment);
	assert_int_equal(content->out.parts[0].content.len, 4);
	assert_memory_equal(content->out.parts[0].content.data, "\xe4\r\n\0", 4);
	reading_content_free(content);
}

static void attached_message_is_not_looked_into(void **state)
{
	(void)state;
	struct reading_content *content =
	    reading_content_of(VIEW("Content-Type: multipart/mixed; boundary=b\nSubject: outer\n\n"
				    "--b\nContent-Type: message/rfc822\n\nSubject: inner\n"
				    "Content-Type: text/plain\n\ninner text\n--b--\n"));
	assert_string_equal(content->out.subject, "outer");
	assert_false(content->out.has_text);
	assert_int_equal(content->out.part_count, 1);
	assert_view_is(content->out.parts[0].content,
	    "Subject: inner\nContent-Type: text/plain\n\ninner text");
	reading_content_free(content);
}

static void assert_name(const char *fields, const char *name)
{
	struct buf raw = BUF_EMPTY(BUF_SMALL);
	buf_printf(
	    &raw, "Content-Type: multipart/mixed; boundary=b\n\n--b\n%s\n\nx\n--b--\n", fields);
	struct reading_content *content = reading_content_of(buf_view(&raw));
	assert_int_equal(content->out.part_count, 1);
	assert_string_equal(content->out.parts[0].name, name);
	reading_content_free(content);
	buf_release(&raw);
}

static void attachment_names_are_decoded(void **state)
{
	(void)state;
	assert_name("Content-Type: application/pdf; name=\"a b.pdf\"", "a b.pdf");
	assert_name("Content-Type: application/pdf; name=a b.pdf", "a b.pdf");
	assert_name(
	    "Content-Type: application/pdf; name=report(1).pdf (a comment)", "report(1).pdf");
	assert_name("Content-Type: application/pdf; name=x\nContent-Disposition: attachment;\n"
		    " filename*=utf-8'de'gr%C3%BC%C3%9Fe.pdf",
	    "grüße.pdf");
	assert_name("Content-Type: application/pdf\nContent-Disposition: attachment;\n"
		    " filename*1=\"b.pdf\"; filename*0*=iso-8859-1''%E4",
	    "äb.pdf");
	assert_name("Content-Type: application/pdf; name=\"=?utf-8?B?w6QucGRm?=\"", "ä.pdf");
	assert_name("Content-Type: application/pdf; name=\"a\\\"b\\\\c.pdf\"", "c.pdf");
}

static void attachment_names_are_no_paths_and_do_not_deceive(void **state)
{
	(void)state;
	assert_name("Content-Type: application/pdf; name=\"../../etc/passwd\"", "passwd");
	assert_name("Content-Type: application/pdf; name=\"C:\\\\dir\\\\a.pdf\"", "a.pdf");
	assert_name("Content-Type: application/pdf; name=\"..\"", "");
	assert_name("Content-Type: application/pdf; name=\"dir/\"", "");
	assert_name(
	    "Content-Type: application/pdf; name*=utf-8''a%0D%0Ab%E2%80%AEfdp.exe", "abfdp.exe");
}

static void long_names_are_cut_at_a_character(void **state)
{
	(void)state;
	struct buf field = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&field, "Content-Type: application/pdf; name=\"x");
	for (unsigned i = 0; i < 200; i++)
		buf_add_text(&field, "ä");
	buf_add_text(&field, "\"");
	struct buf name = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&name, "x");
	for (unsigned i = 0; i < (MAIL_NAME_SIZE - 2) / 2; i++)
		buf_add_text(&name, "ä");
	assert_name(buf_text(&field), buf_text(&name));
	buf_release(&field);
	buf_release(&name);
}

static void protected_subject_is_decoded(void **state)
{
	(void)state;
	assert_subject(
	    "Content-Type: text/plain; hp=\"cipher\"\nSubject: plain\nHP-Outer: Subject: "
	    "[...]\n\nx\n",
	    "plain");
	assert_subject(
	    "Content-Type: multipart/mixed; boundary=b; protected-headers=\"v1\"\n"
	    "Subject: =?utf-8?Q?Sicherheitsl=C3=BC?=\n =?utf-8?Q?cke_in?= X\n\n--b\n\nx\n--b--\n",
	    "Sicherheitslücke in X");
	assert_subject(
	    "Content-Type: text/plain\nSubject: =?iso-8859-1?B?5PY=?= end\n\nx\n", "äö end");
	assert_subject("Content-Type: text/plain\nSubject: a =?broken and ?= =?x?y?z?= b\n\nx\n",
	    "a =?broken and ?= =?x?y?z?= b");
	assert_subject(
	    "Content-Type: text/plain\nSubject: a\n\tb\x01\x7f\x1b[31mc\n\nx\n", "a b   [31mc");
	assert_subject("Content-Type: text/plain\n\nSubject: not this\n", "");
}

static void encoded_words_split_within_a_character_are_joined(void **state)
{
	(void)state;
	assert_subject(
	    "Content-Type: text/plain\nSubject: =?utf-8?Q?=E2=82?=\n =?utf-8?Q?=AC?=\n\nx\n", "€");
}

static void long_subjects_are_cut_at_a_character(void **state)
{
	(void)state;
	struct buf raw = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&raw, "Content-Type: text/plain\nSubject: x");
	for (unsigned i = 0; i < MAIL_SUBJECT_SIZE; i++)
		buf_add_text(&raw, "ä");
	buf_add_text(&raw, "\n\nx\n");
	struct reading_content *content = reading_content_of(buf_view(&raw));
	assert_int_equal(strlen(content->out.subject), MAIL_SUBJECT_SIZE - 1);
	assert_memory_equal(content->out.subject + MAIL_SUBJECT_SIZE - 3, "ä", 2);
	reading_content_free(content);
	buf_release(&raw);
}

static void memory_hole_header_part_gives_the_subject_and_is_not_shown(void **state)
{
	(void)state;
	static const char mail[] =
	    "Content-Type: multipart/mixed; boundary=b\n\n"
	    "--b\nContent-Type: text/rfc822-headers; protected-headers=\"v1\"\n"
	    "Content-Disposition: inline\n\nSubject: hidden one\n\n"
	    "--b\nContent-Type: text/plain\n\nthe text\n--b--\n";
	assert_subject(mail, "hidden one");
	assert_text(mail, "the text");
	struct reading_content *content = reading_content_of(view_of(mail));
	assert_int_equal(content->out.part_count, 0);
	reading_content_free(content);
}

static void legacy_display_lines_are_taken_off(void **state)
{
	(void)state;
	assert_text(
	    "Content-Type: text/plain; hp=\"cipher\"; hp-legacy-display=\"1\"\nSubject: real\n\n"
	    "Subject: real\n\nthe text\n",
	    "the text\n");
	assert_text(
	    "Content-Type: multipart/mixed; boundary=b; protected-headers=v1\nSubject: real\n\n"
	    "--b\nContent-Type: text/plain; protected-headers=\"v1\"\n\nSubject: real\n\n"
	    "--b\nContent-Type: text/plain\n\nthe text\n--b--\n",
	    "the text");
}

static void signed_inside_is_handed_out_for_verification(void **state)
{
	(void)state;
	struct reading_content *content = reading_content_of(VIEW(
	    "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\n"
	    "Subject: not looked at\n\n--b\nContent-Type: text/plain\n\nreceived\n"
	    "--b\nContent-Type: application/pgp-signature\n\nSIG\n--b--\n"));
	assert_true(content->out.readable);
	assert_true(content->out.wrapped);
	assert_false(content->out.has_text);
	assert_view_is(content->out.message, "Content-Type: text/plain\r\n\r\nreceived");
	assert_view_is(content->out.signature, "SIG");
	assert_string_equal(content->out.subject, "");
	assert_false(content->out.beside);
	reading_content_free(content);
}

static void what_stands_beside_a_signed_part_inside_is_told(void **state)
{
	static const char *const ends[] = {"--b\n\nmore\n--b--\n", "--b--\nmore\n"};
	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		char raw[512];
		snprintf(raw, sizeof raw,
		    "Content-Type: multipart/signed; boundary=b\n\n--b\n\nreceived\n"
		    "--b\nContent-Type: application/pgp-signature\n\nSIG\n%s",
		    ends[i]);
		struct reading_content *content = reading_content_of(view_of(raw));
		assert_true(content->out.wrapped);
		assert_true(content->out.beside);
		reading_content_free(content);
	}
}

static void what_is_encrypted_once_more_is_nested(void **state)
{
	(void)state;
	struct reading_content *content =
	    reading_content_of(VIEW("Content-Type: multipart/encrypted; boundary=b\n\n--b\n"
				    "Content-Type: application/pgp-encrypted\n\nVersion: 1\n--b\n"
				    "Content-Type: application/octet-stream\n\nx\n--b--\n"));
	assert_true(content->out.nested);
	reading_content_free(content);
	content = reading_content_of(VIEW("Content-Type: text/plain\n\nreceived\n"));
	assert_false(content->out.nested);
	reading_content_free(content);
}

static void reports_and_automatic_replies_inside_are_told(void **state)
{
	(void)state;
	struct reading_content *content = reading_content_of(VIEW(
	    "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n"
	    "Auto-Submitted: auto-replied\n\n--b\n\nread\n--b\n"
	    "Content-Type: message/disposition-notification\n\nA: b\n--b--\n"));
	assert_true(content->out.report);
	assert_true(content->out.automatic);
	reading_content_free(content);
	content =
	    reading_content_of(VIEW("Content-Type: text/plain\n\nAuto-Submitted: auto-replied\n"));
	assert_false(content->out.report);
	assert_false(content->out.automatic);
	reading_content_free(content);
}

#define INNER "Subject: Re: inner\nContent-Type: text/plain\n\naffected\n"

static void mail_in_the_mail_is_read_only_where_it_is_the_writers_own(void **state)
{
	static const struct {
		const char *entity;
		const char *text;
		bool enclosed;
	} rows[] = {
	    {"Content-Type: message/rfc822\n\n" INNER, "affected\n", true},
	    {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nwrapped\n--b\n"
	     "Content-Type: message/rfc822; forwarded=no\n\n" INNER "--b--\n",
		"affected", true},
	    {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\npEp\n--b\n"
	     "Content-Type: message/rfc822\n\nSubject: Re: inner\n\n"
	     "pEp-Wrapped-Message-Info: INNER\nSubject: Re: inner\n\naffected\n--b--\n",
		"affected", true},
	    {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nacting\n--b\n"
	     "Content-Type: message/rfc822\n\n" INNER "--b--\n",
		"acting", false},
	    {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nacting\n--b\n"
	     "Content-Type: message/rfc822; forwarded=yes\n\n" INNER "--b--\n",
		"acting", false},
	    /* which of two is meant, nobody can tell */
	    {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nacting\n--b\n"
	     "Content-Type: message/rfc822; forwarded=no\n\n" INNER "--b\n"
	     "Content-Type: message/rfc822; forwarded=no\n\n" INNER "--b--\n",
		"acting", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct reading_content *content = reading_content_of(view_of(rows[i].entity));
		assert_true(content->out.readable);
		assert_view_is(content->out.text, rows[i].text);
		assert_int_equal(content->out.enclosed, rows[i].enclosed);
		assert_string_equal(content->out.subject, rows[i].enclosed ? "Re: inner" : "");
		reading_content_free(content);
	}
}

static void what_the_mail_in_the_mail_says_of_itself_is_told(void **state)
{
	struct reading_content *content = reading_content_of(
	    VIEW("Content-Type: message/rfc822\n\nAuto-Submitted: auto-replied\n"
		 "Content-Type: text/plain\n\nI am away\n"));
	(void)state;
	assert_true(content->out.automatic);
	reading_content_free(content);
	content = reading_content_of(
	    VIEW("Content-Type: message/rfc822\n\nContent-Type: multipart/encrypted; boundary=b\n"
		 "\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b--\n"));
	assert_true(content->out.nested);
	reading_content_free(content);
}

static void content_over_the_store_is_unreadable(void **state)
{
	(void)state;
	struct mail_content *content = calloc(1, sizeof *content);
	struct buf store = BUF_EMPTY(4);
	assert_non_null(content);
	mail_read_content(
	    VIEW("Content-Type: text/plain\n\ntoo long\n"), &reading_limits, &store, content);
	assert_false(content->readable);
	assert_string_equal(content->reason, "too large");
	assert_false(content->has_text);
	buf_release(&store);
	free(content);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bare_text_is_text_even_when_it_looks_like_a_header),
	    cmocka_unit_test(charsets_become_utf8),
	    cmocka_unit_test(ill_formed_utf8_and_nul_are_replaced),
	    cmocka_unit_test(transfer_encodings_are_undone),
	    cmocka_unit_test(quoted_printable_keeps_what_is_malformed),
	    cmocka_unit_test(flowed_text_is_joined),
	    cmocka_unit_test(html_alone_becomes_text),
	    cmocka_unit_test(block_quotations_of_html_have_marks),
	    cmocka_unit_test(plain_text_is_chosen_before_html),
	    cmocka_unit_test(html_is_chosen_before_empty_plain_text),
	    cmocka_unit_test(later_text_is_kept_as_a_part),
	    cmocka_unit_test(attached_text_is_kept_byte_for_byte),
	    cmocka_unit_test(attached_message_is_not_looked_into),
	    cmocka_unit_test(attachment_names_are_decoded),
	    cmocka_unit_test(attachment_names_are_no_paths_and_do_not_deceive),
	    cmocka_unit_test(long_names_are_cut_at_a_character),
	    cmocka_unit_test(protected_subject_is_decoded),
	    cmocka_unit_test(encoded_words_split_within_a_character_are_joined),
	    cmocka_unit_test(long_subjects_are_cut_at_a_character),
	    cmocka_unit_test(memory_hole_header_part_gives_the_subject_and_is_not_shown),
	    cmocka_unit_test(legacy_display_lines_are_taken_off),
	    cmocka_unit_test(signed_inside_is_handed_out_for_verification),
	    cmocka_unit_test(what_stands_beside_a_signed_part_inside_is_told),
	    cmocka_unit_test(what_is_encrypted_once_more_is_nested),
	    cmocka_unit_test(reports_and_automatic_replies_inside_are_told),
	    cmocka_unit_test(mail_in_the_mail_is_read_only_where_it_is_the_writers_own),
	    cmocka_unit_test(what_the_mail_in_the_mail_says_of_itself_is_told),
	    cmocka_unit_test(content_over_the_store_is_unreadable),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("mail_content", tests, NULL, NULL);
}
