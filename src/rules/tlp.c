#include "config.h"

#include <stddef.h>

#include "base/text.h"
#include "rules/tlp.h"

static const char *const names[] = {
    [TLP_CLEAR] = "CLEAR",
    [TLP_GREEN] = "GREEN",
    [TLP_AMBER] = "AMBER",
    [TLP_AMBER_STRICT] = "AMBER+STRICT",
    [TLP_RED] = "RED",
};

bool tlp_from(struct view text, enum tlp *out)
{
	text = text_trim(text);
	if (view_starts_nocase(text, "TLP:"))
		text = text_trim(view_part(text, 4, text.len));
	if (view_is_nocase(text, "WHITE")) {
		*out = TLP_CLEAR;
		return true;
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (view_is_nocase(text, names[i])) {
			*out = (enum tlp)i;
			return true;
		}
	}
	return false;
}

const char *tlp_name(enum tlp tlp)
{
	return names[tlp];
}

bool tlp_allows(enum tlp clearance, enum tlp label)
{
	return clearance >= label;
}
