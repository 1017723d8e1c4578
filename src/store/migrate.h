/* From an older schema to the present one.
 *
 * The version stands in PRAGMA user_version. A new store is made from schema.sql at once; an older
 * one goes forward step by step, all steps in one transaction. There is no way back: restore a
 * backup. */
#ifndef DEWLINE_STORE_MIGRATE_H
#define DEWLINE_STORE_MIGRATE_H

#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/* SQL that takes a store of version `from` to version from + 1. */
struct migration {
	int64_t from;
	const char *sql;
};

/* The present version: the one that schema.sql describes. */
extern const int64_t migrate_version;

/* The text of schema.sql. */
extern const char migrate_schema[];

/* Makes the present schema in an empty database. */
int migrate_create(struct store *store, struct err *err);
/* Only reads: an error when the file is no store of ours, or a newer one than we know. */
int migrate_recognise(struct store *store, struct err *err);
/* Brings the store forward with our own table of steps. */
int migrate_forward(struct store *store, struct err *err);
/* The same with any table (in order of `from`) and target version. */
int migrate_with(struct store *store, const struct migration *steps, size_t count, int64_t target,
    struct err *err);

#endif
