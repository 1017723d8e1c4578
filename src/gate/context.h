/* What the steps of the gate share: the store, the workers, the loop.
 *
 * The gate is one event loop. A step changes the store in one transaction, raises the flag of the
 * step that has work now, and returns; before the loop sleeps, every flagged step runs. A step
 * finds its work in the store and nowhere else, so a restart loses nothing. When the store fails
 * the gate ends at once (gate_fail) and is started anew. */
#ifndef DEWLINE_GATE_CONTEXT_H
#define DEWLINE_GATE_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "config/config.h"
#include "pgp/certificate.h"
#include "store/epoch.h"
#include "store/store.h"
#include "worker/loop.h"
#include "worker/pool.h"

struct receiving;
struct arrivals;
struct issuing;
struct sending;
struct sealing;
struct shards;
struct accounting;
struct informing;
struct releasing;
struct keylife;
struct reminding;
struct restored;
struct bouncing;
struct mailboxing;
struct pacing;
struct stuck;
struct warning;
struct unsent;
struct tellings;

struct gate {
	const struct config *config;
	struct loop *loop;
	struct store *store;
	struct starter *starter; /* of the workers; the caller's */
	struct pool *readers;
	struct pool *vaults;
	struct pool *couriers;
	unsigned losses_told[WORKER_GATE]; /* by kind: lost workers that dewlined was told of */
	unsigned vault_count; /* at least two, unless the configuration says one */
	char fingerprint[FINGERPRINT_SIZE]; /* the gateway's own key */
	struct buf autocrypt; /* its minimal certificate, or empty */
	struct buf return_path_key;
	int mark; /* the file beside the store (store/mark.h), or -1 */
	int64_t marked; /* the entry of the log that it tells of */
	bool failed;

	/* One for each step, owned by it. */
	struct receiving *receiving;
	struct arrivals *arrivals;
	struct issuing *issuing;
	struct sealing *sealing;
	struct shards *shards;
	struct sending *sending;
	struct accounting *accounting;
	struct informing *informing;
	struct releasing *releasing;
	struct keylife *keylife;
	struct reminding *reminding;
	struct restored *restored;
	struct bouncing *bouncing;
	struct mailboxing *mailboxing; /* NULL: no IMAP mailbox is configured */
	struct pacing *pacing;
	struct stuck *stuck;
	struct warning *warning;
	struct unsent *unsent;
	struct tellings *tellings;
	struct loop_timer *schedule;
	bool asking; /* a mail that asks for a signature on the agreement is being recorded */

	/* Steps that have work. */
	bool want_arrivals;
	bool want_seal;
	bool want_send;
	bool want_account;
};

/* How long a worker may take for one request, in milliseconds, on a machine that has nothing else to
 * do and with a small mail: gate_ask gives more where there is a reason. */
enum {
	GATE_READ_MS = 30 * 1000,
	GATE_CERTIFICATE_MS = 15 * 1000, /* what somebody sends for one may be made to take long */
	GATE_OPEN_MS = 30 * 1000,
	GATE_SEAL_MS = 600 * 1000,
};

/* How often a request is tried that kills its worker. */
enum { GATE_ATTEMPTS = 2 };

/* Logs, and ends the gate: for errors of the store, after which nothing may be accepted. */
void gate_fail(struct gate *gate, const struct err *err);

/* Asks a worker; `body` is taken over. A request that kills its worker is tried twice in all. A
 * deadline ends what hangs, and not what has much to read or waits for the processor: it is longer for
 * a long body, and as many times longer as there are processes for each core that want to run. */
void gate_ask(struct gate *gate, struct pool *pool, uint32_t type, struct buf *body,
    int64_t deadline_ms, pool_answer_fn *answer, void *context);
/* The same for what a stranger wants, which gives way to all else (pool_request). */
void gate_ask_for_stranger(struct gate *gate, struct pool *pool, uint32_t type, struct buf *body,
    int64_t deadline_ms, pool_answer_fn *answer, void *context);

/* The same for what ended its worker before: one attempt. */
void gate_ask_once(struct gate *gate, struct pool *pool, uint32_t type, struct buf *body,
    int64_t deadline_ms, pool_answer_fn *answer, void *context);

/* A name for the log: "DEW-2026-0007 r1", or "notice 12" for what is no advisory. */
int gate_label(
    struct gate *gate, int64_t message, char out[static STORE_NAME_SIZE], struct err *err);

/* The return path of a delivery: "bounce+ID.MAC@domain", in a later epoch (store/epoch.h)
 * "bounce+ID-TAG.MAC@domain". Only the gateway can make it, so that what comes back to it is believed
 * to be about that delivery. */
int gate_return_path(
    const struct gate *gate, int64_t delivery, char *out, size_t size, struct err *err);
/* The delivery whose return path this address is (ASCII case ignored), and the tag of its epoch. False
 * when the gateway did not make it. Whether that epoch's delivery is the one that has the number here is
 * not looked at. */
bool gate_return_path_owner(const struct gate *gate, struct view address, int64_t *delivery,
    char tag[static EPOCH_TAG_SIZE]);

#endif
