#include "config.h"

#include <string.h>
#include <time.h>

#include "courier/greeting.h"

enum { DATE_MAX = sizeof "30 Nov 2026 20:08:07 +0000", MINUTE_S = 60 };

/* A date that begins here. Names of months are English in the C locale, which is never left. */
static bool read_date(const char *text, int64_t *when)
{
	struct tm at = {.tm_year = 0};
	const char *rest = strptime(text, "%d %b %Y %H:%M:%S", &at);
	struct tm zone = {.tm_year = 0};
	if (rest == NULL || (strptime(rest, " %z", &zone) == NULL &&
				strncmp(rest, " GMT", sizeof " GMT" - 1) != 0 &&
				strncmp(rest, " UTC", sizeof " UTC" - 1) != 0))
		return false;
	*when = (int64_t)timegm(&at) - zone.tm_gmtoff;
	return true;
}

static bool is_digit(char character)
{
	return character >= '0' && character <= '9';
}

bool greeting_time(struct view words, int64_t *when)
{
	char text[DATE_MAX + 1];
	for (size_t i = 0; i < words.len; i++) {
		const struct view part = view_part(words, i, DATE_MAX);
		if (!is_digit(words.data[i]) || (i > 0 && words.data[i - 1] != ' '))
			continue;
		memcpy(text, part.data, part.len);
		text[part.len] = '\0';
		if (read_date(text, when))
			return true;
	}
	return false;
}
