/* A reader in its sender's hands, for tests: dewlined-hostile has it in place of the real one.
 *
 * What it reads tells it how to misbehave: the text "X-Reader: MODE" in the bytes of a request. It
 * obeys when it outlines a mail or, where the mode begins with "content-", when it reads what was
 * found in one. All else it reads as the real one does. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "mail/reader.h"
#include "worker/frame.h"
#include "worker/pool.h"

#define MARK VIEW("X-Reader: ")
#define AFTER VIEW("X-After: ")
#define OTHER_MAIL VIEW("\n=====\n")
enum { MODE_SIZE = 32, PARTS_TOO_MANY = 300, BIG = 500 * 1000 * 1000, MAGIC = 0x44455746 };

struct request {
	struct pool_service *service;
	enum reader_request type;
	struct view bytes; /* what is to be read */
	struct err *err;
};

/* -- honest readings -- */

static const struct mail_limits limits = {.header = 65536,
    .headers = 500,
    .header_line = 32768,
    .comments = 64,
    .parts = 200,
    .nesting = 10};

static void read_honestly(const struct request *request, struct view bytes, struct buf *answer)
{
	struct buf store = BUF_EMPTY(FRAME_BODY_MAX / 2);
	struct mail_outline outline;
	struct mail_content *content = malloc(sizeof *content);
	if (content == NULL)
		abort();
	if (request->type == READER_OUTLINE) {
		mail_read_outline(bytes, &limits, &store, &outline);
		reader_put_outline(answer, &outline);
	} else {
		mail_read_content(bytes, &limits, &store, content);
		reader_put_content(answer, content);
	}
	free(content);
	buf_release(&store);
}

static int answer_with(const struct request *request, struct view body)
{
	return pool_reply(request->service, POOL_ANSWER, body, request->err);
}

static int answer_honestly(const struct request *request, struct view bytes)
{
	struct buf answer = BUF_EMPTY(FRAME_BODY_MAX);
	read_honestly(request, bytes, &answer);
	const int result = answer_with(request, buf_view(&answer));
	buf_release(&answer);
	return result;
}

/* -- what breaks the form -- */

static _Noreturn void wait_for_ever(void)
{
	for (;;)
		pause();
}

static int garbage(const struct request *request)
{
	send(request->service->fd, "\xff\xfe garbage", 10, 0);
	wait_for_ever();
}

static int nothing_in_it(const struct request *request)
{
	return answer_with(request, VIEW(""));
}

static int zeroes(const struct request *request)
{
	static const char bytes[4096];
	return answer_with(request, (struct view){bytes, sizeof bytes});
}

static int lengths(const struct request *request)
{
	static const char bytes[] = "\0\0\0\1\xff\xff\xff\xff\xff\xff\xff\xff";
	return answer_with(request, (struct view){bytes, sizeof bytes});
}

static int cut_short(const struct request *request)
{
	struct buf answer = BUF_EMPTY(FRAME_BODY_MAX);
	read_honestly(request, request->bytes, &answer);
	const int result = answer_with(request, view_part(buf_view(&answer), 0, answer.len - 1));
	buf_release(&answer);
	return result;
}

static int something_behind(const struct request *request)
{
	struct buf answer = BUF_EMPTY(FRAME_BODY_MAX);
	read_honestly(request, request->bytes, &answer);
	buf_add_char(&answer, 'x');
	const int result = answer_with(request, buf_view(&answer));
	buf_release(&answer);
	return result;
}

static int strange_shape(const struct request *request)
{
	struct buf answer = BUF_EMPTY(FRAME_BODY_MAX);
	read_honestly(request, request->bytes, &answer);
	answer.data[3] = 99;
	const int result = answer_with(request, buf_view(&answer));
	buf_release(&answer);
	return result;
}

/* Half a gigabyte that nobody has to send: the pages of a memory file are zero. */
static int big(const struct request *request)
{
	unsigned char head[24] = {0};
	const uint32_t words[] = {
	    MAGIC, FRAME_VERSION, POOL_ANSWER, request->service->number, 0, BIG};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		for (size_t k = 0; k < 4; k++)
			head[i * 4 + k] = (unsigned char)(words[i] >> (24 - 8 * k));
	const int memory = memfd_create("big", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory < 0 || ftruncate(memory, BIG) != 0 ||
	    fcntl(memory, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) !=
		0)
		return -1;
	struct iovec part = {head, sizeof head};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	struct msghdr message = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control.room};
	struct cmsghdr *passed = CMSG_FIRSTHDR(&message);
	passed->cmsg_level = SOL_SOCKET;
	passed->cmsg_type = SCM_RIGHTS;
	passed->cmsg_len = CMSG_LEN(sizeof memory);
	memcpy(CMSG_DATA(passed), &memory, sizeof memory);
	sendmsg(request->service->fd, &message, 0);
	wait_for_ever();
}

/* The socket itself beside a packet that needs no descriptor. */
static int descriptor(const struct request *request)
{
	char byte = 'x';
	struct iovec part = {&byte, 1};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control = {.room = {0}};
	const int fds[2] = {request->service->fd, STDERR_FILENO};
	struct msghdr message = {.msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control.room};
	struct cmsghdr *passed = CMSG_FIRSTHDR(&message);
	passed->cmsg_level = SOL_SOCKET;
	passed->cmsg_type = SCM_RIGHTS;
	passed->cmsg_len = CMSG_LEN(sizeof fds);
	memcpy(CMSG_DATA(passed), fds, sizeof fds);
	sendmsg(request->service->fd, &message, 0);
	wait_for_ever();
}

static int never(const struct request *request)
{
	(void)request;
	wait_for_ever();
}

static int ends(const struct request *request)
{
	(void)request;
	_exit(0);
}

static int crashes(const struct request *request)
{
	(void)request;
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	_exit(1);
}

static int closes(const struct request *request)
{
	close(request->service->fd);
	wait_for_ever();
}

/* -- what keeps to the form -- */

static int twice(const struct request *request)
{
	answer_honestly(request, request->bytes);
	return answer_honestly(request, request->bytes);
}

/* The right answer, as a part of one; then once more, when nobody waits for it. */
static int in_parts(const struct request *request)
{
	struct buf answer = BUF_EMPTY(FRAME_BODY_MAX);
	read_honestly(request, request->bytes, &answer);
	for (int i = 0; i < 3; i++)
		pool_reply(request->service, POOL_PROGRESS, buf_view(&answer), request->err);
	const int result = answer_with(request, buf_view(&answer));
	buf_release(&answer);
	return result;
}

static int ready_again(const struct request *request)
{
	frame_send(request->service->fd, POOL_READY, 0, VIEW(""), request->err);
	return answer_honestly(request, request->bytes);
}

static int other_request(const struct request *request)
{
	struct buf answer = BUF_EMPTY(FRAME_BODY_MAX);
	read_honestly(request, request->bytes, &answer);
	for (uint32_t number = 0; number < 50; number++)
		if (number != request->service->number)
			frame_send(request->service->fd, POOL_ANSWER, number, buf_view(&answer),
			    request->err);
	buf_release(&answer);
	wait_for_ever();
}

/* As if the mail were another one, which it holds. */
static int another_mail(const struct request *request)
{
	const size_t at = view_find(request->bytes, OTHER_MAIL);
	return answer_honestly(
	    request, view_part(request->bytes, at + OTHER_MAIL.len, request->bytes.len));
}

static int outline_as(const struct request *request, struct mail_outline *outline)
{
	struct buf answer = BUF_EMPTY(FRAME_BODY_MAX);
	reader_put_outline(&answer, outline);
	const int result = answer_with(request, buf_view(&answer));
	buf_release(&answer);
	return result;
}

/* A report to a return path that it guesses. */
static int bounce(const struct request *request)
{
	struct mail_outline outline = {.shape = MAIL_REPORT,
	    .bounce = {.action = "failed", .status = "5.1.1", .recipient = "x@y.example"},
	    .address_count = MAIL_ADDRESSES_MAX,
	    .message = {"", 0},
	    .signature = {"", 0}};
	for (size_t i = 0; i < MAIL_ADDRESSES_MAX; i++)
		snprintf(outline.addresses[i], sizeof outline.addresses[i],
		    "bounce+%zu.AAAAAAAAAAAAAAAA@gw.example", i);
	return outline_as(request, &outline);
}

/* Whatever the vault makes of it. */
static int nonsense_to_open(const struct request *request)
{
	struct mail_outline outline = {.shape = MAIL_SIGNED,
	    .whole = true,
	    .message = VIEW("Advisory: new\n\nnothing\n"),
	    .signature = VIEW("-----BEGIN PGP SIGNATURE-----\n\n\xff\xfe\n=AAAA\n")};
	return outline_as(request, &outline);
}

/* -- what it says of a plaintext -- */

static int content_as(const struct request *request, struct mail_content *content)
{
	struct buf answer = BUF_EMPTY(FRAME_BODY_MAX);
	reader_put_content(&answer, content);
	const int result = answer_with(request, buf_view(&answer));
	buf_release(&answer);
	free(content);
	return result;
}

static struct mail_content *new_content(const char *text)
{
	struct mail_content *content = calloc(1, sizeof *content);
	if (content == NULL)
		abort();
	content->readable = true;
	content->has_text = true;
	content->text = view_of(text);
	content->message = content->signature = content->csaf.text = view_of("");
	snprintf(content->subject, sizeof content->subject, "a title that nobody signed");
	return content;
}

static int false_advisory(const struct request *request)
{
	return content_as(request,
	    new_content(
		"Advisory: new\nTLP: CLEAR\nAudience: all\nRelease: now\n\nNobody signed.\n"));
}

/* Not from the sender's mail, but as it would be had it stayed from another. */
static int false_answer(const struct request *request)
{
	return content_as(request, new_content("received\n\nToken: AAAABBBBCCCCDDDD\n"));
}

/* Whether it is later than the time that the mail names. */
static bool is_after(const struct request *request)
{
	const size_t at = view_find(request->bytes, AFTER);
	struct view rest = view_part(request->bytes, at + AFTER.len, request->bytes.len);
	struct view word;
	int64_t after;
	return at != SIZE_MAX && view_next_line(&rest, &word) &&
	       text_number(word, 0, INT64_MAX, &after) && clock_now() >= after;
}

/* Honest, and another text from that time on. */
static int other_text_later(const struct request *request)
{
	return is_after(request) ? false_advisory(request)
				 : answer_honestly(request, request->bytes);
}

/* As long as the machine is at fault. */
static int crashes_before(const struct request *request)
{
	return is_after(request) ? answer_honestly(request, request->bytes) : crashes(request);
}

static int false_parts(const struct request *request)
{
	struct mail_content *content = new_content("x\n");
	content->part_count = 1;
	snprintf(content->parts[0].type, sizeof content->parts[0].type, "text/plain");
	snprintf(content->parts[0].name, sizeof content->parts[0].name, "../../etc/passwd");
	content->parts[0].content = view_of("x");
	return content_as(request, content);
}

static int too_many_parts(const struct request *request)
{
	struct buf answer = BUF_EMPTY(FRAME_BODY_MAX);
	struct mail_content *content = new_content("x\n");
	reader_put_content(&answer, content);
	free(content);
	const size_t at = view_find(buf_view(&answer), VIEW("x\n")) + 2;
	for (size_t i = 0; i < 4; i++)
		answer.data[at + i] = (char)((uint32_t)PARTS_TOO_MANY >> (24 - 8 * i));
	const int result = answer_with(request, buf_view(&answer));
	buf_release(&answer);
	return result;
}

/* A signature inside the signature, again and again. */
static int wrapped(const struct request *request)
{
	struct mail_content *content = new_content("");
	content->wrapped = true;
	content->message = VIEW("Advisory: new\n\nnothing\n");
	content->signature = VIEW("nothing");
	return content_as(request, content);
}

static const struct {
	const char *name;
	int (*answer)(const struct request *request);
} modes[] = {
    {"garbage", garbage},
    {"empty", nothing_in_it},
    {"zeroes", zeroes},
    {"lengths", lengths},
    {"short", cut_short},
    {"behind", something_behind},
    {"shape", strange_shape},
    {"big", big},
    {"descriptor", descriptor},
    {"never", never},
    {"ends", ends},
    {"crashes", crashes},
    {"closes", closes},
    {"twice", twice},
    {"in-parts", in_parts},
    {"ready-again", ready_again},
    {"other-request", other_request},
    {"another-mail", another_mail},
    {"bounce", bounce},
    {"nonsense", nonsense_to_open},
    {"content-garbage", garbage},
    {"content-empty", nothing_in_it},
    {"content-lengths", lengths},
    {"content-big", big},
    {"content-crashes", crashes},
    {"content-twice", twice},
    {"content-in-parts", in_parts},
    {"content-advisory", false_advisory},
    {"content-answer", false_answer},
    {"content-later", other_text_later},
    {"content-crashes-before", crashes_before},
    {"content-parts", false_parts},
    {"content-many", too_many_parts},
    {"content-wrapped", wrapped},
};

static int serve(
    struct pool_service *service, void *context, uint32_t type, struct view body, struct err *err)
{
	struct taker taker = take_from(body);
	struct request request = {service, (enum reader_request)type, VIEW(""), err};
	struct view word;
	(void)context;
	request.bytes = take_view(&taker, FRAME_BODY_MAX);
	const size_t at = view_find(request.bytes, MARK);
	struct view rest =
	    view_part(request.bytes, at == SIZE_MAX ? request.bytes.len : at + MARK.len, MODE_SIZE);
	if (!view_next_line(&rest, &word))
		return answer_honestly(&request, request.bytes);
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		const bool of_content = strncmp(modes[i].name, "content-", 8) == 0;
		if (view_is(word, modes[i].name) && of_content == (type == READER_CONTENT))
			return modes[i].answer(&request);
	}
	return answer_honestly(&request, request.bytes);
}

/* The build calls this hostile_reader_main, and main.c too. */
int reader_main(const void *settings, int fd)
{
	(void)settings;
	return pool_serve(fd, serve, NULL);
}
