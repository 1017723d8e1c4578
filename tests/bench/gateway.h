/* A whole gateway for a bench: configured, with members and a publisher, its daemon running. */
#ifndef DEWLINE_BENCH_GATEWAY_H
#define DEWLINE_BENCH_GATEWAY_H

#include "store/store.h"
#include "bench/certificates.h"

enum { GATEWAY_FILE_SIZE = BENCH_PATH_SIZE + 32 };

struct gateway {
	char dir[BENCH_PATH_SIZE + 8];
	char configuration[GATEWAY_FILE_SIZE];
	char publisher[GATEWAY_FILE_SIZE]; /* the publisher's GnuPG home */
	char fingerprint[FINGERPRINT_SIZE]; /* the gateway's key */
	struct store *store; /* read beside the daemon */
	pid_t daemon;
};

/* Sets one up: `dewctl init`, a publisher, and a member with one contact for each certificate. */
void gateway_make(const struct bench *bench, int64_t smarthost_port,
    const struct certificates *certificates, struct gateway *gateway);
/* Starts dewlined, and waits until it says that it is ready. */
void gateway_start(const struct bench *bench, struct gateway *gateway);
/* A signed and encrypted mail of the publisher with this control block and text, into a file of the
 * drop's tmp/. */
void gateway_write_mail(
    const struct gateway *gateway, const char *title, struct view text, const char *name);
/* The moment it comes in: moves the file to the drop's new/. */
void gateway_deliver(const struct gateway *gateway, const char *name);
/* Stops everything. */
void gateway_end(struct gateway *gateway);

#endif
