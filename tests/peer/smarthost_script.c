#include "config.h"

#include <err.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "peer/smarthost.h"

enum {
	RULES_MAX = 256,
	PATTERN_SIZE = 256,
	SCRIPT_MAX = 1024 * 1024,
	SECONDS_MOST = 100000,
	REPLY_LONGEST = 1024 * 1024
};

struct rule {
	enum step step;
	char pattern[PATTERN_SIZE];
	int64_t left; /* times that it still applies, -1: for ever */
	struct rule_action action;
};

struct script {
	const char *path;
	struct timespec changed;
	ino_t inode;
	size_t count;
	struct rule rules[RULES_MAX];
};

static const char *const step_names[STEPS] = {
    "connect", "ehlo", "starttls", "tls", "auth", "mail", "rcpt", "data", "body", "dot"};

static const char *const action_names[ACTIONS] = {
    "", "pass", "reply", "drop", "drop-after-store", "stall", "slow", "say", "cut", "long"};

static int find_name(const char *const *names, int count, struct view name)
{
	for (int i = 0; i < count; i++) {
		if (name.len > 0 && view_is(name, names[i]))
			return i;
	}
	return -1;
}

/* "\n" in it begins another line. */
static bool read_reply(struct view text, char *out, size_t size)
{
	static const struct view mark = {"\\n", 2};
	size_t at;
	while ((at = view_find(text, mark)) != SIZE_MAX) {
		const int len = snprintf(out, size, "%.*s\r\n", (int)at, text.data);
		if ((size_t)len >= size)
			return false;
		out += len;
		size -= (size_t)len;
		text = view_part(text, at + mark.len, text.len);
	}
	return view_copy(text, out, size);
}

/* Bytes, with \r, \n and \0 for what a line of a script cannot hold. */
static bool read_bytes(struct view text, struct rule_action *action)
{
	static const char marks[] = "rn0";
	static const char bytes[] = "\r\n\0";
	size_t len = 0;
	for (size_t i = 0; i < text.len && len < sizeof action->reply; i++, len++) {
		const char *mark = i + 1 < text.len && text.data[i] == '\\'
				       ? strchr(marks, text.data[i + 1])
				       : NULL;
		action->reply[len] = mark == NULL ? text.data[i] : bytes[mark - marks];
		i += mark != NULL;
	}
	action->reply_len = len;
	return len > 0 && len < sizeof action->reply;
}

static bool read_action(struct view word, struct view rest, struct rule_action *action)
{
	const int found = find_name(action_names, ACTIONS, word);
	*action = (struct rule_action){.action = found < 0 ? ACTION_NONE : (enum action)found};
	if (action->action == ACTION_REPLY)
		return rest.len > 0 && read_reply(rest, action->reply, sizeof action->reply);
	if (action->action == ACTION_SAY || action->action == ACTION_CUT)
		return read_bytes(rest, action);
	if (action->action == ACTION_LONG) {
		struct view count;
		return view_next_field(&rest, ' ', &count) &&
		       text_number(count, 1, REPLY_LONGEST, &action->number) &&
		       read_bytes(rest, action);
	}
	if (action->action == ACTION_STALL || action->action == ACTION_SLOW)
		return text_number(rest, 1, SECONDS_MOST, &action->number);
	return found > 0 && rest.len == 0;
}

/* "rcpt *@b.example 2 reply 451 4.2.0 later" */
static bool read_rule(struct view line, struct rule *rule)
{
	struct view words[4];
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		line = view_trim(line);
		if (!view_next_field(&line, ' ', &words[i]))
			return false;
	}
	const int step = find_name(step_names, STEPS, words[0]);
	if (step < 0 || !view_copy(words[1], rule->pattern, sizeof rule->pattern))
		return false;
	rule->step = (enum step)step;
	rule->left = -1;
	if (!view_is(words[2], "*") && !text_number(words[2], 0, INT32_MAX, &rule->left))
		return false;
	return read_action(words[3], view_trim(line), &rule->action);
}

static void read_script(struct script *script)
{
	struct buf content = BUF_EMPTY(SCRIPT_MAX);
	struct err err;
	if (file_read(script->path, &content, &err) != 0)
		errx(EXIT_FAILURE, "%s", err.text);
	struct view rest = buf_view(&content);
	struct view line;
	script->count = 0;
	for (int number = 1; view_next_line(&rest, &line); number++) {
		line = view_trim(line);
		if (line.len == 0 || line.data[0] == '#')
			continue;
		if (script->count == RULES_MAX || !read_rule(line, &script->rules[script->count]))
			errx(EXIT_FAILURE, "%s line %d: not a rule: %.*s", script->path, number,
			    (int)line.len, line.data);
		script->count++;
	}
	buf_release(&content);
}

static void read_when_changed(struct script *script)
{
	struct stat about;
	if (script->path == NULL || stat(script->path, &about) != 0)
		return;
	if (about.st_ino == script->inode && about.st_mtim.tv_sec == script->changed.tv_sec &&
	    about.st_mtim.tv_nsec == script->changed.tv_nsec)
		return;
	script->inode = about.st_ino;
	script->changed = about.st_mtim;
	read_script(script);
}

struct script *script_new(const char *path)
{
	struct script *script = calloc(1, sizeof *script);
	if (script == NULL)
		abort();
	script->path = path;
	read_when_changed(script);
	return script;
}

void script_free(struct script *script)
{
	free(script);
}

struct rule_action script_ask(struct script *script, enum step step, const char *recipient)
{
	read_when_changed(script);
	for (size_t i = 0; i < script->count; i++) {
		struct rule *rule = &script->rules[i];
		if (rule->step != step || rule->left == 0 ||
		    fnmatch(rule->pattern, recipient, 0) != 0)
			continue;
		if (rule->left > 0)
			rule->left--;
		return rule->action;
	}
	return (struct rule_action){.action = ACTION_NONE};
}
