/* What comes over a worker's socket, packet by packet: the worker may be in the sender's hands. The
 * input is one packet as it is, with a memory file beside it or without. Its first byte holds
 * flags, the second how long the memory file is. */
#include "config.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/frame.h"

#include "fuzz.h"

enum {
	HAS_FILE = 1,
	UNSEALED = 2,
	TWO_FILES = 4,
	GOOD_HEAD = 8, /* a right head is put in front, so that only what follows is wrong */
	HEAD_SIZE = 24,
	FILE_UNIT = 1024,
	PACKET_MAX = 64 * 1024,
	ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static int memory_file(size_t len, bool sealed)
{
	const int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	FUZZ_CHECK(fd >= 0 && ftruncate(fd, (off_t)len) == 0);
	FUZZ_CHECK(!sealed || fcntl(fd, F_ADD_SEALS, ALL_SEALS) == 0);
	return fd;
}

static void send_packet(int fd, struct view packet, int file, size_t count)
{
	char control[CMSG_SPACE(2 * sizeof(int))] __attribute__((aligned(8))) = {0};
	const int files[] = {file, file};
	struct iovec part = {(void *)(uintptr_t)packet.data, packet.len};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	if (count > 0) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *item = CMSG_FIRSTHDR(&message);
		item->cmsg_level = SOL_SOCKET;
		item->cmsg_type = SCM_RIGHTS;
		item->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(item), files, count * sizeof(int));
	}
	FUZZ_CHECK(sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)packet.len);
}

/* The lowest descriptor that is free: the same again when nothing was leaked. */
static int lowest_free(void)
{
	const int fd = dup(STDERR_FILENO);
	close(fd);
	return fd;
}

static void receive(int fd, bool may_be_mapped)
{
	struct frame frame;
	struct err err = {.text = ""};
	const int got = frame_receive(fd, &frame, &err);
	FUZZ_CHECK(got == 1 || (got == -1 && err.text[0] != '\0' && err.whom == ERR_PEER));
	if (got == 1) {
		FUZZ_CHECK(frame.body.len <= FRAME_BODY_MAX);
		FUZZ_CHECK(frame.mapped == (frame.body.len > FRAME_INLINE_MAX));
		FUZZ_CHECK(may_be_mapped || !frame.mapped);
		FUZZ_CHECK(fuzz_lies_in(frame.body, (struct view){frame.memory, frame.memory_len}));
		unsigned sum = 0;
		for (size_t i = 0; i < frame.body.len; i += 512)
			sum += (unsigned char)frame.body.data[i];
		FUZZ_CHECK(sum < UINT32_MAX);
	}
	frame_release(&frame);
}

static void add_head(struct buf *packet, size_t len)
{
	put_u32(packet, 0x44455746);
	put_u32(packet, FRAME_VERSION);
	put_u32(packet, 1);
	put_u32(packet, 1);
	put_i64(packet, (int64_t)len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = fuzz_view(data, size);
	const unsigned flags = fuzz_byte(&rest);
	const size_t length = fuzz_byte(&rest) * (size_t)FILE_UNIT;
	struct buf packet = BUF_EMPTY(PACKET_MAX + HEAD_SIZE);
	const int free_before = lowest_free();
	int ends[2];
	int file = -1;
	FUZZ_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	if (flags & HAS_FILE)
		file = memory_file(length, (flags & UNSEALED) == 0);
	if (flags & GOOD_HEAD)
		add_head(&packet, flags & HAS_FILE ? length : rest.len);
	buf_add_view(&packet, view_part(rest, 0, PACKET_MAX));
	if (packet.len > 0) {
		send_packet(ends[0], buf_view(&packet), file,
		    file < 0		? 0
		    : flags & TWO_FILES ? 2
					: 1);
		receive(ends[1], (flags & (HAS_FILE | UNSEALED | TWO_FILES)) == HAS_FILE);
	}
	if (file >= 0)
		close(file);
	close(ends[0]);
	close(ends[1]);
	FUZZ_CHECK(lowest_free() == free_before);
	buf_release(&packet);
	return 0;
}
