/* A gateway in a temporary directory, and an official with a GnuPG home of their own, for tests of
 * dewctl's commands. No shell: programs are started by their arguments. */
#ifndef DEWLINE_TESTS_DEWCTL_WORLD_H
#define DEWLINE_TESTS_DEWCTL_WORLD_H

#include "base/buf.h"
#include "pgp/certificate.h"
#include "store/store.h"

enum { WORLD_PATH_SIZE = 256 };

struct world {
	char dir[32]; /* "/tmp/dl.XXXXXX": agent sockets need short paths */
	char config[64]; /* DIR/cfg */
	char people[64]; /* the official's GnuPG home */
	int daemon; /* process that stands in for dewlined, 0: none */
	struct buf out; /* what the last command printed */
	struct buf err;
};

/* cmocka's set-up and tear-down: *state is a struct world with a configuration and no gateway yet.
 */
int world_open(void **state);
int world_close(void **state);

/* Runs dewctl with these words, in a process of its own; its exit status. */
#define CTL(world, ...) world_run((world), (const char *const[]){__VA_ARGS__, NULL})
int world_run(struct world *world, const char *const *words);
/* The same, and fails the test unless it exits with 0. */
#define MUST(world, ...) world_must((world), (const char *const[]){__VA_ARGS__, NULL})
void world_must(struct world *world, const char *const *words);

/* A process that holds the lock of the state and says that its gate runs, as dewlined does, until world_stop_daemon or the end
 * of the test. The gateway must be there. */
void world_start_daemon(struct world *world);
void world_stop_daemon(struct world *world);

/* Runs gpg in a home; its exit status. */
#define GPG(home, ...) world_gpg((home), (const char *const[]){__VA_ARGS__, NULL})
int world_gpg(const char *home, const char *const *words);

/* DIR/NAME; the result is valid until the fourth next call. */
const char *world_path(const struct world *world, const char *name);
void world_write(const struct world *world, const char *name, struct view content);
/* Appends the file's content. */
void world_read(const struct world *world, const char *name, struct buf *out);

/* A new key of the official for this address, exported to DIR/ADDRESS.asc and added with `key add`;
 * its fingerprint. */
void world_make_key(struct world *world, const char *address, char out[static FINGERPRINT_SIZE]);
/* The store, opened beside dewctl; to be closed before the next command. */
struct store *world_store(const struct world *world);

#endif
