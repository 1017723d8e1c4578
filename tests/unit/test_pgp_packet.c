#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "pgp/lone.h"
#include "pgp/packet.h"
#include "pgp/framing.h"

/* Version 3, key ID, algorithm 18, some body. */
#define PKESK_BODY(digit)                                                                          \
	"\x03" digit digit digit digit digit digit digit digit "\x12"                              \
	"abcd"
#define PKESK(digit) "\xc1\x0e" PKESK_BODY(digit)
#define SEIPD                                                                                      \
	"\xd2\x05\x01"                                                                             \
	"data"

static int next(struct view bytes, struct packet *packet)
{
	return packet_next(&bytes, packet);
}

static void new_lengths_of_one_two_and_five_octets(void **state)
{
	(void)state;
	struct packet packet;
	assert_int_equal(next(VIEW("\xc1\x02"
				   "ab"
				   "rest"),
			     &packet),
	    1);
	assert_int_equal(packet.tag, PACKET_PKESK);
	assert_true(view_is(packet.body, "ab"));
	assert_int_equal(packet.whole.len, 4);

	char bytes[3 + 192] = "\xc2\xc0\x00";
	assert_int_equal(next((struct view){bytes, sizeof bytes}, &packet), 1);
	assert_int_equal(packet.body.len, 192);
	assert_int_equal(next(VIEW("\xc2\xff\x00\x00\x00\x03"
				   "abc"),
			     &packet),
	    1);
	assert_true(view_is(packet.body, "abc"));
}

static void old_lengths_of_one_two_and_four_octets(void **state)
{
	(void)state;
	struct packet packet;
	assert_int_equal(next(VIEW("\x98\x02"
				   "ab"),
			     &packet),
	    1);
	assert_int_equal(packet.tag, PACKET_PUBLIC_KEY);
	assert_int_equal(next(VIEW("\x99\x00\x02"
				   "ab"),
			     &packet),
	    1);
	assert_true(view_is(packet.body, "ab"));
	assert_int_equal(next(VIEW("\x9a\x00\x00\x00\x02"
				   "ab"
				   "c"),
			     &packet),
	    1);
	assert_true(view_is(packet.body, "ab"));
}

static void partial_lengths_run_through_to_the_last_chunk(void **state)
{
	(void)state;
	struct packet packet;
	struct view bytes = VIEW("\xd2\xe1"
				 "ab"
				 "\xe0"
				 "c"
				 "\x03"
				 "def"
				 "tail");
	assert_int_equal(packet_next(&bytes, &packet), 1);
	assert_int_equal(packet.whole.len, 2 + 2 + 1 + 1 + 1 + 3);
	assert_true(view_is(packet.body, "ab"));
	assert_true(view_is(bytes, "tail"));
}

static void partial_length_is_refused_outside_data_packets(void **state)
{
	(void)state;
	struct packet packet;
	assert_int_equal(next(VIEW("\xc1\xe1"
				   "ab"
				   "\x00"),
			     &packet),
	    -1);
	assert_int_equal(next(VIEW("\xc6\xe1"
				   "ab"
				   "\x00"),
			     &packet),
	    -1);
}

static void open_end_is_taken_for_data_packets_only(void **state)
{
	(void)state;
	struct packet packet;
	assert_int_equal(next(VIEW("\xa3"
				   "all of this"),
			     &packet),
	    1);
	assert_int_equal(packet.tag, PACKET_COMPRESSED);
	assert_true(view_is(packet.body, "all of this"));
	assert_int_equal(next(VIEW("\x9b"
				   "all of this"),
			     &packet),
	    -1);
}

static void every_truncation_is_malformed(void **state)
{
	(void)state;
	static const struct view whole[] = {
	    VIEW("\xc1\x02"
		 "ab"),
	    VIEW("\xc2\xff\x00\x00\x00\x03"
		 "abc"),
	    VIEW("\x99\x00\x02"
		 "ab"),
	    VIEW("\x9a\x00\x00\x00\x02"
		 "ab"),
	    VIEW("\xd2\xe1"
		 "ab"
		 "\xe0"
		 "c"
		 "\x03"
		 "def"),
	};
	struct packet packet;
	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
		assert_int_equal(next(whole[i], &packet), 1);
		for (size_t len = 1; len < whole[i].len; len++) {
			/* On the heap and exact, so that a read past the end is seen. */
			char *copy = malloc(len);
			assert_non_null(copy);
			memcpy(copy, whole[i].data, len);
			assert_int_equal(next((struct view){copy, len}, &packet), -1);
			free(copy);
		}
	}
}

static void hostile_lengths_are_malformed(void **state)
{
	(void)state;
	struct packet packet;
	assert_int_equal(next(VIEW("\xc1\xff\xff\xff\xff\xff"
				   "ab"),
			     &packet),
	    -1);
	assert_int_equal(next(VIEW("\x9a\xff\xff\xff\xff"
				   "ab"),
			     &packet),
	    -1);
	assert_int_equal(next(VIEW("\xd2\xfe"
				   "ab"),
			     &packet),
	    -1);
	assert_int_equal(next(VIEW("plain text"), &packet), -1);
	assert_int_equal(next(VIEW("\xc0\x00"), &packet), -1);
	assert_int_equal(next(VIEW("\x80\x00"), &packet), -1);
}

static void random_bytes_never_lead_outside(void **state)
{
	(void)state;
	unsigned seed = 1;
	for (int round = 0; round < 20000; round++) {
		const size_t len = 1 + (size_t)(rand_r(&seed) % 40);
		char *bytes = malloc(len);
		assert_non_null(bytes);
		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)rand_r(&seed);
		bytes[0] = (char)(bytes[0] | (char)0x80);
		struct view rest = {bytes, len};
		struct packet packet;
		while (packet_next(&rest, &packet) == 1) {
			assert_true(packet.whole.data >= bytes);
			assert_true(packet.whole.data + packet.whole.len <= bytes + len);
			assert_true(packet.body.data + packet.body.len <=
				    packet.whole.data + packet.whole.len);
		}
		free(bytes);
	}
}

static struct packet_split split;

static int split_of(struct view message, struct err *err)
{
	return packet_split(message, &split, err);
}

static void split_gives_each_session_key_and_the_data(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(split_of(VIEW(PKESK("\xa1") PKESK("\xb2") SEIPD), &err), 0);
	assert_int_equal(split.count, 2);
	assert_string_equal(split.keys[0].key_id, "A1A1A1A1A1A1A1A1");
	assert_string_equal(split.keys[1].key_id, "B2B2B2B2B2B2B2B2");
	assert_true(view_is(split.keys[1].pkesk, PKESK("\xb2")));
	assert_true(view_is(split.data, SEIPD));
}

static void split_refuses_all_but_session_keys_and_one_data_packet(void **state)
{
	(void)state;
	static const struct view bad[] = {
	    VIEW(""), VIEW(SEIPD), VIEW(PKESK("\xa1")), VIEW(PKESK("\xa1") SEIPD SEIPD),
	    VIEW(PKESK("\xa1") SEIPD PKESK("\xa1")), VIEW(PKESK("\xa1") SEIPD "x"),
	    VIEW(PKESK("\xa1") "\xd2\x05\x02"
			       "data"), /* version 2 */
	    VIEW(PKESK("\xa1") "\xd2\x00"), /* no version */
	    VIEW(PKESK("\xa1") "\xc9\x04"
			       "data"), /* tag 9: no integrity protection */
	    VIEW(PKESK("\xa1") "\xc3\x04"
			       "data" SEIPD), /* password */
	    VIEW("\xca\x03PGP" PKESK("\xa1") SEIPD), /* marker */
	    VIEW("\xc1\x0e\x06"
		 "8888888"
		 "\x12"
		 "abcde" SEIPD), /* version 6 session key */
	    VIEW("\xc1\x0a\x03"
		 "88888888"
		 "\x12" SEIPD), /* no encrypted key in it */
	};
	struct err err;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (split_of(bad[i], &err) == 0)
			fail_msg("number %zu was taken", i);
	}
}

static void split_refuses_an_ocb_packet_by_name(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(split_of(VIEW(PKESK("\xa1") "\xd4\x05\x01"
						     "data"),
			     &err),
	    -1);
	assert_non_null(strstr(err.text, "tag 20"));
}

static void split_has_room_for_a_whole_batch_and_no_more(void **state)
{
	(void)state;
	struct err err;
	const struct view one = VIEW(PKESK("\xa1"));
	const size_t most = sizeof split.keys / sizeof *split.keys;
	struct buf message = BUF_EMPTY(one.len * (most + 1) + BUF_SMALL);
	for (size_t i = 0; i < most; i++)
		buf_add_view(&message, one);
	const size_t full = message.len;
	buf_add_view(&message, VIEW(SEIPD));
	assert_int_equal(split_of(buf_view(&message), &err), 0);
	assert_int_equal(split.count, most);
	message.len = full;
	buf_add_view(&message, one);
	buf_add_view(&message, VIEW(SEIPD));
	assert_int_equal(split_of(buf_view(&message), &err), -1);
	buf_release(&message);
}

static bool is_encrypted(struct view message, const char **why)
{
	enum framing_data data;
	return framing_is_encrypted(message, &data, why);
}

static void encrypted_message_has_one_shape_only(void **state)
{
	(void)state;
	const char *why = NULL;
	assert_true(is_encrypted(VIEW(PKESK("\xa1") SEIPD), &why));
	assert_true(is_encrypted(VIEW("\xca\x03PGP" PKESK("\xa1") SEIPD), &why));
	assert_true(is_encrypted(VIEW(PKESK("\xa1") "\xd4\x05\x01"
						    "data"),
	    &why));
	assert_false(is_encrypted(VIEW(PKESK("\xa1") SEIPD "\xca\x03PGP"), &why));
	assert_false(is_encrypted(VIEW(PKESK("\xa1") SEIPD SEIPD), &why));
	assert_false(is_encrypted(VIEW(SEIPD), &why));
	assert_false(is_encrypted(VIEW(PKESK("\xa1")), &why));
	assert_false(is_encrypted(VIEW(PKESK("\xa1") "\xcb\x04"
						     "data"),
	    &why));
	assert_false(is_encrypted(VIEW(PKESK("\xa1") "\xc9\x04"
						     "data"),
	    &why));
	assert_string_equal(why, "is encrypted without integrity protection");
	assert_false(is_encrypted(VIEW("\xc3\x04"
				       "data" SEIPD),
	    &why));
	assert_string_equal(why, "is encrypted with a password");
}

static void form_of_the_data_is_told(void **state)
{
	(void)state;
	enum framing_data data;
	const char *why = NULL;
	assert_true(framing_is_encrypted(VIEW(PKESK("\xa1") SEIPD), &data, &why));
	assert_int_equal(data, FRAMING_MDC);
	assert_true(framing_is_encrypted(VIEW(PKESK("\xa1") "\xd4\x05\x01"
							    "data"),
	    &data, &why));
	assert_int_equal(data, FRAMING_OCB);
	assert_true(framing_is_encrypted(VIEW(PKESK("\xa1") "\xd2\x05\x02"
							    "data"),
	    &data, &why));
	assert_int_equal(data, FRAMING_VERSION_2);
}

static void gnupg_that_cannot_open_a_form_says_what_to_do(void **state)
{
	(void)state;
	static const struct {
		enum framing_data data;
		const char *version;
		const char *says; /* NULL: it opens */
	} rows[] = {
	    {FRAMING_MDC, "2.2.4", NULL},
	    {FRAMING_MDC, "", NULL},
	    {FRAMING_OCB, "2.2.20", "install GnuPG 2.4"},
	    {FRAMING_OCB, "1.4.23", "GnuPG 1.4.23 here"},
	    {FRAMING_OCB, "", "force no OCB"},
	    {FRAMING_OCB, "2.2.21", NULL},
	    {FRAMING_OCB, "2.2.40", NULL},
	    {FRAMING_OCB, "2.4.7", NULL},
	    {FRAMING_OCB, "2.5.0-beta3", NULL},
	    {FRAMING_VERSION_2, "2.2.40", "form of RFC 4880"},
	    {FRAMING_VERSION_2, "2.4.7", "GnuPG 2.4.7 here"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char why[CERTIFICATE_REASON_SIZE] = "";
		assert_int_equal(framing_opens(rows[i].data, rows[i].version, why, sizeof why),
		    rows[i].says == NULL);
		if (rows[i].says != NULL)
			assert_non_null(strstr(why, rows[i].says));
	}
}

#define ONE_PASS "\xc4\x01\x03"
#define LITERAL                                                                                    \
	"\xcb\x04"                                                                                 \
	"data"
#define SIGNATURE(type) "\xc2\x03\x04" type "\x16"

static void signed_message_has_one_shape_only(void **state)
{
	(void)state;
	const char *why = NULL;
	assert_true(framing_is_signed(VIEW(ONE_PASS LITERAL SIGNATURE("\x01")), &why));
	assert_true(framing_is_signed(
	    VIEW(ONE_PASS ONE_PASS LITERAL SIGNATURE("\x01") SIGNATURE("\x01")), &why));
	assert_true(framing_is_signed(VIEW("\xc8\x04"
					   "data"),
	    &why));
	assert_false(framing_is_signed(VIEW("\xc8\x04"
					    "data" LITERAL),
	    &why));
	assert_false(framing_is_signed(VIEW(LITERAL), &why));
	assert_false(framing_is_signed(VIEW(SIGNATURE("\x01") LITERAL), &why));
	assert_false(framing_is_signed(VIEW(LITERAL ONE_PASS LITERAL SIGNATURE("\x01")), &why));
	assert_false(framing_is_signed(VIEW(ONE_PASS LITERAL), &why));
	assert_false(framing_is_signed(VIEW(ONE_PASS LITERAL LITERAL SIGNATURE("\x01")), &why));
	assert_false(framing_is_signed(VIEW(ONE_PASS LITERAL SIGNATURE("\x01") LITERAL), &why));
	assert_false(
	    framing_is_signed(VIEW(ONE_PASS LITERAL SIGNATURE("\x01") SIGNATURE("\x01")), &why));
	assert_false(framing_is_signed(VIEW(""), &why));
}

static void detached_signature_is_nothing_but_signatures(void **state)
{
	(void)state;
	const char *why = NULL;
	uint32_t count;
	bool text;
	assert_true(
	    framing_is_signatures(VIEW(SIGNATURE("\x01") SIGNATURE("\x01")), &count, &text, &why));
	assert_int_equal(count, 2);
	assert_true(text);
	assert_false(
	    framing_is_signatures(VIEW(ONE_PASS LITERAL SIGNATURE("\x01")), &count, &text, &why));
	assert_false(framing_is_signatures(VIEW(SIGNATURE("\x01") LITERAL), &count, &text, &why));
	assert_false(framing_is_signatures(VIEW(SIGNATURE("\x13")), &count, &text, &why));
	assert_false(framing_is_signatures(VIEW(""), &count, &text, &why));
}

#define KEY                                                                                        \
	"\xc6\x04"                                                                                 \
	"key1"
#define OTHER_KEY                                                                                  \
	"\xc6\x04"                                                                                 \
	"key2"
#define USER_ID                                                                                    \
	"\xcd\x02"                                                                                 \
	"me"
#define SELF                                                                                       \
	"\xc2\x03"                                                                                 \
	"sig"
#define SUBKEY                                                                                     \
	"\xce\x03"                                                                                 \
	"sub"
#define SECRET_KEY                                                                                 \
	"\xc5\x04"                                                                                 \
	"key1"
#define MINIMAL KEY USER_ID SELF SUBKEY SELF

static void add_armored(struct buf *out, const char *kind, struct view packets)
{
	buf_printf(out, "-----BEGIN PGP %s-----\r\nComment: mine\r\n\r\n", kind);
	text_base64(out, packets, TEXT_BASE64_LINE);
	buf_printf(out, "-----END PGP %s-----\r\n", kind);
}

static void lone_certificate_of_a_key_is_known_by_that_key(void **state)
{
	/* As it is kept; with an old head, more user IDs and signatures of others; without subkeys.
	 */
	static const struct view rows[] = {{MINIMAL, sizeof MINIMAL - 1},
	    {"\x98\x04"
	     "key1" USER_ID SELF SELF USER_ID SELF "\xd1\x01x" SELF SUBKEY SELF,
		sizeof "\x98\x04"
		       "key1" USER_ID SELF SELF USER_ID SELF "\xd1\x01x" SELF SUBKEY SELF -
		    1},
	    {KEY, sizeof KEY - 1}};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf armored = BUF_EMPTY(BUF_SMALL);
		add_armored(&armored, "PUBLIC KEY BLOCK", rows[i]);
		assert_true(lone_certificate_is(rows[i], VIEW(MINIMAL)));
		assert_true(lone_certificate_is(buf_view(&armored), VIEW(MINIMAL)));
		buf_release(&armored);
	}
}

static void anything_else_than_the_one_certificate_is_none(void **state)
{
	static const struct view rows[] = {{"", 0},
	    {OTHER_KEY USER_ID SELF, sizeof OTHER_KEY USER_ID SELF - 1},
	    {MINIMAL OTHER_KEY, sizeof MINIMAL OTHER_KEY - 1},
	    {MINIMAL KEY, sizeof MINIMAL KEY - 1},
	    {OTHER_KEY MINIMAL, sizeof OTHER_KEY MINIMAL - 1},
	    {SECRET_KEY USER_ID, sizeof SECRET_KEY USER_ID - 1},
	    {MINIMAL SECRET_KEY, sizeof MINIMAL SECRET_KEY - 1},
	    {MINIMAL "\xcb\x04"
		     "text",
		sizeof MINIMAL "\xcb\x04"
			       "text" -
		    1},
	    {MINIMAL "\xc2\x09"
		     "cut",
		sizeof MINIMAL "\xc2\x09"
			       "cut" -
		    1},
	    {MINIMAL "some text", sizeof MINIMAL "some text" - 1}, {SELF KEY, sizeof SELF KEY - 1}};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf armored = BUF_EMPTY(BUF_SMALL);
		add_armored(&armored, "PUBLIC KEY BLOCK", rows[i]);
		assert_false(lone_certificate_is(rows[i], VIEW(MINIMAL)));
		assert_false(lone_certificate_is(buf_view(&armored), VIEW(MINIMAL)));
		buf_release(&armored);
	}
	assert_false(lone_certificate_is(VIEW(MINIMAL), VIEW("")));
	struct buf twice = BUF_EMPTY(BUF_SMALL);
	add_armored(&twice, "PUBLIC KEY BLOCK", VIEW(MINIMAL));
	buf_add_text(&twice, "and a word\n");
	assert_false(lone_certificate_is(buf_view(&twice), VIEW(MINIMAL)));
	buf_clear(&twice);
	add_armored(&twice, "PUBLIC KEY BLOCK", VIEW(MINIMAL));
	add_armored(&twice, "PUBLIC KEY BLOCK", VIEW(OTHER_KEY));
	assert_false(lone_certificate_is(buf_view(&twice), VIEW(MINIMAL)));
	buf_release(&twice);
}

#define SKESK "\xc3\x04\x04\x09\x00\x02"

static void session_keys_for_passwords_are_left_out_where_there_is_a_key(void **state)
{
	static const struct {
		struct view given;
		struct view left;
	} rows[] = {
	    {VIEW(PKESK("\xa1") SKESK SEIPD), VIEW(PKESK("\xa1") SEIPD)},
	    {VIEW(SKESK PKESK("\xa1") SKESK SEIPD), VIEW(PKESK("\xa1") SEIPD)},
	    {VIEW(SKESK SEIPD), VIEW(SKESK SEIPD)},
	    {VIEW(PKESK("\xa1") SEIPD SKESK), VIEW(PKESK("\xa1") SEIPD SKESK)},
	    {VIEW(PKESK("\xa1") SKESK), VIEW(PKESK("\xa1"))},
	    {VIEW("\xff"), VIEW("\xff")},
	    {VIEW(""), VIEW("")},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf message = BUF_EMPTY(BUF_SMALL);
		buf_add_view(&message, rows[i].given);
		framing_drop_passwords(&message);
		assert_int_equal(message.len, rows[i].left.len);
		if (message.len > 0)
			assert_memory_equal(message.data, rows[i].left.data, message.len);
		buf_release(&message);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lone_certificate_of_a_key_is_known_by_that_key),
	    cmocka_unit_test(anything_else_than_the_one_certificate_is_none),
	    cmocka_unit_test(new_lengths_of_one_two_and_five_octets),
	    cmocka_unit_test(old_lengths_of_one_two_and_four_octets),
	    cmocka_unit_test(partial_lengths_run_through_to_the_last_chunk),
	    cmocka_unit_test(partial_length_is_refused_outside_data_packets),
	    cmocka_unit_test(open_end_is_taken_for_data_packets_only),
	    cmocka_unit_test(every_truncation_is_malformed),
	    cmocka_unit_test(hostile_lengths_are_malformed),
	    cmocka_unit_test(random_bytes_never_lead_outside),
	    cmocka_unit_test(split_gives_each_session_key_and_the_data),
	    cmocka_unit_test(split_refuses_all_but_session_keys_and_one_data_packet),
	    cmocka_unit_test(split_refuses_an_ocb_packet_by_name),
	    cmocka_unit_test(split_has_room_for_a_whole_batch_and_no_more),
	    cmocka_unit_test(encrypted_message_has_one_shape_only),
	    cmocka_unit_test(session_keys_for_passwords_are_left_out_where_there_is_a_key),
	    cmocka_unit_test(form_of_the_data_is_told),
	    cmocka_unit_test(gnupg_that_cannot_open_a_form_says_what_to_do),
	    cmocka_unit_test(signed_message_has_one_shape_only),
	    cmocka_unit_test(detached_signature_is_nothing_but_signatures),
	};
	return cmocka_run_group_tests_name("pgp_packet", tests, NULL, NULL);
}
