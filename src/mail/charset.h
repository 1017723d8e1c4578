/* Bytes of any charset to UTF-8, and the line forms of text in mail. */
#ifndef DEWLINE_MAIL_CHARSET_H
#define DEWLINE_MAIL_CHARSET_H

#include <stdbool.h>

#include "base/buf.h"

/* Appends bytes as well-formed UTF-8 without NUL; what is ill-formed becomes U+FFFD. Unknown and
 * empty charsets are UTF-8 where the bytes are that, and windows-1252 otherwise. Charsets other
 * than UTF-8, ISO-8859-1 and windows-1252 go through iconv. */
void charset_to_utf8(const char *charset, struct view bytes, struct buf *out);

/* Keeps iconv's modules in memory, so that a process that may open no files afterwards still knows
 * the charsets that mail comes in. Holds until charset_release. */
struct charset_keep;
struct charset_keep *charset_keep(void);
void charset_release(struct charset_keep *keep);

/* Appends text with CR LF and lone CR as LF. */
void charset_add_lines(struct buf *out, struct view text);

/* Appends format=flowed text (LF) with its soft breaks and space-stuffing undone (RFC 3676);
 * delete_space is its DelSp parameter. */
void charset_add_unflowed(struct buf *out, struct view text, bool delete_space);

/* Length of the well-formed UTF-8 character at the front of text that is not empty; 0 when it is
 * ill-formed. */
size_t charset_character(struct view text);

/* True for a well-formed character of `len` bytes that must not be shown as it is: controls (C0,
 * DEL, C1), line and paragraph separators, the byte order mark, and the marks that turn the
 * direction of writing and so can hide what a name ends in. */
bool charset_is_deceiving(const char *at, size_t len);

#endif
