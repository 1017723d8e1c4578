/* The configuration file, read once into one immutable structure.
 *
 * Every setting stands in one table (config.c) with its type, bounds, default and help; the
 * commented conf/dewline.cfg holds exactly these. An unknown or bad setting is refused with file,
 * line, setting and what is allowed. The record's name says where it stands in the file:
 * `smarthost.port` is `smarthost: { port = 587; };`. */
#ifndef DEWLINE_CONFIG_CONFIG_H
#define DEWLINE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"

enum { CONFIG_TEXT_SIZE = 256, CONFIG_PATH_SIZE = 4096 };

/* When a second publisher must approve: never, always, or from a label on. */
enum config_approval {
	CONFIG_APPROVAL_NEVER,
	CONFIG_APPROVAL_ALWAYS,
	CONFIG_APPROVAL_RED,
	CONFIG_APPROVAL_AMBER_STRICT,
	CONFIG_APPROVAL_AMBER,
	CONFIG_APPROVAL_GREEN,
	CONFIG_APPROVAL_CLEAR,
};

/* Whose answer it takes: any contact's of a member, or every contact's. */
enum config_answers { CONFIG_ANSWERS_MEMBER, CONFIG_ANSWERS_CONTACT };

enum { CONFIG_PERCENTS_MAX = 8 };
struct config_percents {
	size_t count;
	int64_t percent[CONFIG_PERCENTS_MAX]; /* 1 to 99, each more than the one before */
};

enum config_imap_tls { CONFIG_IMAP_IMPLICIT, CONFIG_IMAP_STARTTLS };
/* What is done where the kernel does not offer all that sandboxes are made of. */
enum config_sandbox { CONFIG_SANDBOX_REQUIRED, CONFIG_SANDBOX_RELAXED };

enum config_tls { CONFIG_TLS_STARTTLS, CONFIG_TLS_TLS, CONFIG_TLS_NONE };

struct config {
	char file[CONFIG_PATH_SIZE]; /* where it was read from */

	char state[CONFIG_PATH_SIZE]; /* directory, mode 0700: the store and the GnuPG homes */
	char drop[CONFIG_PATH_SIZE];  /* Maildir into which all mail for the gateway is delivered */
	enum log_level log_level;

	char user[CONFIG_TEXT_SIZE]; /* to become when started as root; empty: stay root */
	enum config_sandbox sandbox;
	char sandbox_read[CONFIG_TEXT_SIZE];  /* absolute paths, with ":" between them */
	char sandbox_write[CONFIG_TEXT_SIZE]; /* likewise */

	struct {
		char name[CONFIG_TEXT_SIZE];        /* of the programme: "Example early warning" */
		char prefix[CONFIG_TEXT_SIZE];      /* of advisory numbers: "DEW" */
		char address[CONFIG_TEXT_SIZE];     /* the gateway's own mailbox: From, and where replies go */
		char list[CONFIG_TEXT_SIZE];        /* what stands in To of every advisory */
		/* Bounces: "bounce@example.org" becomes bounce+TAG@; never empty, by default address. */
		char return_path[CONFIG_TEXT_SIZE];
		char passphrase_file[CONFIG_PATH_SIZE]; /* for config/secret.h */
	} gateway;

	struct {
		char host[CONFIG_TEXT_SIZE];
		int64_t port;
		enum config_tls tls; /* NONE is refused unless host is a loopback address */
		char ca_file[CONFIG_PATH_SIZE]; /* PEM; empty: the system's trust store */
		char helo[CONFIG_TEXT_SIZE];    /* empty: the machine's name */
		char user[CONFIG_TEXT_SIZE];    /* empty: no AUTH */
		char password_file[CONFIG_PATH_SIZE]; /* for config/secret.h */
		int64_t connections; /* side by side */
		int64_t alarm; /* seconds of refusing the gateway until the admins are told */
	} smarthost;

	struct {
		char server[CONFIG_TEXT_SIZE]; /* empty: no mailbox is emptied into the drop */
		int64_t port;
		enum config_imap_tls tls;
		char ca_file[CONFIG_PATH_SIZE]; /* PEM; empty: the system's trust store */
		char user[CONFIG_TEXT_SIZE];
		char password_file[CONFIG_PATH_SIZE];
		char mailbox[CONFIG_TEXT_SIZE];
		char after[CONFIG_TEXT_SIZE]; /* "delete", or "move:" and a mailbox */
		int64_t idle; /* seconds; IDLE is renewed after these */
		int64_t poll; /* seconds; where there is no IDLE */
		int64_t alarm; /* seconds out of reach until the admins are told */
	} imap;

	struct {
		char socket[CONFIG_PATH_SIZE]; /* where couriers are had; empty: our own processes */
	} courier;

	struct {
		int64_t first; /* seconds before the second attempt; doubles from there */
		int64_t most;  /* the longest pause */
		int64_t give_up; /* seconds after the first attempt until a delivery fails */
	} retry;

	struct {
		enum config_approval approval;
		bool name_gateway;
	} release;

	struct {
		struct config_percents stages; /* of the time to answer; may be none */
		enum config_answers rule;
	} reminders;

	struct {
		bool next_contact; /* a bounced advisory goes to the member's next contact */
	} bounces;

	struct {
		int64_t vaults; /* 0: one a core */
		int64_t batch;  /* recipients in one gpg run */
		int64_t shard;  /* certificates in one keyring */
	} sealing;

	struct {
		int64_t size; /* bytes of one material */
	} materials;

	struct {
		int64_t most; /* recipients of an advisory whose copies are traced */
	} trace;

	struct {
		bool four_eyes; /* what changes whom we trust takes two admins */
		int64_t warn_every; /* seconds between two mails about messages that end a worker */
	} admin;

	struct {
		int64_t strangers;    /* seconds for which the mail of strangers is kept */
		int64_t strangers_mb; /* and how many millions of bytes of it */
	} keep;

	struct {
		int64_t message;    /* bytes of a received mail */
		int64_t plaintext;  /* bytes that an encrypted mail may open to */
		int64_t header;     /* bytes of all headers of one entity */
		int64_t headers;    /* header fields of one entity */
		int64_t header_line; /* bytes of one line of a header */
		int64_t comments;   /* parentheses open at once within a header field */
		int64_t parts;      /* MIME entities */
		int64_t nesting;    /* MIME depth */
		int64_t clock_skew; /* seconds a signer's clock may be off */
		int64_t drop_age;   /* seconds after which a publisher's signature is too old to act on */
	} limits;
};

/* Reads and checks a file. On failure err names the file, the line and what is allowed. Relative
 * paths in it are taken from the directory of the file. (config_read is a name of libconfig.) */
int config_load(const char *path, struct config *out, struct err *err);

/* Prints every setting, type, bounds, default and help, for `dewlined --settings`. */
void config_print_settings(FILE *out);

#endif
