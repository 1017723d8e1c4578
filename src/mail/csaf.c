#include "config.h"

#include <string.h>

#include <jansson.h>

#include "mail/csaf.h"
#include "mail/csaf_text.h"
#include "mail/limits.h"

#define CSAF_SIZE_MAX ((size_t)32 * 1024 * 1024)

/* The standard's deepest path is a product behind nested branches (OASIS CSAF 2.0 section C.2 names
 * 30 levels of them as what a reader must take). */
enum { CSAF_NESTING_MAX = 100 };

/* Values, an object's names not among them. An empty object of two bytes takes some hundred in
 * memory. */
enum { CSAF_VALUES_MAX = 500000 };

static const char csaf_type[] = "application/csaf+json";
static const char strict[] = "TLP:AMBER+STRICT";

/* Depth of brackets, and values, counted before the parser recurses into them and takes memory. */
static bool structure_fits(struct view text)
{
	size_t depth = 0;
	size_t values = 0;
	bool quoted = false;
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.data[i];
		if (!quoted && (c == '{' || c == '[' || c == ',') && ++values > CSAF_VALUES_MAX)
			return false;
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '[') && ++depth > CSAF_NESTING_MAX)
			return false;
		else if (!quoted && (c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return true;
}

/* Copies a JSON text as one line, cut at a whole character when it is too long. */
static void copy_line(const char *text, char *out, size_t size)
{
	size_t len = strlen(text);
	if (len >= size) {
		len = size - 1;
		while (len > 0 && ((unsigned char)text[len] & 0xc0U) == 0x80U)
			len--;
	}
	for (size_t i = 0; i < len; i++)
		out[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
	out[len] = '\0';
}

/* CSAF 2.0 has the labels of TLP 1. OASIS recommends RED with a word in the text where AMBER+STRICT
 * is meant. */
static bool means_strict(const char *label, const json_t *distribution)
{
	const char *text = csaf_string(distribution, "text");
	const char *at = strstr(text, "TLP:");
	return strcmp(label, "RED") == 0 && at != NULL &&
	       strncmp(at, strict, strlen(strict)) == 0 && strstr(at + 1, "TLP:") == NULL;
}

static bool read_tlp(const json_t *document, struct csaf_facts *facts, char *reason)
{
	static const char *const labels[] = {"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"};
	const json_t *distribution = csaf_member(document, "distribution");
	const char *label = csaf_string(csaf_member(distribution, "tlp"), "label");
	if (strcmp(label, "WHITE") == 0) /* TLP 1's name for what TLP 2 calls CLEAR */
		label = "CLEAR";
	if (means_strict(label, distribution))
		label = "AMBER+STRICT";
	if (label[0] == '\0')
		return true;
	for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
		if (strcmp(label, labels[i]) == 0) {
			view_copy(view_of(label), facts->tlp, sizeof facts->tlp);
			return true;
		}
	}
	return limits_refuse(reason, "the CSAF document's TLP label is none that we know");
}

static bool read_facts(const json_t *document, struct csaf_facts *facts, char *reason)
{
	const json_t *tracking = csaf_member(document, "tracking");
	const char *id = csaf_string(tracking, "id");
	const char *version = csaf_string(tracking, "version");
	const char *title = csaf_string(document, "title");
	if (id[0] == '\0' || version[0] == '\0' || title[0] == '\0')
		return limits_refuse(
		    reason, "the CSAF document lacks its title, tracking id or version");
	if (strlen(id) >= sizeof facts->id || strlen(version) >= sizeof facts->version)
		return limits_refuse(reason, "the CSAF document's id or version is too long");
	copy_line(id, facts->id, sizeof facts->id);
	copy_line(version, facts->version, sizeof facts->version);
	copy_line(title, facts->title, sizeof facts->title);
	return read_tlp(document, facts, reason);
}

static void read_severity(const json_t *root, struct csaf_facts *facts)
{
	const char *said =
	    csaf_string(csaf_member(csaf_member(root, "document"), "aggregate_severity"), "text");
	if (said[0] == '\0')
		said = csaf_highest_severity(root);
	copy_line(said, facts->severity, sizeof facts->severity);
}

static enum csaf_verdict read_root(const json_t *root, struct csaf_facts *facts, struct buf *text,
    char reason[static MAIL_REASON_SIZE])
{
	const json_t *document = csaf_member(root, "document");
	const char *version = csaf_string(document, "csaf_version");
	if (csaf_member(document, "csaf_version") == NULL)
		return CSAF_NONE;
	if (strcmp(version, "2.0") != 0) {
		limits_refuse(reason, "a CSAF document of another version than 2.0");
		return CSAF_BAD;
	}
	if (!read_facts(document, facts, reason))
		return CSAF_BAD;
	read_severity(root, facts);
	csaf_render(root, facts, text);
	return CSAF_GOOD;
}

static bool has_json_name(const struct mail_part *part)
{
	const struct view name = view_of(part->name);
	return strcmp(part->type, "application/json") == 0 ||
	       (name.len >= strlen(".json") &&
		   view_is_nocase(view_part(name, name.len - strlen(".json"), name.len), ".json"));
}

/* An object: "{" comes first, behind what an encoding with two or four bytes a character puts
 * before and between. */
static bool is_object(struct view content, bool wide)
{
	for (size_t i = 0; i < content.len; i++) {
		const unsigned char c = (unsigned char)content.data[i];
		if (c != ' ' && c != '\t' && c != '\r' && c != '\n' &&
		    !(wide && (c == '\0' || c == 0xfe || c == 0xff)))
			return c == '{';
	}
	return false;
}

/* In UTF-16 or UTF-32, of either byte order: this lies in all of them. */
static bool says_so_widely(struct view content)
{
	static const char utf16[] = "c\0s\0a\0f\0_\0v\0e\0r\0s\0i\0o\0n";
	static const char utf32[] =
	    "c\0\0\0s\0\0\0a\0\0\0f\0\0\0_\0\0\0v\0\0\0e\0\0\0r\0\0\0s\0\0\0i\0\0\0"
	    "o\0\0\0n";
	return is_object(content, true) && (view_find(content, VIEW(utf16)) != SIZE_MAX ||
					       view_find(content, VIEW(utf32)) != SIZE_MAX);
}

static enum csaf_verdict read_json(const struct mail_part *part, struct view json,
    struct csaf_facts *facts, struct buf *text, char reason[static MAIL_REASON_SIZE])
{
	json_error_t error;
	json_t *root = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		limits_refuse(reason, "the CSAF document is no well-formed JSON: line %d: %s",
		    error.line, error.text);
		for (char *at = reason; *at != '\0'; at++)
			if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
				*at = '?'; /* the text may quote the document */
		return CSAF_BAD;
	}
	enum csaf_verdict verdict = read_root(root, facts, text, reason);
	json_decref(root);
	if (verdict == CSAF_NONE && strcmp(part->type, csaf_type) == 0) {
		limits_refuse(reason, "an application/csaf+json that is no CSAF document");
		verdict = CSAF_BAD;
	}
	return verdict;
}

enum csaf_verdict csaf_read(const struct mail_part *part, struct csaf_facts *facts,
    struct buf *text, char reason[static MAIL_REASON_SIZE])
{
	const struct view content = part->content;
	const bool typed = strcmp(part->type, csaf_type) == 0;
	struct view json = content;
	if (view_starts_nocase(json, "\xef\xbb\xbf"))
		json = view_part(json, 3, json.len);
	if (says_so_widely(content)) {
		limits_refuse(reason,
		    "\"%s\" is in UTF-16 or UTF-32, and CSAF is in UTF-8: save it so", part->name);
		return CSAF_BAD;
	}
	if (!typed && ((!is_object(json, false) && !has_json_name(part)) ||
			  view_find(json, VIEW("\"csaf_version\"")) == SIZE_MAX))
		return CSAF_NONE;
	if (content.len > CSAF_SIZE_MAX || !structure_fits(content)) {
		limits_refuse(reason,
		    "the CSAF document is too large, has too many values or is nested too deep");
		return CSAF_BAD;
	}
	return read_json(part, json, facts, text, reason);
}
