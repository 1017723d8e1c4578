#include "config.h"

#include "base/moment.h"
#include "gate/letters_clock.h"

void letter_clock_what(struct buf *out, const struct pace_state *state)
{
	if (state->started)
		buf_add_text(out, "the machine was started anew, and its clock ");
	else
		buf_add_text(out, "the clock ");
	buf_add_text(out, state->behind != 0 ? "was put back by "
			  : state->started   ? "is further than the gateway has seen by "
					     : "jumped ahead by ");
	moment_add_span(out, state->behind != 0 ? state->behind : state->ahead);
	buf_add_text(out, state->started ? ", seen at " : " at ");
	moment_add(out, state->since, 0);
}

static void add_clock(struct buf *out, int64_t now)
{
	buf_add_text(out, "The clock now:        ");
	moment_add(out, now, 0);
	buf_add_char(out, '\n');
}

void letter_clock_off(struct buf *out, const struct pace_state *state, int64_t now)
{
	buf_add_text(out, state->started ? "The gateway's machine was started anew. Its clock stands\n"
					 : "The clock of the gateway's machine was set. It stands\n");
	moment_add_span(out, state->behind != 0 ? state->behind : state->ahead);
	buf_printf(out,
	    " %s where the gateway expects it, and nothing says\n"
	    "that it is right.\n\n",
	    state->behind != 0 ? "before" : "after");
	add_clock(out, now);
	buf_add_text(out, "The gateway expects:  ");
	moment_add(out, now - state->ahead + state->behind, 0);
	buf_add_text(out, "\n\n");
	if (state->behind != 0)
		buf_add_text(out,
		    "Mail comes in and goes out as before. What waits for an hour (held\n"
		    "advisories, reminders, deadlines) waits for it by this clock, and is late\n"
		    "if it is wrong; mail that is signed in time may look as if it came from the\n"
		    "future, and waits.\n\n");
	else
		buf_add_text(out,
		    "Mail comes in and goes out as before. What waits for an hour (held\n"
		    "advisories, reminders, deadlines, lapses, warnings of expiry) goes by the\n"
		    "time that the gateway expects, so that nothing leaves too early. If the\n"
		    "clock is right, all of that is late.\n\n");
	buf_add_text(out,
	    "Look at the clock (`date -u`) and compare it with another one.\n"
	    "If it is right:  dewctl clock confirm\n"
	    "If it is wrong:  set it right; then nothing else is to be done.\n"
	    "A time service (chrony, systemd-timesyncd, ntpd) keeps this from happening:\n"
	    "the gateway believes a clock that the kernel calls synchronised.\n");
}

void letter_clock_slow(
    struct buf *out, const struct witness_verdict *verdict, int64_t waiting, int64_t now)
{
	buf_printf(out,
	    "The newest mails of %zu of %zu who wrote lately are signed with a date that\n"
	    "is still to come. They have nothing to do with each other, so it is the\n"
	    "gateway's clock that is slow: by about ",
	    verdict->ahead, verdict->count);
	moment_add_span(out, verdict->off);
	buf_add_text(out, ".\n\n");
	add_clock(out, now);
	buf_add_text(out, "It may well be:       ");
	moment_add(out, now + verdict->off, 0);
	buf_printf(out,
	    "\n\n"
	    "%lld mail%s for that time: advisories, answers, approvals or key\n"
	    "updates. Nothing of it is lost. As soon as the clock is right it is taken.\n\n"
	    "Set the clock right, and let a time service keep it (chrony,\n"
	    "systemd-timesyncd, ntpd). If none does, say afterwards that it is right:\n\n"
	    "    dewctl clock confirm\n",
	    (long long)waiting, waiting == 1 ? " waits" : "s wait");
}

void letter_clock_ahead(
    struct buf *out, int64_t arrival, int64_t created, int64_t now, int64_t until)
{
	buf_add_text(out, "Your mail has come, and waits: its signature is dated in the future.\n\n");
	buf_add_text(out, "Signed, by your clock:   ");
	moment_add(out, created, 0);
	buf_add_text(out, "\nThe gateway's clock:     ");
	moment_add(out, now, 0);
	buf_add_text(out, "\nIt is taken:             ");
	moment_add_from(out, until, now);
	buf_printf(out,
	    "\n\n"
	    "Until then nothing is done with it. The same holds for whatever else you\n"
	    "sign with that clock; this is said once.\n\n"
	    "If your clock is wrong, set it right and send the mail again, signed anew:\n"
	    "that one is taken at once. If your clock is right, it is the gateway's that\n"
	    "is wrong: tell its admins. They know your mail as arrival %lld.\n",
	    (long long)arrival);
}
