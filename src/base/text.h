/* Text encodings and the forms of numbers, times and durations that people and mail use. */
#ifndef DEWLINE_BASE_TEXT_H
#define DEWLINE_BASE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	TEXT_TIME_SIZE = 32,      /* "2026-11-25T18:00:00Z" and the mail form, with NUL */
	TEXT_BASE64_LINE = 76,    /* characters a line of base64 in mail (RFC 2045 section 6.8) */
	TEXT_ADDRESS_MAX = 254,   /* characters (RFC 5321 section 4.5.3.1.3) */
	TEXT_LOCAL_PART_MAX = 64, /* characters (RFC 5321 section 4.5.3.1.1) */
};

/* Upper-case hexadecimal, NUL-terminated: out holds 2 * len + 1 bytes. */
void text_hex(const void *data, size_t len, char *out);
/* Decodes hexadecimal of either case. False on an odd length or another character. */
bool text_unhex(struct view hex, unsigned char *out, size_t len);

/* Base64 (RFC 4648 section 4), in lines of `line` characters ended by CR LF; line 0 makes one
 * line without an end. */
void text_base64(struct buf *out, struct view data, size_t line);
/* Decodes, passing over white space. False on any other foreign byte or bad padding. */
bool text_unbase64(struct buf *out, struct view text);

/* Base32 (RFC 4648 section 6), upper case, no padding: out holds (8 * len + 4) / 5 + 1 bytes. */
void text_base32(const unsigned char *data, size_t len, char *out);
/* The same with the alphabet of z-base-32 (RFC 6189 section 5.1.6). */
void text_zbase32(const unsigned char *data, size_t len, char *out);

/* True when the bytes are well-formed UTF-8 without NUL (RFC 3629). */
bool text_is_utf8(struct view text);

/* What people cannot tell from a space, or cannot see, stands in every text that went through a mail
 * program: each returns the bytes of such a character at the front, 0 when there is none.
 * text_blank: white space of every kind, line ends too. text_invisible: what has no width (soft
 * hyphens, joiners, marks of direction, the byte order mark). */
size_t text_blank(struct view text);
size_t text_invisible(struct view text);
/* Without either at its ends. */
struct view text_trim(struct view text);

/* Appends text so that a terminal, a log or a table can show it on one line: every control
 * character (C0, DEL, C1), bidirectional control and ill-formed byte becomes "\xNN" or U+FFFD. */
void text_add_shown(struct buf *out, struct view text);

/* Whole decimal numbers only; false past the bounds. */
bool text_number(struct view text, int64_t least, int64_t most, int64_t *out);

/* "90s", "15m", "4h", "2d", "1w", or a plain number of seconds. False when malformed or beyond ten
 * years. */
bool text_duration(struct view text, int64_t *seconds);

/* RFC 3339 with "Z" or an offset, to seconds since 1970. */
bool text_time(struct view text, int64_t *seconds);
/* Seconds since 1970 as "2026-11-25T18:00:00Z"; 0 gives "". */
void text_add_time(struct buf *out, int64_t seconds);
void text_format_time(int64_t seconds, char out[static TEXT_TIME_SIZE]);
/* RFC 5322 section 3.3, in UTC: "Wed, 25 Nov 2026 18:00:00 +0000". */
void text_format_mail_date(int64_t seconds, char out[static TEXT_TIME_SIZE]);

/* The mailbox grammar that we accept in an envelope: a strict part of RFC 5321 section 4.1.2 (dot
 * atoms and a domain with letters, digits, dots and hyphens; local part up to 64, all up to 254
 * bytes; ASCII). Pure. On false, *why says what is wrong in a few words. */
bool text_is_address(struct view address, const char **why);

#endif
