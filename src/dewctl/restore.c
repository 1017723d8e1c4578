/* dewctl restore: puts the store back to a backup, in a new epoch (store/epoch.h).
 *
 * The backup becomes STATE/store.db.restoring, where all that has to be done is done to it and it is
 * looked at; then it is renamed to STATE/store.db.restored. From that moment on no program opens a store
 * here, and the same command has only to be run again to go on: the store in place, with its write-ahead
 * log, is put aside as store.db.before-TAG, and the other gets its name. A kill at any point leaves the
 * one store or the other, whole, or one that waits for the command. Once all is done the same command again
 * says so, and begins no second epoch as long as nothing came after. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/moment.h"
#include "base/text.h"
#include "dewctl/ctl.h"
#include "dewctl/restore.h"
#include "dewctl/verbs.h"
#include "store/audit.h"
#include "store/compare.h"
#include "store/epoch.h"
#include "store/former.h"
#include "store/lost.h"
#include "store/mark.h"

enum { COPY_SIZE = 1 << 20 };

static const char *const beside[] = {"", "-wal", "-shm", "-journal"};
enum { BESIDE = sizeof beside / sizeof beside[0] };

/* A restore under way. */
struct restoring {
	struct ctl *ctl;
	int from; /* the backup, opened as whoever called us */
	char digest[DIGEST_HEX_SIZE]; /* its SHA-256 */
	char place[CTL_PATH_SIZE]; /* the store's own name */
	char draft[CTL_PATH_SIZE];
	char done[CTL_PATH_SIZE];
	bool replaces; /* there is a store in place */
	struct former former;
	struct mark mark; /* what was kept beside it; epoch 0: nothing */
	struct epoch epoch;
	struct mark new_mark;
};

static bool is_there(const char *path)
{
	struct stat about;
	return lstat(path, &about) == 0;
}

static void remove_draft(const struct restoring *restoring)
{
	for (size_t i = 0; i < BESIDE; i++) {
		char path[CTL_PATH_SIZE + 16];
		snprintf(path, sizeof path, "%s%s", restoring->draft, beside[i]);
		unlink(path);
	}
}

/* -- the backup -- */

/* Before root becomes another user, who may not be able to read it. */
static int open_backup(struct restoring *restoring, const char *path, struct err *err)
{
	struct stat about;
	struct stat store;
	char log[CTL_PATH_SIZE];
	restoring->from = open(path, O_RDONLY | O_CLOEXEC);
	if (restoring->from < 0 || fstat(restoring->from, &about) != 0)
		return err_system(err, "cannot open the backup %s", path);
	if (!S_ISREG(about.st_mode))
		return ctl_refuse(err, "%s is no file", path);
	if (stat(restoring->place, &store) == 0 && store.st_ino == about.st_ino &&
	    store.st_dev == about.st_dev)
		return ctl_refuse(err, "%s is the store in place itself: name a backup", path);
	snprintf(log, sizeof log, "%s-wal", path);
	if (stat(log, &store) == 0 && store.st_size > 0)
		return ctl_refuse(err,
		    "%s lies beside it, so %s is a store that was in use and no backup: open it once "
		    "with dewctl where it lies, or take one that dewctl backup made",
		    log, path);
	return 0;
}

static int digest_backup(struct restoring *restoring, struct err *err)
{
	struct stat about;
	if (fstat(restoring->from, &about) != 0)
		return err_system(err, "cannot read the backup");
	const size_t size = (size_t)about.st_size;
	if (size == 0)
		return ctl_refuse(err, "the backup is empty");
	void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, restoring->from, 0);
	if (map == MAP_FAILED)
		return err_system(err, "cannot read the backup");
	digest_sha256_hex((struct view){map, size}, restoring->digest);
	munmap(map, size);
	return 0;
}

static int copy_bytes(int from, int to, struct err *err)
{
	static char block[COPY_SIZE];
	ssize_t got;
	while ((got = read(from, block, sizeof block)) > 0) {
		if (file_write_all(to, (struct view){block, (size_t)got}) != 0)
			return err_system(err, "cannot copy the backup");
	}
	if (got < 0 || fsync(to) != 0)
		return err_system(err, "cannot copy the backup");
	return 0;
}

static int copy_backup(const struct restoring *restoring, struct err *err)
{
	remove_draft(restoring); /* of one that was ended */
	const int to =
	    open(restoring->draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (to < 0)
		return err_system(err, "cannot create %s", restoring->draft);
	const int result = copy_bytes(restoring->from, to, err);
	close(to);
	return result;
}

/* -- looking at it -- */

static int count_difference(void *context, const char *what, struct err *err)
{
	int64_t *count = context;
	(void)err;
	if ((*count)++ == 0)
		ctl_warn("%s", what);
	return 0;
}

/* Whole by its own checks, by its log's, and the log not contradicted. */
static int verify(struct store *store, const char *which, struct err *err)
{
	char what[STORE_REASON_SIZE];
	int64_t count;
	int64_t bad;
	int64_t differences = 0;
	if (store_verify(store, err) < 0 ||
	    store_audit_verify(store, 0, "", &count, &bad, what, err) < 0 ||
	    store_compare(store, count_difference, &differences, err) < 0)
		return err_prefix(err, "%s", which);
	if (bad != 0)
		return ctl_refuse(err, "%s was tampered with or damaged: %s", which, what);
	if (differences > 0)
		ctl_warn("%s was changed behind its log's back, in %" PRId64
			 " places: dewctl audit verify names them",
		    which, differences);
	return 0;
}

static int read_gateway(struct store *store, char out[static STORE_NAME_SIZE], struct err *err)
{
	struct buf value = BUF_EMPTY(BUF_SMALL);
	bool found;
	const int status = store_value_get(store, "gateway", &value, &found, err);
	out[0] = '\0';
	if (status == 0 && found)
		view_copy(buf_view(&value), out, STORE_NAME_SIZE);
	buf_release(&value);
	return status;
}

/* A backup of another gateway opens with no key that is here. */
static int check_gateway(struct restoring *restoring, struct err *err)
{
	struct ctl *ctl = restoring->ctl;
	char gateway[STORE_NAME_SIZE];
	if (read_gateway(ctl->store, gateway, err) < 0)
		return -1;
	if (gateway[0] == '\0')
		return ctl_refuse(err, "the backup holds no gateway");
	if (restoring->former.readable && restoring->former.gateway[0] != '\0' &&
	    strcmp(restoring->former.gateway, gateway) != 0)
		return ctl_refuse(err,
		    "the backup is of another gateway, with the key %s; the store in place has %s",
		    gateway, restoring->former.gateway);
	if (ctl_open_home(ctl, err) < 0)
		return -1;
	if (ctl->home.gateway[0] == '\0')
		ctl_warn("the gateway's secret key is not in %s/gnupg: put back your copy of it "
			 "before dewlined is started",
		    ctl->config.state);
	else if (strcmp(ctl->home.gateway, gateway) != 0)
		return ctl_refuse(err, "the backup is of the gateway with the key %s; %s/gnupg has %s",
		    gateway, ctl->config.state, ctl->home.gateway);
	return 0;
}

/* -- the new epoch -- */

static void read_mark(struct restoring *restoring)
{
	char path[CTL_PATH_SIZE];
	struct err err;
	bool found = false;
	ctl_state_path(restoring->ctl, "store.mark", path);
	const int fd = is_there(path) ? mark_open(path, &err) : -1;
	if (fd < 0)
		return;
	if (mark_read(fd, &restoring->mark, &found, &err) < 0 || !found)
		restoring->mark = (struct mark){.epoch = 0};
	close(fd);
}

static int64_t greater(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int begin_epoch(struct restoring *restoring, struct err *err)
{
	struct ctl *ctl = restoring->ctl;
	struct buf findings = BUF_EMPTY(EPOCH_FINDINGS_MAX);
	const struct former *former = &restoring->former;
	if (store_begin(ctl->store, err) < 0)
		return -1;
	int status = store_epoch_read_end(ctl->store, &restoring->epoch, err);
	if (status == 0 && former->readable)
		status = former_take(ctl->store, ctl->now, ctl->actor, &findings, err);
	if (status == 0 && restoring->replaces && !former->readable)
		buf_printf(&findings, "the store that was in place could not be read: %s\n",
		    former->why);
	if (status == 0)
		status = store_epoch_begin(ctl->store, ctl->now,
		    greater(former->epoch, restoring->mark.epoch) + 1,
		    greater(former->sequence, restoring->mark.sequence), false, ctl->actor,
		    buf_view(&findings), &restoring->epoch, err);
	if (status == 0)
		status = former_set_backup(
		    ctl->store, restoring->epoch.tag, restoring->digest, err);
	buf_release(&findings);
	return ctl_end(ctl, status, err);
}

/* Its write-ahead log stays where the disk failed when it was to be written into the file. */
static int check_is_one_file(const struct restoring *restoring, struct err *err)
{
	char log[CTL_PATH_SIZE + 16];
	snprintf(log, sizeof log, "%s-wal", restoring->draft);
	return is_there(log)
		   ? ctl_refuse(err, "the disk failed before the restored store was written whole: "
				     "nothing is changed, run the command again")
		   : 0;
}

/* All that is done to the draft, which then is one file without a log beside it. */
static int work_on_draft(struct restoring *restoring, struct err *err)
{
	struct ctl *ctl = restoring->ctl;
	const bool takes = restoring->former.readable;
	if (store_open(restoring->draft, &ctl->store, err) < 0 ||
	    verify(ctl->store, "the backup", err) < 0 || check_gateway(restoring, err) < 0 ||
	    (takes && former_attach(ctl->store, restoring->place, err) < 0))
		return -1;
	const int status = begin_epoch(restoring, err);
	if (takes)
		former_detach(ctl->store);
	if (status < 0 || verify(ctl->store, "the restored store", err) < 0 ||
	    store_mark(ctl->store, &restoring->new_mark, err) < 0)
		return -1;
	store_close(ctl->store);
	ctl->store = NULL;
	return check_is_one_file(restoring, err);
}

/* -- changing places -- */

static int rename_to(const char *from, const char *to, struct err *err)
{
	return rename(from, to) == 0 || errno == ENOENT
		   ? 0
		   : err_system(err, "cannot rename %s to %s", from, to);
}

/* Whatever is in place, under a name that nothing has: the tag is this epoch's alone. */
static int put_aside(const struct restoring *restoring, struct err *err)
{
	for (size_t i = 0; i < BESIDE; i++) {
		char from[CTL_PATH_SIZE + 16];
		char to[CTL_PATH_SIZE + 64];
		snprintf(from, sizeof from, "%s%s", restoring->place, beside[i]);
		snprintf(to, sizeof to, "%s.before-%s%s", restoring->place, restoring->epoch.tag,
		    beside[i]);
		if (rename_to(from, to, err) < 0)
			return -1;
	}
	return 0;
}

static int write_mark(const struct restoring *restoring, struct err *err)
{
	char path[CTL_PATH_SIZE];
	ctl_state_path(restoring->ctl, "store.mark", path);
	const int fd = mark_open(path, err);
	if (fd < 0)
		return -1;
	int status = mark_write(fd, &restoring->new_mark, err);
	if (status == 0 && fsync(fd) != 0)
		status = err_system(err, "cannot write %s to the disk", path);
	close(fd);
	return status;
}

/* From store.db.restored on, whenever that was made. */
static int change_places(struct restoring *restoring, struct err *err)
{
	const char *state = restoring->ctl->config.state;
	if (write_mark(restoring, err) < 0 || put_aside(restoring, err) < 0 ||
	    file_sync_dir(state, err) < 0)
		return -1;
	if (rename(restoring->done, restoring->place) != 0)
		return err_system(err, "cannot rename %s", restoring->done);
	return file_sync_dir(state, err);
}

/* What a restore that was ended has left: read again from the store that waits. */
static int read_waiting(struct restoring *restoring, struct err *err)
{
	struct store *store;
	if (store_open_unfinished(restoring->done, &store, err) < 0)
		return -1;
	int status = store_epoch_get(store, &restoring->epoch, err);
	if (status == 0)
		status = store_mark(store, &restoring->new_mark, err);
	store_close(store);
	return status;
}

/* -- saying -- */

static void say_findings(struct ctl *ctl)
{
	struct buf findings = BUF_EMPTY(2 * EPOCH_FINDINGS_MAX);
	struct err err;
	if (store_epoch_findings(ctl->store, &findings, &err) < 0)
		ctl_warn("%s", err.text);
	struct view rest = buf_view(&findings);
	struct view line;
	if (rest.len > 0) {
		ctl_say_blank();
		ctl_say("What is known of the time in between, and what is held back:");
	}
	while (view_next_line(&rest, &line))
		ctl_say("  %.*s", (int)line.len, line.data);
	buf_release(&findings);
}

static void say_done(struct restoring *restoring)
{
	struct ctl *ctl = restoring->ctl;
	const struct epoch *epoch = &restoring->epoch;
	char aside[CTL_PATH_SIZE + 64];
	char of[TEXT_TIME_SIZE];
	text_format_time(epoch->backup_at, of);
	snprintf(aside, sizeof aside, "%s.before-%s", restoring->place, epoch->tag);
	ctl_say("The store is put back. The last that the backup has on record is of %s;", of);
	ctl_say("what came after that is lost here. Epoch %" PRId64
		" begins: new numbers hold \"%s\".",
	    epoch->number, epoch->tag);
	if (is_there(aside))
		ctl_say("The store that was in place is kept as %s.", aside);
	say_findings(ctl);
	ctl_say_blank();
	ctl_say("What to do next:");
	ctl_say("  1. Start dewlined. Admins and publishers are told by mail.");
	ctl_say("  2. Look over who is in it: dewctl contact list, publisher list, admin list,");
	ctl_say("     member list and key list. Who was removed since, or whose key was revoked,");
	ctl_say("     may be back: remove and retire them anew.");
	ctl_say("  3. dewctl restore --reviewed --send, or --cancel for what is held back.");
}

/* -- the command -- */

static int finish(struct restoring *restoring, struct err *err)
{
	struct ctl *ctl = restoring->ctl;
	if (change_places(restoring, err) < 0 ||
	    store_open(restoring->place, &ctl->store, err) < 0 ||
	    verify(ctl->store, "the restored store", err) < 0)
		return -1;
	say_done(restoring);
	return 0;
}

/* A disk may fail once, and whoever was removed since the backup would be back for that: only what cannot be
 * read twice counts as unreadable. */
static void look_at_former(struct restoring *restoring)
{
	enum { LOOKS = 2 };
	for (int i = 0; i < LOOKS && restoring->replaces && !restoring->former.readable; i++)
		former_look(restoring->place, &restoring->former);
}

/* The same command again, which cannot know that it was carried out: no second epoch. */
static int say_again(struct restoring *restoring, struct err *err)
{
	struct ctl *ctl = restoring->ctl;
	if (store_open(restoring->place, &ctl->store, err) < 0 ||
	    verify(ctl->store, "the restored store", err) < 0 ||
	    store_epoch_get(ctl->store, &restoring->epoch, err) < 0)
		return -1;
	ctl_say("This backup is in place already, and nothing came after it.");
	say_done(restoring);
	return 0;
}

static int restore_backup(
    struct restoring *restoring, const struct ctl_call *call, struct err *err)
{
	struct ctl *ctl = restoring->ctl;
	restoring->replaces = is_there(restoring->place);
	if (digest_backup(restoring, err) < 0)
		return -1;
	look_at_former(restoring);
	if (strcmp(restoring->former.backup, restoring->digest) == 0)
		return say_again(restoring, err);
	if (restoring->replaces && ctl_value(call, "replace") == NULL)
		return ctl_refuse(err,
		    "there is a store in %s: with --replace it is put aside, and never deleted",
		    ctl->config.state);
	read_mark(restoring);
	if (copy_backup(restoring, err) < 0 || work_on_draft(restoring, err) < 0) {
		store_close(ctl->store);
		ctl->store = NULL;
		remove_draft(restoring);
		return -1;
	}
	if (rename(restoring->draft, restoring->done) != 0)
		return err_system(err, "cannot rename %s", restoring->draft);
	if (file_sync_dir(ctl->config.state, err) < 0)
		return -1;
	return finish(restoring, err);
}

static int run_file(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct restoring restoring = {.ctl = ctl, .from = -1};
	if (ctl_open_config(ctl, err) < 0)
		return -1;
	ctl_state_path(ctl, "store.db", restoring.place);
	ctl_state_path(ctl, "store.db.restoring", restoring.draft);
	ctl_state_path(ctl, "store.db.restored", restoring.done);
	int status = open_backup(&restoring, call->arguments[0], err);
	if (status == 0 && (ctl_become_owner(ctl, err) < 0 ||
			       ctl_take_state(ctl, "a store is put back", err) < 0))
		status = -1;
	if (status == 0 && is_there(restoring.done)) {
		ctl_say("A restore was ended on the way: it is carried through.");
		status = read_waiting(&restoring, err) < 0 ? -1 : finish(&restoring, err);
	} else if (status == 0) {
		status = restore_backup(&restoring, call, err);
	}
	if (restoring.from >= 0)
		close(restoring.from);
	return status;
}

static const struct report_column show_columns[] = {
    {"epoch", "Epoch", REPORT_NUMBER},
    {"tag", "Its letters", REPORT_TEXT},
    {"restored_at", "Put back", REPORT_TIME},
    {"backup_at", "To what was", REPORT_TIME},
    {"held_back", "Mails held back", REPORT_NUMBER},
    {"drafts", "Drafts held back", REPORT_NUMBER},
    {"reviewed_at", "Looked over", REPORT_TIME},
};

static int run_show(struct ctl *ctl, struct err *err)
{
	struct epoch epoch;
	int64_t deliveries;
	int64_t holds;
	if (ctl_open_store(ctl, err) < 0 || store_epoch_get(ctl->store, &epoch, err) < 0 ||
	    store_epoch_held_back(ctl->store, &deliveries, &holds, err) < 0)
		return -1;
	struct report *report =
	    report_record(show_columns, sizeof show_columns / sizeof show_columns[0]);
	report_add_number(report, epoch.number);
	report_add_text(report, epoch.tag);
	report_add_time(report, epoch.begun_at);
	report_add_time(report, epoch.backup_at);
	report_add_number(report, deliveries);
	report_add_number(report, holds);
	report_add_time(report, epoch.reviewed_at);
	if (ctl_print(ctl, report, err) < 0)
		return -1;
	if (!ctl->json)
		say_findings(ctl);
	return 0;
}

static int look(struct ctl *ctl, struct buf *detail, enum finding *result, struct err *err)
{
	struct epoch epoch;
	int64_t deliveries;
	int64_t holds;
	int64_t lost;
	if (store_epoch_get(ctl->store, &epoch, err) < 0 ||
	    store_epoch_held_back(ctl->store, &deliveries, &holds, err) < 0 ||
	    store_lost_count(ctl->store, epoch.begun_at, &lost, err) < 0)
		return -1;
	*result = FINDING_OK;
	if (epoch.number == 1) {
		buf_printf(detail, "the store was never put back");
		return 0;
	}
	buf_add_text(detail, "put back on ");
	moment_add(detail, epoch.begun_at, ctl->now);
	buf_add_text(detail, " to what was on ");
	moment_add(detail, epoch.backup_at, ctl->now);
	if (epoch.noticed)
		buf_add_text(detail, ", and nobody ran dewctl restore");
	if (lost > 0)
		buf_printf(detail, "; %" PRId64 " mails show what was lost: dewctl inbox list", lost);
	if (epoch.reviewed_at != 0)
		return 0;
	if (deliveries + holds > 0)
		buf_printf(detail, "; %" PRId64 " mails and %" PRId64 " drafts are held back",
		    deliveries, holds);
	buf_add_text(detail, "; look over contacts and keys, then dewctl restore --reviewed");
	*result = FINDING_WARNING;
	return 0;
}

enum finding restore_look(struct ctl *ctl, struct buf *detail)
{
	enum finding result = FINDING_BAD;
	struct err err;
	if (look(ctl, detail, &result, &err) < 0)
		buf_printf(detail, "%s", err.text);
	return result;
}

static int decide(struct ctl *ctl, const struct ctl_call *call, int64_t held, struct err *err)
{
	const bool send = ctl_value(call, "send") != NULL;
	const bool cancel = ctl_value(call, "cancel") != NULL;
	if (send && cancel)
		return ctl_refuse(err, "--send or --cancel, not both");
	if (held > 0 && !send && !cancel)
		return ctl_refuse(err,
		    "%" PRId64 " mails and drafts of before the restore are held back (dewctl restore "
		    "names them): add --send, and they go now, or --cancel, and they never do",
		    held);
	if (send && store_epoch_send_held(ctl->store, ctl->now, err) < 0)
		return -1;
	return cancel ? store_epoch_cancel_held(ctl->store, ctl->now,
			    "not sent again after the restore, by an admin's word", err)
		      : 0;
}

static int run_reviewed(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct epoch epoch;
	int64_t deliveries;
	int64_t holds;
	if (ctl_open_store(ctl, err) < 0 || store_epoch_get(ctl->store, &epoch, err) < 0)
		return -1;
	if (epoch.number == 1)
		return ctl_refuse(err, "this store was never put back");
	if (store_begin(ctl->store, err) < 0)
		return -1;
	int status = store_epoch_held_back(ctl->store, &deliveries, &holds, err);
	if (status == 0 && decide(ctl, call, deliveries + holds, err) < 0)
		status = -1;
	if (status == 0)
		status = store_epoch_set_reviewed(ctl->store, ctl->now, err);
	if (status == 0)
		status = ctl_audit(ctl, "store.reviewed", epoch.tag, err,
		    "%" PRId64 " mails and %" PRId64 " drafts were held back: %s", deliveries,
		    holds,
		    ctl_value(call, "cancel") != NULL ? "cancelled" : "sent");
	if (ctl_end(ctl, status, err) < 0)
		return -1;
	ctl_say("The restore counts as looked over.");
	ctl_warn_idle(ctl);
	return 0;
}

static int run_restore(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	const bool reviewed = ctl_value(call, "reviewed") != NULL;
	if (reviewed && call->count > 0)
		return ctl_refuse(err, "--reviewed takes no FILE");
	if (call->count > 0)
		return run_file(ctl, call, err);
	return reviewed ? run_reviewed(ctl, call, err) : run_show(ctl, err);
}

static const struct ctl_option restore_options[] = {
    {"replace", NULL, "put the store that is in place aside (it is never deleted)", NULL, false},
    {"reviewed", NULL, "an admin has looked over what came back", NULL, false},
    {"send", NULL, "with --reviewed: what is held back goes now", NULL, false},
    {"cancel", NULL, "with --reviewed: what is held back never goes", NULL, false},
    {0},
};

const struct ctl_verb restore_verbs[] = {
    {"", "[FILE]", 0, 1, true, restore_options, "Puts the store back to a backup",
	"FILE is one that dewctl backup made; dewlined must be stopped. A new epoch begins, whose\n"
	"letters new numbers, return paths and Message-IDs hold, so that nothing which was given\n"
	"out since the backup is given out again. From the store in place is taken what was taken\n"
	"back since: people who were removed, keys that were retired or revoked. What waited to be\n"
	"sent for more than a day is held back. Ended on the way, it is carried through by running\n"
	"it again, and that begins no second epoch. Without FILE it shows the last restore.\n",
	run_restore},
    {0},
};
