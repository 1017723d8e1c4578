#include "config.h"

#include "rules/keylife.h"
#include "rules/signature.h"

enum { DAY_S = 86400 };

int keylife_stage(int64_t expires, int64_t now)
{
	static const int stages[] = {KEYLIFE_EXPIRED, KEYLIFE_DAY, KEYLIFE_WEEK, KEYLIFE_MONTH};
	for (size_t i = 0; expires != 0 && i < sizeof stages / sizeof stages[0]; i++) {
		if (expires - now <= (int64_t)stages[i] * DAY_S)
			return stages[i];
	}
	return KEYLIFE_UNTOLD;
}

bool keylife_is_due(int64_t expires, int64_t now, int64_t told)
{
	return keylife_stage(expires, now) < told;
}

enum uncounted keylife_fault(const struct opened *opened, const struct certificate *certificate,
    int64_t now, int64_t clock_skew, bool *expired)
{
	struct opened judged = *opened;
	*expired =
	    opened->signature_count == 1 && opened->signatures[0].status == SIGNATURE_KEY_EXPIRED;
	if (*expired)
		judged.signatures[0].status = SIGNATURE_GOOD;
	return signature_fault(&judged, certificate, now, clock_skew);
}

bool keylife_read(struct view signed_text, struct view *text, struct refusal *refusal)
{
	static const char *const names[] = {"Key", NULL};
	struct block block;
	*text = VIEW("");
	if (!block_read(signed_text, names, &block, refusal))
		return false;
	const struct block_field *field = block_find(&block, "Key");
	if (field == NULL)
		return refuse(refusal, 1, "the first line must be \"Key: update\"");
	if (!view_is_nocase(field->value, "update"))
		return refuse(refusal, field->line, "Key is \"update\", and not \"%.*s\"",
		    refusal_shown(field->value), field->value.data);
	*text = block.text;
	return true;
}

bool keylife_is_binary(struct view content)
{
	/* A public key packet, of the old format with a length of one or two octets, or of the new.
	 */
	static const unsigned char heads[] = {0x98, 0x99, 0xc6};
	for (size_t i = 0; i < sizeof heads; i++) {
		if (content.len > 0 && (unsigned char)content.data[0] == heads[i])
			return true;
	}
	return false;
}
