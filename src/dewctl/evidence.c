#include "config.h"

#include "dewctl/evidence.h"
#include "dewctl/reading.h"
#include "pgp/open.h"

enum { WHOLE_HOME = -1 }; /* the gateway's main home: only to decrypt, the verdict is gpg's */

/* multipart/signed inside the encryption (RFC 3156 section 6.1). */
static int find_wrapped(
    struct ctl *ctl, struct view plaintext, struct evidence *out, struct err *err)
{
	struct reading inner = {0};
	int status = reading_ask(&ctl->config, READER_CONTENT, plaintext, &inner, err);
	if (status == 0 && !inner.wrapped)
		status = err_set(err, ERR_MESSAGE, ERR_NEVER, "there is no signature in it");
	if (status == 0) {
		out->form = EVIDENCE_DETACHED;
		buf_move(&out->bytes, &inner.message);
		buf_move(&out->signature, &inner.signature);
	}
	reading_release(&inner);
	return status;
}

static int find_encrypted(
    struct ctl *ctl, struct view message, struct evidence *out, struct err *err)
{
	struct opened opened = {0};
	int status = -1;
	if (ctl_open_home(ctl, err) < 0 ||
	    pgp_open(&ctl->home, WHOLE_HOME, 0, OPEN_ENCRYPTED, message, VIEW(""),
		(size_t)ctl->config.limits.plaintext, &opened, err) < 0)
		goto done;
	if (!opened.readable) {
		err_set(err, ERR_MESSAGE, ERR_NEVER, "it cannot be decrypted: %s", opened.reason);
	} else if (opened.signature_count == 0) {
		status = find_wrapped(ctl, buf_view(&opened.plaintext), out, err);
	} else {
		out->form = EVIDENCE_MESSAGE;
		out->bytes.max = (size_t)ctl->config.limits.plaintext + BUF_SMALL;
		status = pgp_unwrap(&ctl->home, message, &out->bytes, err);
	}
done:
	buf_release(&opened.plaintext);
	return status;
}

int evidence_find(struct ctl *ctl, struct view raw, struct evidence *out, struct err *err)
{
	struct reading outline = {0};
	*out = (struct evidence){0};
	int status = reading_ask(&ctl->config, READER_OUTLINE, raw, &outline, err);
	if (status < 0)
		goto done;
	switch (outline.shape) {
	case MAIL_ENCRYPTED:
	case MAIL_INLINE_ENCRYPTED:
	case MAIL_ATTACHED_ENCRYPTED:
		status = find_encrypted(ctl, buf_view(&outline.message), out, err);
		break;
	case MAIL_SIGNED:
		out->form = EVIDENCE_DETACHED;
		buf_move(&out->bytes, &outline.message);
		buf_move(&out->signature, &outline.signature);
		break;
	case MAIL_INLINE_SIGNED:
	case MAIL_ATTACHED_SIGNED:
		out->form = EVIDENCE_CLEARTEXT;
		buf_move(&out->bytes, &outline.message);
		break;
	case MAIL_PLAIN:
	case MAIL_REPORT:
	case MAIL_MANY:
	case MAIL_BROKEN:
	case MAIL_SIGNATURE_LOST:
	case MAIL_SMIME:
	case MAIL_TNEF:
	case MAIL_REFUSED:
		status = err_set(err, ERR_MESSAGE, ERR_NEVER, "there is nothing signed in it");
		break;
	}
done:
	reading_release(&outline);
	return status;
}

void evidence_release(struct evidence *evidence)
{
	buf_release(&evidence->bytes);
	buf_release(&evidence->signature);
}
