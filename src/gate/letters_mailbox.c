#include "config.h"

#include "base/moment.h"
#include "gate/letters_mailbox.h"

void letter_mailbox_down(
    struct buf *out, const struct config *config, int64_t since, int64_t now, const char *reason)
{
	buf_add_text(out, "The gateway takes its mail from a mailbox on an IMAP server, and "
			  "cannot. That\nbegan ");
	moment_add_from(out, since, now);
	buf_printf(out,
	    ".\nUntil it can, no advisory, no answer and no report comes in; what the server\n"
	    "keeps is not lost. The gateway goes on trying.\n\n"
	    "Server:  %s\n"
	    "Mailbox: %s\n"
	    "Reason:  %s\n\n",
	    config->imap.server, config->imap.mailbox, reason);
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

void letter_drop_stuck(
    struct buf *out, const struct config *config, const struct stuck_state *state, int64_t now)
{
	buf_add_text(out, "Mail lies in the gateway's drop and cannot be taken. That began\n");
	moment_add_from(out, state->since, now);
	buf_printf(out,
	    ".\nIt may be an advisory or an acknowledgment. Nothing is lost, and the gateway\n"
	    "goes on trying; all other mail goes its way. `dewctl check` shows how it\n"
	    "stands.\n\n"
	    "Drop:   %s\n"
	    "Stuck:  %lld\n"
	    "Reason: %s\n\n"
	    "Most often the mail server writes with another user's rights than the\n"
	    "gateway's, or a directory of the drop is gone.\n",
	    config->drop, (long long)state->count, state->reason);
}
