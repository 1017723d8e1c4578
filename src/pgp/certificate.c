#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#include "pgp/admission.h"
#include "pgp/certificate.h"
#include "pgp/conf.h"
#include "pgp/engine.h"
#include "pgp/entry.h"
#include "pgp/explain.h"
#include "pgp/feed.h"
#include "pgp/keyring.h"
#include "pgp/listing.h"
#include "pgp/merge.h"
#include "pgp/scratch.h"

/* In one keyring every import copies the file, so big ones cost their square. */
enum { CHUNK = 200 };

struct reading {
	const char *scratch; /* our directory, empty between two homes */
	int64_t now;
	struct entries entries;
};

/* One gpg home filled from some entries, and what is in it, in the order of the import. */
struct examined {
	struct admission *listed;
	size_t count;
	size_t size;
	struct buf exported;
	int considered; /* certificates that gpg came to look at */
};

static void examined_release(struct examined *examined)
{
	free(examined->listed);
	buf_release(&examined->exported);
	*examined = (struct examined){.listed = NULL};
}

static int keep_listed(void *context, const struct admission *certificate, struct err *err)
{
	(void)err;
	struct examined *examined = context;
	if (examined->count == examined->size) {
		examined->size = examined->size == 0 ? CHUNK : 2 * examined->size;
		examined->listed =
		    reallocarray(examined->listed, examined->size, sizeof *examined->listed);
		if (examined->listed == NULL)
			abort();
	}
	examined->listed[examined->count++] = *certificate;
	return 0;
}

static int import(gpgme_ctx_t ctx, struct view certificates, int *considered, struct err *err)
{
	gpgme_data_t data = engine_source(certificates);
	const gpgme_error_t code = feed_import(ctx, data);
	gpgme_data_release(data);
	const gpgme_import_result_t result = gpgme_op_import_result(ctx);
	*considered = result == NULL ? 0 : result->considered;
	/* Content that gpg dislikes is no failure of gpg: it stops there, and what stands behind is
	 * tried again by itself. A gpg that cannot run fails to list as well. */
	if (code != 0 && result == NULL)
		return engine_failed(err, code, "cannot import certificates");
	return 0;
}

static int examine_in(
    const char *dir, struct view certificates, struct examined *out, struct err *err)
{
	gpgme_ctx_t ctx;
	if (engine_open(dir, &ctx, err) != 0)
		return -1;
	int result = import(ctx, certificates, &out->considered, err);
	if (result == 0)
		result = listing_read(ctx, NULL, keep_listed, out, err);
	if (result == 0 && out->count > 0) {
		struct engine_sink sink;
		gpgme_data_t data = engine_sink(&sink, &out->exported);
		const gpgme_error_t code =
		    gpgme_op_export(ctx, NULL, GPGME_EXPORT_MODE_MINIMAL, data);
		gpgme_data_release(data);
		if (code != 0)
			result = engine_failed(err, code, "cannot export certificates");
	}
	gpgme_release(ctx);
	return result;
}

/* Imports into a fresh home, lists, exports, and removes it. */
static int examine(
    const struct reading *reading, struct view certificates, struct examined *out, struct err *err)
{
	char dir[PATH_MAX];
	snprintf(dir, sizeof dir, "%s/home", reading->scratch);
	/* Third-party signatures go and nothing is added, but allow for gpg's way of writing it. */
	*out = (struct examined){.exported = BUF_EMPTY(2 * certificates.len + BUF_SMALL)};
	int result = file_make_dir(dir, 0700, err);
	if (result == 0)
		result = conf_write(dir, CONF_SCRATCH, "", err);
	if (result == 0)
		result = examine_in(dir, certificates, out, err);
	struct err also;
	if (file_remove_tree(dir, &also) != 0 && result == 0) {
		*err = also;
		result = -1;
	}
	return result;
}

static int mismatch(struct err *err)
{
	return err_set(err, ERR_DAEMON, ERR_LATER,
	    "gpg lists other certificates than it exports: nothing was taken");
}

/* Listing and export are in one order; that they are is checked on every certificate. */
static bool is_of(const struct admission *listed, const struct keyring_entry *exported)
{
	return listed->key_count > 0 && listed->keys[0].created == exported->created &&
	       (exported->issuer[0] == '\0' ||
		   strcmp(exported->issuer, listed->keys[0].key_id) == 0);
}

static struct entry *entry_of(struct entry *entries, size_t count, struct view primary)
{
	for (size_t i = 0; i < count; i++) {
		if (!entries[i].merged && view_equals(entries[i].found.primary, primary))
			return &entries[i];
	}
	return NULL;
}

static void take_verdict(const struct reading *reading, struct entry *entry,
    struct admission *listed, const struct keyring_entry *exported)
{
	struct certificate_verdict *verdict = &entry->verdict;
	entry->taken = true;
	verdict->revoked = listed->key_count > 0 && listed->keys[0].revoked;
	verdict->closed = admission_is_closed(listed, reading->now);
	admission_judge(listed, reading->now, &verdict->facts, verdict->reason);
	buf_release(&entry->minimal);
	entry->minimal = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	merge_strip(exported->whole, &entry->minimal);
	if (verdict->reason[0] == '\0' && entry->minimal.overflow)
		snprintf(verdict->reason, sizeof verdict->reason,
		    "it is too large: %zu bytes without the signatures of others, where %d are "
		    "allowed; "
		    "ask for one without photos and old user IDs",
		    exported->whole.len, CERTIFICATE_MINIMAL_MAX);
	verdict->usable = verdict->reason[0] == '\0';
	if (entry->minimal.overflow || (!verdict->usable && !verdict->known))
		buf_release(&entry->minimal);
}

/* Goes through a home's certificates and gives each to the entry that it came from. */
static int assign(const struct reading *reading, struct examined *examined, struct entry *entries,
    size_t count, struct err *err)
{
	struct view rest = buf_view(&examined->exported);
	for (size_t i = 0; i < examined->count; i++) {
		struct keyring_entry exported;
		const int got = keyring_next(&rest, &exported, err);
		if (got < 0)
			return -1;
		if (got == 0)
			return mismatch(err);
		/* One that does not come back as it went in stays without a verdict of gpg's. */
		struct entry *entry = entry_of(entries, count, exported.primary);
		if (entry == NULL || !is_of(&examined->listed[i], &exported))
			continue;
		examined->listed[i].states_ciphers = exported.states_ciphers;
		examined->listed[i].takes_aes = exported.takes_aes;
		examined->listed[i].packets = buf_view(&entry->input);
		take_verdict(reading, entry, &examined->listed[i], &exported);
	}
	return rest.len == 0 ? 0 : mismatch(err);
}

static bool goes_to_gpg(const struct entry *entry)
{
	return !entry->merged && entry->input_count > 0 && entry->verdict.reason[0] == '\0' &&
	       !entry->taken;
}

static size_t gather(struct entry *entries, size_t count, struct buf *out)
{
	size_t total = 0, gathered = 0;
	for (size_t i = 0; i < count; i++)
		total += goes_to_gpg(&entries[i]) ? entries[i].input.len : 0;
	*out = BUF_EMPTY(total);
	for (size_t i = 0; i < count; i++) {
		entries[i].place = SIZE_MAX;
		if (!goes_to_gpg(&entries[i]))
			continue;
		entries[i].place = gathered;
		buf_add_view(out, buf_view(&entries[i].input));
		gathered += entries[i].input_count;
	}
	return gathered;
}

/* The entry that holds what stood at `place` in the last run of gpg. */
static size_t entry_at(const struct entry *entries, size_t count, size_t place)
{
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		if (entries[i].place != SIZE_MAX && entries[i].place <= place)
			at = i;
	}
	return at;
}

/* One run over all that gpg has not taken yet. *stopped is the entry at which it gave up, `count`
 * when it went through all. */
static int pass(const struct reading *reading, struct entry *entries, size_t count, size_t *stopped,
    struct err *err)
{
	struct buf certificates;
	const size_t gathered = gather(entries, count, &certificates);
	*stopped = count;
	if (gathered == 0)
		return 0;
	struct examined examined;
	int result = examine(reading, buf_view(&certificates), &examined, err);
	if (result == 0)
		result = assign(reading, &examined, entries, count, err);
	if (result == 0 && (size_t)examined.considered < gathered)
		*stopped = entry_at(entries, count, (size_t)examined.considered);
	examined_release(&examined);
	buf_release(&certificates);
	return result;
}

/* What is known without gpg of a certificate that it did not take. */
static void describe(const struct reading *reading, struct entry *entry)
{
	struct certificate_verdict *verdict = &entry->verdict;
	const struct view id = entry->found.user_id;
	char place[ENTRY_PLACE_SIZE];
	entry_place(&reading->entries, entry, place);
	if (verdict->reason[0] == '\0')
		snprintf(verdict->reason, sizeof verdict->reason, "%s%s", place,
		    id.data == NULL
			? "it has no user ID, as some key servers give it, and is not known here: "
			  "ask its owner for an export with one"
			: "GnuPG does not take it: it is damaged, or no user ID in it has a good "
			  "signature of its owner; ask for a new export");
	if (verdict->facts.fingerprint[0] != '\0')
		return;
	memcpy(verdict->facts.fingerprint, entry->fingerprint, FINGERPRINT_SIZE);
	verdict->facts.created = entry->found.created;
	view_copy(view_part(id, 0, CERTIFICATE_USER_ID_SIZE - 1), verdict->facts.user_id,
	    sizeof verdict->facts.user_id);
}

/* What came is refused, but it may hold revocations. */
static int keep_revocations(const struct reading *reading, struct entry *entry, struct err *err)
{
	struct certificate_verdict *verdict = &entry->verdict;
	if (entry->merged || !verdict->known || verdict->reason[0] == '\0')
		return 0;
	const struct certificate_verdict whole = *verdict;
	size_t ignored;
	*verdict = (struct certificate_verdict){.known = true};
	if (entry_prepare(&reading->entries, entry, MERGE_REVOCATIONS, err) != 0)
		return -1;
	if (view_equals(buf_view(&entry->input), buf_view(&entry->before))) {
		*verdict = whole;
		buf_release(&entry->minimal);
		entry->minimal = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
		buf_add_view(&entry->minimal, buf_view(&entry->before));
		return 0;
	}
	buf_release(&entry->minimal);
	entry->taken = false;
	if (pass(reading, entry, 1, &ignored, err) != 0 ||
	    (!entry->taken && pass(reading, entry, 1, &ignored, err) != 0))
		return -1;
	memcpy(verdict->reason, whole.reason, sizeof verdict->reason);
	verdict->revoked = verdict->revoked || whole.revoked;
	verdict->closed = verdict->closed || whole.closed;
	if (verdict->facts.fingerprint[0] == '\0')
		verdict->facts = whole.facts;
	return 0;
}

/* One that came alone and takes nothing back of a key that is not revoked yet. */
static void refuse_idle(struct entry *entry)
{
	struct certificate_verdict *verdict = &entry->verdict;
	if (entry->merged || entry->revocation.len == 0 || verdict->reason[0] != '\0' ||
	    verdict->changed)
		return;
	snprintf(verdict->reason, sizeof verdict->reason,
	    "it is a revocation certificate that changes nothing, or is not its owner's");
}

/* All at once; and where one stops gpg, that one by itself, then those behind it, so that a damaged
 * one costs two runs more and hides nobody. */
static int judge_inputs(
    const struct reading *reading, struct entry *entries, size_t count, struct err *err)
{
	size_t stopped;
	for (size_t from = 0; from < count; from += stopped + 1) {
		size_t ignored;
		if (pass(reading, entries + from, count - from, &stopped, err) != 0)
			return -1;
		if (stopped > 0 && from + stopped < count &&
		    pass(reading, entries + from + stopped, 1, &ignored, err) != 0)
			return -1;
	}
	return 0;
}

/* A gpg that was killed on its way, as where memory is short, looks like one that stopped at a
 * certificate, or that lists a part of it: what it has against one it has to say twice. */
static bool doubt(struct entry *entry)
{
	struct certificate_verdict *verdict = &entry->verdict;
	if (entry->merged || entry->input_count == 0 || verdict->usable ||
	    (verdict->reason[0] != '\0' && !entry->taken))
		return false;
	*verdict = (struct certificate_verdict){.known = verdict->known};
	buf_release(&entry->minimal);
	entry->taken = false;
	return true;
}

static int ask_gpg(
    const struct reading *reading, struct entry *entries, size_t count, struct err *err)
{
	bool any = false;
	if (judge_inputs(reading, entries, count, err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		any = doubt(&entries[i]) || any;
	return any ? judge_inputs(reading, entries, count, err) : 0;
}

/* In any of its states. */
static bool is_unfit(struct entry *entry)
{
	bool unfit = false;
	for (const struct entry *at = entry; at != NULL && !unfit; at = at->same)
		unfit = explain_unfit(at->found.whole, entry->verdict.reason);
	return unfit;
}

static int judge(
    const struct reading *reading, struct entry *entries, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct entry *entry = &entries[i];
		if (entry->merged || entry->verdict.reason[0] != '\0' || is_unfit(entry))
			continue;
		if (entry_prepare(&reading->entries, entry, MERGE_ALL, err) != 0)
			return -1;
		entry->verdict.known = entry->before.len > 0;
	}
	if (ask_gpg(reading, entries, count, err) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct entry *entry = &entries[i];
		if (!entry->merged && !entry->taken)
			describe(reading, entry);
		if (keep_revocations(reading, entry, err) != 0)
			return -1;
		entry->verdict.changed =
		    entry->verdict.known && entry->minimal.len > 0 &&
		    !view_equals(buf_view(&entry->minimal), buf_view(&entry->before));
		refuse_idle(entry);
	}
	return 0;
}

static int report(struct reading *reading, size_t from, size_t count, certificate_fn *fn,
    void *context, void (*progress)(size_t done, size_t total), struct err *err)
{
	int result = 0;
	for (size_t i = from; i < from + count; i++) {
		struct entry *entry = &reading->entries.all[i];
		if (result == 0 && !entry->merged) {
			entry->verdict.minimal = buf_view(&entry->minimal);
			entry->verdict.before = buf_view(&entry->before);
			result = fn(context, &entry->verdict, err);
		}
		buf_release(&entry->minimal);
		buf_release(&entry->input);
		if (progress != NULL && result == 0)
			progress(i + 1, reading->entries.count);
	}
	return result;
}

int certificate_look(struct view content, const struct certificate_known *known, struct err *err)
{
	struct entries entries = {.known = known};
	int result = entries_cut(content, &entries, err);
	for (size_t i = 0; i < entries.count && result == 0; i++)
		result = entry_prepare(&entries, &entries.all[i], MERGE_ALL, err);
	entries_release(&entries);
	return result;
}

int certificate_count(struct view content, size_t *count, struct err *err)
{
	struct buf binary = BUF_EMPTY(content.len);
	struct keyring_entry found;
	*count = 0;
	int result = keyring_decode(content, &binary, err), got = 0;
	struct view rest = buf_view(&binary);
	while (result == 0 && (got = keyring_next(&rest, &found, err)) == 1)
		++*count;
	buf_release(&binary);
	if (result == 0 && got == 0 && *count == 0)
		return err_set(
		    err, ERR_MESSAGE, ERR_NEVER, "there is no OpenPGP certificate in it");
	return result == 0 ? got : -1;
}

static int read_all(struct reading *reading, certificate_fn *fn, void *context,
    void (*progress)(size_t done, size_t total), struct err *err)
{
	struct entries *entries = &reading->entries;
	for (size_t from = 0; from < entries->count; from += CHUNK) {
		const size_t left = entries->count - from;
		const size_t count = left < CHUNK ? left : CHUNK;
		if (judge(reading, entries->all + from, count, err) != 0 ||
		    report(reading, from, count, fn, context, progress, err) != 0)
			return -1;
	}
	return 0;
}

int certificate_read(struct view content, int64_t now, const char *scratch_dir,
    const struct certificate_known *known, certificate_fn *fn, void *context,
    void (*progress)(size_t done, size_t total), struct err *err)
{
	struct reading reading = {.now = now, .entries = {.known = known}};
	struct scratch scratch = {.path = ""};
	int result = entries_cut(content, &reading.entries, err);
	if (result == 0)
		result = scratch_make(&scratch, scratch_dir, SCRATCH_CERTIFICATES, err);
	if (result == 0) {
		reading.scratch = scratch.path;
		result = read_all(&reading, fn, context, progress, err);
	}
	struct err also;
	if (scratch_remove(&scratch, &also) != 0 && result == 0) {
		*err = also;
		result = -1;
	}
	entries_release(&reading.entries);
	return result;
}
