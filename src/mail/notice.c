#include "config.h"

#include <ctype.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/moment.h"
#include "base/text.h"

#include "mail/encode.h"
#include "mail/notice.h"

enum { BOUNDARY_BYTES = 20, BOUNDARY_SIZE = 33 };

void notice_entity(struct buf *out, const struct config *config, int64_t expired)
{
	struct buf text = BUF_EMPTY(BUF_SMALL);
	buf_add_text(&text, "Your OpenPGP key expired on ");
	moment_add(&text, expired, 0);
	buf_printf(&text,
	    ".\nMails of\n"
	    "%s\n"
	    "cannot reach you any more, because they are never sent unencrypted.\n\n"
	    "Renew it, and send a mail to this address, signed with your key, whose first\n"
	    "line is \"Key: update\", with the renewed public key attached.\n",
	    config->gateway.name);
	encode_text_part(out, buf_view(&text));
	buf_release(&text);
}

static void add_signature(struct buf *out, struct view armored)
{
	struct view line;
	while (view_next_line(&armored, &line)) {
		buf_add_view(out, line);
		buf_add_text(out, "\r\n");
	}
}

static void add_micalg(struct buf *out, const char *digest)
{
	buf_add_text(out, "pgp-");
	for (; *digest != '\0'; digest++) {
		if (isalnum((unsigned char)*digest))
			buf_add_char(out, (char)tolower((unsigned char)*digest));
	}
}

static void add_head(
    struct buf *out, const struct config *config, const struct notice *notice, const char *boundary)
{
	char date[TEXT_TIME_SIZE];
	const char *why;
	text_format_mail_date(notice->date, date);
	encode_address_field(out, "From: ", config->gateway.name, config->gateway.address);
	if (text_is_address(view_of(notice->to), &why))
		encode_address_field(out, "To: ", "", notice->to);
	buf_add_text(out, "Subject: Your OpenPGP key has expired\r\n");
	buf_printf(out, "Date: %s\r\nMessage-ID: <", date);
	encode_word(out, notice->message_id);
	buf_printf(out, ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
			"Content-Type: multipart/signed; micalg=");
	add_micalg(out, notice->digest);
	buf_printf(out, ";\r\n protocol=\"application/pgp-signature\";\r\n boundary=\"%s\"\r\n\r\n",
	    boundary);
}

void notice_mail(
    struct buf *head, struct buf *body, const struct config *config, const struct notice *notice)
{
	unsigned char random[BOUNDARY_BYTES];
	char boundary[BOUNDARY_SIZE];
	random_bytes(random, sizeof random);
	text_base32(random, sizeof random, boundary);
	add_head(head, config, notice, boundary);
	buf_printf(body, "--%s\r\n", boundary);
	notice_entity(body, config, notice->expired);
	buf_printf(body,
	    "\r\n--%s\r\nContent-Type: application/pgp-signature; name=\"signature.asc\"\r\n\r\n",
	    boundary);
	add_signature(body, notice->signature);
	buf_printf(body, "\r\n--%s--\r\n", boundary);
}
