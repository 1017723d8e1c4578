#include "config.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/account.h"
#include "gate/bounce.h"
#include "gate/context.h"
#include "gate/gate.h"
#include "gate/inform.h"
#include "gate/issue.h"
#include "gate/keylife.h"
#include "gate/mailbox.h"
#include "gate/open.h"
#include "gate/pace.h"
#include "gate/receive.h"
#include "gate/release.h"
#include "gate/remind.h"
#include "gate/restored.h"
#include "gate/rollback.h"
#include "gate/schedule.h"
#include "gate/seal.h"
#include "gate/send.h"
#include "gate/shard.h"
#include "gate/stuck.h"
#include "gate/tell.h"
#include "gate/unsent.h"
#include "gate/vitals.h"
#include "gate/warn.h"
#include "store/advisories.h"
#include "store/audit.h"

enum {
	ALIVE_MS = 20 * 1000,
	NOTICE_CHANGES_MS = 1000,
	READERS_AHEAD = 2,
	VAULTS_LEAST = 2, /* one is left for those we know while a stranger's mail has the other */
	MAC_BYTES = 10,
	MEGABYTE = 1024 * 1024,
	MEGABYTE_MS = 2000, /* a hundred times what gpg needs for one */
	LOAD_ONE = 100,
	LOAD_MOST = 10 * LOAD_ONE,
};

void gate_fail(struct gate *gate, const struct err *err)
{
	log_error("%s; ending, to start anew from what is stored", err->text);
	gate->failed = true;
	loop_stop(gate->loop);
}

static int64_t deadline(int64_t ms, size_t bytes)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct sysinfo info;
	int64_t load = 0; /* of a core, in hundredths */
	if (sysinfo(&info) == 0 && cores > 0)
		load = (int64_t)(info.loads[0] * 100 >> SI_LOAD_SHIFT) / cores;
	load = load < LOAD_ONE ? LOAD_ONE : load > LOAD_MOST ? LOAD_MOST : load;
	return (ms + (int64_t)(bytes / MEGABYTE) * MEGABYTE_MS) * load / LOAD_ONE;
}

static void ask(struct pool *pool, uint32_t type, struct buf *body, int64_t deadline_ms,
    bool gives_way, unsigned attempts, pool_answer_fn *answer, void *context)
{
	struct pool_request request = {
	    .type = type,
	    .deadline_ms = deadline(deadline_ms, body->len),
	    .attempts = attempts,
	    .gives_way = gives_way,
	    .answer = answer,
	    .context = context,
	};
	buf_move(&request.body, body);
	pool_ask(pool, &request);
}

void gate_ask(struct gate *gate, struct pool *pool, uint32_t type, struct buf *body,
    int64_t deadline_ms, pool_answer_fn *answer, void *context)
{
	(void)gate;
	ask(pool, type, body, deadline_ms, false, GATE_ATTEMPTS, answer, context);
}

void gate_ask_for_stranger(struct gate *gate, struct pool *pool, uint32_t type, struct buf *body,
    int64_t deadline_ms, pool_answer_fn *answer, void *context)
{
	(void)gate;
	ask(pool, type, body, deadline_ms, true, GATE_ATTEMPTS, answer, context);
}

void gate_ask_once(struct gate *gate, struct pool *pool, uint32_t type, struct buf *body,
    int64_t deadline_ms, pool_answer_fn *answer, void *context)
{
	(void)gate;
	ask(pool, type, body, deadline_ms, true, 1, answer, context);
}

int gate_label(
    struct gate *gate, int64_t message, char out[static STORE_NAME_SIZE], struct err *err)
{
	struct revision revision;
	struct advisory advisory;
	bool found;
	if (store_revision_by_message(gate->store, message, &revision, &found, err) != 0)
		return -1;
	if (!found) {
		snprintf(out, STORE_NAME_SIZE, "notice %lld", (long long)message);
		return 0;
	}
	if (store_advisory_by_id(gate->store, revision.advisory, &advisory, &found, err) != 0)
		return -1;
	snprintf(out, STORE_NAME_SIZE, "%s r%lld", advisory.number, (long long)revision.number);
	return 0;
}

static void write_path(const struct gate *gate, int64_t delivery,
    const char tag[static EPOCH_TAG_SIZE], char *out, size_t size)
{
	unsigned char mac[DIGEST_SIZE];
	char shown[DIGEST_SIZE * 2];
	char text[64];
	struct view domain = view_of(gate->config->gateway.return_path);
	struct view local;
	const char *dash = tag[0] == '\0' ? "" : "-";
	snprintf(text, sizeof text, "delivery %lld%s%s", (long long)delivery, dash, tag);
	digest_hmac(buf_view(&gate->return_path_key), view_of(text), mac);
	text_base32(mac, MAC_BYTES, shown);
	view_next_field(&domain, '@', &local);
	snprintf(out, size, "%.*s+%lld%s%s.%s@%.*s", (int)local.len, local.data,
	    (long long)delivery, dash, tag, shown, (int)domain.len, domain.data);
}

int gate_return_path(
    const struct gate *gate, int64_t delivery, char *out, size_t size, struct err *err)
{
	char tag[EPOCH_TAG_SIZE];
	if (store_epoch_of_delivery(gate->store, delivery, tag, err) != 0)
		return -1;
	write_path(gate, delivery, tag, out, size);
	return 0;
}

static void lower(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
	}
}

/* "12" or "12-BKT", the tag in capitals. */
static bool read_path(
    struct view name, int64_t *delivery, char tag[static EPOCH_TAG_SIZE])
{
	const size_t dash = view_find(name, VIEW("-"));
	tag[0] = '\0';
	if (dash == SIZE_MAX)
		return text_number(name, 1, INT64_MAX, delivery);
	if (!text_number(view_part(name, 0, dash), 1, INT64_MAX, delivery) ||
	    !view_copy(view_part(name, dash + 1, name.len), tag, EPOCH_TAG_SIZE))
		return false;
	for (char *at = tag; *at != '\0'; at++)
		*at = (char)toupper((unsigned char)*at);
	return true;
}

bool gate_return_path_owner(const struct gate *gate, struct view address, int64_t *delivery,
    char tag[static EPOCH_TAG_SIZE])
{
	char expected[STORE_ADDRESS_SIZE];
	char given[STORE_ADDRESS_SIZE];
	const size_t plus = strcspn(gate->config->gateway.return_path, "@") + 1;
	struct view rest = view_part(address, plus, address.len);
	struct view name;
	if (!view_next_field(&rest, '.', &name) || !read_path(name, delivery, tag) ||
	    !view_copy(address, given, sizeof given))
		return false;
	write_path(gate, *delivery, tag, expected, sizeof expected);
	lower(expected);
	lower(given);
	return strlen(given) == strlen(expected) && digest_equal(given, expected, strlen(expected));
}

/* Runs the flagged steps until none has work that can start now. */
static void work(void *context)
{
	struct gate *gate = context;
	do {
		send_flush(gate);
		if (gate->want_arrivals && !gate->failed)
			open_work(gate);
		if (gate->want_seal && !gate->failed)
			seal_work(gate);
		if (gate->want_send && !gate->failed)
			send_work(gate);
		if (gate->want_account && !gate->failed)
			account_work(gate);
	} while (!gate->failed &&
		 (gate->want_arrivals || gate->want_seal || gate->want_send || gate->want_account));
}

/* What dewctl has committed meanwhile: a key, a retry, a withdrawal. */
static void notice_changes(void *context)
{
	struct gate *gate = context;
	if (store_changed_elsewhere(gate->store)) {
		pace_check(gate, 0);
		gate->want_seal = true;
		gate->want_send = true;
		gate->want_account = true;
		schedule_soon(gate);
	}
	warn_note_trouble(gate);
	rollback_keep(gate);
	vitals_check(gate);
	loop_after(gate->loop, NOTICE_CHANGES_MS, notice_changes, gate);
}

/* Only a loop that still goes round says so. */
static void say_alive(void *context)
{
	struct gate *gate = context;
	starter_alive(gate->starter);
	loop_after(gate->loop, ALIVE_MS, say_alive, gate);
}

static void end_on_signal(void *context, int fd)
{
	struct gate *gate = context;
	struct signalfd_siginfo info;
	if (read(fd, &info, sizeof info) == (ssize_t)sizeof info)
		log_info("ending on signal %u", info.ssi_signo);
	loop_stop(gate->loop);
}

static int watch_signals(struct gate *gate, struct err *err)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_system(err, "cannot watch signals");
	loop_watch(gate->loop, fd, end_on_signal, gate);
	return 0;
}

static int read_value(
    struct gate *gate, const char *name, bool required, struct buf *out, struct err *err)
{
	bool found;
	if (store_value_get(gate->store, name, out, &found, err) != 0)
		return -1;
	if (!found && required)
		return err_set(err, ERR_DAEMON, ERR_NEVER,
		    "the store has no %s: finish `dewctl init` first", name);
	return 0;
}

/* A gate that ended because the disk failed is followed by this one, which must not build on what may
 * never have come to the disk. */
static int write_anew(struct gate *gate, struct err *err)
{
	bool whole;
	if (store_rewrite(gate->store, &whole, err) != 0)
		return -1;
	if (!whole)
		log_warning("another process reads the store: its log was not emptied at the start");
	return 0;
}

static int open_store(struct gate *gate, struct err *err)
{
	char path[CONFIG_PATH_SIZE + 16];
	struct buf fingerprint = BUF_EMPTY(FINGERPRINT_SIZE);
	int64_t interrupted = 0;
	int result = -1;
	snprintf(path, sizeof path, "%s/store.db", gate->config->state);
	rollback_open(gate);
	if (store_open(path, &gate->store, err) != 0 || write_anew(gate, err) != 0 ||
	    pace_start(gate, err) != 0 ||
	    read_value(gate, "gateway", true, &fingerprint, err) != 0 ||
	    read_value(gate, "return-path-key", true, &gate->return_path_key, err) != 0 ||
	    read_value(gate, "gateway-certificate", false, &gate->autocrypt, err) != 0 ||
	    store_begin(gate->store, err) != 0)
		goto done;
	view_copy(buf_view(&fingerprint), gate->fingerprint, sizeof gate->fingerprint);
	if (rollback_look(gate, err) != 0 ||
	    store_delivery_recover(gate->store, gate_now(gate), &interrupted, err) != 0 ||
	    store_audit_add(gate->store, clock_now(), "gate", "gate.start", gate->fingerprint, err,
		"%lld deliveries were interrupted and may be sent again",
		(long long)interrupted) != 0)
		goto done;
	result = store_commit(gate->store, err);
	if (result == 0 && interrupted > 0)
		log_warning(
		    "%lld deliveries were under way when the gate ended: they are sent again with "
		    "the same Message-ID",
		    (long long)interrupted);
done:
	buf_release(&fingerprint);
	return result;
}

static int start(struct gate *gate, struct starter *starter, struct err *err)
{
	gate->starter = starter;
	vitals_start(gate);
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	gate->vault_count = gate->config->sealing.vaults > 0
				? (unsigned)gate->config->sealing.vaults
			    : cores > VAULTS_LEAST ? (unsigned)cores
						   : VAULTS_LEAST;
	/* Whoever sent a mail may have its reader in his hands: no other mail, and not even what is
	 * found signed inside this one, is read by the same process. */
	gate->readers =
	    pool_new_fresh(gate->loop, starter, WORKER_READER, gate->vault_count + READERS_AHEAD);
	gate->vaults = pool_new(gate->loop, starter, WORKER_VAULT, gate->vault_count);
	gate->couriers = pool_new(
	    gate->loop, starter, WORKER_COURIER, (unsigned)gate->config->smarthost.connections);
	if (watch_signals(gate, err) != 0 || open_store(gate, err) != 0 ||
	    gate_confine(gate->config, err) != 0 ||
	    shard_start(gate, err) != 0 || open_start(gate, err) != 0 || issue_start(gate, err) != 0 ||
	    seal_start(gate, err) != 0 || send_start(gate, err) != 0 ||
	    account_start(gate, err) != 0 || inform_start(gate, err) != 0 ||
	    release_start(gate, err) != 0 || keylife_start(gate, err) != 0 ||
	    remind_start(gate, err) != 0 || bounce_start(gate, err) != 0 ||
	    tell_start(gate, err) != 0 || warn_start(gate, err) != 0 ||
	    stuck_start(gate, err) != 0 || unsent_start(gate, err) != 0 ||
	    restored_start(gate, err) != 0 ||
	    receive_start(gate, err) != 0 ||
	    mailbox_start(gate, err) != 0)
		return -1;
	gate->want_arrivals = gate->want_seal = gate->want_send = gate->want_account = true;
	loop_before_sleep(gate->loop, work, gate);
	notice_changes(gate);
	schedule_start(gate);
	return 0;
}

static void stop(struct gate *gate)
{
	warn_stop(gate);
	pool_free(gate->readers);
	pool_free(gate->vaults);
	pool_free(gate->couriers);
	receive_stop(gate);
	pace_stop(gate);
	stuck_stop(gate);
	open_stop(gate);
	issue_stop(gate);
	seal_stop(gate);
	shard_stop(gate);
	send_stop(gate);
	account_stop(gate);
	inform_stop(gate);
	release_stop(gate);
	keylife_stop(gate);
	remind_stop(gate);
	tell_stop(gate);
	unsent_stop(gate);
	bounce_stop(gate);
	mailbox_stop(gate);
	restored_stop(gate);
	rollback_close(gate);
	store_close(gate->store);
	loop_free(gate->loop);
	buf_release(&gate->autocrypt);
	buf_release(&gate->return_path_key);
}

int gate_main(const void *settings, int control)
{
	struct gate gate = {
	    .config = settings,
	    .loop = loop_new(),
	    .autocrypt = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX),
	    .return_path_key = BUF_EMPTY(BUF_SMALL),
	    .mark = -1,
	};
	struct starter *starter = starter_remote(control);
	struct err err;
	log_open("gate", gate.config->log_level);
	int result = start(&gate, starter, &err);
	if (result == 0) {
		log_info("ready: mail comes in at %s", gate.config->drop);
		say_alive(&gate);
		result = loop_run(gate.loop, &err);
	}
	if (result != 0)
		log_error("%s", err.text);
	vitals_stop(&gate);
	stop(&gate);
	starter_free(starter);
	return result == 0 && !gate.failed ? EXIT_SUCCESS : EXIT_FAILURE;
}
