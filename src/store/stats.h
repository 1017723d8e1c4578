/* What the figures are made of: every recipient of every advisory and update that was released. */
#ifndef DEWLINE_STORE_STATS_H
#define DEWLINE_STORE_STATS_H

#include "store/store.h"

struct stat_row {
	int64_t advisory;
	bool exercise;
	bool bulletin;
	char member[STORE_ID_SIZE];
	bool reached; /* the smarthost took it and it did not bounce, or it was acknowledged */
	int64_t released_at;
	int64_t acknowledge_by; /* 0: no deadline */
	int64_t acknowledged_at; /* when the first acknowledgment came in, 0: none did */
};
typedef int stat_fn(void *context, const struct stat_row *, struct err *err);

/* Of revisions released at `since` or later, by advisory; notices of withdrawal are left out. */
int store_stat_each(struct store *, int64_t since, stat_fn *, void *context, struct err *);

#endif
