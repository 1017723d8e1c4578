/* A leaked text that is looked into for the marks of a copy; and the marking itself, of text that a
 * publisher wrote. */
#include "config.h"

#include "rules/trace.h"

#include "fuzz.h"

#define TEXT_MAX ((size_t)16 * 1024 * 1024)

enum { COPIES = 4 };

static unsigned char marks[COPIES][TRACE_MARK_SIZE];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof marks; i++)
		marks[i / TRACE_MARK_SIZE][i % TRACE_MARK_SIZE] = (unsigned char)(i * 37 + 11);
	return 0;
}

static void check_sites(struct view text)
{
	struct trace_sites sites;
	struct trace_score scores[COPIES];
	size_t best = 0;
	unsigned permille = 0;
	trace_read(text, &sites);
	for (size_t i = 0; i < COPIES; i++) {
		scores[i] = trace_score(&sites, marks[i]);
		FUZZ_CHECK(scores[i].matches <= scores[i].sites);
		FUZZ_CHECK(scores[i].sites <= sites.count);
	}
	trace_decide(scores, COPIES, &best, &permille);
	FUZZ_CHECK(best < COPIES && permille <= 1000);
	trace_release(&sites);
}

static bool bears_marks(struct view text)
{
	struct trace_sites sites;
	trace_read(text, &sites);
	const bool some = sites.count > 0;
	trace_release(&sites);
	return some;
}

/* A copy says whose it is, never that it is another's, unless the publisher himself wrote what may
 * be a mark; what the reader sees is not changed but for apostrophes and what has no width. */
static void check_marked(struct view text)
{
	struct buf copy = BUF_EMPTY(TEXT_MAX);
	struct trace_sites sites;
	struct trace_score scores[COPIES];
	size_t best = 0;
	unsigned permille = 0;
	trace_mark_text(&copy, text, marks[1]);
	FUZZ_CHECK(!copy.overflow && copy.len <= 4 * text.len + 64);
	FUZZ_CHECK(text_is_utf8(buf_view(&copy)) || !text_is_utf8(text));
	trace_read(buf_view(&copy), &sites);
	for (size_t i = 0; i < COPIES; i++)
		scores[i] = trace_score(&sites, marks[i]);
	trace_decide(scores, COPIES, &best, &permille);
	FUZZ_CHECK(permille < TRACE_SURE_PERMILLE || best == 1 || bears_marks(text));
	trace_release(&sites);
	buf_release(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view text = fuzz_view(data, size);
	check_sites(text);
	check_marked(text);
	return 0;
}
