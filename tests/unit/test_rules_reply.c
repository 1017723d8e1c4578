#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "rules/reply.h"

#define TOKEN_A "ABCDEFGHIJKLMNOP"
#define TOKEN_B "QRSTUVWXYZ234567"

/* Reads the text and compares status and comment. */
static void reads_as(struct view text, const char *status, struct view comment)
{
	struct reply reply;
	reply_read(text, VIEW(""), &reply);
	if (strcmp(reply.status, status) != 0 || !view_equals(buf_view(&reply.comment), comment))
		fail_msg("read as %s, \"%s\" and not %s, \"%.*s\":\n%.*s", reply.status,
		    buf_text(&reply.comment), status, (int)comment.len, comment.data, (int)text.len,
		    text.data);
	buf_release(&reply.comment);
}

static void reads(const char *text, const char *status, const char *comment)
{
	reads_as(view_of(text), status, view_of(comment));
}

static void has_tokens(struct view text, const char *subject, size_t count, const char *first)
{
	struct reply reply;
	reply_read(text, view_of(subject), &reply);
	if (reply.tokens.count != count)
		fail_msg("%u tokens and not %zu: %.*s", reply.tokens.count, count, (int)text.len,
		    text.data);
	if (count > 0)
		assert_string_equal(reply.tokens.tokens[0], first);
	buf_release(&reply.comment);
}

static void token_is_found_wherever_it_stands_alone(void **state)
{
	static const char *const rows[] = {TOKEN_A, " " TOKEN_A " ", "x\n" TOKEN_A "\ny",
	    "x\r\n" TOKEN_A "\r\n", "(" TOKEN_A ")", "[" TOKEN_A "]", "<" TOKEN_A ">",
	    "token:" TOKEN_A ".", "> " TOKEN_A, "> > > " TOKEN_A, "\"" TOKEN_A "\"",
	    "-- \n" TOKEN_A, "On Monday, somebody wrote " TOKEN_A ":\n> x", "=" TOKEN_A "=",
	    "_" TOKEN_A "_", "\xc3\xa9" TOKEN_A "\xe2\x80\x9d", "\x01" TOKEN_A "\x7f"};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		has_tokens(view_of(rows[i]), "", 1, TOKEN_A);
	has_tokens(VIEW("\0" TOKEN_A "\0"), "", 1, TOKEN_A);
}

static void what_has_not_the_form_of_a_token_is_none(void **state)
{
	static const char *const rows[] = {"", "ABCDEFGHIJKLMNO", TOKEN_A "Q", "A" TOKEN_A,
	    TOKEN_A TOKEN_B, "ABCDEFGHIJKLMN01", "ABCDEFGHIJKLMNO8", "ABCDEFGHIJKLMNO9",
	    "ABCDEFGH IJKLMNOP", "ABCDEFGH-IJKLMNOP", TOKEN_A "x", "9" TOKEN_A, "x" TOKEN_A,
	    "ABCDEFGHIJKLMN\xc3\x96P", "abcdefgh\nijklmnop", "ABCDEFGH\n\nIJKLMNOP",
	    "ABCDEFGH.\nIJKLMNOP", "ABCDEFGH\n. IJKLMNOP", "ABCDEFGH\nIJKLMNO", "ABCDEFGH\n",
	    "ABCD\nEFGH\nIJKL\nMNOP", "ABCDEFGH\nIJKLMNOPQ", "ABCDEFGH\nijklmnop"};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		has_tokens(view_of(rows[i]), "", 0, "");
	has_tokens((struct view){NULL, 0}, "", 0, "");
	has_tokens(VIEW("ABCDEFGH\0IJKLMNOP"), "", 0, "");
	has_tokens(
	    (struct view){TOKEN_A TOKEN_B, 15}, "", 0, ""); /* nothing is read past its end */
}

static void token_that_a_program_changed_is_found(void **state)
{
	static const char *const rows[] = {"abcdefghijklmnop", "ABCDEFGHIJKLMNOp",
	    "> token: abcdefghijklmnop.", "ABCDEFGH\nIJKLMNOP", "ABCDEFGH=\nIJKLMNOP",
	    "> Token: ABCDEFGH\n> IJKLMNOP\n", "> > ABCDEFGH  \r\n> > IJKLMNOP", "ABCDEFGH-\nIJKLMNOP",
	    "ABCDE\n| FGHIJ\n| KLMNOP", "ABCDEFGH\xc2\xadIJKLMNOP", "ABCD\xe2\x80\x8b" "EFGHIJKLMNOP",
	    "\xef\xbb\xbf" "abcdefgh\xe2\x81\xa0ijklmnop", "A\xc2\xad" "BCDEFGH\n>IJKLMNOP\xc2\xad"};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		has_tokens(view_of(rows[i]), "", 1, TOKEN_A);
		has_tokens(VIEW("nothing"), rows[i], 1, TOKEN_A);
	}
}

static void token_as_it_was_written_comes_before_what_may_be_one(void **state)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	(void)state;
	for (char c = 'a'; c <= 'z'; c++)
		buf_printf(&text, "respons%cbilities acknowled%cements\n", c, c);
	buf_add_text(&text, "> Token: " TOKEN_A "\n");
	has_tokens(buf_view(&text), "", TOKENS_MAX, TOKEN_A);
	buf_release(&text);
}

static void each_token_is_listed_once_and_in_order(void **state)
{
	struct reply reply;
	(void)state;
	reply_read(VIEW(TOKEN_B " " TOKEN_A " " TOKEN_B "\n> " TOKEN_A), VIEW(TOKEN_A), &reply);
	assert_int_equal(reply.tokens.count, 2);
	assert_string_equal(reply.tokens.tokens[0], TOKEN_A);
	assert_string_equal(reply.tokens.tokens[1], TOKEN_B);
	buf_release(&reply.comment);
}

static void add_numbered_token(struct buf *text, int number)
{
	char token[] = "AAAAAAAAAAAAAAA \n";
	token[13] = (char)('A' + number / 26 / 26 % 26);
	token[14] = (char)('A' + number / 26 % 26);
	token[15] = (char)('A' + number % 26);
	buf_add_text(text, token);
}

static void thirty_third_token_is_left_out_and_one_in_the_subject_is_not(void **state)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct reply reply;
	(void)state;
	for (int i = 0; i < TOKENS_MAX + 1; i++)
		add_numbered_token(&text, i);
	reply_read(buf_view(&text), VIEW(""), &reply);
	assert_int_equal(reply.tokens.count, TOKENS_MAX);
	assert_string_equal(reply.tokens.tokens[TOKENS_MAX - 1], "AAAAAAAAAAAAAABF");
	buf_release(&reply.comment);
	reply_read(buf_view(&text), VIEW("Re: [DEW-2026-0001 r1] x " TOKEN_A), &reply);
	assert_int_equal(reply.tokens.count, TOKENS_MAX);
	assert_string_equal(reply.tokens.tokens[0], TOKEN_A);
	buf_release(&reply.comment);
	buf_release(&text);
}

static void every_status_word_sets_the_status(void **state)
{
	static const char *const words[] = {
	    "received", "affected", "not affected", "acting", "unreadable"};
	static const char *const forms[] = {"%s", "%s\n", "%s\r\n", "\n\r\n  %s \t\n", "%s.", "%s,",
	    "%s!", "%s;", "%s:", "%s -", "%s -- ", "%s...", "%s\n\n> x\n", "> x\n\n%s\n"};
	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		for (size_t j = 0; j < sizeof forms / sizeof forms[0]; j++) {
			char text[128] = "";
			const char *at = strstr(forms[j], "%s");
			snprintf(text, sizeof text, "%.*s%s%s", (int)(at - forms[j]), forms[j],
			    words[i], at + 2);
			reads(text, words[i], "");
		}
	}
	reads("NOT Affected", "not affected", "");
	reads("ACTING", "acting", "");
}

static void what_follows_the_status_word_and_its_mark_is_comment(void **state)
{
	(void)state;
	reads("affected, two servers", "affected", "two servers");
	reads("affected: two servers\nmore\n", "affected", "two servers\nmore");
	reads("affected - two servers", "affected", "two servers");
	reads("affected -- two servers", "affected", "two servers");
	reads("affected \xe2\x80\x94 two servers", "affected", "two servers");
	reads("affected\xe2\x80\x93two servers", "affected", "two servers");
	reads("not affected. We run none.", "not affected", "We run none.");
	reads("received\n\n\nThank you\n", "received", "Thank you");
	reads("acting\nreceived\n", "acting", "received");
}

static void status_word_in_other_words_sets_no_status(void **state)
{
	static const char *const rows[] = {"affected by two servers", "affected?", "\"affected\"?",
	    "*affected* by two", "* affected", "/ affected", "(affected)", "~~affected~~", "not",
	    "*affected*/*not affected*", "Status affected", "Status: open", "Status: affected?",
	    "status", "Status:", "un*affected*", "notaffected", "unaffected", "affectedly",
	    "affected-looking", "affected/acting", "We are affected.", "af\nfected", "acted",
	    "- affected", "affected\xc3\xa9", "affected8"};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		reads(rows[i], "received", rows[i]);
	reads_as(VIEW("affected\0"), "received", VIEW("affected\0"));
	reads_as(VIEW("affected\0, x"), "received", VIEW("affected\0, x"));
}

static void status_word_in_bold_or_quotes_or_behind_a_name_sets_the_status(void **state)
{
	static const char *const forms[] = {"*%s*", "_%s_", "/%s/", "**%s**", "*/_%s_/*", "\"%s\"",
	    "'%s'", "`%s`", "\xe2\x80\x9c%s\xe2\x80\x9d", "\xe2\x80\x9e%s\xe2\x80\x9c",
	    "\xe2\x80\x98%s\xe2\x80\x99", "\xc2\xab%s\xc2\xbb",
	    "\xc2\xab\xc2\xa0%s\xc2\xa0\xc2\xbb", "\xe3\x80\x8c%s\xe3\x80\x8d", "*%s.*", "*%s*.",
	    "\"%s!\"", "%s.", "%s!", "%s\xe3\x80\x82", "Status: %s", "STATUS:\xc2\xa0%s.",
	    "*Status:* %s", "*Status: %s*", "**Status**: *%s*", "Status\xef\xbc\x9a%s",
	    "\xc2\xa0*\xe2\x80\x8b%s*\xc2\xad"};
	static const char *const words[] = {
	    "received", "affected", "not affected", "acting", "unreadable"};
	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		for (size_t j = 0; j < sizeof forms / sizeof forms[0]; j++) {
			char text[128] = "";
			const char *at = strstr(forms[j], "%s");
			snprintf(text, sizeof text, "%.*s%s%s\nSoon.\n", (int)(at - forms[j]),
			    forms[j], words[i], at + 2);
			reads(text, words[i], "Soon.");
		}
	}
	reads("*Acting*", "acting", "");
	reads("*Not* affected", "not affected", "");
	reads("not *affected*, we run none", "not affected", "we run none");
	reads("*affected*: *two* servers", "affected", "*two* servers");
	reads("Hello,\n*acting*", "acting", "");
}

static void status_word_that_may_mean_its_contrary_sets_no_status(void **state)
{
	static const char *const rows[] = {"affected, not affected", "affected/not affected",
	    "affected: no", "affected:\nno", "affected: we are not", "Affected - no.",
	    "affected: none", "affected: nein", "affected: non",
	    "affected \xe2\x80\x94 not as far as we know", "affected, no", "affected: ?",
	    "affected: unknown", "affected: maybe", "acting: not yet", "affected: n/a",
	    "affected: we aren't", "affected - if at all", "unreadable: no", "affected; not acting",
	    "affected:\n\n> quoted\n\nNo, none.", "affected/acting", "affected? no",
	    "not\naffected", "Hello,\naffected: no", "are we affected? no",
	    "neither affected nor acting", "un-affected", "non affected", "no, not affected",
	    "affected: 0", "affected: zero", "affected: 0 of 120", "affected... no",
	    "affected!? no", "affected: N", "affected: negative", "affected: unlikely",
	    "affected: nope", "affected: under investigation", "affected: checking",
	    "affected: to be confirmed", "affected -\nno", "not affected: no",
	    "not affected: unknown", "not affected: false", "not affected - maybe",
	    "not affected: to be confirmed", "not affected:\nno", "not affected: no, two sites are",
	    "not affected: wrong, we are affected", "not affected - if patched",
	    "not affected, but site B is affected", "not affected... perhaps", "not affected!? no"};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct reply reply;
		reply_read(view_of(rows[i]), VIEW(""), &reply);
		if (strcmp(reply.status, "received") != 0)
			fail_msg("read as %s: %s", reply.status, rows[i]);
		struct view said = view_trim(buf_view(&reply.comment));
		assert_true(said.len > 0 && said.data[0] == rows[i][0]); /* kept */
		buf_release(&reply.comment);
	}
}

static void doubt_in_another_sentence_takes_nothing_back(void **state)
{
	(void)state;
	reads("affected. No fix yet.", "affected", "No fix yet.");
	reads("affected! Not all sites.", "affected", "Not all sites.");
	reads("affected, but not badly", "affected", "but not badly");
	reads("affected: two servers\nnot the others", "affected", "two servers\nnot the others");
	reads("affected: yes", "affected", "yes");
	reads("affected\nno fix yet", "affected", "no fix yet");
	reads("not affected: none here", "not affected", "none here");
	reads("not affected: no such product here", "not affected", "no such product here");
	reads("not affected, we do not run it", "not affected", "we do not run it");
	reads("not affected - nothing to do", "not affected", "nothing to do");
	reads("not affected. Site B is not affected either.", "not affected",
	    "Site B is not affected either.");
	reads("affected: 10.0.0.1", "affected", "10.0.0.1");
	reads("received, not affected", "received", "not affected");
}

static void blanks_and_what_cannot_be_seen_do_not_matter(void **state)
{
	(void)state;
	reads("not  affected", "not affected", "");
	reads("not\xc2\xa0"
	      "affected",
	    "not affected", "");
	reads("\xc2\xa0"
	      "affected",
	    "affected", "");
	reads("\xef\xbb\xbf"
	      "acting\xe2\x80\x8b.",
	    "acting", "");
	reads("af\xc2\xad"
	      "fected",
	    "affected", "");
	reads("not\xe2\x80\xaf"
	      "affected\xc2\xa0, we run none",
	    "not affected", "we run none");
	reads("Not\taffected", "not affected", "");
	reads("\xc2\xa0\nacting", "acting", "");
	reads("\xc2\xa0> affected\nacting", "acting", "");
}

static void greeting_before_the_status_is_passed_over(void **state)
{
	static const char *const rows[] = {"Hello,", "Hi", "Dear colleagues,", "Good morning!",
	    "Sehr geehrte Damen und Herren,", "Guten Tag", "Hallo zusammen,", "Bonjour,",
	    "Ch\xc3\xa8re Madame, cher Monsieur,",
	    ("Buenos d\xc3\xad"
	     "as:"),
	    "Ol\xc3\xa1!", "Hello Early Warning team,", "Hej", "\xe6\x82\xa8\xe5\xa5\xbd,"};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[128];
		snprintf(text, sizeof text, "%s\n\nnot affected\n\nBye\n", rows[i]);
		reads(text, "not affected", "Bye");
		snprintf(text, sizeof text, "%s\n> quoted\n\nacting.\n", rows[i]);
		reads(text, "acting", "");
	}
}

static void greeting_before_anything_else_is_comment(void **state)
{
	(void)state;
	reads("Hello,\nwe are affected", "received", "Hello,\nwe are affected");
	reads("Hello, affected.", "received", "Hello, affected.");
	reads("Hello, received, thanks", "received", "Hello, received, thanks");
	reads("Hello,\nHello,\naffected", "received", "Hello,\nHello,\naffected");
	reads("Hilary\naffected", "received", "Hilary\naffected");
	reads("Dear all. Nothing is clear.\naffected", "received",
	    "Dear all. Nothing is clear.\naffected");
	reads("Hello,\n", "received", "Hello,");
}

#define QUOTED(mark)                                                                               \
	mark " Advisory: DEW-2026-0007\n" mark " affected\n" mark "\n" mark " Token: " TOKEN_A "\n"

static void mark_before_the_quoted_token_is_the_mark_of_a_quotation(void **state)
{
	(void)state;
	reads("Gateway wrote:\n" QUOTED("|") "\nnot affected\nWe run none.\n", "not affected",
	    "We run none.");
	reads("acting\n\n" QUOTED("GW>"), "acting", "");
	reads(QUOTED("\xc2\xbb") "acting", "acting", "");
	reads("acting\n| a | table |\n| b | more |\n\n" QUOTED(">"), "acting",
	    "| a | table |\n| b | more |");
	reads("acting\n- one\n- two\n- Token: " TOKEN_A "\n", "acting",
	    "- one\n- two\n- Token: " TOKEN_A);
	reads("acting\n| one\n| Token: " TOKEN_A "\n", "acting", "| one\n| Token: " TOKEN_A);
}

#define ORIGINAL                                                                                   \
	"From: Example early warning <gateway@example.org>\nSent: Monday, 23 November 2026 "       \
	"10:00\n"                                                                                  \
	"To: cert@us-de.example\nSubject: [DEW-2026-0007 r1] Pumps stop [" TOKEN_A "]\n\n"         \
	"TLP:AMBER\naffected\nToken: " TOKEN_A "\n"

static void original_below_an_answer_is_no_comment(void **state)
{
	(void)state;
	reads("acting\n\nSoon.\n\n-----Original Message-----\n" ORIGINAL, "acting", "Soon.");
	reads("acting\n\n-----Urspr\xc3\xbcngliche Nachricht-----\n" ORIGINAL, "acting", "");
	reads("not affected\n\n" ORIGINAL, "not affected", "");
	reads("acting\n________________________________\n" ORIGINAL, "acting",
	    "________________________________");
	reads("acting\n\nVon: Gateway\nGesendet: Montag\nAn: uns\nBetreff: [...]\n\ntext\n",
	    "acting", "");
	reads("acting\n\nVon: Gateway\nGesendet: Montag\nAn: uns\nBetreff: Reminder\n\ntext\n",
	    "acting", "");
	reads("acting\n\n*From:* Gateway\n*To:* us\n*Subject:* Reminder\n\ntext\n", "acting", "");
	reads("acting\n\n*From:* Gateway\n*Sent:* Monday\n*Subject:* [DEW-2026-0007 r1] a long\n"
	      "title [" TOKEN_A "]\n\ntext\n",
	    "acting", "");
}

static void fields_of_the_senders_own_are_comment(void **state)
{
	(void)state;
	reads("acting\nFrom: lab\nTo: plant\nNote: a Reminder\n", "acting",
	    "From: lab\nTo: plant\nNote: a Reminder");
	reads("acting\nFrom: lab\nTo: plant\nVia: road\n", "acting",
	    "From: lab\nTo: plant\nVia: road");
	reads("acting\n-----\nnote\n", "acting", "-----\nnote");
	reads("acting\n----- plan -----\nwe patch\n", "acting", "----- plan -----\nwe patch");
}

static void answer_below_an_unmarked_original_is_kept_and_sets_no_status(void **state)
{
	struct reply reply;
	(void)state;
	reply_read(VIEW(ORIGINAL "\nnot affected\nWe run none.\n"), VIEW(""), &reply);
	assert_string_equal(reply.status, "received");
	assert_true(view_find(buf_view(&reply.comment), VIEW("We run none.")) != SIZE_MAX);
	buf_release(&reply.comment);
}

static void signature_block_is_known_in_a_cleartext_signature(void **state)
{
	struct reply reply;
	(void)state;
	reply_read_cleartext(VIEW("affected\n\nWe patch.\n--\nEve\n"), VIEW(""), &reply);
	assert_string_equal(reply.status, "affected");
	assert_string_equal(buf_text(&reply.comment), "We patch.");
	buf_release(&reply.comment);
}

static void quoted_status_word_sets_no_status(void **state)
{
	(void)state;
	reads("> affected\n", "received", "");
	reads("  > affected\nreceived\n", "received", "");
	reads(">affected\nacting\n", "acting", "");
	reads(">> affected\n>\n\nnot affected\n", "not affected", "");
}

static void empty_reply_means_received(void **state)
{
	(void)state;
	reads("", "received", "");
	reads("\r\n\r\n", "received", "");
	reads("> all of it\n> quoted", "received", "");
	reads_as((struct view){NULL, 0}, "received", VIEW(""));
}

static void top_posting_is_read_up_to_the_quotation(void **state)
{
	(void)state;
	reads("affected\n\nWe patch.\n\nOn Mon, 23 Nov 2026, Gateway wrote:\n> text\n> not "
	      "affected\n",
	    "affected", "We patch.");
	reads("affected\nOn Monday, Gateway wrote:\n> text\n", "affected", "");
	reads("affected\nWe patch.\nOn Monday, Gateway wrote:\n> text\n", "affected", "We patch.");
}

static void bottom_posting_is_read_below_the_quotation(void **state)
{
	(void)state;
	reads("On Monday, Gateway wrote:\n> text\n> more\n\naffected\n\nWe patch.\n", "affected",
	    "We patch.");
	reads("On Monday, Gateway wrote:\n\n> text\nacting", "acting", "");
}

static void answers_between_quotations_are_kept(void **state)
{
	(void)state;
	reads("affected\n\n> one\nYes.\n> two\nNo.\n", "affected", "Yes.\nNo.");
}

static void line_that_introduces_a_quotation_is_dropped_in_any_language(void **state)
{
	static const char *const rows[] = {
	    "On Mon, 23 Nov 2026 at 10:00, Gateway <gw@example.org> wrote:",
	    "Am Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Gateway <gw@example.org>:",
	    ("Le lun. 23 nov. 2026 \xc3\xa0 10:00, Gateway <gw@example.org> a \xc3\xa9"
	     "crit\xc2\xa0:"),
	    ("Le 23/11/2026 10:00, Gateway a \xc3\xa9"
	     "crit :"),
	    "El lun, 23 nov 2026 a las 10:00, Gateway (<gw@example.org>) escribi\xc3\xb3:",
	    ("\xd0\xbf\xd0\xbd, 23 \xd0\xbd\xd0\xbe\xd1\x8f\xd0\xb1. 2026, Gateway "
	     "<gw@example.org>:"),
	    ("2026\xe5\xb9\xb4"
	     "11\xe6\x9c\x88"
	     "23\xe6\x97\xa5(\xe6\x9c\x88) 10:00 Gateway <gw@example.org>:"),
	    ("Gateway \xe4\xba\x8e"
	     "2026"
	     "\xe5\xb9\xb4\xe5\x86\x99\xe9\x81\x93\xef\xbc\x9a"),
	    "Gateway wrote:",
	    ("On Monday, 23 November 2026 at 10:00:00 UTC, Early Warning Gateway\n<gw@example.org> "
	     "wrote:"),
	    ("On Mon, Nov 23, 2026 at 10:00 AM Early Warning Gateway Programme "
	     "<\ngateway@example.org> wrote:"),
	    ("On Monday, the 23rd of November 2026, at ten o'clock in the morning, the\nEarly "
	     "Warning "
	     "Gateway of the Example Programme (mailing from the address\ngw@example.org) wrote:"),
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[512];
		snprintf(text, sizeof text, "affected\n\n%s\n> text\n", rows[i]);
		reads(text, "affected", "");
		snprintf(text, sizeof text, "%s\r\n\r\n> text\r\n\r\nacting, soon\r\n", rows[i]);
		reads(text, "acting", "soon");
	}
}

static void introduction_on_two_short_lines_is_dropped(void **state)
{
	static const char *const rows[] = {
	    "On Sun, 29 Nov 2026 23:09:21 +0000\nExample early warning <gw@example.org> wrote:",
	    "On Sun, 29 Nov 2026 23:09:21 +0000\nGateway wrote:",
	    "On Sun, 29 Nov 2026 23:09:21 +0000,\n\"Gateway of X\" <gw@example.org> wrote:",
	    "Am So, 29 Nov 2026 23:09:21 +0000\nschrieb Gateway <gw@example.org>:",
	    "Am Sonntag, 29. November 2026 um 23:09:21 Uhr\nschrieb \"Gateway\":",
	    ("Le dim., 29 nov. 2026 23:09:21 +0000,\nGateway <gw@example.org> a \xc3\xa9"
	     "crit\xc2\xa0:"),
	    "El dom, 29 nov 2026 23:09:21 +0000\nGateway escribi\xc3\xb3:",
	    "Em Sun, 29 Nov 2026 23:09:21 +0000\nGateway <gw@example.org> escreveu:",
	    "Op Sun, 29 Nov 2026 23:09:21 +0000\nGateway schreef:",
	    ("Den 29. nov. 2026 23:09\nskrev Gateway <gw@example.org>:"),
	    "2026-11-29 23:09:21 +0000\nGateway <gw@example.org>:",
	    ("On Sun, 29 Nov 2026 23:09:21 +0000\nThe early warning gateway of the Example "
	     "Programme, "
	     "mailing from\n<gw@example.org> wrote:"),
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[512];
		snprintf(text, sizeof text, "%s\n\n> text\n> more\n\naffected\n\nSoon.\n", rows[i]);
		reads(text, "affected", "Soon.");
		snprintf(text, sizeof text, "acting\nWe patch.\n%s\n> text\n", rows[i]);
		reads(text, "acting", "We patch.");
	}
}

static void paragraph_right_above_an_introduction_is_comment(void **state)
{
	static const char *const own[] = {
	    "We have this controller at 3 sites and will patch all of them within the week, then "
	    "report.",
	    "We have this controller at 3 sites and patch them by Monday at",
	    "Please ask soc@us-de.example for more; somebody is there at all times",
	    "It was patched on 29 November 2026 at 23:09, and the rest of them will",
	    ("Wir haben drei dieser Anlagen und werden alle bis Freitag dieser Woche "
	     "umr\xc3\xbcsten, die "
	     "Leitstelle wei\xc3\x9f Bescheid und meldet sich"),
	    "A paragraph that was wrapped in front of the last word of all of it\nand is done\nby "
	    "2027.",
	};
	static const char *const introductions[] = {
	    "On Sun, 29 Nov 2026 at 23:09, Gateway <gw@example.org> wrote:",
	    "On Sun, 29 Nov 2026 23:09:21 +0000\nGateway <gw@example.org> wrote:",
	    "Gateway <gw@example.org> wrote:",
	    "Am 29.11.2026 um 23:09 schrieb Gateway:",
	    ("On Sunday, 29 November 2026 at 23:09:21 UTC, Early Warning Gateway\n<gw@example.org> "
	     "wrote:"),
	};
	(void)state;
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		for (size_t j = 0; j < sizeof introductions / sizeof introductions[0]; j++) {
			char text[512];
			snprintf(text, sizeof text, "acting\n%s\n%s\n> text\n", own[i],
			    introductions[j]);
			reads(text, "acting", own[i]);
			snprintf(text, sizeof text, "%s\n%s\n> text\n", own[i], introductions[j]);
			reads(text, "received", own[i]);
		}
	}
	reads("acting\nOn 29 Nov 2026 at 23:09 we found what you\nasked for:\n> text\n", "acting",
	    "On 29 Nov 2026 at 23:09 we found what you");
}

static void line_with_a_colon_before_no_quotation_is_comment(void **state)
{
	(void)state;
	reads("acting\nOur plan:\npatch\n", "acting", "Our plan:\npatch");
	reads("acting\nOur plan:\n\n\n> quoted\n", "acting", "Our plan:");
	reads("acting\nOur plan:", "acting", "Our plan:");
	reads("acting\nOur plan:\n", "acting", "Our plan:");
	reads(":\n", "received", ":");
}

static void own_words_above_an_introduction_are_kept(void **state)
{
	(void)state;
	reads("We patch 10 hosts.\nOn Monday, Gateway wrote:\n> x\n", "received",
	    "We patch 10 hosts.");
	reads("one\ntwo\nthree\nGateway wrote:\n> x\n", "received", "one\ntwo\nthree");
	reads("This line is long and was wrapped where the next word did not fit any\nmore, see "
	      "below:\n> x\n",
	    "received", "This line is long and was wrapped where the next word did not fit any");
}

static void status_word_before_a_quotation_is_a_status(void **state)
{
	(void)state;
	reads("affected:\n> text\n", "affected", "");
	reads("acting\n> text\n", "acting", "");
}

static void signature_block_is_no_comment(void **state)
{
	(void)state;
	reads("affected\n\nWe patch.\n-- \nEve\nreceived\n", "affected", "We patch.");
	reads("affected\r\n-- \r\nEve\r\n", "affected", "");
	reads("-- \naffected\n", "received", "");
	reads("affected\n--\nstill a comment\n", "affected", "--\nstill a comment");
	reads("affected\n-- Eve\n", "affected", "-- Eve");
}

static void text_below_a_quotation_that_follows_a_signature_block_is_kept(void **state)
{
	(void)state;
	reads("-- \nEve\n\nOn Monday, Gateway wrote:\n> text\nnot affected\nAll well.\n",
	    "not affected", "All well.");
}

static void text_without_a_newline_at_its_end_is_read_whole(void **state)
{
	(void)state;
	reads("affected", "affected", "");
	reads("affected\nlast", "affected", "last");
	reads("affected\nlast\r", "affected", "last");
	reads("> x", "received", "");
	reads("Gateway wrote:\n> x", "received", "");
}

static void bytes_of_a_comment_are_kept_as_they_are(void **state)
{
	(void)state;
	reads_as(VIEW("acting\na\0b\x1b[0m \xff\tx\n\n\n  indented\n"), "acting",
	    VIEW("a\0b\x1b[0m \xff\tx\n\n\n  indented"));
	reads("acting\nline\rline\n", "acting", "line\rline");
	reads("Gr\xc3\xbc\xc3\x9f"
	      "e aus K\xc3\xb6ln",
	    "received",
	    "Gr\xc3\xbc\xc3\x9f"
	    "e aus K\xc3\xb6ln");
}

static void comment_over_its_maximum_is_cut_and_not_holed(void **state)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct reply reply;
	(void)state;
	buf_add_text(&text, "acting\nfirst\n");
	for (size_t i = 0; i < REPLY_COMMENT_MAX; i++)
		buf_add_char(&text, 'x');
	buf_add_text(&text, "\nlast\n" TOKEN_A "\n");
	reply_read(buf_view(&text), VIEW(""), &reply);
	assert_string_equal(reply.status, "acting");
	assert_int_equal(reply.comment.len, REPLY_COMMENT_MAX);
	assert_memory_equal(reply.comment.data, "first\nxxx", 9);
	assert_int_equal(reply.comment.data[REPLY_COMMENT_MAX - 1], 'x');
	assert_int_equal(reply.tokens.count, 1);
	buf_release(&reply.comment);
	buf_release(&text);
}

static void cut_comment_ends_with_a_whole_character(void **state)
{
	(void)state;
	for (size_t before = 0; before < 4; before++) {
		struct buf text = BUF_EMPTY(BUF_SMALL);
		struct reply reply;
		for (size_t i = 0; i < before; i++)
			buf_add_char(&text, 'x');
		while (text.len < REPLY_COMMENT_MAX + 8)
			buf_add_text(&text, "\xf0\x9f\x94\x91");
		reply_read(buf_view(&text), VIEW(""), &reply);
		assert_int_equal(reply.comment.len,
		    before == 0 ? REPLY_COMMENT_MAX : REPLY_COMMENT_MAX - 4 + before);
		buf_release(&reply.comment);
		buf_release(&text);
	}
}

static void comment_of_exactly_its_maximum_is_kept_whole(void **state)
{
	static const size_t lens[] = {REPLY_COMMENT_MAX - 1, REPLY_COMMENT_MAX};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct buf text = BUF_EMPTY(BUF_SMALL);
		struct reply reply;
		while (text.len < lens[i])
			buf_add_char(&text, 'y');
		buf_add_char(&text, '\n');
		reply_read(buf_view(&text), VIEW(""), &reply);
		assert_int_equal(reply.comment.len, lens[i]);
		buf_release(&reply.comment);
		buf_release(&text);
	}
}

static void reply_below_a_very_long_quotation_is_found(void **state)
{
	struct buf text = BUF_EMPTY((size_t)1 << 20);
	(void)state;
	buf_add_text(&text, "Gateway wrote:\n");
	for (int i = 0; i < 20000; i++)
		buf_add_text(&text, "> a line of the advisory\n");
	buf_add_text(&text, "\naffected, we patch\n");
	reads_as(buf_view(&text), "affected", VIEW("we patch"));
	buf_release(&text);
}

/* Whatever is repeated, twice as much may not take four times as long. */
/* Milliseconds of the processor's time: the machine may have other things to do. */
static int64_t time_to_read(const char *unit, size_t size)
{
	struct buf text = BUF_EMPTY(size + 256);
	struct reply reply;
	while (text.len < size)
		buf_add_text(&text, unit);
	const clock_t begin = clock();
	reply_read(buf_view(&text), buf_view(&text), &reply);
	const clock_t end = clock();
	buf_release(&reply.comment);
	buf_release(&text);
	return (int64_t)(end - begin) * 1000 / CLOCKS_PER_SEC;
}

static void time_grows_in_proportion_to_the_length(void **state)
{
	static const char *const units[] = {"x", "\n", " ", ":\n", "x\n:\n", ">", "> x\n", ">\n\n",
	    TOKEN_A " ", "A", "-- \n", "x:\n\n", "\r", "0:\n", "\xef\xbc\x9a", "-- \n>\n",
	    "\xc2\xa0", "\xc2\xad\n", "a:b\n", "-----a-----\n", "-----a-----\n\n\n\n\n",
	    "| Token: " TOKEN_A "\n", "Token: ", "Hello,\n",
	    "affected: ", "a line of sixty and more characters at which a mail program wraps 1\n"};
	enum { SMALL = 1 << 18, LARGE = 4 * SMALL, NOISE_MS = 5 };
	(void)state;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		const int64_t small = time_to_read(units[i], SMALL);
		const int64_t large = time_to_read(units[i], LARGE);
		/* Four times as long; sixteen times if it grew with the square. */
		if (large > 8 * (small + NOISE_MS))
			fail_msg("unit %zu takes %lld ms, and %lld ms when it is four times as long",
			    i, (long long)small, (long long)large);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(token_is_found_wherever_it_stands_alone),
	    cmocka_unit_test(what_has_not_the_form_of_a_token_is_none),
	    cmocka_unit_test(token_that_a_program_changed_is_found),
	    cmocka_unit_test(token_as_it_was_written_comes_before_what_may_be_one),
	    cmocka_unit_test(each_token_is_listed_once_and_in_order),
	    cmocka_unit_test(thirty_third_token_is_left_out_and_one_in_the_subject_is_not),
	    cmocka_unit_test(every_status_word_sets_the_status),
	    cmocka_unit_test(what_follows_the_status_word_and_its_mark_is_comment),
	    cmocka_unit_test(status_word_in_other_words_sets_no_status),
	    cmocka_unit_test(status_word_in_bold_or_quotes_or_behind_a_name_sets_the_status),
	    cmocka_unit_test(status_word_that_may_mean_its_contrary_sets_no_status),
	    cmocka_unit_test(doubt_in_another_sentence_takes_nothing_back),
	    cmocka_unit_test(blanks_and_what_cannot_be_seen_do_not_matter),
	    cmocka_unit_test(greeting_before_the_status_is_passed_over),
	    cmocka_unit_test(greeting_before_anything_else_is_comment),
	    cmocka_unit_test(mark_before_the_quoted_token_is_the_mark_of_a_quotation),
	    cmocka_unit_test(original_below_an_answer_is_no_comment),
	    cmocka_unit_test(fields_of_the_senders_own_are_comment),
	    cmocka_unit_test(answer_below_an_unmarked_original_is_kept_and_sets_no_status),
	    cmocka_unit_test(signature_block_is_known_in_a_cleartext_signature),
	    cmocka_unit_test(quoted_status_word_sets_no_status),
	    cmocka_unit_test(empty_reply_means_received),
	    cmocka_unit_test(top_posting_is_read_up_to_the_quotation),
	    cmocka_unit_test(bottom_posting_is_read_below_the_quotation),
	    cmocka_unit_test(answers_between_quotations_are_kept),
	    cmocka_unit_test(line_that_introduces_a_quotation_is_dropped_in_any_language),
	    cmocka_unit_test(introduction_on_two_short_lines_is_dropped),
	    cmocka_unit_test(paragraph_right_above_an_introduction_is_comment),
	    cmocka_unit_test(line_with_a_colon_before_no_quotation_is_comment),
	    cmocka_unit_test(own_words_above_an_introduction_are_kept),
	    cmocka_unit_test(status_word_before_a_quotation_is_a_status),
	    cmocka_unit_test(signature_block_is_no_comment),
	    cmocka_unit_test(text_below_a_quotation_that_follows_a_signature_block_is_kept),
	    cmocka_unit_test(text_without_a_newline_at_its_end_is_read_whole),
	    cmocka_unit_test(bytes_of_a_comment_are_kept_as_they_are),
	    cmocka_unit_test(comment_over_its_maximum_is_cut_and_not_holed),
	    cmocka_unit_test(cut_comment_ends_with_a_whole_character),
	    cmocka_unit_test(comment_of_exactly_its_maximum_is_kept_whole),
	    cmocka_unit_test(reply_below_a_very_long_quotation_is_found),
	    cmocka_unit_test(time_grows_in_proportion_to_the_length),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("rules_reply", tests, NULL, NULL);
}
