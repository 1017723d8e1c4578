#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "worker/frame.h"
#include "worker/pool.h"

#include "mail/charset.h"
#include "mail/reader.h"

enum {
	/* A character of one byte has up to three in UTF-8; its text may be there once more, quoted
	 * from a CSAF document. */
	GROWTH_MOST = 4,
	/* For what is short and grows more: products that a CSAF document names again and again. */
	ANSWER_LEAST = 16 * 1024 * 1024,
	/* Of an answer, for what is not decoded bytes: numbers, names, lengths. */
	FORM_MOST = 1024 * 1024,
};

size_t reader_answer_most(size_t len)
{
	const size_t most = len * GROWTH_MOST + ANSWER_LEAST;
	return most < FRAME_BODY_MAX ? most : FRAME_BODY_MAX;
}

void reader_put(struct buf *body, struct view bytes)
{
	put_view(body, bytes);
}

static void put_tokens(struct buf *body, const struct token_list *list)
{
	put_u32(body, list->count);
	for (uint32_t i = 0; i < list->count; i++)
		put_text(body, list->tokens[i]);
}

static void put_bounce(struct buf *body, const struct mail_bounce *bounce)
{
	put_text(body, bounce->action);
	put_text(body, bounce->status);
	put_text(body, bounce->recipient);
	put_text(body, bounce->diagnostic);
	put_u8(body, bounce->formal);
	put_u32(body, bounce->writer);
	put_u32(body, bounce->line_count);
	for (uint32_t i = 0; i < bounce->line_count; i++)
		put_text(body, bounce->lines[i]);
}

void reader_put_outline(struct buf *body, const struct mail_outline *outline)
{
	put_u32(body, outline->shape);
	put_text(body, outline->reason);
	put_text(body, outline->subject);
	put_tokens(body, &outline->subject_tokens);
	put_tokens(body, &outline->tokens);
	put_u8(body, outline->automatic);
	put_u8(body, outline->whole);
	put_bounce(body, &outline->bounce);
	put_u32(body, outline->address_count);
	for (uint32_t i = 0; i < outline->address_count; i++)
		put_text(body, outline->addresses[i]);
	put_view(body, outline->message);
	put_view(body, outline->signature);
}

static void put_csaf(struct buf *body, const struct csaf_facts *facts)
{
	put_u8(body, facts->present);
	put_text(body, facts->id);
	put_text(body, facts->version);
	put_text(body, facts->title);
	put_text(body, facts->tlp);
	put_text(body, facts->severity);
	put_view(body, facts->text);
}

void reader_put_content(struct buf *body, const struct mail_content *content)
{
	put_u8(body, content->readable);
	put_text(body, content->reason);
	put_u8(body, content->automatic);
	put_u8(body, content->report);
	put_u8(body, content->wrapped);
	put_u8(body, content->beside);
	put_u8(body, content->nested);
	put_u8(body, content->enclosed);
	put_tokens(body, &content->tokens);
	put_view(body, content->message);
	put_view(body, content->signature);
	put_text(body, content->subject);
	put_u8(body, content->has_text);
	put_view(body, content->text);
	put_u32(body, content->part_count);
	for (uint32_t i = 0; i < content->part_count; i++) {
		put_text(body, content->parts[i].type);
		put_text(body, content->parts[i].name);
		put_u8(body, content->parts[i].attachment);
		put_view(body, content->parts[i].content);
	}
	put_csaf(body, &content->csaf);
	put_u8(body, content->csaf_bad);
}

void reader_content_digest(const struct mail_content *content, char out[static DIGEST_HEX_SIZE])
{
	struct buf body = BUF_EMPTY(FRAME_BODY_MAX);
	reader_put_content(&body, content);
	digest_sha256_hex(buf_view(&body), out);
	buf_release(&body);
}

static bool take_bool(struct taker *taker)
{
	const uint8_t value = take_u8(taker);
	if (value > 1)
		taker->bad = true;
	return value == 1;
}

static struct view take_utf8(struct taker *taker)
{
	const struct view text = take_view(taker, FRAME_BODY_MAX);
	if (!text_is_utf8(text)) {
		taker->bad = true;
		return view_of("");
	}
	return text;
}

static void take_bounce(struct taker *taker, struct mail_bounce *bounce)
{
	take_line(taker, bounce->action, sizeof bounce->action);
	take_line(taker, bounce->status, sizeof bounce->status);
	take_line(taker, bounce->recipient, sizeof bounce->recipient);
	take_line(taker, bounce->diagnostic, sizeof bounce->diagnostic);
	bounce->formal = take_bool(taker);
	const uint32_t writer = take_u32(taker);
	if (writer > MAIL_WRITER_AUTOMATIC)
		taker->bad = true;
	bounce->writer = taker->bad ? MAIL_WRITER_UNKNOWN : (enum mail_writer)writer;
	bounce->line_count = take_count(taker, MAIL_LINES_MAX);
	for (uint32_t i = 0; i < bounce->line_count && !taker->bad; i++)
		take_line(taker, bounce->lines[i], sizeof bounce->lines[i]);
}

static void take_addresses(struct taker *taker, struct mail_outline *out)
{
	out->address_count = take_count(taker, MAIL_ADDRESSES_MAX);
	for (uint32_t i = 0; i < out->address_count && !taker->bad; i++)
		take_line(taker, out->addresses[i], sizeof out->addresses[i]);
}

static void take_tokens(struct taker *taker, struct token_list *list)
{
	list->count = take_count(taker, TOKENS_MAX);
	for (uint32_t i = 0; i < list->count && !taker->bad; i++)
		take_line(taker, list->tokens[i], sizeof list->tokens[i]);
}

bool reader_take_outline(struct view body, struct mail_outline *out)
{
	struct taker taker = take_from(body);
	memset(out, 0, sizeof *out);
	const uint32_t shape = take_u32(&taker);
	if (shape > MAIL_REFUSED)
		taker.bad = true;
	out->shape = taker.bad ? MAIL_REFUSED : (enum mail_shape)shape;
	take_line(&taker, out->reason, sizeof out->reason);
	take_line(&taker, out->subject, sizeof out->subject);
	take_tokens(&taker, &out->subject_tokens);
	take_tokens(&taker, &out->tokens);
	out->automatic = take_bool(&taker);
	out->whole = take_bool(&taker);
	take_bounce(&taker, &out->bounce);
	take_addresses(&taker, out);
	out->message = take_view(&taker, FRAME_BODY_MAX);
	out->signature = take_view(&taker, FRAME_BODY_MAX);
	return take_end(&taker);
}

static void take_part(struct taker *taker, struct mail_part *part)
{
	take_line(taker, part->type, sizeof part->type);
	take_line(taker, part->name, sizeof part->name);
	if (strpbrk(part->name, "/\\") != NULL)
		taker->bad = true;
	part->attachment = take_bool(taker);
	part->content = take_view(taker, FRAME_BODY_MAX);
}

static void take_csaf(struct taker *taker, struct csaf_facts *facts)
{
	facts->present = take_bool(taker);
	take_line(taker, facts->id, sizeof facts->id);
	take_line(taker, facts->version, sizeof facts->version);
	take_line(taker, facts->title, sizeof facts->title);
	take_line(taker, facts->tlp, sizeof facts->tlp);
	take_line(taker, facts->severity, sizeof facts->severity);
	facts->text = take_utf8(taker);
}

bool reader_take_content(struct view body, struct mail_content *out)
{
	struct taker taker = take_from(body);
	memset(out, 0, sizeof *out);
	out->readable = take_bool(&taker);
	take_line(&taker, out->reason, sizeof out->reason);
	out->automatic = take_bool(&taker);
	out->report = take_bool(&taker);
	out->wrapped = take_bool(&taker);
	out->beside = take_bool(&taker);
	out->nested = take_bool(&taker);
	out->enclosed = take_bool(&taker);
	take_tokens(&taker, &out->tokens);
	out->message = take_view(&taker, FRAME_BODY_MAX);
	out->signature = take_view(&taker, FRAME_BODY_MAX);
	take_line(&taker, out->subject, sizeof out->subject);
	out->has_text = take_bool(&taker);
	out->text = take_utf8(&taker);
	out->part_count = take_count(&taker, MAIL_PARTS_MAX);
	for (uint32_t i = 0; i < out->part_count && !taker.bad; i++)
		take_part(&taker, &out->parts[i]);
	take_csaf(&taker, &out->csaf);
	out->csaf_bad = take_bool(&taker);
	return take_end(&taker);
}

static void read_outline(
    struct view bytes, const struct mail_limits *limits, struct buf *store, struct buf *answer)
{
	struct mail_outline outline;
	mail_read_outline(bytes, limits, store, &outline);
	reader_put_outline(answer, &outline);
}

static void read_content(
    struct view bytes, const struct mail_limits *limits, struct buf *store, struct buf *answer)
{
	struct mail_content *content = malloc(sizeof *content);
	if (content == NULL)
		abort();
	mail_read_content(bytes, limits, store, content);
	reader_put_content(answer, content);
	free(content);
}

static int serve(
    struct pool_service *service, void *context, uint32_t type, struct view body, struct err *err)
{
	const struct mail_limits *limits = context;
	struct taker taker = take_from(body);
	const struct view bytes = take_view(&taker, FRAME_BODY_MAX);
	struct buf store = BUF_EMPTY(reader_answer_most(bytes.len) - FORM_MOST);
	struct buf answer = BUF_EMPTY(reader_answer_most(bytes.len));
	int result = -1;
	if (!take_end(&taker)) {
		err_set(err, ERR_PEER, ERR_NEVER, "a malformed request");
		goto done;
	}
	if (type == READER_OUTLINE) {
		read_outline(bytes, limits, &store, &answer);
	} else if (type == READER_CONTENT) {
		read_content(bytes, limits, &store, &answer);
	} else {
		err_set(err, ERR_PEER, ERR_NEVER, "an unknown request: %u", type);
		goto done;
	}
	result = pool_reply(service, POOL_ANSWER, buf_view(&answer), err);
done:
	buf_release(&store);
	buf_release(&answer);
	return result;
}

int reader_main(const void *settings, int fd)
{
	const struct config *config = settings;
	struct mail_limits limits = {.header = (size_t)config->limits.header,
	    .headers = (size_t)config->limits.headers,
	    .header_line = (size_t)config->limits.header_line,
	    .comments = (size_t)config->limits.comments,
	    .parts = (size_t)config->limits.parts,
	    .nesting = (size_t)config->limits.nesting};
	unsigned char seed[sizeof(size_t)];
	random_bytes(seed, sizeof seed);
	size_t number;
	memcpy(&number, seed, sizeof number);
	json_object_seed(number | 1); /* 0 would make Jansson open /dev/urandom */
	struct charset_keep *keep = charset_keep();
	struct err err;
	int status = EXIT_FAILURE;
	if (reader_confine(config, &err) == 0)
		status = pool_serve(fd, serve, &limits);
	else
		log_error("%s", err.text);
	charset_release(keep);
	return status;
}
