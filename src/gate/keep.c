#include "config.h"

#include "base/log.h"
#include "gate/keep.h"
#include "gate/schedule.h"
#include "store/arrivals.h"
#include "store/audit.h"

enum { MAILS_AT_ONCE = 200, MILLION = 1000000 };

static int remove_some(struct gate *gate, int64_t now, struct strangers *gone, struct err *err)
{
	const struct config *config = gate->config;
	if (store_strangers_remove(gate->store, now - config->keep.strangers,
		config->keep.strangers_mb * MILLION, MAILS_AT_ONCE, gone, err) != 0)
		return -1;
	if (gone->count == 0)
		return 0;
	log_info("%lld mails of strangers, %lld bytes, are kept no more: arrivals %lld to %lld",
	    (long long)gone->count, (long long)gone->bytes, (long long)gone->first,
	    (long long)gone->last);
	return store_audit_add(gate->store, now, "gate", "arrival.removed", "strangers", err,
	    "%lld mails, %lld bytes, among the arrivals %lld to %lld", (long long)gone->count,
	    (long long)gone->bytes, (long long)gone->first, (long long)gone->last);
}

void keep_check(struct gate *gate, int64_t now)
{
	struct strangers gone;
	struct err err;
	if (store_begin(gate->store, &err) != 0 || remove_some(gate, now, &gone, &err) != 0 ||
	    store_commit(gate->store, &err) != 0) {
		store_rollback(gate->store);
		gate_fail(gate, &err);
		return;
	}
	if (gone.count == MAILS_AT_ONCE)
		schedule_soon(gate);
}
