/* What leaves the gateway: messages (one text for one or many), their batches and deliveries.
 *
 * A message is kept encrypted to the gateway's own key (`stash`). Each recipient has one delivery
 * from the first moment, also one who cannot be reached: that one is `failed` with its reason. */
#ifndef DEWLINE_STORE_MESSAGES_H
#define DEWLINE_STORE_MESSAGES_H

#include "pgp/certificate.h"
#include "store/store.h"

struct message {
	int64_t id;
	char kind[STORE_ID_SIZE]; /* "advisory", "receipt", "refusal" */
	char message_id[STORE_NAME_SIZE]; /* without angle brackets */
	int64_t created_at;
	bool low_priority; /* sealed and sent after all others that are due */
	struct view head; /* as compose_outer wrote them; binary-safe */
	struct view tail;
	struct view stash; /* the inner entity, encrypted to the gateway */
};

/* message->id is filled. */
int store_message_add(struct store *, struct message *, struct err *);

/* What the smarthost refused a delivery for. */
enum delivery_about {
	DELIVERY_ABOUT_NOTHING, /* it did not, or not lately */
	DELIVERY_ABOUT_RECIPIENT,
	DELIVERY_ABOUT_MESSAGE, /* its size */
	DELIVERY_ABOUT_GATEWAY, /* or the smarthost itself: no fault of the recipient */
};

/* What people know of a delivery that does not go. */
enum delivery_told { DELIVERY_UNTOLD, DELIVERY_TOLD_WAITS, DELIVERY_TOLD_FAILED };

struct delivery {
	int64_t id;
	int64_t message;
	int64_t contact; /* 0 for a publisher */
	int64_t publisher; /* 0 for a contact */
	char address[STORE_ADDRESS_SIZE];
	char fingerprint[FINGERPRINT_SIZE];
	char key_id[KEY_ID_SIZE]; /* of the encryption subkey */
	char state[STORE_ID_SIZE];
	char reason[STORE_REASON_SIZE]; /* why failed or deferred: the last word of the smarthost */
	int64_t batch; /* 0: not sealed yet */
	int64_t attempts;
	int64_t ambiguous; /* attempts of which nobody knows whether they succeeded */
	int64_t next_at; /* when due */
	int64_t first_at; /* first attempt, 0: none yet */
	int64_t sent_at; /* 0: not yet */
	enum delivery_about about;
	enum delivery_told told;
};
typedef int delivery_fn(void *context, const struct delivery *, struct err *err);

/* state is "queued", or "failed" with a reason; id is filled. To be queued its certificate must be
 * in the store: what could never be sealed must not wait without a word. One for each recipient of
 * a message. */
int store_delivery_add(struct store *, struct delivery *, struct err *);
int store_delivery_get(struct store *, int64_t id, struct delivery *, bool *found, struct err *);
/* All of one message, by address. */
int store_delivery_each(
    struct store *, int64_t message, delivery_fn *, void *context, struct err *);
/* All that are not final and not sent yet, of all messages, by next_at: the queue. */
int store_delivery_each_queued(struct store *, delivery_fn *, void *context, struct err *);
/* Moves by an event of state.h; an error where the table forbids it. NULL reason leaves it; whoever
 * fails without one gets words to that effect. next_at 0 leaves it. `start` counts an attempt
 * (the first sets first_at), `accept` sets sent_at, `interrupted` and an ambiguous `postpone` count
 * in ambiguous. */
int store_delivery_move(struct store *, int64_t id, const char *event, const char *reason,
    int64_t next_at, int64_t now, bool ambiguous, struct err *);
/* What the smarthost's last word was about. It is forgotten when the delivery is sent, acknowledged
 * or excluded, or begins anew. */
int store_delivery_set_about(
    struct store *, int64_t id, enum delivery_about about, struct err *err);
int store_delivery_set_told(struct store *, int64_t id, enum delivery_told told, struct err *err);
/* Every `sending` becomes `queued` again (I4); how many. For the start of the gate. */
int store_delivery_recover(struct store *, int64_t now, int64_t *count, struct err *);
/* Queued or deferred ones become due at once (`dewctl queue retry`), but for what a restore holds back
 * (epoch.h). */
int store_delivery_retry_now(struct store *, int64_t now, int64_t *count, struct err *);
/* The same for those alone that wait because of what the smarthost had against the gateway. */
int store_delivery_retry_ours(struct store *, int64_t now, int64_t *count, struct err *);

/* What the smarthost refused for good, or until it was given up, and what still matters: the
 * recipient is there under that address, and no newer revision took its place. */
int store_delivery_each_refused(struct store *, delivery_fn *, void *context, struct err *);
/* Failed ones that were sealed become queued anew, with all the time that a new one has: of the
 * advisory's newest revision, or the one delivery; both 0: all that still matters, as above, for
 * whatever reason it failed. Their revision is not reported as complete then. */
int store_delivery_retry_failed(struct store *, int64_t advisory, int64_t delivery, int64_t now,
    int64_t *count, struct err *);
/* The kind of a message, "" when there is none of that id. */
int store_message_kind(
    struct store *, int64_t message, char kind[static STORE_ID_SIZE], struct err *);

/* Sealing. Of the highest priority, the first group of up to `most` queued deliveries without a
 * batch that share a message and a shard; of one with traced copies (copies.h) only one delivery,
 * and its own stash. *shard -1: nothing to seal, or all such messages are in `busy_messages`. */
struct seal_group {
	int64_t priority;
	int64_t message;
	int64_t shard; /* -1: none */
	int64_t generation;
	struct buf stash; /* released by the caller */
};
/* Skips groups for which skip() says true; calls fn for each delivery of the one it picks. */
int store_seal_next(struct store *, size_t most,
    bool (*skip)(void *context, int64_t message, int64_t shard), struct seal_group *group,
    delivery_fn *fn, void *context, struct err *);
/* Keeps a shared data packet, and when it was sealed (0: its Date stands in the message's head); then bind each sealed delivery to it with its own session key: one
 * that is queued, unsealed and of the batch's message, anything else is an error. */
int store_batch_add(
    struct store *, int64_t message, struct view data, int64_t sealed_at, int64_t *batch,
    struct err *);
int store_delivery_bind(
    struct store *, int64_t delivery, int64_t batch, struct view pkesk, struct err *);

/* Sending. Up to `most` sealed deliveries of one batch that are due, oldest first; none of low
 * priority while another is due. Calls fn for each with its session key, which a notice in the
 * clear has none of. *batch 0: none is due; *next_at then says when one will, 0 never. */
typedef int due_fn(void *context, const struct delivery *, struct view pkesk, struct err *err);
int store_due_next(struct store *, int64_t now, size_t most, int64_t *batch, int64_t *next_at,
    due_fn *, void *context, struct err *);
/* Head, data and tail of a batch's mails, as three fields. *clear: the data is the signed body of
 * a notice (store/keylife.h) and not a packet. *sealed_at as above. */
int store_batch_read(struct store *, int64_t batch, bool *clear, int64_t *sealed_at,
    struct buf *head, struct buf *data, struct buf *tail, struct err *);

/* The epoch's tag that the Message-ID of its mails has to name, "" for none: where the message was
 * recorded in a former epoch (epoch.h), it may have left with other bytes before. */
int store_batch_tag(
    struct store *, int64_t batch, char tag[static STORE_ID_SIZE], struct err *);

/* How many deliveries of a message are in each state. */
struct delivery_counts {
	int64_t total, queued, sending, deferred, sent, acknowledged, failed, bounced;
	int64_t unsealed; /* queued and without a batch */
};
int store_delivery_count(struct store *, int64_t message, struct delivery_counts *, struct err *);

#endif
