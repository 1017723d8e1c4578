#include "config.h"

#include <stdio.h>

#include "courier/imap_mailbox.h"

enum { COMMAND_MAX = 8 * 1024 };

/* The configuration allows only what needs no escape. */
static void add_name(struct buf *words, const char *mailbox)
{
	buf_printf(words, " \"%s\"", mailbox);
}

static int run_with_name(
    struct imap_link *link, const char *verb, const char *mailbox, struct err *err)
{
	struct buf words = BUF_EMPTY(COMMAND_MAX);
	buf_add_text(&words, verb);
	add_name(&words, mailbox);
	const struct imap_command command = {.what = verb, .words = buf_view(&words)};
	const int result = imap_run_well(link, &command, err);
	buf_release(&words);
	return result;
}

/* -- opening -- */

static int take_validity(void *context, const struct imap_response *response, struct err *err)
{
	uint32_t *validity = context;
	(void)err;
	if (response->kind == IMAP_OK)
		imap_code_number(response->code, "UIDVALIDITY", validity);
	return 0;
}

static int open_mailbox(
    struct imap_link *link, const char *mailbox, uint32_t *validity, struct err *err)
{
	struct buf words = BUF_EMPTY(COMMAND_MAX);
	struct imap_result result;
	buf_add_text(&words, "SELECT");
	add_name(&words, mailbox);
	const struct imap_command command = {.what = "SELECT",
	    .words = buf_view(&words),
	    .take = take_validity,
	    .context = validity};
	*validity = 0;
	const int status = imap_run(link, &command, &result, err);
	buf_release(&words);
	if (status != 0)
		return -1;
	if (result.kind != IMAP_OK)
		return err_set(err, ERR_PEER, ERR_LATER,
		    "SELECT: the server does not open the mailbox %s: %s", mailbox, result.text);
	if (view_is_nocase(view_of(result.code), "READ-ONLY"))
		return err_set(err, ERR_PEER, ERR_LATER,
		    "SELECT: the mailbox %s can only be read: nothing could be taken out of it",
		    mailbox);
	if (*validity == 0)
		return err_set(err, ERR_PEER, ERR_LATER,
		    "SELECT: the server gives the mailbox %s no UIDVALIDITY", mailbox);
	return 0;
}

static int find_target(struct imap_link *link, const char *target, struct err *err)
{
	struct buf words = BUF_EMPTY(COMMAND_MAX);
	struct imap_result result;
	buf_add_text(&words, "STATUS");
	add_name(&words, target);
	buf_add_text(&words, " (UIDVALIDITY)");
	const struct imap_command command = {.what = "STATUS", .words = buf_view(&words)};
	const int status = imap_run(link, &command, &result, err);
	buf_release(&words);
	if (status != 0)
		return -1;
	return result.kind == IMAP_OK ? 0 : run_with_name(link, "CREATE", target, err);
}

static int check_removing(const struct imap_link *link, const char *target, struct err *err)
{
	const struct view can = imap_capabilities(link);
	if (imap_has_word(can, "UIDPLUS") || (target[0] != '\0' && imap_has_word(can, "MOVE")))
		return 0;
	return err_set(err, ERR_PEER, ERR_LATER,
	    "the server can neither delete single messages (UIDPLUS) nor %s: nothing is taken",
	    target[0] != '\0' ? "move them (MOVE)" : "is told to move them (imap.after)");
}

int imap_select(struct imap_link *link, const char *mailbox, const char *target, uint32_t *validity,
    struct err *err)
{
	if (check_removing(link, target, err) != 0 ||
	    (target[0] != '\0' && find_target(link, target, err) != 0) ||
	    open_mailbox(link, mailbox, validity, err) != 0)
		return -1;
	imap_set_place(link, 1);
	return 0;
}

/* -- looking -- */

static int take_listed(void *context, const struct imap_response *response, struct err *err)
{
	struct imap_list *list = context;
	const struct imap_fetch *fetch = &response->fetch;
	/* Without size or UID it tells of something else: flags that somebody changes. */
	if (response->kind != IMAP_FETCH || !fetch->has_size || fetch->uid == 0)
		return 0;
	if (list->count == IMAP_LISTED_MAX)
		return err_set(
		    err, ERR_PEER, ERR_LATER, "the server lists more messages than were asked for");
	list->messages[list->count++] = (struct imap_listed){fetch->uid, fetch->size};
	return 0;
}

int imap_list_next(struct imap_link *link, struct imap_list *list, struct err *err)
{
	const uint32_t from = imap_place(link);
	const uint32_t exists = imap_exists(link);
	struct buf words = BUF_EMPTY(COMMAND_MAX);
	list->count = 0;
	if (from > exists)
		return 0;
	const uint32_t to = exists - from >= IMAP_LISTED_MAX ? from + IMAP_LISTED_MAX - 1 : exists;
	buf_printf(
	    &words, "FETCH %lu:%lu (UID RFC822.SIZE)", (unsigned long)from, (unsigned long)to);
	const struct imap_command command = {
	    .what = "FETCH", .words = buf_view(&words), .take = take_listed, .context = list};
	imap_set_place(link, to + 1);
	const int result = imap_run_well(link, &command, err);
	buf_release(&words);
	return result;
}

/* -- taking -- */

struct fetching {
	uint32_t uid;
	uint64_t most;
	imap_message_fn *take;
	void *context;
	bool got;
	bool listed; /* the server spoke of it */
	bool too_large; /* although it was said to be smaller */
};

static int take_message(void *context, const struct imap_response *response, struct err *err)
{
	struct fetching *fetching = context;
	const struct imap_fetch *fetch = &response->fetch;
	if (response->kind != IMAP_FETCH || fetch->uid != fetching->uid || fetching->got)
		return 0;
	fetching->listed = true;
	fetching->too_large = fetch->body.len > fetching->most;
	fetching->got = fetch->has_body && !fetching->too_large;
	return fetching->got ? fetching->take(fetching->context, fetch->body, err) : 0;
}

int imap_fetch(struct imap_link *link, uint32_t uid, uint64_t most, imap_message_fn *take,
    void *context, bool *got, char why[static COURIER_TEXT_SIZE], struct err *err)
{
	struct fetching fetching = {.uid = uid, .most = most, .take = take, .context = context};
	struct imap_result result;
	struct buf words = BUF_EMPTY(COMMAND_MAX);
	buf_printf(&words, "UID FETCH %lu (UID BODY.PEEK[])", (unsigned long)uid);
	const struct imap_command command = {.what = "UID FETCH",
	    .words = buf_view(&words),
	    .literals = most,
	    .take = take_message,
	    .context = &fetching};
	*got = false;
	why[0] = '\0';
	const int status = imap_run(link, &command, &result, err);
	buf_release(&words);
	if (status != 0)
		return -1;
	/* What came before a refusal may not be all of it: then it stays where it is. */
	*got = fetching.got && result.kind == IMAP_OK;
	if (fetching.too_large)
		snprintf(why, COURIER_TEXT_SIZE, "it is larger than the server said");
	else if (!*got && (fetching.listed || result.kind != IMAP_OK))
		snprintf(why, COURIER_TEXT_SIZE, "the server does not give it out: %.*s",
		    COURIER_TEXT_SIZE / 2, result.text);
	return 0;
}

/* -- taking away -- */

static int run_on(struct imap_link *link, const char *verb, struct view set, const char *tail,
    const char *target, struct err *err)
{
	struct buf words = BUF_EMPTY(COMMAND_MAX);
	buf_printf(&words, "%s %.*s%s", verb, (int)set.len, set.data, tail);
	if (target[0] != '\0')
		add_name(&words, target);
	const struct imap_command command = {.what = verb, .words = buf_view(&words)};
	const int result = imap_run_well(link, &command, err);
	buf_release(&words);
	return result;
}

int imap_remove(
    struct imap_link *link, const uint32_t *uids, size_t count, const char *target, struct err *err)
{
	struct buf list = BUF_EMPTY(COMMAND_MAX / 2);
	int result = 0;
	for (size_t i = 0; i < count; i++)
		buf_printf(&list, "%s%lu", i == 0 ? "" : ",", (unsigned long)uids[i]);
	const struct view set = buf_view(&list);
	if (target[0] != '\0' && imap_has_word(imap_capabilities(link), "MOVE")) {
		result = run_on(link, "UID MOVE", set, "", target, err);
	} else {
		if (target[0] != '\0')
			result = run_on(link, "UID COPY", set, "", target, err);
		if (result == 0)
			result =
			    run_on(link, "UID STORE", set, " +FLAGS.SILENT (\\Deleted)", "", err);
		/* EXPUNGE alone would take away what others have marked, too (RFC 4315). */
		if (result == 0)
			result = run_on(link, "UID EXPUNGE", set, "", "", err);
	}
	buf_release(&list);
	return result;
}
