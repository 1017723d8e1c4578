#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

enum { TEN_YEARS_S = 10 * 366 * 86400, UTF8_MAX = 4 /* bytes of a character */ };

static const char hex_digits[] = "0123456789ABCDEF";
static const char base64_digits[]
    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base32_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void text_hex(const void *data, size_t len, char *out)
{
	const unsigned char *at = data;
	for (size_t i = 0; i < len; i++) {
		*out++ = hex_digits[at[i] >> 4];
		*out++ = hex_digits[at[i] & 15];
	}
	*out = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool text_unhex(struct view hex, unsigned char *out, size_t len)
{
	if (hex.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		const int high = hex_value(hex.data[2 * i]);
		const int low = hex_value(hex.data[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static void base64_group(const unsigned char *in, size_t len, char out[static 4])
{
	const unsigned second = len > 1 ? in[1] : 0U;
	const unsigned third = len > 2 ? in[2] : 0U;
	out[0] = base64_digits[in[0] >> 2];
	out[1] = base64_digits[(in[0] & 3U) << 4 | second >> 4];
	out[2] = len > 1 ? base64_digits[(second & 15U) << 2 | third >> 6] : '=';
	out[3] = len > 2 ? base64_digits[third & 63U] : '=';
}

void text_base64(struct buf *out, struct view data, size_t line)
{
	const size_t step = line == 0 ? data.len : line / 4 * 3;
	const unsigned char *in = (const unsigned char *)data.data;
	for (size_t from = 0; from < data.len; from += step) {
		const size_t len = data.len - from < step ? data.len - from : step;
		const size_t room_len = (len + 2) / 3 * 4;
		char *room = buf_reserve(out, room_len);
		if (room == NULL)
			return;
		for (size_t i = 0; i < len; i += 3, room += 4)
			base64_group(in + from + i, len - i, room);
		buf_grown(out, room_len);
		if (line != 0)
			buf_add_text(out, "\r\n");
	}
}

static int base64_value(char c)
{
	const char *at = c == '\0' ? NULL : strchr(base64_digits, c);
	return at == NULL ? -1 : (int)(at - base64_digits);
}

bool text_unbase64(struct buf *out, struct view text)
{
	unsigned bits = 0;
	unsigned have = 0;
	size_t digits = 0;
	size_t padding = 0;
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.data[i];
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c == '=') {
			padding++;
			continue;
		}
		const int value = base64_value(c);
		if (value < 0 || padding > 0)
			return false;
		digits++;
		bits = (bits << 6 | (unsigned)value) & 0xffffffU;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_add_char(out, (char)(bits >> have & 0xffU));
		}
	}
	return !out->overflow && digits % 4 != 1 && padding <= 2
	    && (padding == 0 || (digits + padding) % 4 == 0);
}

static void base32(const char *alphabet, const unsigned char *data, size_t len, char *out)
{
	unsigned bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8 | data[i]) & 0xffffU;
		have += 8;
		while (have >= 5) {
			have -= 5;
			*out++ = alphabet[bits >> have & 31U];
		}
	}
	if (have > 0)
		*out++ = alphabet[bits << (5 - have) & 31U];
	*out = '\0';
}

void text_base32(const unsigned char *data, size_t len, char *out)
{
	base32(base32_digits, data, len, out);
}

void text_zbase32(const unsigned char *data, size_t len, char *out)
{
	base32("ybndrfg8ejkmcpqxot1uwisza345h769", data, len, out);
}

/* Length of the well-formed character at the front, 0 when ill-formed; its code point in *code. */
static size_t utf8_next(struct view text, uint32_t *code)
{
	const unsigned char *at = (const unsigned char *)text.data;
	size_t len;
	uint32_t least;
	if (at[0] < 0x80) {
		*code = at[0];
		return 1;
	}
	if (at[0] >= 0xc2 && at[0] <= 0xdf) {
		len = 2;
		least = 0x80;
		*code = at[0] & 0x1fU;
	} else if (at[0] >= 0xe0 && at[0] <= 0xef) {
		len = 3;
		least = 0x800;
		*code = at[0] & 0x0fU;
	} else if (at[0] >= 0xf0 && at[0] <= 0xf4) {
		len = 4;
		least = 0x10000;
		*code = at[0] & 0x07U;
	} else {
		return 0;
	}
	if (text.len < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0U) != 0x80U)
			return 0;
		*code = *code << 6 | (at[i] & 0x3fU);
	}
	if (*code < least || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

bool text_is_utf8(struct view text)
{
	uint32_t code;
	while (text.len > 0) {
		const size_t len = utf8_next(text, &code);
		if (len == 0 || code == 0)
			return false;
		text = view_part(text, len, text.len);
	}
	return true;
}

static bool is_blank(uint32_t code)
{
	return (code >= '\t' && code <= '\r') || code == ' ' || code == 0x85 || code == 0xa0
	    || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028
	    || code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

static bool is_invisible(uint32_t code)
{
	return code == 0xad || code == 0x034f || code == 0x061c || code == 0x180e
	    || (code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e)
	    || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

size_t text_blank(struct view text)
{
	uint32_t code;
	const size_t len = text.len == 0 ? 0 : utf8_next(text, &code);
	return len > 0 && is_blank(code) ? len : 0;
}

size_t text_invisible(struct view text)
{
	uint32_t code;
	const size_t len = text.len == 0 ? 0 : utf8_next(text, &code);
	return len > 0 && is_invisible(code) ? len : 0;
}

/* Bytes of either at the front. */
static size_t unseen(struct view text)
{
	const size_t len = text_blank(text);
	return len > 0 ? len : text_invisible(text);
}

struct view text_trim(struct view text)
{
	for (size_t len; (len = unseen(text)) > 0;)
		text = view_part(text, len, text.len);
	while (text.len > 0) {
		size_t from = text.len - 1;
		while (from > 0 && text.len - from < UTF8_MAX
		    && ((unsigned char)text.data[from] & 0xc0U) == 0x80U)
			from--;
		const size_t len = text.len - from;
		if (unseen(view_part(text, from, len)) != len)
			break;
		text.len = from;
	}
	return text;
}

static bool is_unshowable(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c
	    || (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e)
	    || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

void text_add_shown(struct buf *out, struct view text)
{
	uint32_t code;
	while (text.len > 0) {
		const size_t len = utf8_next(text, &code);
		if (len == 0)
			buf_add_text(out, "\xef\xbf\xbd");
		else if (!is_unshowable(code))
			buf_add(out, text.data, len);
		else if (code < 0x100)
			buf_printf(out, "\\x%02x", (unsigned)code);
		else
			buf_printf(out, "\\u%04x", (unsigned)code);
		text = view_part(text, len == 0 ? 1 : len, text.len);
	}
}

bool text_number(struct view text, int64_t least, int64_t most, int64_t *out)
{
	const bool negative = text.len > 0 && text.data[0] == '-';
	if (negative)
		text = view_part(text, 1, text.len);
	if (text.len == 0 || text.len > 18)
		return false;
	int64_t value = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = value * 10 + (text.data[i] - '0');
	}
	if (negative)
		value = -value;
	if (value < least || value > most)
		return false;
	*out = value;
	return true;
}

bool text_duration(struct view text, int64_t *seconds)
{
	static const struct {
		char name;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	int64_t unit = 1;
	for (size_t i = 0; text.len > 0 && i < sizeof units / sizeof units[0]; i++) {
		if (text.data[text.len - 1] == units[i].name) {
			unit = units[i].seconds;
			text.len--;
			break;
		}
	}
	int64_t count;
	if (!text_number(text, 0, TEN_YEARS_S / unit, &count))
		return false;
	*seconds = count * unit;
	return true;
}

static bool digits(struct view text, size_t from, size_t len, int least, int most, int *out)
{
	int64_t value;
	if (text.len < from + len || text.data[from] == '-' ||
	    !text_number(view_part(text, from, len), least, most, &value))
		return false;
	*out = (int)value;
	return true;
}

static bool time_offset(struct view zone, int64_t *seconds)
{
	int hours;
	int minutes;
	*seconds = 0;
	if (view_is_nocase(zone, "Z"))
		return true;
	if (zone.len != 6 || (zone.data[0] != '+' && zone.data[0] != '-') || zone.data[3] != ':'
	    || !digits(zone, 1, 2, 0, 23, &hours) || !digits(zone, 4, 2, 0, 59, &minutes))
		return false;
	*seconds = (int64_t)hours * 3600 + (int64_t)minutes * 60;
	if (zone.data[0] == '-')
		*seconds = -*seconds;
	return true;
}

bool text_time(struct view text, int64_t *seconds)
{
	struct tm broken = { 0 };
	int64_t offset;
	if (text.len < 20 || text.data[4] != '-' || text.data[7] != '-' || text.data[13] != ':'
	    || text.data[16] != ':' || text.data[10] == '\0' || strchr("Tt ", text.data[10]) == NULL
	    || !digits(text, 0, 4, 1970, 9999, &broken.tm_year)
	    || !digits(text, 5, 2, 1, 12, &broken.tm_mon)
	    || !digits(text, 8, 2, 1, 31, &broken.tm_mday)
	    || !digits(text, 11, 2, 0, 23, &broken.tm_hour)
	    || !digits(text, 14, 2, 0, 59, &broken.tm_min)
	    || !digits(text, 17, 2, 0, 60, &broken.tm_sec))
		return false;
	struct view zone = view_part(text, 19, text.len);
	if (zone.len > 0 && zone.data[0] == '.') {
		size_t len = 1;
		while (len < zone.len && zone.data[len] >= '0' && zone.data[len] <= '9')
			len++;
		if (len == 1)
			return false;
		zone = view_part(zone, len, zone.len);
	}
	if (!time_offset(zone, &offset))
		return false;
	const int day = broken.tm_mday;
	if (broken.tm_sec == 60) /* a leap second, which POSIX time does not have */
		broken.tm_sec = 59;
	broken.tm_year -= 1900;
	broken.tm_mon -= 1;
	*seconds = (int64_t)timegm(&broken) - offset;
	return broken.tm_mday == day; /* 30 February rolled over: refused */
}

void text_format_time(int64_t seconds, char out[static TEXT_TIME_SIZE])
{
	const time_t when = (time_t)seconds;
	struct tm broken;
	out[0] = '\0';
	if (seconds != 0 && gmtime_r(&when, &broken) != NULL)
		strftime(out, TEXT_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &broken);
}

void text_add_time(struct buf *out, int64_t seconds)
{
	char text[TEXT_TIME_SIZE];
	text_format_time(seconds, text);
	buf_add_text(out, text);
}

void text_format_mail_date(int64_t seconds, char out[static TEXT_TIME_SIZE])
{
	/* strftime would follow the locale, and RFC 5322 wants English. */
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec" };
	const time_t when = (time_t)seconds;
	struct tm broken = { 0 };
	gmtime_r(&when, &broken);
	snprintf(out, TEXT_TIME_SIZE, "%s, %02u %s %04u %02u:%02u:%02u +0000",
	    days[(unsigned)broken.tm_wday % 7], (unsigned)broken.tm_mday % 32,
	    months[(unsigned)broken.tm_mon % 12], (unsigned)(broken.tm_year + 1900) % 10000,
	    (unsigned)broken.tm_hour % 24, (unsigned)broken.tm_min % 60,
	    (unsigned)broken.tm_sec % 61);
}

static bool is_atom_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
	    || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_dot_atom(struct view text, bool (*is_inside)(char))
{
	bool after_dot = true;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '.' ? after_dot : !is_inside(text.data[i]))
			return false;
		after_dot = text.data[i] == '.';
	}
	return !after_dot;
}

static bool is_domain_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

static bool is_ascii(struct view text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (((unsigned char)text.data[i] & 0x80U) != 0)
			return false;
	}
	return true;
}

bool text_is_address(struct view address, const char **why)
{
	struct view domain = address;
	struct view local;
	if (address.len > TEXT_ADDRESS_MAX) {
		*why = "longer than 254 characters";
		return false;
	}
	if (view_find(address, VIEW("@")) == SIZE_MAX || !view_next_field(&domain, '@', &local)) {
		*why = "no @ in it";
		return false;
	}
	if (local.len == 0 || local.len > TEXT_LOCAL_PART_MAX || !is_dot_atom(local, is_atom_char)) {
		*why = is_ascii(local)
			   ? "the part before the @ is not plain letters, digits and the marks of RFC 5322"
			   : "the part before the @ has letters of another alphabet than ASCII, which many "
			     "mail servers do not take: ask for another address";
		return false;
	}
	if (!is_dot_atom(domain, is_domain_char) || domain.data[0] == '-'
	    || domain.data[domain.len - 1] == '-') {
		*why = is_ascii(domain)
			   ? "the part behind the @ is not a domain name"
			   : "the part behind the @ has letters of another alphabet than ASCII: write it as "
			     "the DNS has it, with xn-- (the program idn2 shows that form)";
		return false;
	}
	*why = "";
	return true;
}
