#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "courier/armor.h"

enum {
	LINE_BYTES = 48, /* binary bytes of one line */
	LINE_CHARS = 64, /* what they become, the width that GnuPG uses */
	EOL_CHARS = 2,
	CRC_SLICES = 8,
	CRC_LINE_CHARS = 5, /* "=" and four digits */
	PAIRS = 4096,
	PAIR_BITS = 12,
};

#define CRC_POLYNOMIAL UINT32_C(0x864cfb) /* RFC 9580 section 6.1, without the top bit */

static const char armor_begin[] = "-----BEGIN PGP MESSAGE-----\r\n\r\n";
static const char armor_end[] = "-----END PGP MESSAGE-----\r\n";

/* crc[k][b]: the checksum of byte b followed by k zero bytes. It is kept in the top 24 bits of a
 * word, so that eight bytes can be taken at a time. pair[n]: the two base64 digits of 12 bits. */
struct armor_tables {
	uint32_t crc[CRC_SLICES][256];
	char pair[PAIRS][2];
};

struct armor_tables *armor_tables_new(void)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct armor_tables *tables = malloc(sizeof *tables);
	if (tables == NULL)
		abort();
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i << 24;
		for (int bit = 0; bit < 8; bit++)
			crc = crc << 1 ^ ((crc & 0x80000000U) != 0 ? CRC_POLYNOMIAL << 8 : 0);
		tables->crc[0][i] = crc;
	}
	for (size_t k = 1; k < CRC_SLICES; k++) {
		for (uint32_t i = 0; i < 256; i++) {
			const uint32_t before = tables->crc[k - 1][i];
			tables->crc[k][i] = before << 8 ^ tables->crc[0][before >> 24];
		}
	}
	for (size_t i = 0; i < PAIRS; i++) {
		tables->pair[i][0] = digits[i >> 6];
		tables->pair[i][1] = digits[i & 63];
	}
	return tables;
}

void armor_tables_free(struct armor_tables *tables)
{
	free(tables);
}

static uint32_t big_endian(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

uint32_t armor_crc(const struct armor_tables *tables, uint32_t crc, struct view data)
{
	const unsigned char *at = (const unsigned char *)data.data;
	size_t len = data.len;
	crc <<= 8;
	for (; len >= CRC_SLICES; len -= CRC_SLICES, at += CRC_SLICES) {
		const uint32_t high = crc ^ big_endian(at);
		const uint32_t low = big_endian(at + 4);
		crc = tables->crc[7][high >> 24] ^ tables->crc[6][high >> 16 & 255] ^
		      tables->crc[5][high >> 8 & 255] ^ tables->crc[4][high & 255] ^
		      tables->crc[3][low >> 24] ^ tables->crc[2][low >> 16 & 255] ^
		      tables->crc[1][low >> 8 & 255] ^ tables->crc[0][low & 255];
	}
	for (; len > 0; len--, at++)
		crc = crc << 8 ^ tables->crc[0][crc >> 24 ^ *at];
	return crc >> 8;
}

/* Whole groups of three bytes. */
static char *encode_groups(
    const struct armor_tables *tables, const unsigned char *at, size_t groups, char *out)
{
	for (; groups > 0; groups--, at += 3, out += 4) {
		const uint32_t bits = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
		memcpy(out, tables->pair[bits >> PAIR_BITS], 2);
		memcpy(out + 2, tables->pair[bits & (PAIRS - 1)], 2);
	}
	return out;
}

static char *end_line(char *out)
{
	memcpy(out, "\r\n", EOL_CHARS);
	return out + EOL_CHARS;
}

/* Whole lines, and at the very end a last line that may be short and padded. */
static char *encode_lines(const struct armor_tables *tables, struct view data, char *out)
{
	const unsigned char *at = (const unsigned char *)data.data;
	size_t len = data.len;
	for (; len >= LINE_BYTES; len -= LINE_BYTES, at += LINE_BYTES)
		out = end_line(encode_groups(tables, at, LINE_BYTES / 3, out));
	if (len == 0)
		return out;
	out = encode_groups(tables, at, len / 3, out);
	const size_t left = len % 3;
	if (left > 0) {
		unsigned char last[3] = {0};
		memcpy(last, at + (len - left), left);
		out = encode_groups(tables, last, 1, out);
		memset(out - (3 - left), '=', 3 - left);
	}
	return end_line(out);
}

static size_t base64_size(size_t len)
{
	const size_t rest = len % LINE_BYTES;
	return len / LINE_BYTES * (LINE_CHARS + EOL_CHARS) +
	       (rest == 0 ? 0 : (rest + 2) / 3 * 4 + EOL_CHARS);
}

size_t armor_size(size_t len)
{
	return sizeof armor_begin - 1 + base64_size(len) + CRC_LINE_CHARS + EOL_CHARS +
	       sizeof armor_end - 1;
}

/* The lines that hold the end of `front` may hold the beginning of `back` too: they are put
 * together in a small piece of memory, so that the rest of `back` is read where it lies. */
static char *encode_joined(
    const struct armor_tables *tables, struct view front, struct view back, char *out)
{
	const size_t whole = front.len / LINE_BYTES * LINE_BYTES;
	unsigned char seam[LINE_BYTES];
	const struct view end = view_part(front, whole, front.len);
	struct view begin = view_part(back, 0, end.len == 0 ? 0 : LINE_BYTES - end.len);
	if (end.len > 0)
		memcpy(seam, end.data, end.len);
	if (begin.len > 0)
		memcpy(seam + end.len, begin.data, begin.len);
	out = encode_lines(tables, view_part(front, 0, whole), out);
	out = encode_lines(tables, (struct view){(const char *)seam, end.len + begin.len}, out);
	return encode_lines(tables, view_part(back, begin.len, back.len), out);
}

void armor_add(
    struct buf *out, const struct armor_tables *tables, struct view pkesk, struct view data)
{
	const size_t size = base64_size(pkesk.len + data.len);
	buf_add(out, armor_begin, sizeof armor_begin - 1);
	char *room = buf_reserve(out, size);
	if (room == NULL)
		return;
	encode_joined(tables, pkesk, data, room);
	buf_grown(out, size);
	const uint32_t crc = armor_crc(tables, armor_crc(tables, ARMOR_CRC_FIRST, pkesk), data);
	const unsigned char sum[3] = {
	    (unsigned char)(crc >> 16), (unsigned char)(crc >> 8), (unsigned char)crc};
	char line[CRC_LINE_CHARS + EOL_CHARS] = "=";
	end_line(encode_groups(tables, sum, 1, line + 1));
	buf_add(out, line, sizeof line);
	buf_add(out, armor_end, sizeof armor_end - 1);
}
