#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/frame.h"

enum {
	MAGIC = 0x44455746,
	TYPE = 7,
	NUMBER = 11,
	BIG = FRAME_INLINE_MAX + 1,
	ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
};

struct ends {
	int here;
	int there;
};

static struct ends pair(void)
{
	int fd[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	return (struct ends){fd[0], fd[1]};
}

static void close_pair(struct ends ends)
{
	close(ends.here);
	close(ends.there);
}

static int count_descriptors(void)
{
	int count = 0;
	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* -- fields -- */

static void fields_come_back_as_they_were_put(void **state)
{
	(void)state;
	struct buf body = BUF_EMPTY(BUF_SMALL);
	char text[6];
	put_u8(&body, 0xfe);
	put_u32(&body, 0xfedcba98U);
	put_i64(&body, INT64_MIN);
	put_i64(&body, -2);
	put_text(&body, "hello");
	put_view(&body, (struct view){"a\0b", 3});
	struct taker taker = take_from(buf_view(&body));
	assert_int_equal(take_u8(&taker), 0xfe);
	assert_int_equal(take_u32(&taker), 0xfedcba98U);
	assert_true(take_i64(&taker) == INT64_MIN);
	assert_true(take_i64(&taker) == -2);
	take_text(&taker, text, sizeof text);
	assert_string_equal(text, "hello");
	assert_false(take_end(&taker));
	assert_true(view_equals(take_view(&taker, 3), (struct view){"a\0b", 3}));
	assert_true(take_end(&taker));
	buf_release(&body);
}

static void integers_are_big_endian(void **state)
{
	(void)state;
	struct buf body = BUF_EMPTY(BUF_SMALL);
	put_u32(&body, 0x01020304U);
	assert_true(view_equals(buf_view(&body), VIEW("\x01\x02\x03\x04")));
	buf_release(&body);
}

static void taking_past_the_end_is_bad_and_stays_bad(void **state)
{
	(void)state;
	struct taker taker = take_from(VIEW("\x01\x02\x03"));
	assert_int_equal(take_u32(&taker), 0);
	assert_true(taker.bad);
	assert_int_equal(take_u8(&taker), 0);
	assert_false(take_end(&taker));
}

static void length_beyond_the_bytes_is_bad(void **state)
{
	(void)state;
	struct taker taker = take_from((struct view){"\xff\xff\xff\xff"
						     "ab",
	    6});
	assert_int_equal(take_view(&taker, SIZE_MAX).len, 0);
	assert_true(taker.bad);
}

static void view_longer_than_its_bound_is_bad(void **state)
{
	(void)state;
	struct taker taker = take_from((struct view){"\0\0\0\x03"
						     "abc",
	    7});
	assert_int_equal(take_view(&taker, 2).len, 0);
	assert_true(taker.bad);
}

static void text_that_does_not_fit_or_holds_a_nul_is_bad(void **state)
{
	(void)state;
	char out[3] = "xx";
	struct taker taker = take_from((struct view){"\0\0\0\x03"
						     "abc",
	    7});
	take_text(&taker, out, sizeof out);
	assert_true(taker.bad);
	assert_string_equal(out, "");
	taker = take_from((struct view){"\0\0\0\x02"
					"a\0",
	    6});
	take_text(&taker, out, sizeof out);
	assert_true(taker.bad);
	assert_string_equal(out, "");
}

static void count_of_more_than_could_be_there_is_bad(void **state)
{
	(void)state;
	struct taker taker = take_from((struct view){"\0\0\0\x05"
						     "abcd",
	    8});
	assert_int_equal(take_count(&taker, 100), 0);
	assert_true(taker.bad);
	taker = take_from((struct view){"\0\0\0\x04"
					"abcd",
	    8});
	assert_int_equal(take_count(&taker, 3), 0);
	assert_true(taker.bad);
	taker = take_from((struct view){"\0\0\0\x04"
					"abcd",
	    8});
	assert_int_equal(take_count(&taker, 4), 4);
	assert_false(taker.bad);
}

static void bytes_left_over_are_bad(void **state)
{
	(void)state;
	struct taker taker = take_from(VIEW("\x01\x02"));
	assert_int_equal(take_u8(&taker), 1);
	assert_false(take_end(&taker));
}

/* -- good frames -- */

static void bodies_of_every_size_arrive_intact(void **state)
{
	(void)state;
	const size_t sizes[] = {0, 1, FRAME_INLINE_MAX - 1, FRAME_INLINE_MAX, BIG, 40000000};
	const int before = count_descriptors();
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct ends ends = pair();
		struct frame frame;
		struct err err;
		char *bytes = malloc(sizes[i] + 1);
		assert_non_null(bytes);
		for (size_t at = 0; at < sizes[i]; at++)
			bytes[at] = (char)(at * 31 + at / 4096);
		const struct view body = {bytes, sizes[i]};
		assert_int_equal(frame_send(ends.here, TYPE, NUMBER, body, &err), 0);
		assert_int_equal(frame_receive(ends.there, &frame, &err), 1);
		assert_int_equal(frame.type, TYPE);
		assert_int_equal(frame.number, NUMBER);
		assert_int_equal(frame.mapped, sizes[i] > FRAME_INLINE_MAX);
		assert_true(view_equals(frame.body, body));
		frame_release(&frame);
		free(bytes);
		close_pair(ends);
	}
	assert_int_equal(count_descriptors(), before);
}

static void body_over_the_limit_is_not_sent(void **state)
{
	(void)state;
	struct ends ends = pair();
	struct err err;
	const struct view body = {"", FRAME_BODY_MAX + 1};
	assert_int_equal(frame_send(ends.here, TYPE, NUMBER, body, &err), -1);
	assert_int_equal(err.whom, ERR_MESSAGE);
	close_pair(ends);
}

static void closed_socket_is_an_end_in_good_order(void **state)
{
	(void)state;
	struct ends ends = pair();
	struct frame frame;
	struct err err;
	close(ends.here);
	assert_int_equal(frame_receive(ends.there, &frame, &err), 0);
	assert_int_equal(frame_send(ends.there, TYPE, NUMBER, VIEW("x"), &err), -1);
	assert_int_equal(err.whom, ERR_PEER);
	close(ends.there);
}

static void empty_non_blocking_socket_says_try_again(void **state)
{
	(void)state;
	struct ends ends = pair();
	struct frame frame;
	struct err err;
	assert_int_equal(fcntl(ends.there, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(frame_receive(ends.there, &frame, &err), -1);
	assert_int_equal(err.when, ERR_NOW);
	close_pair(ends);
}

/* -- malformed frames -- */

struct head {
	uint32_t magic;
	uint32_t version;
	uint64_t len;
};
static const struct head good_head = {MAGIC, FRAME_VERSION, 0};

static void build(struct buf *packet, struct head head, struct view body)
{
	put_u32(packet, head.magic);
	put_u32(packet, head.version);
	put_u32(packet, TYPE);
	put_u32(packet, NUMBER);
	put_i64(packet, (int64_t)head.len);
	buf_add_view(packet, body);
}

static void send_raw(int fd, struct view packet, const int *passed, size_t count)
{
	char control[CMSG_SPACE(4 * sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec part = {(void *)(uintptr_t)packet.data, packet.len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	if (count > 0) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *item = CMSG_FIRSTHDR(&message);
		item->cmsg_level = SOL_SOCKET;
		item->cmsg_type = SCM_RIGHTS;
		item->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(item), passed, count * sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &message, 0), (ssize_t)packet.len);
}

/* Sends the packet as it is and expects it refused, for the reason given, with nothing leaked. */
static void refused(struct view packet, const int *passed, size_t count, const char *why)
{
	struct ends ends = pair();
	struct frame frame;
	struct err err = {.text = ""};
	send_raw(ends.here, packet, passed, count);
	const int before = count_descriptors();
	assert_int_equal(frame_receive(ends.there, &frame, &err), -1);
	assert_int_equal(err.whom, ERR_PEER);
	assert_int_equal(err.when, ERR_NEVER);
	if (strstr(err.text, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
	assert_int_equal(count_descriptors(), before);
	close_pair(ends);
}

static void refused_head(struct head head, struct view body, const char *why)
{
	struct buf packet = BUF_EMPTY(BUF_SMALL * 2);
	build(&packet, head, body);
	refused(buf_view(&packet), NULL, 0, why);
	buf_release(&packet);
}

static void frame_that_ends_within_its_head_is_refused(void **state)
{
	(void)state;
	struct buf packet = BUF_EMPTY(BUF_SMALL);
	build(&packet, good_head, VIEW(""));
	refused(view_part(buf_view(&packet), 0, packet.len - 1), NULL, 0, "within its head");
	refused(VIEW("D"), NULL, 0, "within its head");
	buf_release(&packet);
}

static void wrong_magic_or_version_is_refused(void **state)
{
	(void)state;
	refused_head((struct head){MAGIC + 1, FRAME_VERSION, 0}, VIEW(""), "does not begin");
	refused_head((struct head){MAGIC, FRAME_VERSION + 1, 0}, VIEW(""), "another release");
}

static void length_that_does_not_match_the_packet_is_refused(void **state)
{
	(void)state;
	struct head head = good_head;
	head.len = 4;
	refused_head(head, VIEW("abc"), "another length");
	refused_head(head, VIEW("abcde"), "another length");
	head.len = 0;
	refused_head(head, VIEW("a"), "another length");
}

static void huge_length_is_refused(void **state)
{
	(void)state;
	struct head head = good_head;
	head.len = FRAME_BODY_MAX + 1;
	refused_head(head, VIEW(""), "over the limit");
	head.len = UINT64_MAX;
	refused_head(head, VIEW(""), "over the limit");
}

static void large_body_without_memory_file_is_refused(void **state)
{
	(void)state;
	struct head head = good_head;
	head.len = BIG;
	refused_head(head, VIEW(""), "needs a memory file");
}

static void packet_longer_than_any_frame_is_refused(void **state)
{
	(void)state;
	char *bytes = calloc(1, BIG);
	struct head head = good_head;
	head.len = BIG;
	refused_head(head, (struct view){bytes, BIG}, "longer than any");
	free(bytes);
}

static int memory_file(size_t len, int seals)
{
	const int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	if (seals != 0)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void refused_memory(uint64_t said, struct view body, int fd, const char *why)
{
	struct buf packet = BUF_EMPTY(BUF_SMALL);
	struct head head = good_head;
	head.len = said;
	build(&packet, head, body);
	refused(buf_view(&packet), &fd, 1, why);
	buf_release(&packet);
	close(fd);
}

static void memory_file_that_lacks_any_seal_is_refused(void **state)
{
	(void)state;
	const int seals[] = {F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE};
	for (size_t i = 0; i < sizeof seals / sizeof seals[0]; i++)
		refused_memory(
		    BIG, VIEW(""), memory_file(BIG, ALL_SEALS & ~seals[i]), "not sealed");
	refused_memory(BIG, VIEW(""), memory_file(BIG, 0), "not sealed");
}

static void descriptor_that_is_no_memory_file_is_refused(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	refused_memory(BIG, VIEW(""), ends[0], "not sealed");
	refused_memory(BIG, VIEW(""), open("/dev/zero", O_RDONLY | O_CLOEXEC), "not sealed");
	close(ends[1]);
}

static void memory_file_of_another_length_is_refused(void **state)
{
	(void)state;
	refused_memory(BIG, VIEW(""), memory_file(BIG + 1, ALL_SEALS), "another length");
	refused_memory(BIG, VIEW(""), memory_file(BIG - 1, ALL_SEALS), "another length");
	refused_memory(BIG, VIEW(""), memory_file(0, ALL_SEALS), "another length");
}

static void memory_file_where_none_belongs_is_refused(void **state)
{
	(void)state;
	refused_memory(1, VIEW("x"), memory_file(1, ALL_SEALS), "another length");
	refused_memory(BIG, VIEW("x"), memory_file(BIG, ALL_SEALS), "and nothing else");
}

static void more_than_one_descriptor_is_refused(void **state)
{
	(void)state;
	struct buf packet = BUF_EMPTY(BUF_SMALL);
	struct head head = good_head;
	head.len = BIG;
	build(&packet, head, VIEW(""));
	const int fd = memory_file(BIG, ALL_SEALS);
	const int several[] = {fd, fd, fd, fd};
	refused(buf_view(&packet), several, 2, "too many descriptors");
	refused(buf_view(&packet), several, 4, "too many descriptors");
	buf_release(&packet);
	close(fd);
}

static void sealed_frame_cannot_be_changed_by_its_sender(void **state)
{
	(void)state;
	struct ends ends = pair();
	struct err err;
	char *bytes = calloc(1, BIG);
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	char head[64];
	struct iovec part = {head, sizeof head};
	struct msghdr message = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = sizeof control};
	int fd;
	assert_int_equal(frame_send(ends.here, TYPE, NUMBER, (struct view){bytes, BIG}, &err), 0);
	assert_true(recvmsg(ends.there, &message, MSG_CMSG_CLOEXEC) > 0);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
	free(bytes);
	close_pair(ends);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_come_back_as_they_were_put),
	    cmocka_unit_test(integers_are_big_endian),
	    cmocka_unit_test(taking_past_the_end_is_bad_and_stays_bad),
	    cmocka_unit_test(length_beyond_the_bytes_is_bad),
	    cmocka_unit_test(view_longer_than_its_bound_is_bad),
	    cmocka_unit_test(text_that_does_not_fit_or_holds_a_nul_is_bad),
	    cmocka_unit_test(count_of_more_than_could_be_there_is_bad),
	    cmocka_unit_test(bytes_left_over_are_bad),
	    cmocka_unit_test(bodies_of_every_size_arrive_intact),
	    cmocka_unit_test(body_over_the_limit_is_not_sent),
	    cmocka_unit_test(closed_socket_is_an_end_in_good_order),
	    cmocka_unit_test(empty_non_blocking_socket_says_try_again),
	    cmocka_unit_test(frame_that_ends_within_its_head_is_refused),
	    cmocka_unit_test(wrong_magic_or_version_is_refused),
	    cmocka_unit_test(length_that_does_not_match_the_packet_is_refused),
	    cmocka_unit_test(huge_length_is_refused),
	    cmocka_unit_test(large_body_without_memory_file_is_refused),
	    cmocka_unit_test(packet_longer_than_any_frame_is_refused),
	    cmocka_unit_test(memory_file_that_lacks_any_seal_is_refused),
	    cmocka_unit_test(descriptor_that_is_no_memory_file_is_refused),
	    cmocka_unit_test(memory_file_of_another_length_is_refused),
	    cmocka_unit_test(memory_file_where_none_belongs_is_refused),
	    cmocka_unit_test(more_than_one_descriptor_is_refused),
	    cmocka_unit_test(sealed_frame_cannot_be_changed_by_its_sender),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("worker_frame", tests, NULL, NULL);
}
