#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgp/engine.h"
#include "pgp/entry.h"
#include "pgp/keyfile.h"
#include "pgp/packet.h"
#include "pgp/sigpacket.h"

enum { STEP = 200, KEY_VERSION = 4 };

/* More than any certificate has that gpg could be asked about in reasonable time. */
#define INPUT_MAX ((size_t)64 * 1024 * 1024)

static struct entry *add_entry(
    struct entries *entries, size_t *size, const struct keyring_entry *found)
{
	if (entries->count == *size) {
		*size = *size == 0 ? STEP : 2 * *size;
		entries->all = reallocarray(entries->all, *size, sizeof *entries->all);
		if (entries->all == NULL)
			abort();
	}
	struct entry *entry = &entries->all[entries->count++];
	*entry = (struct entry){.found = *found, .before = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX)};
	if (found->revocation)
		entry->revocation = found->whole;
	else if (found->version == KEY_VERSION)
		merge_fingerprint(found->primary, entry->fingerprint);
	return entry;
}

/* A revocation of another key that was appended to this certificate, as when two files were put
 * into one, stands behind the first user ID or subkey. */
static void add_strays(struct entries *entries, size_t *size, const struct keyring_entry *found)
{
	char fingerprint[FINGERPRINT_SIZE];
	struct view rest = found->whole;
	struct packet packet;
	struct sigpacket signature;
	bool behind = false;
	if (found->revocation || found->version != KEY_VERSION)
		return;
	merge_fingerprint(found->primary, fingerprint);
	while (packet_next(&rest, &packet) == 1) {
		behind =
		    behind || packet.tag == PACKET_USER_ID || packet.tag == PACKET_PUBLIC_SUBKEY;
		if (!behind || packet.tag != PACKET_SIGNATURE ||
		    !sigpacket_read(packet.body, &signature) ||
		    signature.type != SIGPACKET_REVOKE_KEY ||
		    strcmp(signature.issuer, engine_key_id(fingerprint)) == 0)
			continue;
		const struct keyring_entry stray = {.whole = packet.whole, .revocation = true};
		add_entry(entries, size, &stray)->stray = true;
	}
}

static int by_primary(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;
	const struct view p = (*x)->found.primary, q = (*y)->found.primary;
	const size_t len = p.len < q.len ? p.len : q.len;
	const int order = len == 0 ? 0 : memcmp(p.data, q.data, len);
	if (order != 0)
		return order;
	if (p.len != q.len)
		return p.len < q.len ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

/* A file may hold a certificate twice, an old state and a new one: they are one. */
static void join_same(struct entries *entries)
{
	struct entry **order = calloc(entries->count + 1, sizeof *order);
	if (order == NULL)
		abort();
	for (size_t i = 0; i < entries->count; i++)
		order[i] = &entries->all[i];
	qsort(order, entries->count, sizeof *order, by_primary);
	for (size_t i = 1; i < entries->count; i++) {
		if (order[i]->found.primary.len > 0 &&
		    view_equals(order[i - 1]->found.primary, order[i]->found.primary)) {
			order[i - 1]->same = order[i];
			order[i]->merged = true;
		}
	}
	free(order);
}

/* The entry of the file that speaks for the key with this fingerprint or key ID. */
static struct entry *find(const struct entries *entries, const char *key)
{
	const size_t digits = strlen(key);
	for (size_t i = 0; i < entries->count; i++) {
		struct entry *entry = &entries->all[i];
		const size_t len = strlen(entry->fingerprint);
		if (!entry->merged && len >= digits &&
		    strcmp(entry->fingerprint + len - digits, key) == 0)
			return entry;
	}
	return NULL;
}

static int get_known(
    const struct entries *entries, const char *key, struct buf *out, bool *found, struct err *err)
{
	const struct certificate_known *known = entries->known;
	*found = false;
	return known == NULL ? 0 : known->get(known->context, key, out, found, err);
}

/* A revocation whose certificate is not in the file speaks for it, where that one is known. */
static int adopt(struct entries *entries, struct entry *entry, const char *key, struct err *err)
{
	struct keyring_entry known;
	bool found;
	if (get_known(entries, key, &entry->before, &found, err) != 0)
		return -1;
	entry->merged = !found && entry->stray;
	if (!found) {
		if (engine_is_fingerprint(key))
			memcpy(entry->verdict.facts.fingerprint, key, strlen(key) + 1);
		snprintf(entry->verdict.reason, sizeof entry->verdict.reason,
		    "it is a revocation certificate for the key %s, which is not known here", key);
		return 0;
	}
	struct view rest = buf_view(&entry->before);
	if (keyring_next(&rest, &known, err) != 1)
		return err_set(
		    err, ERR_DAEMON, ERR_LATER, "the certificate %s in the store is damaged", key);
	entry->found = known;
	merge_fingerprint(known.primary, entry->fingerprint);
	return 0;
}

static int join_revocation(struct entries *entries, struct entry *entry, struct err *err)
{
	struct view whole = entry->revocation;
	struct packet packet;
	struct sigpacket signature;
	if (packet_next(&whole, &packet) != 1 || !sigpacket_read(packet.body, &signature))
		return 0;
	const char *key = signature.issuer_fingerprint[0] != '\0' ? signature.issuer_fingerprint
								  : signature.issuer;
	if (key[0] == '\0') {
		entry->merged = entry->stray;
		snprintf(entry->verdict.reason, sizeof entry->verdict.reason,
		    "it is a revocation certificate that does not say of which key");
		return 0;
	}
	struct entry *of = find(entries, key);
	if (of == NULL)
		return adopt(entries, entry, key, err);
	entry->revoked_by = of->revoked_by;
	of->revoked_by = entry;
	entry->merged = true;
	return 0;
}

void entry_place(
    const struct entries *entries, const struct entry *entry, char out[static ENTRY_PLACE_SIZE])
{
	size_t number = 1;
	out[0] = '\0';
	for (const struct entry *at = entries->all; at < entry; at++)
		number += !at->stray;
	if (entries->found < 2)
		return;
	if (entry->line > 0 && entry->byte == 1)
		snprintf(out, ENTRY_PLACE_SIZE,
		    "number %zu of %zu in the file (line %zu): ", number, entries->found,
		    entry->line);
	else if (entry->line > 0)
		snprintf(out, ENTRY_PLACE_SIZE,
		    "number %zu of %zu in the file (byte %zu of the block at line %zu): ", number,
		    entries->found, entry->byte, entry->line);
	else
		snprintf(out, ENTRY_PLACE_SIZE,
		    "number %zu of %zu in the file (byte %zu): ", number, entries->found,
		    entry->byte);
}

/* What could not be cut off. */
static void add_damaged(
    struct entries *entries, size_t *size, size_t line, size_t byte, const struct err *fault)
{
	const struct keyring_entry nothing = {.version = 0};
	struct entry *entry = add_entry(entries, size, &nothing);
	entry->line = line;
	entry->byte = byte;
	snprintf(entry->verdict.reason, sizeof entry->verdict.reason, "%.*s",
	    CERTIFICATE_REASON_SIZE - 1, fault->text);
}

/* One that cannot be cut off hides nobody: the next one is looked for behind its beginning. */
static void cut_block(struct entries *entries, size_t *size, size_t line, struct view block)
{
	struct keyring_entry found;
	struct view rest = block;
	struct err fault;
	while (rest.len > 0) {
		const struct view start = rest;
		const size_t byte = (size_t)(start.data - block.data) + 1;
		const int got = keyring_next(&rest, &found, &fault);
		if (got == 0)
			return;
		if (got < 0) {
			add_damaged(entries, size, line, byte, &fault);
			rest = start;
			keyring_skip(&rest);
			continue;
		}
		struct entry *entry = add_entry(entries, size, &found);
		entry->line = line;
		entry->byte = byte;
		add_strays(entries, size, &found);
	}
}

static struct buf *keep_block(struct entries *entries, struct buf *packets)
{
	entries->blocks =
	    reallocarray(entries->blocks, entries->block_count + 1, sizeof *entries->blocks);
	if (entries->blocks == NULL)
		abort();
	struct buf *kept = &entries->blocks[entries->block_count++];
	*kept = BUF_EMPTY(0);
	buf_move(kept, packets);
	return kept;
}

static void cut_file(struct view content, struct entries *out)
{
	struct keyfile file;
	struct keyfile_block block;
	size_t size = 0;
	keyfile_open(&file, content);
	while (keyfile_next(&file, &block)) {
		if (block.whole)
			cut_block(
			    out, &size, block.line, buf_view(keep_block(out, &block.packets)));
		else
			add_damaged(out, &size, block.line, 1, &block.fault);
		buf_release(&block.packets);
	}
	keyfile_close(&file);
	for (size_t i = 0; i < out->count; i++)
		out->found += !out->all[i].stray;
}

/* False when there is nothing but damage, or nothing at all: err says what. */
static bool name_damaged(struct view content, struct entries *out, struct err *err)
{
	bool any = false;
	for (size_t i = 0; i < out->count; i++) {
		struct entry *entry = &out->all[i];
		char place[ENTRY_PLACE_SIZE], why[CERTIFICATE_REASON_SIZE];
		any = any || entry->found.whole.len > 0;
		if (entry->verdict.reason[0] == '\0')
			continue;
		memcpy(why, entry->verdict.reason, sizeof why);
		entry_place(out, entry, place);
		snprintf(entry->verdict.reason, sizeof entry->verdict.reason, "%s%.*s", place,
		    CERTIFICATE_REASON_SIZE - ENTRY_PLACE_SIZE, why);
	}
	if (out->count == 0)
		keyfile_nothing(content, err);
	else if (!any)
		err_set(err, ERR_MESSAGE, ERR_NEVER, "%s", out->all[0].verdict.reason);
	return any;
}

int entries_cut(struct view content, struct entries *out, struct err *err)
{
	cut_file(content, out);
	if (!name_damaged(content, out, err))
		return -1;
	join_same(out);
	for (size_t i = 0; i < out->count; i++) {
		if (out->all[i].revocation.len > 0 && join_revocation(out, &out->all[i], err) != 0)
			return -1;
	}
	return 0;
}

static void release(struct entry *entry)
{
	buf_release(&entry->before);
	buf_release(&entry->input);
	buf_release(&entry->minimal);
}

void entries_release(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		release(&entries->all[i]);
	for (size_t i = 0; i < entries->block_count; i++)
		buf_release(&entries->blocks[i]);
	free(entries->blocks);
	free(entries->all);
	*entries = (struct entries){.all = NULL};
}

static void learn_states(struct merge *merge, const struct entry *entry, struct view before)
{
	merge_learn(merge, before);
	for (; entry != NULL; entry = entry->same)
		merge_learn(merge, entry->found.whole);
}

/* All that is of one key: what is known of it stands first. */
static void add_states(
    struct merge *merge, const struct entry *entry, struct view before, enum merge_part part)
{
	learn_states(merge, entry, before);
	merge_add(merge, before, MERGE_ALL);
	for (const struct entry *e = entry; e != NULL; e = e->same)
		merge_add(merge, e->found.whole, part);
	if (entry == NULL)
		return;
	merge_add_revocation(merge, entry->revocation);
	for (const struct entry *e = entry->revoked_by; e != NULL; e = e->revoked_by)
		merge_add_revocation(merge, e->revocation);
}

static void write_input(struct merge *merge, struct entry *entry, struct buf *out)
{
	const char *why;
	if (merge_write(merge, out, &why))
		entry->input_count++;
	else
		snprintf(entry->verdict.reason, sizeof entry->verdict.reason, "it %s", why);
}

/* The certificate of a designated revoker, of the file and known, behind what he revokes. */
static int add_revoker(const struct entries *entries, struct entry *entry, const char *fingerprint,
    struct buf *out, struct err *err)
{
	struct buf before = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	struct entry *revoker = find(entries, fingerprint);
	struct view rest;
	struct keyring_entry first;
	struct err ignored;
	bool found;
	if (get_known(entries, fingerprint, &before, &found, err) != 0)
		return -1;
	rest = buf_view(&before);
	if (revoker != NULL)
		first = revoker->found;
	else if (!found || keyring_next(&rest, &first, &ignored) != 1) {
		memcpy(entry->verdict.unproved, fingerprint, FINGERPRINT_SIZE);
		buf_release(&before);
		return 0;
	}
	struct merge *merge = merge_new(first.primary);
	add_states(merge, revoker, buf_view(&before), MERGE_ALL);
	write_input(merge, entry, out);
	merge_free(merge);
	buf_release(&before);
	return 0;
}

static int add_revokers(const struct entries *entries, struct entry *entry,
    const struct merge *merge, struct buf *out, struct err *err)
{
	char fingerprints[MERGE_REVOKERS_MAX][FINGERPRINT_SIZE];
	const size_t count = merge_revokers(merge, fingerprints);
	for (size_t i = 0; i < count; i++) {
		if (add_revoker(entries, entry, fingerprints[i], out, err) != 0)
			return -1;
	}
	return 0;
}

int entry_prepare(
    const struct entries *entries, struct entry *entry, enum merge_part part, struct err *err)
{
	bool found;
	if (entry->fingerprint[0] == '\0' || entry->merged)
		return 0;
	if (entry->before.len == 0 &&
	    get_known(entries, entry->fingerprint, &entry->before, &found, err) != 0)
		return -1;
	struct merge *merge = merge_new(entry->found.primary);
	buf_release(&entry->input);
	entry->input = BUF_EMPTY(INPUT_MAX);
	entry->input_count = 0;
	add_states(merge, entry, buf_view(&entry->before), part);
	write_input(merge, entry, &entry->input);
	const int result = add_revokers(entries, entry, merge, &entry->input, err);
	merge_free(merge);
	return result;
}
