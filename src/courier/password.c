#include "config.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "courier/password.h"

int password_read(const char *path, struct buf *out, struct err *err)
{
	if (file_read(path, out, err) != 0)
		return -1;
	struct view rest = buf_view(out);
	struct view line = rest;
	view_next_line(&rest, &line);
	if (line.len == 0 || memchr(line.data, '\0', line.len) != NULL) {
		buf_clear(out);
		return err_set(
		    err, ERR_DAEMON, ERR_LATER, "no password in the first line of %s", path);
	}
	out->len = line.len;
	return 0;
}

void password_add_plain(struct buf *out, const char *user, struct view password)
{
	struct buf secret = BUF_EMPTY(BUF_SMALL);
	buf_add_char(&secret, '\0');
	buf_add_text(&secret, user);
	buf_add_char(&secret, '\0');
	buf_add_view(&secret, password);
	text_base64(out, buf_view(&secret), 0);
	buf_release(&secret);
}
