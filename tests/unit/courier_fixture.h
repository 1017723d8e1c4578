/* A fake smarthost, its certificates and its mail, for the courier's tests. */
#ifndef DEWLINE_TESTS_COURIER_FIXTURE_H
#define DEWLINE_TESTS_COURIER_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "config/config.h"

enum { PEER_PATH_SIZE = 128 };

/* Group set-up: makes a directory with ca.pem, and certificates NAME.pem with keys NAME.key: good
 * (for localhost), other (for another name), expired, stranger (signed by a CA that is not in
 * ca.pem). */
int peer_group_setup(void **state);
int peer_group_teardown(void **state);

/* "DIRECTORY/name" */
const char *peer_path(const char *name);

/* Starts a smarthost with these further options (NULL ends them) and an empty store, and fills
 * config for it: localhost, its port, ca.pem, TLS as told. */
void peer_start(struct config *config, enum config_tls tls, const char *const options[]);
/* Test teardown: ends it. */
int peer_teardown(void **state);
void peer_stop(void);

/* Replaces the script; the next step of the dialogue follows it. */
void peer_script(const char *rules);

/* Messages in the store; the content of one of them, counted from 1; the commands that came. */
size_t peer_count(void);
void peer_read(size_t number, struct buf *out);
void peer_log(struct buf *out);
/* How often the text stands in the log. */
size_t peer_said(const char *text);

void peer_write(const char *name, struct view content);

#endif
