#include "config.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gate/claim.h"
#include "gate/release.h"
#include "gate/schedule.h"
#include "gate/tries.h"
#include "rules/tries.h"
#include "store/arrivals.h"
#include "store/audit.h"

bool tries_gives_way(const struct mail_facts *facts)
{
	return facts->hold == 0 &&
	       (facts->tries > 0 || (facts->sender == CLAIM_NOBODY && !facts->signer_known));
}

void tries_ask(const struct mail_facts *facts, uint32_t type, struct buf *body,
    int64_t deadline_ms, pool_answer_fn *answer, void *context)
{
	struct gate *gate = facts->gate;
	if (facts->tries > 0)
		gate_ask_once(gate, gate->vaults, type, body,
		    deadline_ms * tries_patience(facts->tries), answer, context);
	else if (tries_gives_way(facts))
		gate_ask_for_stranger(
		    gate, gate->vaults, type, body, deadline_ms, answer, context);
	else
		gate_ask(gate, gate->vaults, type, body, deadline_ms, answer, context);
}

/* -- what becomes of one that failed -- */

/* Whose mail it seems to be, in words, where that is somebody known: "" where it is nobody's. */
static int find_claim(const struct mail_facts *facts, struct buf *out, struct err *err)
{
	struct gate *gate = facts->gate;
	struct buf head = BUF_EMPTY(CLAIM_HEAD);
	char address[STORE_ADDRESS_SIZE];
	int result = claim_known(gate, facts->arrival, address, err);
	if (result == 0 && address[0] != '\0')
		buf_printf(out, "; it says it is from %s", address);
	else if (result == 0)
		result = store_arrival_head(gate->store, facts->arrival, CLAIM_HEAD, &head, err);
	if (result == 0 && claim_returns(gate, buf_view(&head), address))
		buf_printf(out, "; it came back to %s", address);
	else if (result == 0 && out->len == 0 && facts->signer_known)
		buf_printf(out, "; it is signed with the key of somebody known");
	buf_release(&head);
	return result;
}

static int describe(const struct mail_facts *facts, const char *doing, struct view how,
    struct arrival *row, struct err *err)
{
	struct buf claim = BUF_EMPTY(BUF_SMALL);
	const int result = find_claim(facts, &claim, err);
	const int most = POOL_END_SIZE / 2;
	row->claimed = claim.len > 0;
	snprintf(row->reason, sizeof row->reason, "%s failed %lld times: %.*s%.120s", doing,
	    (long long)row->tries, (int)how.len < most ? (int)how.len : most, how.data,
	    buf_text(&claim));
	buf_release(&claim);
	return result;
}

static int record_wait(const struct mail_facts *facts, const struct arrival *row, struct err *err)
{
	struct store *store = facts->gate->store;
	char subject[64];
	char when[TEXT_TIME_SIZE];
	snprintf(subject, sizeof subject, "arrival %lld", (long long)facts->arrival);
	text_format_time(row->wait_until, when);
	if (store_begin(store, err) != 0 || store_arrival_failed(store, row, err) != 0 ||
	    store_audit_add(store, clock_now(), "gate", "arrival.postpone", subject, err,
		"until %s: %s", when, row->reason) != 0)
		return -1;
	return store_commit(store, err);
}

void tries_failed(struct mail_facts *facts, const char *doing, struct view how)
{
	struct gate *gate = facts->gate;
	struct arrival row = {.id = facts->arrival};
	char why[POOL_END_SIZE];
	struct err err;
	int64_t pause;
	if (facts->hold != 0) {
		snprintf(why, sizeof why, "%s: %.*s", doing, (int)how.len, how.data);
		release_later(gate, why);
		open_done(facts);
		return;
	}
	row.tries = facts->tries == 0 ? TRIES_AT_ONCE : facts->tries + 1;
	int result = describe(facts, doing, how, &row, &err);
	const bool again = result == 0 && tries_next(row.tries, row.claimed, &pause);
	if (again) {
		row.wait_until = clock_now() + pause;
		result = record_wait(facts, &row, &err);
	} else if (result == 0) {
		result = store_arrival_failed(gate->store, &row, &err);
	}
	if (result != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
		open_done(facts);
	} else if (again) {
		log_error("arrival %lld waits, and is tried again in %lld s: %s",
		    (long long)row.id, (long long)pause, row.reason);
		open_done(facts);
	} else {
		open_is_taken(facts, INTAKE_FROM_NOBODY);
		open_end(facts, "give-up", "fatal", row.reason);
	}
	schedule_soon(gate);
}

/* -- another version -- */

static int try_anew(void *context, const struct arrival *arrival, struct err *err)
{
	struct gate *gate = context;
	bool taken;
	return arrival->claimed
		   ? store_arrival_retry(gate->store, arrival->id, clock_now(), &taken, err)
		   : 0;
}

int tries_begin(struct gate *gate, struct err *err)
{
	static const char name[] = "tries-version";
	struct buf known = BUF_EMPTY(BUF_SMALL);
	bool found;
	int result = store_value_get(gate->store, name, &known, &found, err);
	const bool same = found && view_is(buf_view(&known), PACKAGE_VERSION);
	buf_release(&known);
	if (result != 0 || same)
		return result;
	if (store_begin(gate->store, err) != 0)
		return -1;
	if (found)
		result = store_arrival_each_fatal(gate->store, 0, try_anew, gate, err);
	if (result == 0)
		result = store_value_set(gate->store, name, view_of(PACKAGE_VERSION), err);
	return result == 0 ? store_commit(gate->store, err) : -1;
}
