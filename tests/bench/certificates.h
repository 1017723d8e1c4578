/* Certificates for benches: real ones of package debian-keyring, and generated ones. Both are kept
 * in the cache directory, and both pass the gateway's own admission each time. */
#ifndef DEWLINE_BENCH_CERTIFICATES_H
#define DEWLINE_BENCH_CERTIFICATES_H

#include "pgp/certificate.h"
#include "bench/bench.h"

enum { CERTIFICATES_GENERATED = 5000 };

struct certificates {
	size_t count;
	struct bench_certificate {
		struct certificate_facts facts;
		struct buf minimal;
	} * list;
};

/* Those of a file that are admitted, at most `most` of them. */
void certificates_admit(
    const struct bench *bench, const char *path, size_t most, struct certificates *out);
/* At most `most` real ones that are usable now; fewer, or none, where the package has no more or is
 * not installed. */
void certificates_real(const struct bench *bench, size_t most, struct certificates *out);
/* `count` different ones, at most CERTIFICATES_GENERATED: ed25519 to certify and sign, cv25519 to
 * encrypt. */
void certificates_generated(const struct bench *bench, size_t count, struct certificates *out);
void certificates_release(struct certificates *certificates);

#endif
