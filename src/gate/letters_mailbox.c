#include "config.h"

#include "base/text.h"
#include "gate/letters_mailbox.h"

void letter_mailbox_down(
    struct buf *out, const struct config *config, int64_t since, const char *reason)
{
	char when[TEXT_TIME_SIZE];
	text_format_time(since, when);
	buf_printf(out,
	    "The gateway takes its mail from a mailbox on an IMAP server, and has not\n"
	    "been able to since %s. Until it can, no advisory, no\n"
	    "acknowledgment and no report comes in; what the server keeps is not lost.\n"
	    "The gateway goes on trying.\n\n"
	    "Server:  %s\n"
	    "Mailbox: %s\n"
	    "Reason:  %s\n\n",
	    when, config->imap.server, config->imap.mailbox, reason);
}

void letter_mailbox_left(
    struct buf *out, const struct config *config, int64_t left, const char *newest)
{
	buf_printf(out,
	    "Messages stay in the gateway's mailbox %s because the gateway\n"
	    "cannot take them: %lld now. Look at them with a mail program, and delete\n"
	    "or move them. `dewctl audit show` names each one (mailbox.left).\n\n"
	    "The newest: %s\n",
	    config->imap.mailbox, (long long)left, newest);
}

void letter_drop_stuck(struct buf *out, const struct config *config, int64_t since, int64_t count,
    const char *first)
{
	char when[TEXT_TIME_SIZE];
	text_format_time(since, when);
	buf_printf(out,
	    "Mail lies in the gateway's drop and cannot be taken since %s.\n"
	    "It may be an advisory or an acknowledgment. Nothing is lost, and the gateway\n"
	    "goes on trying; all other mail goes its way. `dewctl check` shows how it stands.\n\n"
	    "Drop:   %s\n"
	    "Stuck:  %lld\n"
	    "Reason: %s\n\n"
	    "Most often the mail server writes with another user's rights than the\n"
	    "gateway's, or a directory of the drop is gone.\n",
	    when, config->drop, (long long)count, first);
}
