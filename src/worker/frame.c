#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "worker/frame.h"
#include "worker/packet.h"

enum {
	MAGIC = 0x44455746, /* "DEWF" */
	HEAD_SIZE = 24, /* magic, version, type, number: u32 each; body length: u64 */
	SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
};

static void write_number(unsigned char *out, size_t size, uint64_t value)
{
	while (size > 0) {
		out[--size] = (unsigned char)(value & 0xffU);
		value >>= 8;
	}
}

static uint64_t read_number(const void *from, size_t size)
{
	const unsigned char *at = from;
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

/* -- fields -- */

static void put_number(struct buf *body, size_t size, uint64_t value)
{
	unsigned char bytes[sizeof value];
	write_number(bytes, size, value);
	buf_add(body, bytes, size);
}

void put_u8(struct buf *body, uint8_t value)
{
	put_number(body, 1, value);
}

void put_u32(struct buf *body, uint32_t value)
{
	put_number(body, 4, value);
}

void put_i64(struct buf *body, int64_t value)
{
	put_number(body, 8, (uint64_t)value);
}

void put_view(struct buf *body, struct view value)
{
	if (value.len > UINT32_MAX) {
		body->overflow = true;
		return;
	}
	put_u32(body, (uint32_t)value.len);
	buf_add_view(body, value);
}

void put_text(struct buf *body, const char *value)
{
	put_view(body, view_of(value));
}

struct taker take_from(struct view body)
{
	return (struct taker){.rest = body, .bad = false};
}

static struct view take_bytes(struct taker *taker, size_t len)
{
	if (taker->bad || len > taker->rest.len) {
		taker->bad = true;
		return VIEW("");
	}
	const struct view bytes = view_part(taker->rest, 0, len);
	taker->rest = view_part(taker->rest, len, taker->rest.len);
	return bytes;
}

static uint64_t take_number(struct taker *taker, size_t size)
{
	const struct view bytes = take_bytes(taker, size);
	return read_number(bytes.data, bytes.len);
}

uint8_t take_u8(struct taker *taker)
{
	return (uint8_t)take_number(taker, 1);
}

uint32_t take_u32(struct taker *taker)
{
	return (uint32_t)take_number(taker, 4);
}

int64_t take_i64(struct taker *taker)
{
	return (int64_t)take_number(taker, 8);
}

struct view take_view(struct taker *taker, size_t most)
{
	const uint32_t len = take_u32(taker);
	if (len > most)
		taker->bad = true;
	return take_bytes(taker, len);
}

void take_text(struct taker *taker, char *out, size_t size)
{
	const struct view text = take_view(taker, size - 1);
	if (!view_copy(text, out, size))
		taker->bad = true;
}

void take_line(struct taker *taker, char *out, size_t size)
{
	take_text(taker, out, size);
	bool good = text_is_utf8(view_of(out));
	for (const char *at = out; *at != '\0'; at++)
		good = good && (unsigned char)*at >= ' ' && *at != 0x7f;
	if (!good) {
		taker->bad = true;
		out[0] = '\0';
	}
}

uint32_t take_count(struct taker *taker, uint32_t most)
{
	const uint32_t count = take_u32(taker);
	if (count > most || count > taker->rest.len)
		taker->bad = true;
	return taker->bad ? 0 : count;
}

bool take_end(const struct taker *taker)
{
	return !taker->bad && taker->rest.len == 0;
}

/* -- sending -- */

/* The descriptor of a memory file that nobody can change any more, or -1. */
static int sealed_memory(struct view body, struct err *err)
{
	const int fd = memfd_create("frame", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_system(err, "cannot make a memory file");
	if (file_write_all(fd, body) == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
		return fd;
	err_system(err, "cannot fill a memory file of %zu bytes", body.len);
	close(fd);
	return -1;
}

int frame_send(int fd, uint32_t type, uint32_t number, struct view body, struct err *err)
{
	if (body.len > FRAME_BODY_MAX)
		return err_set(err, ERR_MESSAGE, ERR_NEVER,
		    "a body of %zu bytes is over the limit of %zu", body.len, FRAME_BODY_MAX);
	unsigned char head[HEAD_SIZE];
	write_number(head, 4, MAGIC);
	write_number(head + 4, 4, FRAME_VERSION);
	write_number(head + 8, 4, type);
	write_number(head + 12, 4, number);
	write_number(head + 16, 8, body.len);
	const struct view head_view = {(const char *)head, sizeof head};
	if (body.len <= FRAME_INLINE_MAX)
		return packet_send(fd, head_view, body, -1, err);
	const int memory = sealed_memory(body, err);
	if (memory < 0)
		return -1;
	const int result = packet_send(fd, head_view, VIEW(""), memory, err);
	close(memory);
	return result;
}

/* -- receiving -- */

static int malformed(struct err *err, const char *what)
{
	return err_set(err, ERR_PEER, ERR_NEVER, "malformed frame: %s", what);
}

static int take_inline(struct frame *frame, struct view body, struct err *err)
{
	frame->memory_len = body.len;
	frame->memory = malloc(body.len + 1);
	if (frame->memory == NULL)
		return err_system(err, "no memory for a frame of %zu bytes", body.len);
	if (body.len > 0)
		memcpy(frame->memory, body.data, body.len);
	return 0;
}

/* Without all four seals the sender could change the bytes while they are read, or cut the file
 * and so end us with SIGBUS. */
static int take_memory(struct frame *frame, size_t len, int memory, struct err *err)
{
	struct stat about;
	const int seals = fcntl(memory, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS)
		return malformed(err, "its memory file is not sealed");
	if (fstat(memory, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size != (off_t)len)
		return malformed(err, "its memory file has another length than it says");
	void *mapping = mmap(NULL, len, PROT_READ, MAP_PRIVATE, memory, 0);
	if (mapping == MAP_FAILED)
		return err_system(err, "cannot map a frame of %zu bytes", len);
	frame->memory = mapping;
	frame->memory_len = len;
	frame->mapped = true;
	return 0;
}

static int take_frame(struct frame *frame, struct view packet, int memory, struct err *err)
{
	if (packet.len < HEAD_SIZE)
		return malformed(err, "it ends within its head");
	if (read_number(packet.data, 4) != MAGIC)
		return malformed(err, "it does not begin as a frame does");
	const unsigned version = (unsigned)read_number(packet.data + 4, 4);
	if (version != FRAME_VERSION)
		return err_set(err, ERR_PEER, ERR_NEVER,
		    "the process at the other end is of another release (frames of version %u, and "
		    "not %d): restart the gateway and its couriers",
		    version, FRAME_VERSION);
	frame->type = (uint32_t)read_number(packet.data + 8, 4);
	frame->number = (uint32_t)read_number(packet.data + 12, 4);
	const uint64_t len = read_number(packet.data + 16, 8);
	const struct view rest = view_part(packet, HEAD_SIZE, packet.len);
	int result;
	if (len > FRAME_BODY_MAX)
		return malformed(err, "its body is over the limit");
	if (len <= FRAME_INLINE_MAX) {
		if (memory >= 0 || rest.len != len)
			return malformed(err, "its body has another length than it says");
		result = take_inline(frame, rest, err);
	} else {
		if (memory < 0 || rest.len != 0)
			return malformed(err, "a large body needs a memory file and nothing else");
		result = take_memory(frame, (size_t)len, memory, err);
	}
	frame->body = (struct view){frame->memory, frame->memory_len};
	return result;
}

int frame_receive(int fd, struct frame *frame, struct err *err)
{
	char packet[HEAD_SIZE + FRAME_INLINE_MAX];
	size_t len = 0;
	int memory;
	*frame = (struct frame){.memory = NULL};
	int result = packet_receive(fd, packet, sizeof packet, &len, &memory, err);
	if (result <= 0)
		return result;
	if (take_frame(frame, (struct view){packet, len}, memory, err) != 0) {
		frame_release(frame);
		result = -1;
	}
	if (memory >= 0)
		close(memory);
	explicit_bzero(packet, len);
	return result;
}

void frame_release(struct frame *frame)
{
	if (frame->mapped) {
		munmap(frame->memory, frame->memory_len);
	} else if (frame->memory != NULL) {
		explicit_bzero(frame->memory, frame->memory_len);
		free(frame->memory);
	}
	*frame = (struct frame){.memory = NULL};
}
