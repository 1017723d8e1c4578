/* The whole program without its main, so that tests can link it. */
#ifndef DEWLINE_DEWCTL_DEWCTL_H
#define DEWLINE_DEWCTL_DEWCTL_H

#include "dewctl/options.h"

/* Every noun, in the order of the help; ended by one without a name. */
extern const struct ctl_noun ctl_nouns[];

/* Runs one command; default_config is read where neither -c nor DEWLINE_CONFIG names another file.
 * Returns the exit status: 0 done, 1 refused or failed, 2 wrong usage. */
int dewctl_main(int argc, const char *const *argv, const char *default_config);

#endif
