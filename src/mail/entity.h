/* What the reader makes of a mail: a flat description that the gate can judge without parsing.
 *
 * Views point into the answer's body or the message that was read; see each function. */
#ifndef DEWLINE_MAIL_ENTITY_H
#define DEWLINE_MAIL_ENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "mail/token.h"

enum {
	MAIL_PARTS_MAX = 256,
	MAIL_NAME_SIZE = 256,
	MAIL_TYPE_SIZE = 128,
	MAIL_REASON_SIZE = 256,
	MAIL_SUBJECT_SIZE = 1024,
	MAIL_ADDRESS_SIZE = 256,
	MAIL_ADDRESSES_MAX = 16,
	MAIL_LINES_MAX = 6, /* first lines of a mail that came back */
	MAIL_LINE_SIZE = 100,
};

/* The OpenPGP form of a whole mail, decided in one place (shape.c). */
enum mail_shape {
	MAIL_PLAIN,          /* nothing of OpenPGP in it */
	MAIL_ENCRYPTED,      /* multipart/encrypted (RFC 3156), also after Exchange made it mixed */
	MAIL_SIGNED,         /* multipart/signed (RFC 3156), also inside a list's multipart/mixed */
	MAIL_INLINE_ENCRYPTED, /* an armored message as the only text part */
	MAIL_INLINE_SIGNED,  /* cleartext signed text as the only text part */
	MAIL_ATTACHED_ENCRYPTED, /* an armored message attached, and nothing else of OpenPGP */
	MAIL_ATTACHED_SIGNED, /* cleartext signed text likewise */
	MAIL_REPORT,         /* multipart/report: a DSN or MDN */
	MAIL_MANY,           /* more than one OpenPGP part; reason says what */
	MAIL_BROKEN,         /* OpenPGP that is cut or put together wrongly; reason says how */
	MAIL_SIGNATURE_LOST, /* a signature without the bytes that it is over */
	MAIL_SMIME,          /* S/MIME, and nothing of OpenPGP */
	MAIL_TNEF,           /* winmail.dat, and nothing of OpenPGP */
	MAIL_REFUSED,        /* over a limit or malformed; reason says which */
};

/* Who wrote a mail, by marks in its header that anybody can write. */
enum mail_writer {
	MAIL_WRITER_UNKNOWN,
	MAIL_WRITER_SYSTEM, /* a mail system: MAILER-DAEMON, postmaster and their like */
	MAIL_WRITER_AUTOMATIC, /* a program that answers for somebody: vacation, reading receipt */
};

/* What a delivery status notification says (RFC 3464), or a mail that says the same in plain words,
 * as far as it can be read. Whoever wrote it could write anything: only the address that it was sent
 * to can show that it is about our mail. */
struct mail_bounce {
	char action[16]; /* failed, delayed, delivered, relayed, expanded; "" when it cannot be read */
	char status[16]; /* "5.1.1" (RFC 3463), or "" */
	char recipient[MAIL_ADDRESS_SIZE]; /* Final-Recipient, or "" */
	char diagnostic[MAIL_REASON_SIZE]; /* Diagnostic-Code, one line of UTF-8 fit to be shown */
	bool formal; /* it is a report by its type, and nothing that somebody signed or encrypted */
	enum mail_writer writer;
	/* Its first lines that are not empty, each fit to be shown, up to where a copy or quotation of
	 * the mail begins that it is about; none when that mail's own text may be among them. */
	uint32_t line_count;
	char lines[MAIL_LINES_MAX][MAIL_LINE_SIZE];
};

/* First reading of a raw mail. */
struct mail_outline {
	enum mail_shape shape;
	char reason[MAIL_REASON_SIZE]; /* for MAIL_REFUSED, MAIL_MANY and MAIL_BROKEN */
	char subject[MAIL_SUBJECT_SIZE]; /* the outer one, UTF-8: tells what was in the open */
	/* What has the form of a token, and travelled in the open: in that subject, in the rest. */
	struct token_list subject_tokens;
	struct token_list tokens;
	bool automatic;    /* Auto-Submitted other than "no", or another mark of an automatic reply */
	struct mail_bounce bounce;
	/* Whom it was delivered to, by Delivered-To, X-Original-To, Envelope-To and To. */
	uint32_t address_count;
	char addresses[MAIL_ADDRESSES_MAX][MAIL_ADDRESS_SIZE];
	bool whole;        /* the OpenPGP part is the whole mail: no text outside it */
	struct view message;   /* OpenPGP data: armored message, or the signed bytes brought to CRLF */
	struct view signature; /* detached signature for MAIL_SIGNED, armored */
};

/* One leaf part of a signed entity, decoded. */
struct mail_part {
	char type[MAIL_TYPE_SIZE]; /* "text/plain", lower case */
	char name[MAIL_NAME_SIZE]; /* file name, UTF-8, "" when none; never a path */
	bool attachment;           /* Content-Disposition: attachment, or neither text nor html */
	struct view content;       /* transfer encoding undone; text/plain also brought to UTF-8, LF */
};

/* Facts of a CSAF 2.0 document found among the parts (OASIS CSAF 2.0 section 3.2). */
struct csaf_facts {
	bool present;
	char id[128];        /* document.tracking.id */
	char version[64];    /* document.tracking.version */
	char title[MAIL_SUBJECT_SIZE];
	char tlp[16];        /* document.distribution.tlp.label; WHITE is given as "CLEAR"; "" if none */
	char severity[64];   /* document.aggregate_severity.text, or the highest CVSS base severity */
	struct view text;    /* rendered for reading, UTF-8, LF, lines of at most 76 */
};

/* Second reading: the plaintext that a signature covers, as a MIME entity or as bare text. */
struct mail_content {
	bool readable;
	char reason[MAIL_REASON_SIZE]; /* why not, or why the CSAF is not */
	bool automatic;                /* as in mail_outline, from the protected headers */
	bool report;                   /* an MDN or DSN inside */
	/* multipart/signed inside encryption (RFC 3156 section 6.1): nothing else is filled then, and
	 * `message` and `signature` are to be verified and read again. */
	bool wrapped;
	bool beside; /* with `wrapped`: there is something beside the signed part and its signature */
	bool nested; /* all of it is encrypted once more */
	/* What follows is that of a mail in the mail, which is the writer's own: pEp and others wrap
	 * what they send so. */
	bool enclosed;
	struct token_list tokens; /* in all of it, attachments and all, also with `wrapped` */
	struct view message;
	struct view signature;
	char subject[MAIL_SUBJECT_SIZE]; /* protected Subject (RFC 9788), UTF-8, "" when none */
	bool has_text;
	struct view text;    /* the first text/plain not an attachment, else the first text/html with
	                      * its markup taken off; UTF-8, LF */
	uint32_t part_count; /* attachments only, in order */
	struct mail_part parts[MAIL_PARTS_MAX];
	struct csaf_facts csaf;
	bool csaf_bad;       /* an attachment says it is CSAF and cannot be read as such: see reason */
};

#endif
