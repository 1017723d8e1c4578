#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "store/audit.h"
#include "store/epoch.h"
#include "store/mark.h"
#include "store/sql.h"

enum { MARK_SIZE = 160 }; /* within one sector, so that it is written whole or not */
static const char begin[] = "dewline mark 1 ";

int mark_open(const char *path, struct err *err)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	return fd >= 0 ? fd : err_system(err, "cannot open %s", path);
}

static bool parse(struct view text, struct mark *out)
{
	unsigned char digest[DIGEST_SIZE];
	struct view line;
	struct view field;
	if (!view_next_line(&text, &line) || !view_starts_nocase(line, begin))
		return false;
	line = view_trim(view_part(line, strlen(begin), line.len));
	return view_next_field(&line, ' ', &field) &&
	       text_number(field, 1, INT64_MAX, &out->epoch) &&
	       view_next_field(&line, ' ', &field) &&
	       text_number(field, 0, INT64_MAX, &out->sequence) &&
	       text_unhex(line, digest, sizeof digest) &&
	       view_copy(line, out->hash, sizeof out->hash);
}

int mark_read(int fd, struct mark *out, bool *found, struct err *err)
{
	char text[MARK_SIZE];
	const ssize_t got = pread(fd, text, sizeof text, 0);
	if (got < 0)
		return err_system(err, "cannot read the mark beside the store");
	*out = (struct mark){.epoch = 0};
	*found = parse((struct view){text, (size_t)got}, out);
	return 0;
}

int mark_write(int fd, const struct mark *mark, struct err *err)
{
	char text[MARK_SIZE];
	const int len = snprintf(text, sizeof text, "%s%" PRId64 " %" PRId64 " %s", begin,
	    mark->epoch, mark->sequence, mark->hash);
	memset(text + len, ' ', sizeof text - (size_t)len);
	text[sizeof text - 1] = '\n';
	if (pwrite(fd, text, sizeof text, 0) != (ssize_t)sizeof text)
		return err_system(err, "cannot write the mark beside the store");
	return 0;
}

int store_mark(struct store *store, struct mark *out, struct err *err)
{
	struct epoch epoch;
	if (store_epoch_get(store, &epoch, err) != 0)
		return -1;
	out->epoch = epoch.number;
	return store_audit_last(store, &out->sequence, out->hash, err);
}

int store_holds_mark(struct store *store, const struct mark *mark, bool *holds, struct err *err)
{
	int64_t count = 0;
	*holds = mark->sequence == 0;
	if (*holds)
		return 0;
	if (sql_number(store, "SELECT count(*) FROM audit WHERE sequence = ?1 AND hash = ?2",
		SQL_WITH(sql_int(mark->sequence), sql_text(mark->hash)), &count, err) != 0)
		return -1;
	*holds = count == 1;
	return 0;
}
