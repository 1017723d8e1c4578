#include "config.h"

#include <stdio.h>
#include <string.h>

#include "mail/csaf_text.h"
#include "mail/paragraph.h"

enum {
	TEXT_MAX = 64 * 1024, /* bytes after which only names are listed */
	STRING_MAX = 4 * 1024, /* bytes shown of one text of the document */
	REMEDIED_MAX = 4, /* names listed for one remediation */
	PRODUCTS_MAX = 12, /* names listed for one vulnerability */
	ITEMS_MAX = 40, /* notes, remediations or references listed in one place */
	BRANCHES_MAX = 40, /* depth of the product tree that is followed */
	DATE_LENGTH = 10, /* "2024-01-04" */
};

struct rendering {
	struct buf *out;
	json_t *names; /* product id -> name */
	const json_t *last_affected;
	const json_t *last_remediations;
};

const json_t *csaf_member(const json_t *object, const char *name)
{
	return object == NULL ? NULL : json_object_get(object, name);
}

const char *csaf_string(const json_t *object, const char *name)
{
	const char *text = json_string_value(csaf_member(object, name));
	return text == NULL ? "" : text;
}

static struct view shown(const char *text)
{
	struct view view = view_of(text);
	if (view.len > STRING_MAX) {
		view.len = STRING_MAX;
		while (view.len > 0 && ((unsigned char)view.data[view.len] & 0xc0U) == 0x80U)
			view.len--;
	}
	return view;
}

/* The CVSS base score of one entry of `scores`; version 3 before 2. Returns the severity's name. */
static const char *base_score(
    const json_t *score, double *value, const char **version, const char **vector)
{
	const json_t *cvss = csaf_member(score, "cvss_v3");
	if (cvss == NULL)
		cvss = csaf_member(score, "cvss_v2");
	const json_t *base = csaf_member(cvss, "baseScore");
	*value = json_is_number(base) ? json_number_value(base) : 0.0;
	*version = csaf_string(cvss, "version");
	*vector = csaf_string(cvss, "vectorString");
	if (!json_is_number(base))
		return "";
	const char *said = csaf_string(cvss, "baseSeverity");
	if (said[0] != '\0')
		return said;
	/* CVSS 2 has no name for it; these are the bounds of NVD. */
	return *value >= 7.0 ? "HIGH" : *value >= 4.0 ? "MEDIUM" : "LOW";
}

const char *csaf_highest_severity(const json_t *root)
{
	const char *highest = "";
	double most = -1.0;
	size_t i;
	size_t k;
	json_t *vulnerability;
	json_t *score;
	json_array_foreach(csaf_member(root, "vulnerabilities"), i, vulnerability)
	{
		json_array_foreach(csaf_member(vulnerability, "scores"), k, score)
		{
			double value;
			const char *version;
			const char *vector;
			const char *severity = base_score(score, &value, &version, &vector);
			if (severity[0] != '\0' && value > most) {
				most = value;
				highest = severity;
			}
		}
	}
	return highest;
}

static void collect_name(struct rendering *rendering, const json_t *product)
{
	const char *id = csaf_string(product, "product_id");
	json_t *name = json_object_get(product, "name");
	if (id[0] != '\0' && json_is_string(name))
		json_object_set(rendering->names, id, name);
}

static void collect_branches(struct rendering *rendering, const json_t *branches, unsigned depth)
{
	size_t i;
	json_t *branch;
	if (depth > BRANCHES_MAX)
		return;
	json_array_foreach(branches, i, branch)
	{
		collect_name(rendering, csaf_member(branch, "product"));
		collect_branches(rendering, csaf_member(branch, "branches"), depth + 1);
	}
}

static void collect_names(struct rendering *rendering, const json_t *products)
{
	size_t i;
	json_t *entry;
	collect_branches(rendering, csaf_member(products, "branches"), 0);
	json_array_foreach(csaf_member(products, "full_product_names"), i, entry)
	    collect_name(rendering, entry);
	json_array_foreach(csaf_member(products, "relationships"), i, entry)
	    collect_name(rendering, csaf_member(entry, "full_product_name"));
	json_array_foreach(csaf_member(products, "product_groups"), i, entry)
	{
		const char *id = csaf_string(entry, "group_id");
		json_t *summary = json_object_get(entry, "summary");
		if (id[0] != '\0' && json_is_string(summary))
			json_object_set(rendering->names, id, summary);
	}
}

static void add_heading(struct buf *out, const char *text, char underline)
{
	const size_t from = out->len;
	buf_add_char(out, '\n');
	paragraph_add(out, "", shown(text));
	size_t width = 0;
	for (size_t i = from + 1; i < out->len && out->data[i] != '\n'; i++)
		width += ((unsigned char)out->data[i] & 0xc0U) != 0x80U;
	for (size_t i = 0; i < width && i < PARAGRAPH_WIDTH; i++)
		buf_add_char(out, underline);
	buf_add_char(out, '\n');
}

/* "Lead: text", nothing when there is no text. */
static void add_item(struct buf *out, const char *lead, const char *text)
{
	if (text[0] != '\0')
		paragraph_add(out, lead, shown(text));
}

static void add_more(struct buf *out, const char *lead, size_t count)
{
	char text[64];
	snprintf(text, sizeof text, "and %zu more, see the attached CSAF document", count);
	paragraph_add(out, lead, view_of(text));
}

static void add_date(struct buf *out, const char *lead, const char *date)
{
	if (date[0] != '\0')
		paragraph_add(out, lead, view_part(view_of(date), 0, DATE_LENGTH));
}

static void add_top(
    struct rendering *rendering, const json_t *document, const struct csaf_facts *facts)
{
	struct buf *out = rendering->out;
	const json_t *tracking = csaf_member(document, "tracking");
	const json_t *publisher = csaf_member(document, "publisher");
	paragraph_add(out, "", view_of(facts->title));
	for (size_t i = 0; i < PARAGRAPH_WIDTH; i++)
		buf_add_char(out, '=');
	buf_add_char(out, '\n');
	add_item(out, "Document:   ", facts->id);
	add_item(out, "Version:    ", facts->version);
	add_item(out, "Status:     ", csaf_string(tracking, "status"));
	add_date(out, "First:      ", csaf_string(tracking, "initial_release_date"));
	add_date(out, "Current:    ", csaf_string(tracking, "current_release_date"));
	add_item(out, "Publisher:  ", csaf_string(publisher, "name"));
	add_item(out, "            ", csaf_string(publisher, "namespace"));
	if (facts->tlp[0] != '\0') {
		char tlp[sizeof facts->tlp + sizeof "TLP:"];
		snprintf(tlp, sizeof tlp, "TLP:%s", facts->tlp);
		add_item(out, "Sharing:    ", tlp);
	}
	add_item(out, "            ", csaf_string(csaf_member(document, "distribution"), "text"));
	add_item(out, "Severity:   ", facts->severity);
}

static bool is_summary(const char *category)
{
	return strcmp(category, "summary") == 0 || strcmp(category, "description") == 0;
}

/* Notes of the given kind, with `lead`; returns how many. */
static size_t add_notes(
    struct buf *out, const json_t *notes, const char *lead, bool (*wanted)(const char *))
{
	size_t i;
	size_t count = 0;
	json_t *note;
	json_array_foreach(notes, i, note)
	{
		if (!wanted(csaf_string(note, "category")) || count == ITEMS_MAX)
			continue;
		add_item(out, lead, csaf_string(note, "text"));
		count++;
	}
	return count;
}

static void add_summary(struct rendering *rendering, const json_t *document)
{
	struct buf summary = BUF_EMPTY(TEXT_MAX * 4);
	add_notes(&summary, csaf_member(document, "notes"), "", is_summary);
	if (summary.len > 0) {
		add_heading(rendering->out, "Summary", '-');
		buf_add_view(rendering->out, buf_view(&summary));
	}
	buf_release(&summary);
}

/* Names of products, each behind `lead`, at most `most`. */
static void add_products(
    struct rendering *rendering, const char *lead, const json_t *ids, size_t most)
{
	size_t i;
	json_t *id;
	json_array_foreach(ids, i, id)
	{
		const char *key = json_string_value(id);
		const char *name = NULL;
		if (i == most) {
			add_more(rendering->out, lead, json_array_size(ids) - i);
			return;
		}
		if (key != NULL)
			name = json_string_value(json_object_get(rendering->names, key));
		if (key != NULL)
			add_item(rendering->out, lead, name == NULL ? key : name);
	}
}

static void add_status(struct rendering *rendering, const json_t *vulnerability)
{
	static const struct {
		const char *member;
		const char *text;
	} states[] = {{"known_affected", "  Affected:"}, {"first_affected", "  First affected:"},
	    {"last_affected", "  Last affected:"}, {"recommended", "  Recommended:"},
	    {"fixed", "  Fixed:"}, {"first_fixed", "  First fixed:"},
	    {"known_not_affected", "  Not affected:"},
	    {"under_investigation", "  Under investigation:"}};
	const json_t *status = csaf_member(vulnerability, "product_status");
	if (status == NULL)
		return;
	if (rendering->last_affected != NULL && json_equal(status, rendering->last_affected)) {
		buf_add_text(rendering->out, "  Products: as for the one before\n");
		return;
	}
	rendering->last_affected = status;
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		const json_t *ids = csaf_member(status, states[i].member);
		if (json_array_size(ids) == 0)
			continue;
		buf_printf(rendering->out, "%s\n", states[i].text);
		add_products(rendering, "    - ", ids, PRODUCTS_MAX);
	}
}

static void add_scores(struct buf *out, const json_t *vulnerability)
{
	size_t i;
	json_t *score;
	struct buf line = BUF_EMPTY(BUF_SMALL);
	json_array_foreach(csaf_member(vulnerability, "scores"), i, score)
	{
		double value;
		const char *version;
		const char *vector;
		const char *severity = base_score(score, &value, &version, &vector);
		if (severity[0] == '\0' || i == ITEMS_MAX)
			continue;
		buf_clear(&line);
		buf_printf(
		    &line, "CVSS %.8s: %.1f %.16s, %.256s", version, value, severity, vector);
		paragraph_add(out, "  ", buf_view(&line));
	}
	buf_release(&line);
}

/* `products` are those it is for; they are named unless it is for all that are affected. */
static void add_remediation(
    struct rendering *rendering, const json_t *remediation, const json_t *products, size_t affected)
{
	struct buf *out = rendering->out;
	struct buf line = BUF_EMPTY(BUF_SMALL);
	char category[64];
	snprintf(category, sizeof category, "%s", csaf_string(remediation, "category"));
	for (char *at = category; *at != '\0'; at++)
		if (*at == '_')
			*at = ' ';
	if (category[0] != '\0')
		buf_printf(&line, "%s: ", category);
	buf_add_view(&line, shown(csaf_string(remediation, "details")));
	paragraph_add(out, "    - ", buf_view(&line));
	const char *url = csaf_string(remediation, "url");
	if (url[0] != '\0' && view_find(buf_view(&line), view_of(url)) == SIZE_MAX)
		add_item(out, "      ", url);
	if (json_array_size(products) < affected)
		add_products(rendering, "      for: ", products, REMEDIED_MAX);
	buf_release(&line);
}

static bool is_same_advice(const json_t *a, const json_t *b)
{
	return strcmp(csaf_string(a, "details"), csaf_string(b, "details")) == 0 &&
	       strcmp(csaf_string(a, "category"), csaf_string(b, "category")) == 0 &&
	       strcmp(csaf_string(a, "url"), csaf_string(b, "url")) == 0;
}

/* The one at `from` with those behind it that give the same advice for other products. Returns the
 * position behind them. */
static size_t add_same_remediations(
    struct rendering *rendering, const json_t *list, size_t from, size_t affected)
{
	const json_t *first = json_array_get(list, from);
	json_t *products = json_array();
	size_t at = from;
	for (; at < json_array_size(list); at++) {
		const json_t *next = json_array_get(list, at);
		json_t *ids = json_object_get(next, "product_ids");
		if (!is_same_advice(first, next))
			break;
		if (json_is_array(ids))
			json_array_extend(products, ids);
	}
	add_remediation(rendering, first, products, affected);
	json_decref(products);
	return at;
}

static void add_remediations(struct rendering *rendering, const json_t *vulnerability)
{
	const json_t *list = csaf_member(vulnerability, "remediations");
	const json_t *status = csaf_member(vulnerability, "product_status");
	const size_t affected = json_array_size(csaf_member(status, "known_affected"));
	const size_t count = json_array_size(list);
	if (count == 0)
		return;
	if (rendering->last_remediations != NULL &&
	    json_equal(list, rendering->last_remediations)) {
		buf_add_text(rendering->out, "  What to do: as for the one before\n");
		return;
	}
	rendering->last_remediations = list;
	buf_add_text(rendering->out, "  What to do:\n");
	size_t shown_ones = 0;
	for (size_t i = 0; i < count; shown_ones++) {
		if (shown_ones == ITEMS_MAX) {
			add_more(rendering->out, "    - ", count - i);
			return;
		}
		i = add_same_remediations(rendering, list, i, affected);
	}
}

static void add_references(struct buf *out, const json_t *references, const char *lead)
{
	const size_t count = json_array_size(references);
	for (size_t i = 0; i < count; i++) {
		const json_t *reference = json_array_get(references, i);
		const char *url = csaf_string(reference, "url");
		const char *summary = csaf_string(reference, "summary");
		if (i == ITEMS_MAX) {
			add_more(out, lead, count - i);
			return;
		}
		add_item(out, lead, summary[0] == '\0' ? url : summary);
		if (summary[0] != '\0' && strcmp(summary, url) != 0)
			add_item(out, "      ", url);
	}
}

/* What a vulnerability is called: its CVE, or the first other number, or its title. */
static const char *vulnerability_name(const json_t *vulnerability)
{
	const char *name = csaf_string(vulnerability, "cve");
	if (name[0] == '\0')
		name = csaf_string(json_array_get(csaf_member(vulnerability, "ids"), 0), "text");
	if (name[0] == '\0')
		name = csaf_string(vulnerability, "title");
	return name[0] == '\0' ? "A vulnerability without a name" : name;
}

static void add_vulnerability(struct rendering *rendering, const json_t *vulnerability)
{
	struct buf *out = rendering->out;
	struct buf line = BUF_EMPTY(BUF_SMALL);
	const json_t *cwe = csaf_member(vulnerability, "cwe");
	const char *name = vulnerability_name(vulnerability);
	const char *title = csaf_string(vulnerability, "title");
	buf_add_view(&line, shown(name));
	if (title[0] != '\0' && strcmp(title, name) != 0)
		buf_printf(&line, "  %.512s", title);
	buf_add_char(out, '\n');
	paragraph_add(out, "", buf_view(&line));
	if (cwe != NULL) {
		buf_clear(&line);
		buf_printf(&line, "%.32s %.512s", csaf_string(cwe, "id"), csaf_string(cwe, "name"));
		paragraph_add(out, "  ", buf_view(&line));
	}
	add_scores(out, vulnerability);
	add_notes(out, csaf_member(vulnerability, "notes"), "  ", is_summary);
	add_status(rendering, vulnerability);
	add_remediations(rendering, vulnerability);
	buf_release(&line);
}

/* Once the text is long enough, the rest is only named. */
static void add_vulnerabilities(struct rendering *rendering, const json_t *list)
{
	struct buf *out = rendering->out;
	struct buf names = BUF_EMPTY(TEXT_MAX);
	const size_t count = json_array_size(list);
	size_t i = 0;
	if (count == 0)
		return;
	add_heading(out, "Vulnerabilities", '-');
	for (; i < count && out->len < TEXT_MAX; i++)
		add_vulnerability(rendering, json_array_get(list, i));
	if (i == count)
		return;
	buf_printf(out, "\n%zu more, of which the attached CSAF document tells:\n", count - i);
	for (; i < count; i++) {
		buf_add_view(&names, shown(vulnerability_name(json_array_get(list, i))));
		buf_add_text(&names, i + 1 < count ? ", " : "\n");
	}
	if (names.overflow)
		buf_add_text(out, "  too many to name here\n");
	else
		paragraph_add(out, "  ", buf_view(&names));
	buf_release(&names);
}

void csaf_render(const json_t *root, const struct csaf_facts *facts, struct buf *out)
{
	struct rendering rendering = {.out = out, .names = json_object()};
	const json_t *document = csaf_member(root, "document");
	const json_t *references = csaf_member(document, "references");
	collect_names(&rendering, csaf_member(root, "product_tree"));
	add_top(&rendering, document, facts);
	add_summary(&rendering, document);
	add_vulnerabilities(&rendering, csaf_member(root, "vulnerabilities"));
	if (json_array_size(references) > 0) {
		add_heading(out, "References", '-');
		add_references(out, references, "  - ");
	}
	json_decref(rendering.names);
}
