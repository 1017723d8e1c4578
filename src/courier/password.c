#include "config.h"

#include "base/text.h"
#include "courier/password.h"

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
