/* What the command line may say, as tables, and the reading of it.
 *
 *     dewctl [-c FILE] NOUN VERB [ARGUMENT...] [--OPTION [VALUE]]...
 *
 * A noun whose only verb has the name "" takes none ("dewctl check"). Options may stand anywhere
 * behind the verb, as "--name VALUE" or "--name=VALUE"; "--" ends them. */
#ifndef DEWLINE_DEWCTL_OPTIONS_H
#define DEWLINE_DEWCTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	CTL_OPTIONS_MAX = 8, /* of one verb */
	CTL_ANY_NUMBER = -1, /* of arguments, as `most` */
};

struct ctl;
struct ctl_call;

/* Judges an option's value: NULL when it is good, else what is allowed ("a number from 1 on"). */
typedef const char *ctl_check_fn(struct view value);

struct ctl_option {
	const char *name; /* without the two hyphens */
	const char *argument; /* how the help calls its value; NULL: a flag */
	const char *help;
	ctl_check_fn *check; /* NULL: any value */
	bool required;
};

/* Does what was asked. -1 with err: refused or failed, exit status 1. */
typedef int ctl_run_fn(struct ctl *ctl, const struct ctl_call *call, struct err *err);

struct ctl_verb {
	const char *name;
	const char *arguments; /* how the help calls them: "MEMBER ADDRESS", "" for none */
	int least; /* how many arguments there must be */
	int most; /* or CTL_ANY_NUMBER */
	bool json; /* takes --json */
	const struct ctl_option *options; /* ended by one without a name; NULL: none */
	const char *help; /* one line, for the lists of verbs */
	const char *more; /* what else its own help tells, lines ended by LF; NULL: nothing */
	ctl_run_fn *run;
};

struct ctl_noun {
	const char *name;
	const char *help;
	const struct ctl_verb *verbs; /* ended by one without a name (NULL) */
};

struct ctl_call {
	const char *config; /* -c; NULL: not given */
	const struct ctl_noun *noun;
	const struct ctl_verb *verb;
	bool json;
	const char *values[CTL_OPTIONS_MAX]; /* as verb->options; "" for a flag; NULL: not given */
	const char **arguments; /* NULL behind the last */
	size_t count;
};

enum ctl_wish {
	CTL_RUN,
	CTL_HELP, /* about noun and verb, as far as they are not NULL */
	CTL_VERSION,
	CTL_USAGE, /* wrong: err says how */
};

/* Reads a command line; `nouns` is ended by one without a name. What call holds points into argv;
 * release it in every case. */
enum ctl_wish ctl_read(const struct ctl_noun *nouns, int argc, const char *const *argv,
    struct ctl_call *call, struct err *err);
void ctl_call_release(struct ctl_call *call);

/* The value of an option of the call's verb: NULL when it was not given, "" for a flag. */
const char *ctl_value(const struct ctl_call *call, const char *option);
/* The number in it, which its check has seen, or `otherwise`. */
int64_t ctl_number(const struct ctl_call *call, const char *option, int64_t otherwise);

/* A number from 1 on: the check of --most, --from and --rank. */
const char *ctl_check_count(struct view value);

/* Prints help on the tool (both NULL), a noun, or a verb. */
void ctl_print_help(const struct ctl_noun *nouns, const struct ctl_noun *noun,
    const struct ctl_verb *verb, FILE *out);
/* One line: "usage: dewctl member add ID --name N [--kind KIND]", or for a noun its verbs. */
void ctl_print_usage(const struct ctl_noun *noun, const struct ctl_verb *verb, FILE *out);

#endif
