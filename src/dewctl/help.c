/* Help, made from the same tables that are obeyed. */
#include "config.h"

#include <string.h>

#include "dewctl/options.h"

enum { HELP_COLUMN = 24 };

static void add_options(struct buf *out, const struct ctl_verb *verb, bool only_required)
{
	for (const struct ctl_option *o = verb->options; o != NULL && o->name != NULL; o++) {
		if (only_required && !o->required)
			continue;
		buf_printf(out, o->required ? " --%s" : " [--%s", o->name);
		if (o->argument != NULL)
			buf_printf(out, " %s", o->argument);
		if (!o->required)
			buf_add_char(out, ']');
	}
	if (verb->json && !only_required)
		buf_add_text(out, " [--json]");
}

static void add_words(struct buf *out, const struct ctl_noun *noun, const struct ctl_verb *verb)
{
	buf_add_text(out, noun->name);
	if (verb->name[0] != '\0')
		buf_printf(out, " %s", verb->name);
	if (verb->arguments[0] != '\0')
		buf_printf(out, " %s", verb->arguments);
}

static void print_verbs(const struct ctl_noun *noun, FILE *out)
{
	for (const struct ctl_verb *verb = noun->verbs; verb->name != NULL; verb++) {
		struct buf words = BUF_EMPTY(BUF_SMALL);
		add_words(&words, noun, verb);
		add_options(&words, verb, true);
		if (words.len <= HELP_COLUMN)
			fprintf(out, "  %-*s  %s\n", HELP_COLUMN, buf_text(&words), verb->help);
		else
			fprintf(out, "  %s\n  %-*s  %s\n", buf_text(&words), HELP_COLUMN, "",
			    verb->help);
		buf_release(&words);
	}
}

static void print_option(const char *name, const char *argument, const char *help, FILE *out)
{
	struct buf left = BUF_EMPTY(BUF_SMALL);
	buf_printf(&left, "--%s", name);
	if (argument != NULL)
		buf_printf(&left, " %s", argument);
	fprintf(out, "  %-*s  %s\n", HELP_COLUMN, buf_text(&left), help);
	buf_release(&left);
}

static void print_verb(const struct ctl_noun *noun, const struct ctl_verb *verb, FILE *out)
{
	ctl_print_usage(noun, verb, out);
	fprintf(out, "\n%s.\n", verb->help);
	if (verb->more != NULL)
		fputs(verb->more, out);
	fputc('\n', out);
	for (const struct ctl_option *o = verb->options; o != NULL && o->name != NULL; o++)
		print_option(o->name, o->argument, o->help, out);
	if (verb->json)
		print_option(
		    "json", NULL, "print JSON for programs; its names are in dewctl(8)", out);
	print_option("help", NULL, "print this", out);
}

static void print_tool(const struct ctl_noun *nouns, FILE *out)
{
	fputs("usage: dewctl [-c FILE] NOUN VERB [ARGUMENT...] [OPTION...]\n\n"
	      "Looks after the members, contacts, keys and advisories of a dewline gateway.\n",
	    out);
	for (const struct ctl_noun *noun = nouns; noun->name != NULL; noun++) {
		/* Nouns that stand alone are one paragraph. */
		if (noun == nouns || noun->verbs->name[0] != '\0')
			fputc('\n', out);
		print_verbs(noun, out);
	}
	fputs("\n"
	      "  -c, --config FILE         the configuration (otherwise $DEWLINE_CONFIG, or the "
	      "default)\n"
	      "  --version                 print the version\n"
	      "  --help                    print this; \"dewctl NOUN VERB --help\" tells more\n"
	      "\n"
	      "Exit status: 0 done; 1 refused or failed, and one line says why; 2 wrong usage.\n",
	    out);
}

void ctl_print_usage(const struct ctl_noun *noun, const struct ctl_verb *verb, FILE *out)
{
	struct buf line = BUF_EMPTY(BUF_SMALL);
	if (noun == NULL) {
		buf_add_text(&line, "NOUN VERB ...: see dewctl --help");
	} else if (verb == NULL) {
		buf_printf(&line, "%s ", noun->name);
		for (const struct ctl_verb *v = noun->verbs; v->name != NULL; v++)
			buf_printf(&line, "%s%s", v == noun->verbs ? "" : "|", v->name);
		buf_add_text(&line, " ...");
	} else {
		add_words(&line, noun, verb);
		add_options(&line, verb, false);
	}
	fprintf(out, "usage: dewctl %s\n", buf_text(&line));
	buf_release(&line);
}

void ctl_print_help(const struct ctl_noun *nouns, const struct ctl_noun *noun,
    const struct ctl_verb *verb, FILE *out)
{
	if (noun == NULL) {
		print_tool(nouns, out);
	} else if (verb == NULL) {
		ctl_print_usage(noun, NULL, out);
		fprintf(out, "\n%s.\n\n", noun->help);
		print_verbs(noun, out);
	} else {
		print_verb(noun, verb, out);
	}
}
