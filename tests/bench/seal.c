/* Sealing: what a recipient costs in a batch, against one run of gpg each; and whether that cost
 * stays the same when there are ten times as many. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgp/seal.h"
#include "bench/certificates.h"

enum {
	ROUNDS = 5,
	REAL = 500,
	SMALL = 500,
	LARGE = 5000,
	SHARD = 300, /* certificates in one keyring, and recipients in one run: the defaults */
	PLAINTEXT_LEN = 10000,
	GENERATION = 1,
};

/* Recipients whose certificates fill shards from first_shard on, in their order. */
struct crowd {
	int64_t first_shard;
	size_t count;
	struct seal_recipient *recipients;
};

static void build_shards(
    const struct home *home, struct crowd *crowd, const struct bench_certificate *const *members)
{
	struct view minimal[SHARD];
	struct err err;
	for (size_t from = 0; from < crowd->count; from += SHARD) {
		size_t len = 0;
		for (; len < SHARD && from + len < crowd->count; len++)
			minimal[len] = buf_view(&members[from + len]->minimal);
		must(home_build_shard(home, crowd->first_shard + (int64_t)(from / SHARD),
			 GENERATION, minimal, len, &err),
		    &err);
	}
}

static struct crowd gather(const struct home *home, int64_t first_shard,
    const struct bench_certificate *const *members, size_t count)
{
	struct crowd crowd = {.first_shard = first_shard, .count = count};
	crowd.recipients = calloc(count, sizeof *crowd.recipients);
	if (crowd.recipients == NULL)
		abort();
	for (size_t i = 0; i < count; i++) {
		struct seal_recipient *recipient = &crowd.recipients[i];
		snprintf(recipient->fingerprint, sizeof recipient->fingerprint, "%s",
		    members[i]->facts.fingerprint);
		snprintf(recipient->key_id, sizeof recipient->key_id, "%s",
		    members[i]->facts.encryption_key_id);
	}
	build_shards(home, &crowd, members);
	return crowd;
}

/* Seals for `count` recipients, of one shard, in one run. */
static void seal(const struct home *home, const struct crowd *crowd, size_t from, size_t count,
    struct view plaintext, uint32_t *runs)
{
	struct buf data = BUF_EMPTY((size_t)1024 * 1024);
	struct seal_recipient *recipients = crowd->recipients + from;
	uint32_t runs_here = 0;
	struct err err;
	must(seal_batch(home, crowd->first_shard + (int64_t)(from / SHARD), GENERATION, plaintext,
		 recipients, count, &data, &runs_here, &err),
	    &err);
	*runs += runs_here;
	for (size_t i = 0; i < count; i++) {
		if (recipients[i].pkesk.len == 0)
			give_up(
			    "%s was left out: %s", recipients[i].fingerprint, recipients[i].reason);
		buf_release(&recipients[i].pkesk);
	}
	if (data.len == 0)
		give_up("sealing gave no data packet");
	buf_release(&data);
}

/* Milliseconds a recipient: everybody, in batches. */
static double batched_ms(
    const struct home *home, const struct crowd *crowd, struct view plaintext, uint32_t *runs)
{
	const double begin = seconds_now();
	*runs = 0;
	for (size_t from = 0; from < crowd->count; from += SHARD)
		seal(home, crowd, from, crowd->count - from < SHARD ? crowd->count - from : SHARD,
		    plaintext, runs);
	return (seconds_now() - begin) * 1000 / (double)crowd->count;
}

/* Milliseconds a recipient: every ROUNDS-th of the crowd, in a run each. */
static double single_ms(
    const struct home *home, const struct crowd *crowd, int round, struct view plaintext)
{
	const double begin = seconds_now();
	uint32_t runs = 0;
	for (size_t i = (size_t)round; i < crowd->count; i += ROUNDS)
		seal(home, crowd, i, 1, plaintext, &runs);
	return (seconds_now() - begin) * 1000 / runs;
}

struct measured {
	struct samples batched;
	struct samples single;
	struct samples ratio;
	struct samples small;
	struct samples large;
	struct samples flat_ratio;
	uint32_t runs;
};

static void measure(const struct home *home, const struct crowd *real, const struct crowd *small,
    const struct crowd *large, struct view plaintext, struct measured *out)
{
	uint32_t runs;
	batched_ms(home, real, plaintext, &runs); /* to begin with warm caches */
	batched_ms(home, large, plaintext, &runs);
	for (int round = 0; round < ROUNDS; round++) {
		const double batched = batched_ms(home, real, plaintext, &out->runs);
		const double single = single_ms(home, real, round, plaintext);
		samples_add(&out->batched, batched);
		samples_add(&out->single, single);
		samples_add(&out->ratio, single / batched);
		const double before = batched_ms(home, small, plaintext, &runs);
		const double large_ms = batched_ms(home, large, plaintext, &runs);
		const double after = batched_ms(home, small, plaintext, &runs);
		samples_add(&out->small, (before + after) / 2);
		samples_add(&out->large, large_ms);
		samples_add(&out->flat_ratio, large_ms * 2 / (before + after));
	}
}

static void report(const struct measured *measured)
{
	figure_of("seal.batched_ms", &measured->batched, "ms");
	figure_of("seal.single_ms", &measured->single, "ms");
	figure_at_least("seal.ratio", samples_median(&measured->ratio), "x", 5);
	figure_of("seal.at_500_ms", &measured->small, "ms");
	figure_of("seal.at_5000_ms", &measured->large, "ms");
	figure_at_most("seal.flat_ratio", samples_median(&measured->flat_ratio), "x", 1.3);
	figure("gpg.runs", measured->runs, "runs");
}

static int passphrase(void *context, struct buf *out, struct err *err)
{
	(void)context;
	(void)err;
	buf_add_text(out, "not secret");
	return 0;
}

/* The gateway's home, with its key. */
static void open_home(const struct bench *bench, struct home *home, struct passphrase *opens)
{
	char path[BENCH_PATH_SIZE + 16];
	struct err err;
	snprintf(path, sizeof path, "%s/gnupg", bench->scratch);
	must(home_open(path, home, &err), &err);
	*opens = passphrase_from(passphrase, NULL);
	home->passphrase = opens;
	must(home_make_key(home, "Bench", "bench@example.org", &err), &err);
}

/* The usual real certificates: encrypting to one of the few Elgamal keys costs as much as to a
 * hundred others, and where those few happen to stand would decide a comparison. */
static size_t pick_usual(
    const struct certificates *real, const struct bench_certificate *usual[static REAL])
{
	size_t count = 0;
	for (size_t i = 0; i < real->count; i++) {
		if (strstr(real->list[i].facts.algorithm, "encrypts with elg") == NULL)
			usual[count++] = &real->list[i];
	}
	return count;
}

/* Real certificates stand among generated ones at equal distances, and the small crowd is every
 * tenth of the large one: else their costs could not be compared. */
static void mix(const struct certificates *real, const struct certificates *generated,
    const struct bench_certificate **large, const struct bench_certificate **small)
{
	const struct bench_certificate *usual[REAL];
	const size_t count = pick_usual(real, usual);
	const size_t step = count == 0 ? 0 : LARGE / count + 1;
	for (size_t i = 0; i < LARGE; i++)
		large[i] = step > 0 && i % step == 1 ? usual[i / step] : &generated->list[i];
	for (size_t i = 0; i < SMALL; i++)
		small[i] = large[i * (LARGE / SMALL)];
	if (step > 0)
		note("large and small crowd: one of %zu has a real certificate without Elgamal",
		    step);
}

static void fill_plaintext(struct buf *text)
{
	buf_add_text(text, "Content-Type: text/plain; charset=utf-8; hp=\"cipher\"\r\n\r\n");
	while (text->len < PLAINTEXT_LEN)
		buf_printf(
		    text, "Line %06zu of an advisory about nothing in particular.\r\n", text->len);
}

void bench_seal(const struct bench *bench)
{
	static struct measured measured;
	static const struct bench_certificate *members[LARGE];
	static const struct bench_certificate *fewer[SMALL];
	struct certificates real;
	struct certificates generated;
	struct home home;
	struct buf plaintext = BUF_EMPTY(BUF_SMALL);
	certificates_real(bench, REAL, &real);
	certificates_generated(bench, LARGE, &generated);
	if (real.count > 0 && real.count < REAL)
		note("%zu real certificates are usable today; generated ones stand in for the rest",
		    real.count);
	struct passphrase opens;
	open_home(bench, &home, &opens);
	fill_plaintext(&plaintext);
	for (size_t i = 0; i < REAL; i++)
		members[i] = i < real.count ? &real.list[i] : &generated.list[i];
	struct crowd crowd = gather(&home, 1, members, REAL);
	mix(&real, &generated, members, fewer);
	struct crowd small = gather(&home, 101, fewer, SMALL);
	const double begin = seconds_now();
	struct crowd large = gather(&home, 201, members, LARGE);
	figure("seal.keyring_ms", (seconds_now() - begin) * 1000 / LARGE, "ms");
	measure(&home, &crowd, &small, &large, buf_view(&plaintext), &measured);
	report(&measured);
	home_stop_agent(&home);
	free(crowd.recipients);
	free(small.recipients);
	free(large.recipients);
	buf_release(&plaintext);
	certificates_release(&real);
	certificates_release(&generated);
}
