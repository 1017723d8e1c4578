/* The message of one delivery: head, ASCII armor of PKESK and data (RFC 9580 section 6), tail.
 *
 * The bytes depend on these four alone, so that a message sent again is the same to the last bit.
 */
#ifndef DEWLINE_COURIER_ARMOR_H
#define DEWLINE_COURIER_ARMOR_H

#include <stdint.h>

#include "base/buf.h"

/* Tables for base64 and CRC-24, about 25 kB: made once, shared by any number of messages. */
struct armor_tables;
struct armor_tables *armor_tables_new(void);
void armor_tables_free(struct armor_tables *tables);

/* The CRC-24 of RFC 9580 section 6.1; begin with ARMOR_CRC_FIRST, feed any number of pieces. */
#define ARMOR_CRC_FIRST UINT32_C(0xb704ce)
uint32_t armor_crc(const struct armor_tables *tables, uint32_t crc, struct view data);

/* Bytes that armor_add will append for so many binary bytes. */
size_t armor_size(size_t len);

/* Appends "-----BEGIN PGP MESSAGE-----", an empty line, the base64 of pkesk and data run together
 * in lines of 64 characters, "=" and the CRC-24, "-----END PGP MESSAGE-----"; every line ends with
 * CR LF. Sets out->overflow past its maximum. */
void armor_add(
    struct buf *out, const struct armor_tables *tables, struct view pkesk, struct view data);

#endif
