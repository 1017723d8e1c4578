#include "config.h"

#include <signal.h>
#include <sys/resource.h>

#include "worker/frame.h"
#include "worker/sandbox.h"

#include "mail/reader.h"

enum {
	DESCRIPTORS = 16,
	/* Times the largest mail: the request, what it decodes to, in UTF-8 as much as three times
	 * that, and the answer, with room to grow. */
	MEMORY_FACTOR = 12,
};
#define MEMORY_BASE ((uint64_t)256 * 1024 * 1024)

/* No path and no group: it computes, and talks on its socket. */
int reader_confine(const struct config *config, struct err *err)
{
	struct sandbox *sandbox = sandbox_new("the reader", config);
	const int64_t largest = config->limits.message > config->limits.plaintext
				    ? config->limits.message
				    : config->limits.plaintext;
	sandbox_limit(sandbox, RLIMIT_AS, MEMORY_BASE + MEMORY_FACTOR * (uint64_t)largest);
	sandbox_limit(sandbox, RLIMIT_NOFILE, DESCRIPTORS);
	/* Memory files are not counted as memory; and a log that is larger must not end it. */
	sandbox_limit(sandbox, RLIMIT_FSIZE, FRAME_BODY_MAX);
	signal(SIGXFSZ, SIG_IGN);
	return sandbox_enter(sandbox, err);
}
