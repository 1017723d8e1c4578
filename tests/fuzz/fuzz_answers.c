/* Everything that the gate reads from its workers, and the courier from the gate: bodies of frames
 * written by a process that may be in somebody else's hands. The input's first byte says which
 * body it is, the rest is the body. */
#include "config.h"

#include "courier/codec.h"
#include "courier/message.h"
#include "mail/reader.h"
#include "pgp/vault.h"
#include "worker/frame.h"

#include "fuzz.h"

#define BODY_MAX ((size_t)16 * 1024 * 1024)

enum { SEALED = 3, STASHES = 3 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void check_same(struct buf *again, struct view body)
{
	FUZZ_CHECK(view_equals(buf_view(again), body));
	buf_release(again);
}

static void take_outline(struct view body)
{
	static struct mail_outline outline;
	struct buf again = BUF_EMPTY(BODY_MAX);
	if (!reader_take_outline(body, &outline))
		return;
	FUZZ_CHECK(outline.shape <= MAIL_REFUSED);
	FUZZ_CHECK(fuzz_is_line(outline.subject));
	FUZZ_CHECK(fuzz_is_line(outline.reason) && fuzz_is_line(outline.bounce.diagnostic));
	FUZZ_CHECK(fuzz_is_line(outline.bounce.recipient) && fuzz_is_line(outline.bounce.action));
	FUZZ_CHECK(outline.address_count <= MAIL_ADDRESSES_MAX);
	for (uint32_t i = 0; i < outline.address_count; i++)
		FUZZ_CHECK(fuzz_is_line(outline.addresses[i]));
	FUZZ_CHECK(fuzz_lies_in(outline.message, body) && fuzz_lies_in(outline.signature, body));
	reader_put_outline(&again, &outline);
	check_same(&again, body);
}

static void take_content(struct view body)
{
	static struct mail_content content;
	struct buf again = BUF_EMPTY(BODY_MAX);
	if (!reader_take_content(body, &content))
		return;
	FUZZ_CHECK(fuzz_is_line(content.reason) && fuzz_is_line(content.subject));
	FUZZ_CHECK(fuzz_lies_in(content.text, body) && text_is_utf8(content.text));
	FUZZ_CHECK(content.part_count <= MAIL_PARTS_MAX);
	for (uint32_t i = 0; i < content.part_count; i++) {
		FUZZ_CHECK(fuzz_is_line(content.parts[i].name));
		FUZZ_CHECK(strpbrk(content.parts[i].name, "/\\") == NULL);
		FUZZ_CHECK(fuzz_lies_in(content.parts[i].content, body));
	}
	FUZZ_CHECK(fuzz_is_line(content.csaf.title) && fuzz_is_line(content.csaf.id));
	FUZZ_CHECK(text_is_utf8(content.csaf.text));
	reader_put_content(&again, &content);
	check_same(&again, body);
}

static void take_open(struct view body)
{
	struct vault_reply reply;
	struct opened opened;
	if (vault_take_open(body, &reply, &opened)) {
		FUZZ_CHECK(reply.status <= VAULT_FAILED);
		FUZZ_CHECK(opened.plaintext.len <= body.len);
		FUZZ_CHECK(opened.readable || opened.plaintext.len == 0);
		for (uint32_t i = 0; i < OPEN_SIGNATURES_MAX; i++)
			FUZZ_CHECK(opened.signatures[i].status <= SIGNATURE_BAD);
	} else {
		FUZZ_CHECK(!opened.readable && opened.signature_count == 0);
		FUZZ_CHECK(opened.plaintext.len == 0 && opened.plaintext.data == NULL);
	}
	buf_release(&opened.plaintext);
}

static void take_stash(struct view body)
{
	struct vault_reply reply;
	struct buf stashes[STASHES];
	const bool good = vault_take_stash(body, &reply, stashes, STASHES);
	for (size_t i = 0; i < STASHES; i++) {
		FUZZ_CHECK(good || stashes[i].data == NULL);
		FUZZ_CHECK(stashes[i].len <= body.len);
		buf_release(&stashes[i]);
	}
}

static void take_unstash(struct view body)
{
	struct vault_reply reply;
	struct buf plaintext;
	const bool good = vault_take_unstash(body, &reply, &plaintext);
	FUZZ_CHECK(good || plaintext.data == NULL);
	buf_release(&plaintext);
}

static void take_shard(struct view body)
{
	struct vault_reply reply;
	if (vault_take_shard(body, &reply))
		FUZZ_CHECK(reply.status <= VAULT_FAILED);
}

/* Nobody is left out without a reason, and nobody gets a session key without data. */
static void take_seal(struct view body)
{
	static struct seal_recipient recipients[SEALED];
	struct vault_reply reply;
	struct vault_sealed sealed_batch;
	const bool good = vault_take_seal(body, &reply, recipients, SEALED, &sealed_batch);
	for (size_t i = 0; i < SEALED; i++) {
		const bool sealed = recipients[i].pkesk.len > 0;
		FUZZ_CHECK(good || !sealed);
		FUZZ_CHECK(!good || reply.status != VAULT_OK ||
			   sealed == (recipients[i].reason[0] == '\0'));
		FUZZ_CHECK(!sealed || sealed_batch.data.len > 0);
		buf_release(&recipients[i].pkesk);
	}
	FUZZ_CHECK(good || sealed_batch.data.data == NULL);
	FUZZ_CHECK(!good || reply.status != VAULT_OK || sealed_batch.sealed_at > 0);
	buf_release(&sealed_batch.data);
}

static void take_notice(struct view body)
{
	struct vault_reply reply;
	struct buf signature;
	char digest[VAULT_DIGEST_SIZE];
	const bool good = vault_take_notice(body, &reply, &signature, digest);
	FUZZ_CHECK(good || signature.data == NULL);
	FUZZ_CHECK(!good || reply.status != VAULT_OK || signature.len > 0);
	buf_release(&signature);
}

static void take_renew(struct view body)
{
	static struct renew_result result;
	struct vault_reply reply;
	const bool good = vault_take_renew(body, &reply, &result);
	FUZZ_CHECK(result.count <= VAULT_RENEW_MAX && (good || result.count == 0));
	FUZZ_CHECK(result.wanted_count <= VAULT_RENEW_ASKED_MAX);
	FUZZ_CHECK(result.content_count <= VAULT_RENEW_CONTENTS_MAX);
	for (uint32_t i = 0; i < result.count; i++) {
		const struct certificate_verdict *verdict = &result.renewals[i].verdict;
		FUZZ_CHECK(verdict->reason[0] != '\0' || verdict->usable);
		FUZZ_CHECK(verdict->minimal.len > 0 || (!verdict->usable && !verdict->changed));
		FUZZ_CHECK(fuzz_lies_in(verdict->minimal, buf_view(&result.renewals[i].minimal)));
		FUZZ_CHECK(verdict->facts.key_count <= CERTIFICATE_KEYS_MAX);
	}
	vault_release_renew(&result);
}

static void take_stranger(struct view body)
{
	struct vault_reply reply;
	struct stranger stranger;
	const bool good = vault_take_stranger(body, &reply, &stranger);
	FUZZ_CHECK(good || stranger.minimal.data == NULL);
	FUZZ_CHECK(stranger.minimal.len <= CERTIFICATE_MINIMAL_MAX);
	buf_release(&stranger.minimal);
}

static void take_result(struct view body)
{
	struct courier_result result;
	struct buf again = BUF_EMPTY(BODY_MAX);
	if (!courier_take_result(body, &result))
		return;
	FUZZ_CHECK(result.outcome <= COURIER_AMBIGUOUS && result.code >= 0 && result.code <= 599);
	FUZZ_CHECK(fuzz_is_line(result.text));
	courier_put_result(&again, &result);
	check_same(&again, body);
}

static void take_watch(struct view body)
{
	struct courier_watch watch;
	struct buf again = BUF_EMPTY(BODY_MAX);
	if (!courier_take_watch(body, &watch))
		return;
	FUZZ_CHECK(watch.what <= COURIER_WATCH_REFUSED && watch.size >= 0);
	FUZZ_CHECK(fuzz_is_line(watch.text));
	courier_put_watch(&again, &watch);
	check_same(&again, body);
}

static void take_run(struct view body)
{
	static struct courier_run run;
	struct buf again = BUF_EMPTY(BODY_MAX);
	if (!courier_take_run(body, &run))
		return;
	FUZZ_CHECK(run.count >= 1 && run.count <= COURIER_RUN_MAX);
	FUZZ_CHECK(message_is_lines(run.head) && message_is_lines(run.tail));
	FUZZ_CHECK(run.head.len > 0 && run.data.len > 0);
	FUZZ_CHECK(!run.clear || run.count == 1);
	for (size_t i = 0; i < run.count; i++)
		FUZZ_CHECK((run.deliveries[i].pkesk.len > 0) == !run.clear);
	FUZZ_CHECK(courier_deadline_ms(&run) > 0);
	courier_put_run(&again, &run);
	check_same(&again, body);
}

static void (*const takers[])(struct view) = {take_outline, take_content, take_open, take_stash,
    take_unstash, take_shard, take_seal, take_notice, take_renew, take_stranger, take_result,
    take_run, take_watch};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view body = fuzz_view(data, size);
	const size_t kind = fuzz_byte(&body) % (sizeof takers / sizeof takers[0]);
	takers[kind](body);
	return 0;
}
