#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dewctl/options.h"

/* What stays to be read. */
struct words {
	const char *const *at;
	const char *const *end;
};

static int wrong(struct err *err, const char *what, const char *word)
{
	struct buf shown = BUF_EMPTY(BUF_SMALL);
	text_add_shown(&shown, view_of(word));
	err_set(err, ERR_MESSAGE, ERR_NEVER, "%s %s", what, buf_text(&shown));
	buf_release(&shown);
	return -1;
}

static const struct ctl_noun *find_noun(const struct ctl_noun *nouns, const char *name)
{
	for (; nouns->name != NULL; nouns++)
		if (strcmp(nouns->name, name) == 0)
			return nouns;
	return NULL;
}

static const struct ctl_verb *find_verb(const struct ctl_noun *noun, const char *name)
{
	for (const struct ctl_verb *verb = noun->verbs; verb->name != NULL; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Options of the tool, in front of the noun. Returns CTL_RUN to go on. */
static enum ctl_wish read_tool_options(struct words *words, struct ctl_call *call, struct err *err)
{
	for (; words->at < words->end && words->at[0][0] == '-'; words->at++) {
		const char *word = words->at[0];
		if (is_help(word))
			return CTL_HELP;
		if (strcmp(word, "--version") == 0)
			return CTL_VERSION;
		if (strncmp(word, "--config=", strlen("--config=")) == 0) {
			call->config = word + strlen("--config=");
			continue;
		}
		if (strcmp(word, "-c") != 0 && strcmp(word, "--config") != 0) {
			wrong(err, "in front of the noun there is no option", word);
			return CTL_USAGE;
		}
		if (++words->at == words->end) {
			wrong(err, "a file name is missing behind", word);
			return CTL_USAGE;
		}
		call->config = words->at[0];
	}
	return CTL_RUN;
}

static bool is_config(const char *word)
{
	return strncmp(word, "-c", 2) == 0 || strcmp(word, "--config") == 0 ||
	       strncmp(word, "--config=", strlen("--config=")) == 0;
}

static int no_such_option(const struct ctl_call *call, const char *word, struct err *err)
{
	if (!is_config(word))
		return wrong(err, "there is no option", word);
	const bool alone = call->verb->name[0] == '\0';
	return err_set(err, ERR_MESSAGE, ERR_NEVER,
	    "%s stands before the noun: dewctl -c FILE %s%s%s", word[1] == '-' ? "--config" : "-c",
	    call->noun->name, alone ? "" : " ", call->verb->name);
}

/* Position in verb->options of the option that the word names, up to an "=", or -1. */
static int find_option(const struct ctl_verb *verb, struct view name)
{
	for (int i = 0; verb->options != NULL && verb->options[i].name != NULL; i++)
		if (view_is(name, verb->options[i].name))
			return i;
	return -1;
}

static int keep_value(
    struct ctl_call *call, int i, const char *word, const char *value, struct err *err)
{
	const struct ctl_option *option = &call->verb->options[i];
	if (call->values[i] != NULL)
		return wrong(err, "given twice:", word);
	const char *allowed = option->check == NULL ? NULL : option->check(view_of(value));
	if (allowed != NULL) {
		struct buf shown = BUF_EMPTY(BUF_SMALL);
		text_add_shown(&shown, view_of(value));
		err_set(err, ERR_MESSAGE, ERR_NEVER, "--%s takes %s, not \"%s\"", option->name,
		    allowed, buf_text(&shown));
		buf_release(&shown);
		return -1;
	}
	call->values[i] = value;
	return 0;
}

static int read_option(struct words *words, struct ctl_call *call, struct err *err)
{
	const char *word = *words->at++;
	const char *equals = strchr(word, '=');
	const struct view name = equals == NULL
				     ? view_of(word + 2)
				     : (struct view){word + 2, (size_t)(equals - word) - 2};
	if (call->verb->json && equals == NULL && view_is(name, "json")) {
		call->json = true;
		return 0;
	}
	const int i = find_option(call->verb, name);
	if (i < 0)
		return no_such_option(call, word, err);
	if (call->verb->options[i].argument == NULL) {
		if (equals != NULL)
			return wrong(err, "this option takes no value:", word);
		return keep_value(call, i, word, "", err);
	}
	if (equals != NULL)
		return keep_value(call, i, word, equals + 1, err);
	if (words->at == words->end)
		return wrong(err, "a value is missing behind", word);
	return keep_value(call, i, word, *words->at++, err);
}

static int check_complete(const struct ctl_call *call, struct err *err)
{
	const struct ctl_verb *verb = call->verb;
	if (call->count < (size_t)verb->least)
		return err_set(
		    err, ERR_MESSAGE, ERR_NEVER, "too few arguments: %s", verb->arguments);
	if (verb->most != CTL_ANY_NUMBER && call->count > (size_t)verb->most)
		return wrong(err, "one argument too many:", call->arguments[verb->most]);
	for (int i = 0; verb->options != NULL && verb->options[i].name != NULL; i++)
		if (verb->options[i].required && call->values[i] == NULL)
			return err_set(err, ERR_MESSAGE, ERR_NEVER, "missing: --%s %s",
			    verb->options[i].name, verb->options[i].argument);
	return 0;
}

/* What stands behind the verb. */
static enum ctl_wish read_rest(struct words *words, struct ctl_call *call, struct err *err)
{
	bool options_ended = false;
	while (words->at < words->end) {
		const char *word = *words->at;
		if (options_ended || word[0] != '-' || word[1] == '\0') {
			call->arguments[call->count++] = word;
			words->at++;
		} else if (strcmp(word, "--") == 0) {
			options_ended = true;
			words->at++;
		} else if (is_help(word)) {
			return CTL_HELP;
		} else if (word[1] != '-') {
			no_such_option(call, word, err);
			return CTL_USAGE;
		} else if (read_option(words, call, err) < 0) {
			return CTL_USAGE;
		}
	}
	return check_complete(call, err) < 0 ? CTL_USAGE : CTL_RUN;
}

static enum ctl_wish read_verb(struct words *words, struct ctl_call *call, struct err *err)
{
	call->verb = find_verb(call->noun, "");
	if (call->verb != NULL)
		return CTL_RUN;
	if (words->at == words->end) {
		wrong(err, "say what to do with a", call->noun->name);
		return CTL_USAGE;
	}
	const char *word = *words->at;
	if (is_help(word))
		return CTL_HELP;
	call->verb = find_verb(call->noun, word);
	if (call->verb == NULL) {
		wrong(err, "this cannot be done:", word);
		err_prefix(err, "%s", call->noun->name);
		return CTL_USAGE;
	}
	words->at++;
	return CTL_RUN;
}

enum ctl_wish ctl_read(const struct ctl_noun *nouns, int argc, const char *const *argv,
    struct ctl_call *call, struct err *err)
{
	struct words words = {argv + (argc > 0), argv + argc};
	*call = (struct ctl_call){0};
	call->arguments = calloc((size_t)argc + 1, sizeof *call->arguments);
	if (call->arguments == NULL)
		abort();
	enum ctl_wish wish = read_tool_options(&words, call, err);
	if (wish != CTL_RUN)
		return wish;
	if (words.at == words.end) {
		err_set(err, ERR_MESSAGE, ERR_NEVER, "say what to do");
		return CTL_USAGE;
	}
	call->noun = find_noun(nouns, *words.at);
	if (call->noun == NULL && strcmp(*words.at, "help") == 0)
		return CTL_HELP;
	if (call->noun == NULL) {
		wrong(err, "there is no such command", *words.at);
		return CTL_USAGE;
	}
	words.at++;
	wish = read_verb(&words, call, err);
	return wish == CTL_RUN ? read_rest(&words, call, err) : wish;
}

void ctl_call_release(struct ctl_call *call)
{
	free(call->arguments);
	*call = (struct ctl_call){0};
}

const char *ctl_value(const struct ctl_call *call, const char *option)
{
	const int i = find_option(call->verb, view_of(option));
	if (i < 0)
		abort(); /* the verb's table does not have what its function asks for: our bug */
	return call->values[i];
}

int64_t ctl_number(const struct ctl_call *call, const char *option, int64_t otherwise)
{
	const char *value = ctl_value(call, option);
	int64_t number;
	if (value == NULL || !text_number(view_of(value), INT64_MIN, INT64_MAX, &number))
		return otherwise;
	return number;
}

const char *ctl_check_count(struct view value)
{
	int64_t number;
	return text_number(value, 1, INT64_MAX, &number) ? NULL : "a number from 1 on";
}
