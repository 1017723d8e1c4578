/* CSAF 2.0 documents (OASIS Common Security Advisory Framework) among the attachments. */
#ifndef DEWLINE_MAIL_CSAF_H
#define DEWLINE_MAIL_CSAF_H

#include <stdbool.h>

#include "base/buf.h"
#include "mail/entity.h"

enum csaf_verdict {
	CSAF_NONE, /* an attachment of another kind, or JSON that does not say it is CSAF */
	CSAF_GOOD, /* facts and text are filled */
	CSAF_BAD, /* says that it is CSAF, and cannot be read as such: reason */
};

/* Reads one attachment: what is CSAF by its content is, whatever its type and its name say, and is bad
 * in another encoding than UTF-8. `facts->text` is left alone; the rendered text is appended to `text`. */
enum csaf_verdict csaf_read(const struct mail_part *part, struct csaf_facts *facts,
    struct buf *text, char reason[static MAIL_REASON_SIZE]);

#endif
