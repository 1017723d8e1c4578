#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/rollback.h"
#include "store/epoch.h"
#include "store/mark.h"

void rollback_open(struct gate *gate)
{
	char path[CONFIG_PATH_SIZE + 16];
	struct err err;
	snprintf(path, sizeof path, "%s/store.mark", gate->config->state);
	gate->mark = mark_open(path, &err);
	if (gate->mark < 0)
		log_error("%s", err.text);
}

int rollback_look(struct gate *gate, struct err *err)
{
	struct mark mark = {.epoch = 0};
	struct epoch epoch;
	struct err unread;
	bool found = false;
	bool holds = true;
	if (gate->mark >= 0 && mark_read(gate->mark, &mark, &found, &unread) != 0)
		log_error("%s", unread.text);
	if (!found)
		return 0;
	if (store_holds_mark(gate->store, &mark, &holds, err) != 0 || holds)
		return holds ? 0 : -1;
	if (store_epoch_read_end(gate->store, &epoch, err) != 0 ||
	    store_epoch_begin(gate->store, clock_now(), mark.epoch + 1, mark.sequence, true,
		"gate", VIEW(""), &epoch, err) != 0)
		return -1;
	log_error("the store is not the one that was here: entry %lld of its log is missing or "
		  "another one. It counts as put back, and epoch %lld (%s) begins: see dewctl check",
	    (long long)mark.sequence, (long long)epoch.number, epoch.tag);
	return 0;
}

void rollback_keep(struct gate *gate)
{
	struct mark mark;
	struct err err;
	if (store_mark(gate->store, &mark, &err) != 0) {
		gate_fail(gate, &err);
		return;
	}
	if (gate->mark < 0 || mark.sequence == gate->marked)
		return;
	if (mark_write(gate->mark, &mark, &err) != 0)
		log_warning("%s", err.text);
	gate->marked = mark.sequence;
}

void rollback_close(struct gate *gate)
{
	/* Not where the gate never came to work on it: what the mark tells of stays told. */
	if (gate->marked != 0 && !gate->failed)
		rollback_keep(gate);
	if (gate->mark >= 0)
		close(gate->mark);
	gate->mark = -1;
}
