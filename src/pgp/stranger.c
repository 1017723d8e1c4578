#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "pgp/stranger.h"

static int take(void *context, const struct certificate_verdict *verdict, struct err *err)
{
	struct stranger *out = context;
	(void)err;
	snprintf(out->reason, sizeof out->reason, "%s", verdict->reason);
	snprintf(out->fingerprint, sizeof out->fingerprint, "%s", verdict->facts.fingerprint);
	buf_add_view(&out->minimal, verdict->minimal);
	return 0;
}

static int verify(const struct home *home, int64_t shard, enum open_form form, struct view message,
    struct view signature, size_t plaintext_max, struct stranger *out, struct err *err)
{
	struct opened opened = {0};
	const int result =
	    pgp_open(home, shard, 0, form, message, signature, plaintext_max, &opened, err);
	const struct signature_facts *facts = &opened.signatures[0];
	if (result == 0 &&
	    (!opened.readable || opened.signature_count != 1 || facts->status != SIGNATURE_GOOD ||
		strcmp(facts->fingerprint, out->fingerprint) != 0))
		snprintf(out->reason, sizeof out->reason,
		    "it is not signed by the certificate that it brings");
	buf_release(&opened.plaintext);
	return result;
}

int stranger_open(const struct home *home, int64_t shard, enum open_form form, struct view message,
    struct view signature, struct view certificate, size_t plaintext_max, struct stranger *out,
    struct err *err)
{
	char path[HOME_PATH_SIZE];
	*out = (struct stranger){.minimal = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX)};
	size_t count;
	int read = certificate_count(certificate, &count, err);
	if (read == 0 && count != 1) { /* before gpg has thousands to look at */
		snprintf(out->reason, sizeof out->reason, "it brings %zu certificates and not one",
		    count);
		return 0;
	}
	if (read == 0)
		read = certificate_read(
		    certificate, clock_now(), home->path, NULL, take, out, NULL, err);
	if (read != 0 && err->whom != ERR_MESSAGE)
		return -1;
	if (read != 0)
		snprintf(out->reason, sizeof out->reason, "what it brings is no certificate");
	if (out->reason[0] != '\0')
		return 0;
	const struct view minimal = buf_view(&out->minimal);
	int result = home_build_shard(home, shard, 0, &minimal, 1, err);
	if (result == 0)
		result = verify(home, shard, form, message, signature, plaintext_max, out, err);
	struct err ignored;
	home_shard_path(home, shard, 0, path);
	file_remove_tree(path, &ignored);
	return result;
}
