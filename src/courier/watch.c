#include "config.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/secret.h"
#include "courier/codec.h"
#include "courier/deposit.h"
#include "courier/imap_login.h"
#include "courier/imap_mailbox.h"
#include "courier/password.h"
#include "courier/reply.h"
#include "courier/socket.h"
#include "courier/watch.h"

enum {
	BATCH = 32, /* messages that are removed with one command */
	PASSES =
	    2, /* over the mailbox in one round: the second finds what the first was moved past */
	SUSPECTS_MAX = 64,
	FAILURES_MOST = 2,
	REST_MS = 3600 * 1000,
	LEFT_MOST = 100, /* said in one round */
	SECOND_MS = 1000,
	/* Commands between two parts at most: logging in, opening the mailbox, removing a batch. */
	STEPS_MOST = 16,
	ADDRESSES_MOST = 4,
};

/* A message at which the connection broke: others must not wait for it for ever. */
struct suspect {
	uint32_t uid;
	unsigned failures;
	int64_t rests_until; /* monotonic, milliseconds: not asked for before */
};

struct watch {
	const struct config *config;
	const struct imap_limits *limits;
	struct imap_credentials credentials;
	struct tls_trust *trust;
	struct buf password;
	const char *target; /* mailbox that messages are moved to, or "" */
	uint32_t validity;
	struct suspect suspects[SUSPECTS_MAX];
	size_t suspect_count;
	bool idle_fails; /* the server offers IDLE and refuses it */

	/* While a request is served. */
	struct pool_service *service;
	struct imap_link *link;
	bool gate_gone;
	uint32_t fetching; /* UID, 0: none */
	uint32_t taken[BATCH]; /* in drop/new, and to be removed */
	size_t taken_count;
	int64_t left;
};

/* -- files -- */

static int read_password(struct watch *watch, struct err *err)
{
	struct buf fresh = SECRET_EMPTY;
	const int result = secret_read(SECRET_IMAP, watch->config->imap.password_file, &fresh, err);
	if (result == 0)
		buf_move(&watch->password, &fresh);
	buf_release(&fresh);
	return result;
}

static int prepare(struct watch *watch, struct err *err)
{
	if (watch->password.len == 0 && read_password(watch, err) != 0)
		return -1;
	if (watch->trust == NULL &&
	    tls_trust_new(watch->config->imap.ca_file, &watch->trust, err) != 0)
		return -1;
	watch->credentials = (struct imap_credentials){watch->trust, buf_view(&watch->password)};
	return 0;
}

struct watch *watch_new(const struct config *config, const struct imap_limits *limits)
{
	static const char move[] = "move:";
	struct watch *watch = calloc(1, sizeof *watch);
	struct err err;
	if (watch == NULL)
		abort();
	watch->config = config;
	watch->limits = limits;
	watch->password = SECRET_EMPTY;
	watch->target = strncmp(config->imap.after, move, sizeof move - 1) == 0
			    ? config->imap.after + sizeof move - 1
			    : "";
	if (prepare(watch, &err) != 0)
		log_error("%s", err.text);
	deposit_clean(config->drop);
	return watch;
}

void watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	tls_trust_free(watch->trust);
	buf_release(&watch->password);
	free(watch);
}

/* -- telling the gate -- */

__attribute__((format(printf, 6, 7))) static int tell(struct watch *watch,
    enum courier_watch_what what, uint32_t uid, uint64_t size, struct err *err, const char *format,
    ...)
{
	struct courier_watch part = {
	    .what = what, .validity = watch->validity, .uid = uid, .size = (int64_t)size};
	char text[2 * COURIER_TEXT_SIZE];
	struct buf body = BUF_EMPTY(BUF_SMALL);
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	courier_print(part.text, "%s", text);
	courier_put_watch(&body, &part);
	const bool last = what == COURIER_WATCH_ENDED || what == COURIER_WATCH_REFUSED;
	const int result =
	    pool_reply(watch->service, last ? POOL_ANSWER : POOL_PROGRESS, buf_view(&body), err);
	watch->gate_gone = watch->gate_gone || result != 0;
	buf_release(&body);
	return result;
}

static int leave(
    struct watch *watch, const struct imap_listed *message, const char *why, struct err *err)
{
	watch->left++;
	if (watch->left > LEFT_MOST)
		return 0;
	return tell(watch, COURIER_WATCH_LEFT, message->uid, message->size, err, "%s", why);
}

/* -- messages that break the connection -- */

static struct suspect *find_suspect(struct watch *watch, uint32_t uid)
{
	for (size_t i = 0; i < watch->suspect_count; i++) {
		if (watch->suspects[i].uid == uid)
			return &watch->suspects[i];
	}
	return NULL;
}

static void acquit(struct watch *watch, uint32_t uid)
{
	struct suspect *found = find_suspect(watch, uid);
	if (found != NULL)
		*found = watch->suspects[--watch->suspect_count];
}

static void suspect(struct watch *watch, uint32_t uid)
{
	struct suspect *found = find_suspect(watch, uid);
	if (found == NULL) {
		/* The oldest makes room. */
		if (watch->suspect_count == SUSPECTS_MAX)
			memmove(watch->suspects, watch->suspects + 1,
			    --watch->suspect_count * sizeof watch->suspects[0]);
		found = &watch->suspects[watch->suspect_count++];
		*found = (struct suspect){.uid = uid};
	}
	found->failures++;
	if (found->failures >= FAILURES_MOST)
		found->rests_until = clock_monotonic_ms() + REST_MS;
}

static bool rests(struct watch *watch, uint32_t uid)
{
	const struct suspect *found = find_suspect(watch, uid);
	return found != NULL && clock_monotonic_ms() < found->rests_until;
}

/* -- one round -- */

struct taking {
	struct watch *watch;
	uint32_t uid;
	char name[DEPOSIT_NAME_SIZE];
};

static int take_message(void *context, struct view message, struct err *err)
{
	struct taking *taking = context;
	deposit_name(taking->watch->validity, taking->uid, message, taking->name);
	return deposit(taking->watch->config->drop, taking->name, message, err);
}

static int remove_taken(struct watch *watch, struct err *err)
{
	if (watch->taken_count == 0)
		return 0;
	const size_t count = watch->taken_count;
	watch->taken_count = 0;
	if (deposit_sync(watch->config->drop, err) != 0)
		return -1;
	return imap_remove(watch->link, watch->taken, count, watch->target, err);
}

static int take_one(struct watch *watch, const struct imap_listed *message, struct err *err)
{
	const uint64_t most = (uint64_t)watch->config->limits.message;
	struct taking taking = {.watch = watch, .uid = message->uid};
	char why[COURIER_TEXT_SIZE];
	bool got;
	if (message->size > most) {
		snprintf(why, sizeof why, "it has more than %llu bytes (limits.message)",
		    (unsigned long long)most);
		return leave(watch, message, why, err);
	}
	if (rests(watch, message->uid))
		return leave(watch, message, "the connection broke while it was fetched", err);
	watch->fetching = message->uid;
	if (imap_fetch(watch->link, message->uid, most, take_message, &taking, &got, why, err) != 0)
		return -1;
	watch->fetching = 0;
	if (!got)
		return why[0] == '\0' ? 0 : leave(watch, message, why, err);
	acquit(watch, message->uid);
	watch->taken[watch->taken_count++] = message->uid;
	if (tell(watch, COURIER_WATCH_TAKEN, message->uid, message->size, err, "%s", taking.name) !=
	    0)
		return -1;
	return watch->taken_count == BATCH ? remove_taken(watch, err) : 0;
}

/* Once over the mailbox. *took: there was something, and what follows it may have been missed. */
static int pass(struct watch *watch, bool *took, struct err *err)
{
	struct imap_list list;
	*took = false;
	watch->left = 0;
	imap_set_place(watch->link, 1);
	while (imap_place(watch->link) <= imap_exists(watch->link)) {
		const int64_t left = watch->left;
		if (imap_list_next(watch->link, &list, err) != 0)
			return -1;
		for (size_t i = 0; i < list.count; i++) {
			if (take_one(watch, &list.messages[i], err) != 0)
				return -1;
		}
		*took = *took || watch->left - left < (int64_t)list.count;
		if (remove_taken(watch, err) != 0)
			return -1;
	}
	return 0;
}

static int make_round(struct watch *watch, struct err *err)
{
	bool again = true;
	imap_forget_news(watch->link);
	for (int i = 0; again && i < PASSES; i++) {
		if (pass(watch, &again, err) != 0)
			return -1;
	}
	return tell(watch, COURIER_WATCH_ROUND, 0, (uint64_t)watch->left, err, "%s", "");
}

/* -- waiting -- */

static bool uses_idle(const struct watch *watch)
{
	return !watch->idle_fails && imap_has_word(imap_capabilities(watch->link), "IDLE");
}

/* Until there may be something new. *called: the gate wants something, or is gone. */
static int wait_for_mail(struct watch *watch, bool *called, struct err *err)
{
	const struct imap_command noop = {.what = "NOOP", .words = VIEW("NOOP")};
	const int64_t now = clock_monotonic_ms();
	*called = false;
	if (imap_has_news(watch->link))
		return 0;
	if (uses_idle(watch)) {
		bool supported;
		if (imap_idle(watch->link, watch->service->fd,
			now + watch->config->imap.idle * SECOND_MS, &supported, called, err) != 0)
			return -1;
		watch->idle_fails = !supported;
		if (!supported)
			log_warning("the IMAP server offers IDLE and refuses it");
	}
	if (!uses_idle(watch))
		*called = socket_wait(
		    watch->service->fd, POLLIN, now + watch->config->imap.poll * SECOND_MS);
	/* Not every server tells while it idles. */
	return *called || imap_has_news(watch->link) ? 0 : imap_run_well(watch->link, &noop, err);
}

/* -- a request -- */

static int open_mailbox(struct watch *watch, struct err *err)
{
	const struct config *config = watch->config;
	uint32_t validity;
	if (prepare(watch, err) != 0 ||
	    imap_login(config, watch->limits, &watch->credentials, &watch->link, err) != 0 ||
	    imap_select(watch->link, config->imap.mailbox, watch->target, &validity, err) != 0)
		return -1;
	if (watch->validity != 0 && watch->validity != validity)
		log_warning("the mailbox %s is another one now: UIDVALIDITY was %lu and is %lu",
		    config->imap.mailbox, (unsigned long)watch->validity, (unsigned long)validity);
	if (watch->validity != validity)
		watch->suspect_count = 0;
	watch->validity = validity;
	return tell(watch, COURIER_WATCH_REACHED, 0, imap_exists(watch->link), err, "%s",
	    uses_idle(watch) ? "the server tells of new mail (IDLE)"
			     : "the server is asked for new mail (no IDLE)");
}

/* Until it ends, for the reason in err. */
static void run(struct watch *watch, struct err *err)
{
	bool called = false;
	if (open_mailbox(watch, err) != 0)
		return;
	while (!called) {
		if (make_round(watch, err) != 0 || wait_for_mail(watch, &called, err) != 0)
			return;
	}
	err_set(err, ERR_PEER, ERR_LATER, "asked to end");
}

int watch_serve(struct watch *watch, struct pool_service *service, struct err *err)
{
	watch->service = service;
	watch->link = NULL;
	watch->fetching = 0;
	watch->taken_count = 0;
	watch->idle_fails = false;
	run(watch, err);
	imap_link_free(watch->link, true);
	const bool refused = err->whom == ERR_PEER && err->when == ERR_NEVER;
	if (watch->gate_gone)
		return -1;
	if (watch->fetching != 0 && err->whom == ERR_PEER)
		suspect(watch, watch->fetching);
	if (refused) { /* it may have been changed */
		struct err unreadable;
		read_password(watch, &unreadable);
	}
	return tell(watch, refused ? COURIER_WATCH_REFUSED : COURIER_WATCH_ENDED, 0, 0, err, "%s",
	    err->text);
}

int64_t courier_watch_deadline_ms(const struct config *config)
{
	const struct imap_limits *limits = &imap_limits_default;
	const int64_t wait =
	    config->imap.idle > config->imap.poll ? config->imap.idle : config->imap.poll;
	return wait * SECOND_MS + ADDRESSES_MOST * limits->connect + STEPS_MOST * limits->step +
	       config->limits.message / (int64_t)limits->least_rate * SECOND_MS;
}
