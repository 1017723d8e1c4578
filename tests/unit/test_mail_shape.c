#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

#include "mail_reading.h"

#define ARMOR "-----BEGIN PGP MESSAGE-----\n\nhF4Dexample\n=abcd\n-----END PGP MESSAGE-----\n"
#define CLEARTEXT                                                                                  \
	"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nreceived\n- -----BEGIN PGP "          \
	"MESSAGE-----\n"                                                                           \
	"-----BEGIN PGP SIGNATURE-----\n\niHUEexample\n-----END PGP SIGNATURE-----\n"
#define SIGNATURE "-----BEGIN PGP SIGNATURE-----\n\niHUEexample\n-----END PGP SIGNATURE-----\n"
#define VERSION_PART "Content-Type: application/pgp-encrypted\n\nVersion: 1\n\n"
#define DATA_PART "Content-Type: application/octet-stream; name=encrypted.asc\n\n" ARMOR

#define ENCRYPTED(boundary)                                                                        \
	"Content-Type: multipart/encrypted;\n protocol=\"application/pgp-encrypted\";\n boundary=" \
	"" boundary "\n\nThis is an OpenPGP/MIME encrypted message.\n--" boundary                  \
	"\n" VERSION_PART "--" boundary "\n" DATA_PART "\n--" boundary "--\n"
#define SIGNED(boundary)                                                                           \
	"Content-Type: multipart/signed; micalg=pgp-sha256;\n "                                    \
	"protocol=\"application/pgp-signature"                                                     \
	"\"; boundary=" boundary "\n\n--" boundary "\nContent-Type: text/plain\n\nreceived\n--"    \
	"" boundary "\nContent-Type: application/pgp-signature; name=signature.asc\n\n" SIGNATURE  \
	"\n--" boundary "--\n"
#define MIXED "Content-Type: multipart/mixed; boundary=m\n\n"
#define FOOTER "--m\nContent-Type: text/plain\n\n_____\nlist footer\n--m--\n"

struct expected {
	enum mail_shape shape;
	bool whole;
	const char *message; /* NULL: not looked at */
};

static void assert_shape(const char *raw, struct expected expected)
{
	struct reading_outline *reading = reading_outline_of(view_of(raw));
	if (reading->out.shape != expected.shape)
		print_error("%s\n%s\n", raw, reading->out.reason);
	assert_int_equal(reading->out.shape, expected.shape);
	assert_int_equal(reading->out.whole, expected.whole);
	if (expected.message != NULL)
		assert_view_is(reading->out.message, expected.message);
	if (expected.shape == MAIL_REFUSED || expected.shape == MAIL_MANY ||
	    expected.shape == MAIL_BROKEN) {
		assert_string_not_equal(reading->out.reason, "");
		assert_int_equal(reading->out.message.len, 0);
	}
	reading_outline_free(reading);
}

static void mail_without_openpgp_is_plain(void **state)
{
	(void)state;
	assert_shape("Subject: hello\n\ntext\n", (struct expected){MAIL_PLAIN, false, ""});
	assert_shape("hello\n", (struct expected){MAIL_PLAIN, false, ""});
	assert_shape("Subject: a key\n\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ\n"
		     "-----END PGP PUBLIC KEY BLOCK-----\n",
	    (struct expected){MAIL_PLAIN, false, ""});
}

static void multipart_encrypted_is_taken_with_its_preamble(void **state)
{
	(void)state;
	assert_shape(ENCRYPTED("b"), (struct expected){MAIL_ENCRYPTED, true, ARMOR});
}

static void multipart_encrypted_without_version_part_is_refused(void **state)
{
	(void)state;
	assert_shape("Content-Type: multipart/encrypted; boundary=b\n\n--b\n" DATA_PART
		     "--b\n" DATA_PART "--b--\n",
	    (struct expected){MAIL_BROKEN, false, NULL});
	assert_shape("Content-Type: multipart/encrypted; boundary=b\n\n--b\n" VERSION_PART
		     "--b--\n",
	    (struct expected){MAIL_BROKEN, false, NULL});
}

static void encrypted_in_a_list_mail_with_footer_is_not_whole(void **state)
{
	(void)state;
	assert_shape(
	    MIXED "--m\n" ENCRYPTED("b") FOOTER, (struct expected){MAIL_ENCRYPTED, false, ARMOR});
}

static void exchange_mixed_form_is_encrypted_and_whole(void **state)
{
	(void)state;
	assert_shape(MIXED
	    "--m\nContent-Type: text/plain; charset=\"us-ascii\"\n\n\n--m\n" VERSION_PART
	    "--m\n" DATA_PART "\n--m--\n",
	    (struct expected){MAIL_ENCRYPTED, true, ARMOR});
}

static void exchange_part_in_base64_is_decoded(void **state)
{
	(void)state;
	assert_shape(MIXED
	    "--m\n" VERSION_PART
	    "--m\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\n"
	    "Content-Transfer-Encoding: base64\n\n"
	    "LS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0tCgpoRjREZXhhbXBsZQo9YWJjZAotLS0tLUVORCBQ\n"
	    "R1AgTUVTU0FHRS0tLS0tCg==\n--m--\n",
	    (struct expected){MAIL_ENCRYPTED, true, ARMOR});
}

static void exchange_form_with_text_is_not_whole(void **state)
{
	(void)state;
	assert_shape(MIXED "--m\nContent-Type: text/plain\n\nDisclaimer\n--m\n" VERSION_PART
			   "--m\n" DATA_PART "\n--m--\n",
	    (struct expected){MAIL_ENCRYPTED, false, ARMOR});
}

static void multipart_signed_is_cut_and_brought_to_crlf(void **state)
{
	(void)state;
	assert_shape(SIGNED("b"),
	    (struct expected){MAIL_SIGNED, true, "Content-Type: text/plain\r\n\r\nreceived"});
	struct reading_outline *reading = reading_outline_of(view_of(SIGNED("b")));
	assert_view_is(reading->out.signature, SIGNATURE);
	reading_outline_free(reading);
}

static void signed_in_a_list_mail_with_footer_is_not_whole(void **state)
{
	(void)state;
	assert_shape(MIXED "--m\n" SIGNED("b") FOOTER,
	    (struct expected){MAIL_SIGNED, false, "Content-Type: text/plain\r\n\r\nreceived"});
}

static void text_behind_the_last_boundary_is_not_whole(void **state)
{
	(void)state;
	assert_shape(
	    SIGNED("b") "Your provider adds this\n", (struct expected){MAIL_SIGNED, false, NULL});
}

static void smime_and_tnef_have_names_of_their_own(void **state)
{
	(void)state;
	assert_shape(
	    "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; "
	    "boundary=b\n\n--b\n\ntext\n--b\nContent-Type: application/pkcs7-signature\n\nMII\n"
	    "--b--\n",
	    (struct expected){MAIL_SMIME, false, ""});
	assert_shape(MIXED "--m\nContent-Type: application/pkcs7-mime\n\nMII\n--m--\n",
	    (struct expected){MAIL_SMIME, false, ""});
	assert_shape(MIXED "--m\n\ntext\n--m\nContent-Type: application/ms-tnef; "
			   "name=winmail.dat\n\nIhsA\n--m--\n",
	    (struct expected){MAIL_TNEF, false, ""});
}

static void signature_without_its_bytes_is_lost(void **state)
{
	(void)state;
	assert_shape(MIXED "--m\n\nreceived\n--m\nContent-Type: application/pgp-signature; "
			   "name=signature.asc\n\n" SIGNATURE "\n--m--\n",
	    (struct expected){MAIL_SIGNATURE_LOST, false, ""});
	assert_shape("Content-Type: text/html\n\n<pre>-----BEGIN PGP SIGNED MESSAGE-----\n"
		     "Hash: SHA256\n\nreceived\n-----BEGIN PGP SIGNATURE-----\n\nabc\n"
		     "-----END PGP SIGNATURE-----\n</pre>",
	    (struct expected){MAIL_SIGNATURE_LOST, false, ""});
}

#define ATTACHED(content)                                                                          \
	"--m\nContent-Type: application/octet-stream; name=reply.asc\n"                            \
	"Content-Disposition: attachment\n\n" content "\n"

static void attached_armor_counts_when_there_is_no_other(void **state)
{
	(void)state;
	assert_shape(MIXED "--m\n\nsee attached\n" ATTACHED(ARMOR) "--m--\n",
	    (struct expected){MAIL_ATTACHED_ENCRYPTED, false, ARMOR});
	assert_shape(MIXED ATTACHED(ARMOR) "--m--\n",
	    (struct expected){MAIL_ATTACHED_ENCRYPTED, true, ARMOR});
	assert_shape(MIXED "--m\n\nsee attached\n" ATTACHED(CLEARTEXT) "--m--\n",
	    (struct expected){MAIL_ATTACHED_SIGNED, false, CLEARTEXT});
	assert_shape(MIXED "--m\n\n" ARMOR ATTACHED(ARMOR) ATTACHED(ARMOR) "--m--\n",
	    (struct expected){MAIL_INLINE_ENCRYPTED, false, ARMOR});
	assert_shape(MIXED ATTACHED(ARMOR) "--m\n" SIGNED("b") "--m--\n",
	    (struct expected){MAIL_SIGNED, false, "Content-Type: text/plain\r\n\r\nreceived"});
	assert_shape(MIXED ATTACHED(ARMOR) ATTACHED(ARMOR) "--m--\n",
	    (struct expected){MAIL_MANY, false, NULL});
	assert_shape(
	    MIXED ATTACHED("text\n" ARMOR) "--m--\n", (struct expected){MAIL_PLAIN, false, ""});
}

static void signed_mail_inside_an_attached_mail_is_plain(void **state)
{
	(void)state;
	assert_shape(MIXED
	    "--m\n\nhear, hear\n--m\nContent-Type: message/rfc822\n\n" SIGNED("b") "--m--\n",
	    (struct expected){MAIL_PLAIN, false, ""});
}

static void html_around_an_encrypted_part_is_text_outside(void **state)
{
	(void)state;
	assert_shape(MIXED "--m\nContent-Type: text/html\n\n<img src=\"http://evil.example/\n"
			   "--m\n" ENCRYPTED("b") "--m\nContent-Type: text/html\n\n\">\n--m--\n",
	    (struct expected){MAIL_ENCRYPTED, false, ARMOR});
}

static void exchange_form_with_other_names_and_encodings_is_encrypted(void **state)
{
	(void)state;
	assert_shape(MIXED
	    "--m\nContent-Type: text/plain; charset=us-ascii\n\n\n"
	    "--m\nContent-Type: application/pgp-encrypted; name=\"ATT00001\"\n"
	    "Content-Transfer-Encoding: base64\n\nVmVyc2lvbjogMQ0K\n" ATTACHED(ARMOR) "--m--\n",
	    (struct expected){MAIL_ENCRYPTED, true, ARMOR});
	assert_shape(MIXED ATTACHED(ARMOR) "--m\nContent-Type: application/pgp-encrypted\n\n"
					   "Version: 1\n--m--\n",
	    (struct expected){MAIL_ATTACHED_ENCRYPTED, true, ARMOR});
}

static void blank_that_does_not_break_is_a_blank_in_armor(void **state)
{
	(void)state;
	assert_shape(
	    "Content-Type: text/plain; charset=utf-8\n\n-----BEGIN PGP MESSAGE-----\n\xc2\xa0\n"
	    "hF4Dexample\n=abcd\n-----END PGP MESSAGE-----\n",
	    (struct expected){MAIL_INLINE_ENCRYPTED, true,
		"-----BEGIN PGP MESSAGE-----\n  \nhF4Dexample\n=abcd\n-----END PGP "
		"MESSAGE-----\n"});
	assert_shape(
	    "Content-Type: text/plain; charset=iso-8859-1\n\n-----BEGIN PGP MESSAGE-----\n\xa0\n"
	    "hF4Dexample\n=abcd\n-----END PGP MESSAGE-----\n",
	    (struct expected){MAIL_INLINE_ENCRYPTED, true,
		"-----BEGIN PGP MESSAGE-----\n \nhF4Dexample\n=abcd\n-----END PGP MESSAGE-----\n"});
}

static void armor_in_a_part_of_type_pgp_is_inline(void **state)
{
	(void)state;
	assert_shape("Content-Type: application/pgp; format=text; x-action=sign\n\n" CLEARTEXT,
	    (struct expected){MAIL_INLINE_SIGNED, true, CLEARTEXT});
}

static void outer_subject_is_told(void **state)
{
	struct reading_outline *reading =
	    reading_outline_of(VIEW("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n x\n\ntext\n"));
	(void)state;
	assert_string_equal(reading->out.subject, "Gr\xc3\xbc\xc3\x9f"
						  "e x");
	reading_outline_free(reading);
}

#define TOKEN "MYKHNVKE5U5DCTBI"

static void token_in_the_open_is_found_in_every_encoding(void **state)
{
	static const char *const rows[] = {
	    "Subject: x\n\nreceived\n\n> Token: " TOKEN "\n",
	    "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
	    "> Token:=20MYKHNVK=\nE5U5DCTB=49\n",
	    "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
	    "PiBUb2tlbjogTVlLSE5WS0U1VTVEQ1RCSQo=\n",
	    "Content-Type: text/html\n\n<p>received</p><blockquote>Token:&nbsp;" TOKEN
	    "<br></blockquote>\n",
	    "Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n"
	    "<p>Token: <b>MYKHNVKE5U5=\nDCTBI</b></p>\n",
	    "Content-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: base64\n\n"
	    "TQBZAEsASABOAFYASwBFADUAVQA1AEQAQwBUAEIASQA=\n",
	    "Content-Type: multipart/alternative; boundary=a\n\n--a\n\nreceived\n--a\n"
	    "Content-Type: text/html\n\n<p>" TOKEN "</p>\n--a--\n",
	    MIXED "--m\nContent-Type: application/octet-stream; name=a.txt\n\n" TOKEN "\n--m--\n",
	    MIXED "--m\nContent-Type: message/rfc822\n\nSubject: x\nContent-Type: text/plain\n"
		  "Content-Transfer-Encoding: base64\n\nTVlLSE5WS0U1VTVEQ1RCSQo=\n--m--\n",
	    MIXED "--m\nContent-Type: message/rfc822\n\nSubject: [" TOKEN "]\n\nx\n--m--\n",
	    MIXED "--m\n\n" TOKEN "\n--m\n" ENCRYPTED("b") "--m--\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct reading_outline *reading = reading_outline_of(view_of(rows[i]));
		if (!token_is_in(&reading->out.tokens, TOKEN))
			fail_msg("not found: %s", rows[i]);
		assert_int_equal(reading->out.subject_tokens.count, 0);
		reading_outline_free(reading);
	}
}

static void token_in_the_outer_subject_is_told_apart(void **state)
{
	static const char *const rows[] = {"Subject: Re: [D r1] x [" TOKEN "]\n\nreceived\n",
	    "Subject: =?utf-8?B?TVlLSE5WS0U1VTVEQ1RCSQ==?=\n" ENCRYPTED("b"),
	    "Subject: Re:\n a long one [" TOKEN "]\n" ENCRYPTED("b")};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct reading_outline *reading = reading_outline_of(view_of(rows[i]));
		if (!token_is_in(&reading->out.subject_tokens, TOKEN))
			fail_msg("not found: %s", rows[i]);
		assert_int_equal(reading->out.tokens.count, 0);
		reading_outline_free(reading);
	}
}

static void inline_message_as_only_text_is_whole(void **state)
{
	(void)state;
	assert_shape(
	    "Subject: re\n\n" ARMOR, (struct expected){MAIL_INLINE_ENCRYPTED, true, ARMOR});
	assert_shape("Subject: re\n\n\n" ARMOR "\n \n",
	    (struct expected){MAIL_INLINE_ENCRYPTED, true, ARMOR});
}

static void inline_message_with_text_around_is_not_whole(void **state)
{
	(void)state;
	assert_shape("Subject: re\n\nSee below\n" ARMOR,
	    (struct expected){MAIL_INLINE_ENCRYPTED, false, ARMOR});
	assert_shape("Subject: re\n\n" ARMOR "-- \nAda\n",
	    (struct expected){MAIL_INLINE_ENCRYPTED, false, ARMOR});
	assert_shape(MIXED "--m\nContent-Type: text/plain\n\n" ARMOR FOOTER,
	    (struct expected){MAIL_INLINE_ENCRYPTED, false, ARMOR});
}

static void inline_signed_text_keeps_its_bytes(void **state)
{
	(void)state;
	assert_shape(
	    "Subject: re\n\n" CLEARTEXT, (struct expected){MAIL_INLINE_SIGNED, true, CLEARTEXT});
	assert_shape("Content-Type: text/plain; charset=iso-8859-1\n"
		     "Content-Transfer-Encoding: quoted-printable\n\n"
		     "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nempf=E4ngt\n"
		     "-----BEGIN PGP SIGNATURE-----\n\niHUE=3D\n-----END PGP SIGNATURE-----\n",
	    (struct expected){MAIL_INLINE_SIGNED, true,
		"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nempf\xe4ngt\n"
		"-----BEGIN PGP SIGNATURE-----\n\niHUE=\n-----END PGP SIGNATURE-----\n"});
}

static void inline_with_html_of_the_same_is_whole(void **state)
{
	(void)state;
	assert_shape(
	    "Content-Type: multipart/alternative; boundary=m\n\n"
	    "--m\nContent-Type: text/plain\n\n" ARMOR
	    "--m\nContent-Type: text/html\n\n<p>-----BEGIN PGP MESSAGE-----<br><br>hF4Dexample"
	    "<br>=abcd<br>-----END PGP MESSAGE-----</p>\n--m--\n",
	    (struct expected){MAIL_INLINE_ENCRYPTED, true,
		"-----BEGIN PGP MESSAGE-----\n\nhF4Dexample\n=abcd\n-----END PGP MESSAGE-----\n"});
}

static void inline_with_other_html_is_not_whole(void **state)
{
	(void)state;
	assert_shape("Content-Type: multipart/alternative; boundary=m\n\n"
		     "--m\nContent-Type: text/plain\n\n" ARMOR
		     "\n--m\nContent-Type: text/html\n\n<p>Something else</p>\n--m--\n",
	    (struct expected){MAIL_INLINE_ENCRYPTED, false, ARMOR});
}

static void inline_message_in_html_alone_is_found(void **state)
{
	(void)state;
	assert_shape(
	    "Content-Type: text/html\n\n<div>-----BEGIN PGP MESSAGE-----</div><div><br></div>"
	    "<div>hF4Dexample</div><div>=abcd</div><div>-----END PGP MESSAGE-----</div>",
	    (struct expected){MAIL_INLINE_ENCRYPTED, true, ARMOR});
}

static void empty_line_of_armor_in_html_may_be_a_blank(void **state)
{
	(void)state;
	assert_shape("Content-Type: text/html\n\n<div>-----BEGIN PGP MESSAGE-----</div>"
		     "<div>Version: x</div><div>&nbsp;</div><div>hF4Dexample</div><div>=abcd</div>"
		     "<div>-----END PGP MESSAGE-----</div>",
	    (struct expected){MAIL_INLINE_ENCRYPTED, true,
		"-----BEGIN PGP MESSAGE-----\nVersion: x\n \nhF4Dexample\n=abcd\n"
		"-----END PGP MESSAGE-----\n"});
}

static void quoted_armor_is_no_openpgp_part(void **state)
{
	(void)state;
	assert_shape("Subject: re\n\n> -----BEGIN PGP MESSAGE-----\n> \n> abc\n"
		     "> -----END PGP MESSAGE-----\n",
	    (struct expected){MAIL_PLAIN, false, ""});
}

static void armor_without_end_is_refused(void **state)
{
	(void)state;
	assert_shape("Subject: re\n\n-----BEGIN PGP MESSAGE-----\n\nabc\n",
	    (struct expected){MAIL_BROKEN, false, NULL});
}

static void two_openpgp_parts_are_refused(void **state)
{
	(void)state;
	assert_shape(MIXED "--m\n" SIGNED("b") "--m\n" SIGNED("c") "--m--\n",
	    (struct expected){MAIL_MANY, false, NULL});
	assert_shape(MIXED "--m\n" SIGNED("b") "--m\nContent-Type: text/plain\n\n" ARMOR "--m--\n",
	    (struct expected){MAIL_MANY, false, NULL});
	assert_shape("Subject: re\n\n" ARMOR ARMOR, (struct expected){MAIL_MANY, false, NULL});
	assert_shape(MIXED "--m\n" ENCRYPTED("b") "--m\n" VERSION_PART "--m\n" DATA_PART "--m--\n",
	    (struct expected){MAIL_MANY, false, NULL});
}

static void two_messages_in_the_encrypted_part_are_refused(void **state)
{
	(void)state;
	assert_shape("Content-Type: multipart/encrypted; boundary=b\n\n--b\n" VERSION_PART
		     "--b\n" DATA_PART ARMOR "--b--\n",
	    (struct expected){MAIL_MANY, false, NULL});
}

static void delivery_reports_are_reports(void **state)
{
	(void)state;
	assert_shape(
	    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
	    "--b\n\nfailed\n--b\nContent-Type: message/delivery-status\n\nAction: failed\n--b--\n",
	    (struct expected){MAIL_REPORT, false, ""});
	assert_shape(
	    "Content-Type: multipart/report; boundary=b\n\n"
	    "--b\n\nread\n--b\nContent-Type: message/disposition-notification\n\nx: y\n--b--\n",
	    (struct expected){MAIL_REPORT, false, ""});
}

static void automatic_replies_are_known_by_their_headers(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		bool automatic;
	} cases[] = {{"Auto-Submitted: auto-replied", true}, {"Auto-Submitted: no", false},
	    {"auto-submitted: No (a person)", false}, {"X-Autoreply: yes", true},
	    {"X-Autorespond: out", true}, {"X-Auto-Response-Suppress: All", true},
	    {"Precedence: auto_reply", true}, {"Precedence: junk", true},
	    {"Precedence: bulk", true}, {"Precedence: list", false},
	    {"Subject: Auto-Submitted: auto-replied", false}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf raw = BUF_EMPTY(BUF_SMALL);
		buf_printf(&raw, "From: a@example.org\n%s\n\n" ARMOR, cases[i].header);
		struct reading_outline *reading = reading_outline_of(buf_view(&raw));
		assert_int_equal(reading->out.automatic, cases[i].automatic);
		assert_int_equal(reading->out.shape, MAIL_INLINE_ENCRYPTED);
		reading_outline_free(reading);
		buf_release(&raw);
	}
}

/* The rest is checked by GnuPG itself, with a throw-away key. */

static char home[] = "/tmp/dl.XXXXXX";

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *format, ...)
{
	struct buf command = BUF_EMPTY(BUF_SMALL);
	char text[2048];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	buf_printf(&command, "exec >/dev/null 2>&1; cd %s && %s", home, text);
	const int status = system(buf_text(&command));
	buf_release(&command);
	return status;
}

static int make_home(void **state)
{
	(void)state;
	if (mkdtemp(home) == NULL || setenv("GNUPGHOME", home, 1) != 0)
		return -1;
	return run("gpg --batch --pinentry-mode loopback --passphrase '' --quick-gen-key "
		   "'Ada <ada@example.org>' ed25519 sign never");
}

static int remove_home(void **state)
{
	(void)state;
	struct err err;
	run("gpgconf --homedir %s --kill gpg-agent", home);
	return file_remove_tree(home, &err);
}

static void write_file(const char *name, struct view content)
{
	char path[64];
	struct err err;
	snprintf(path, sizeof path, "%s/%s", home, name);
	assert_int_equal(file_write(path, content, 0600, &err), 0);
}

static void read_home_file(const char *name, struct buf *out)
{
	char path[64];
	struct err err;
	snprintf(path, sizeof path, "%s/%s", home, name);
	assert_int_equal(file_read(path, out, &err), 0);
}

/* Signs `entity`, which has CR LF, and sets it into a multipart/signed. */
static void make_signed(struct view entity, struct buf *raw)
{
	struct buf signature = BUF_EMPTY(BUF_SMALL);
	write_file("entity", entity);
	assert_int_equal(run("rm -f entity.asc; gpg --batch --armor --detach-sign entity"), 0);
	read_home_file("entity.asc", &signature);
	buf_add_text(raw, "From: ada@example.org\r\n"
			  "Content-Type: multipart/signed; boundary=\"=-b\"; micalg=pgp-sha512;\r\n"
			  "\tprotocol=\"application/pgp-signature\"\r\n\r\npreamble\r\n--=-b\r\n");
	buf_add_view(raw, entity);
	buf_add_text(raw, "\r\n--=-b\r\nContent-Type: application/pgp-signature\r\n\r\n");
	struct view rest = buf_view(&signature);
	struct view line;
	while (view_next_line(&rest, &line)) {
		buf_add_view(raw, line);
		buf_add_text(raw, "\r\n");
	}
	buf_add_text(raw, "\r\n--=-b--\r\n");
	buf_release(&signature);
}

static bool slice_verifies(struct view raw)
{
	struct reading_outline *reading = reading_outline_of(raw);
	assert_int_equal(reading->out.shape, MAIL_SIGNED);
	write_file("slice", reading->out.message);
	write_file("slice.asc", reading->out.signature);
	reading_outline_free(reading);
	return run("gpg --batch --verify slice.asc slice") == 0;
}

static void assert_slice_verifies(struct view entity)
{
	struct buf raw = BUF_EMPTY(BUF_SMALL);
	struct buf bare = BUF_EMPTY(BUF_SMALL);
	make_signed(entity, &raw);
	assert_true(slice_verifies(buf_view(&raw)));
	for (size_t i = 0; i < raw.len; i++)
		if (raw.data[i] != '\r')
			buf_add_char(&bare, raw.data[i]);
	assert_true(slice_verifies(buf_view(&bare)));
	const size_t at = view_find(buf_view(&raw), VIEW("received"));
	raw.data[at] = 'R';
	assert_false(slice_verifies(buf_view(&raw)));
	buf_release(&raw);
	buf_release(&bare);
}

static void signed_text_verifies_with_gpg_in_crlf_and_lf(void **state)
{
	(void)state;
	assert_slice_verifies(VIEW("Content-Type: text/plain; charset=utf-8\r\n"
				   "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
				   "received =E2=80=94 thanks\r\n"));
	assert_slice_verifies(VIEW("Content-Type: text/plain\r\n\r\nreceived, no line end"));
	assert_slice_verifies(VIEW("Content-Type: text/plain\r\n\r\nreceived\r\n\r\n\r\n"));
}

static void signed_multipart_verifies_with_gpg(void **state)
{
	(void)state;
	assert_slice_verifies(VIEW("Content-Type: multipart/mixed; boundary=in\r\n\r\n"
				   "--in\r\nContent-Type: text/plain\r\n\r\nreceived\r\n"
				   "--in\r\nContent-Type: application/pdf\r\n\r\nx\r\n--in--\r\n"));
	assert_slice_verifies(VIEW("Content-Type: multipart/mixed; boundary=in\r\n\r\n"
				   "--in\r\n\r\nreceived\r\n--in--"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mail_without_openpgp_is_plain),
	    cmocka_unit_test(multipart_encrypted_is_taken_with_its_preamble),
	    cmocka_unit_test(multipart_encrypted_without_version_part_is_refused),
	    cmocka_unit_test(encrypted_in_a_list_mail_with_footer_is_not_whole),
	    cmocka_unit_test(exchange_mixed_form_is_encrypted_and_whole),
	    cmocka_unit_test(exchange_part_in_base64_is_decoded),
	    cmocka_unit_test(exchange_form_with_text_is_not_whole),
	    cmocka_unit_test(multipart_signed_is_cut_and_brought_to_crlf),
	    cmocka_unit_test(signed_in_a_list_mail_with_footer_is_not_whole),
	    cmocka_unit_test(text_behind_the_last_boundary_is_not_whole),
	    cmocka_unit_test(smime_and_tnef_have_names_of_their_own),
	    cmocka_unit_test(signature_without_its_bytes_is_lost),
	    cmocka_unit_test(attached_armor_counts_when_there_is_no_other),
	    cmocka_unit_test(signed_mail_inside_an_attached_mail_is_plain),
	    cmocka_unit_test(html_around_an_encrypted_part_is_text_outside),
	    cmocka_unit_test(exchange_form_with_other_names_and_encodings_is_encrypted),
	    cmocka_unit_test(blank_that_does_not_break_is_a_blank_in_armor),
	    cmocka_unit_test(armor_in_a_part_of_type_pgp_is_inline),
	    cmocka_unit_test(outer_subject_is_told),
	    cmocka_unit_test(token_in_the_open_is_found_in_every_encoding),
	    cmocka_unit_test(token_in_the_outer_subject_is_told_apart),
	    cmocka_unit_test(inline_message_as_only_text_is_whole),
	    cmocka_unit_test(inline_message_with_text_around_is_not_whole),
	    cmocka_unit_test(inline_signed_text_keeps_its_bytes),
	    cmocka_unit_test(inline_with_html_of_the_same_is_whole),
	    cmocka_unit_test(inline_with_other_html_is_not_whole),
	    cmocka_unit_test(inline_message_in_html_alone_is_found),
	    cmocka_unit_test(empty_line_of_armor_in_html_may_be_a_blank),
	    cmocka_unit_test(quoted_armor_is_no_openpgp_part),
	    cmocka_unit_test(armor_without_end_is_refused),
	    cmocka_unit_test(two_openpgp_parts_are_refused),
	    cmocka_unit_test(two_messages_in_the_encrypted_part_are_refused),
	    cmocka_unit_test(delivery_reports_are_reports),
	    cmocka_unit_test(automatic_replies_are_known_by_their_headers),
	    cmocka_unit_test(signed_text_verifies_with_gpg_in_crlf_and_lf),
	    cmocka_unit_test(signed_multipart_verifies_with_gpg),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("mail_shape", tests, make_home, remove_home);
}
