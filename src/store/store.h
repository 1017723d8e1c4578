/* The store: one SQLite file that is the only truth (DESIGN: "Truth").
 *
 * Every function here and in the record headers works inside the caller's transaction, or as one of
 * its own where none is open. "Not found" is an answer: *found is false. An error (ERR_DAEMON)
 * means that the database itself failed; after one, roll back: ERR_LATER where another attempt may
 * succeed (busy, full), ERR_NEVER where not. After an I/O error the store accepts nothing more:
 * what fsync once refused, a second try may only pretend to have written. An error that concerns
 * ERR_MESSAGE is a record that breaks a rule of the schema or of a table of states.
 *
 * Callbacks may call the store again, also for the same listing. One that writes does so inside a
 * transaction begun before the listing: otherwise a commit of another process in between makes the
 * write fail as busy. Views given to a callback hold until it returns. All SQL is in this room. */
#ifndef DEWLINE_STORE_STORE_H
#define DEWLINE_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	STORE_ID_SIZE = 65,
	STORE_NAME_SIZE = 256,
	STORE_ADDRESS_SIZE = 256,
	STORE_REASON_SIZE = 256,
	STORE_NUMBER_SIZE = 64
};

struct store;

/* Makes a new store with the present schema, mode 0600. An error where the file exists. */
int store_create(const char *path, struct err *err);
/* Opens one: WAL, synchronous=FULL, foreign keys, and migrates an older schema forward in one
 * transaction. A schema newer than ours is refused. */
int store_open(const char *path, struct store **store, struct err *err);
/* The same for the store that a restore has not carried through yet, PATH.restored: until it is, a store
 * of that name is not opened. */
int store_open_unfinished(const char *path, struct store **store, struct err *err);
/* Writes all of the log into the store itself, and empties the log: after an error of the disk what was
 * written before may be in the memory of the system alone, where it looks sound. *whole is false where
 * another process reads meanwhile, and the log could not be emptied. */
int store_rewrite(struct store *store, bool *whole, struct err *err);
void store_close(struct store *store);

int store_begin(struct store *store, struct err *err); /* BEGIN IMMEDIATE, waits up to 10 s */
int store_commit(struct store *store, struct err *err);
void store_rollback(struct store *store); /* harmless without a transaction */

/* True when another process has committed since the last call (PRAGMA data_version). */
bool store_changed_elsewhere(struct store *store);

/* A consistent copy of the live store in a new file (SQLite's online backup), which is verified, and has
 * its name only when it is whole: until then it is PATH.unfinished, and one that a kill left is removed. */
int store_backup(struct store *store, const char *path, struct err *err);
/* PRAGMA integrity_check and foreign_key_check: 0 when sound; else err says what is not. */
int store_verify(struct store *store, struct err *err);

/* Small values that are kept by name: "gateway" (fingerprint), "gateway-certificate"
 * (minimal, binary), "return-path-key", "gpg-runs". */
int store_value_get(
    struct store *store, const char *name, struct buf *out, bool *found, struct err *err);
int store_value_set(struct store *store, const char *name, struct view value, struct err *err);
int store_counter_add(struct store *store, const char *name, int64_t count, struct err *err);

#endif
