/* The table of settings: each with its type, its place in struct config, what is allowed, its
 * default and its help. Of this room alone; the others read struct config. */
#ifndef DEWLINE_CONFIG_SETTINGS_H
#define DEWLINE_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	SETTING_LABEL_MAX = 12, /* characters of gateway.prefix */
	SETTINGS_MAX = 128, /* rows of the table, at most */
};

enum setting_type {
	SETTING_TEXT,
	SETTING_LABEL,
	SETTING_PATH,
	SETTING_PATHS,
	SETTING_SECRET,
	SETTING_ADDRESS,
	SETTING_HOST,
	SETTING_NUMBER,
	SETTING_DURATION,
	SETTING_CHOICE,
	SETTING_FLAG,
	SETTING_PERCENTS,
};

/* `standard` is the default as it would stand in the file, NULL for a required setting; where it is
 * "", the setting may be empty. least and most bound numbers, durations in seconds, and the length
 * of a path. Choices are in the order of the enum they stand for. */
struct setting {
	const char *name;
	enum setting_type type;
	size_t offset;
	int64_t least;
	int64_t most;
	const char *standard;
	const char *const *choices;
	const char *help;
};

extern const struct setting config_settings[];
extern const size_t config_settings_count;

/* Is "" a value of this setting? */
bool setting_may_be_empty(const struct setting *setting);
/* Appends what is allowed, in words: "a number from 1 to 65535". */
void setting_add_allowed(struct buf *out, const struct setting *setting);

#endif
