/* Traffic Light Protocol 2.0 labels (FIRST): RED, AMBER+STRICT, AMBER, GREEN, CLEAR. */
#ifndef DEWLINE_RULES_TLP_H
#define DEWLINE_RULES_TLP_H

#include <stdbool.h>

#include "base/buf.h"

enum tlp { TLP_CLEAR, TLP_GREEN, TLP_AMBER, TLP_AMBER_STRICT, TLP_RED };

/* Takes the label in any case, with or without a "TLP:" in front; WHITE of TLP 1.0 is CLEAR. False
 * for anything else. */
bool tlp_from(struct view text, enum tlp *out);
/* "AMBER+STRICT". */
const char *tlp_name(enum tlp tlp);
/* True when somebody cleared up to `clearance` may have what is labelled `label`. */
bool tlp_allows(enum tlp clearance, enum tlp label);

#endif
