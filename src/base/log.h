/* What the operator reads: one line on standard error for each event.
 *
 * Never an advisory's text, title or token, never a comment, never a passphrase: the journal is in
 * the clear. Under systemd each line carries its "<priority>" (sd-daemon(3)). */
#ifndef DEWLINE_BASE_LOG_H
#define DEWLINE_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* `name` stands in front of every line of this process ("gate"); it must outlive the program. */
void log_open(const char *name, enum log_level level);
/* The same with the level as it is: for a new process. */
void log_rename(const char *name);
/* Calls `fn` with each error besides, before it is written; NULL: not any more. It logs no error itself. */
typedef void log_error_fn(void *context, const char *text);
void log_on_error(log_error_fn *fn, void *context);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
