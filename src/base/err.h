/* What went wrong, whom it concerns and when to try again.
 *
 * A fallible function returns 0, or -1 after filling its last argument, a `struct err *` that
 * may not be NULL. An answer that is merely unwelcome ("not found", "bad signature") is a result
 * and never an error. */
#ifndef DEWLINE_BASE_ERR_H
#define DEWLINE_BASE_ERR_H

enum { ERR_TEXT_SIZE = 512 };

enum err_whom {
	ERR_MESSAGE, /* this message, file or argument: others are not affected */
	ERR_PEER,    /* this server, worker or connection */
	ERR_DAEMON,  /* ourselves: disk, memory, configuration */
};

enum err_when {
	ERR_NOW,   /* try again at once */
	ERR_LATER, /* try again after a pause */
	ERR_NEVER, /* the same attempt will fail again */
};

struct err {
	enum err_whom whom;
	enum err_when when;
	char text[ERR_TEXT_SIZE]; /* one line of UTF-8, no final full stop */
};

/* Fills err with a printf-formatted line, control characters and ill-formed UTF-8 replaced. Returns -1
 * always, so that a caller can write `return err_set(...)`. */
int err_set(struct err *err, enum err_whom whom, enum err_when when, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same, with `: ` and strerror(errno) behind the text; concerns the daemon, try again later. */
int err_system(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts `prefix: ` in front of the text that err already has. Returns -1 always. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
