#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/text.h"
#include "dewctl/evidence.h"
#include "dewctl/export.h"
#include "dewctl/find.h"
#include "store/arrivals.h"

enum { PRIVATE_DIR = 0700, PRIVATE_FILE = 0600 };

struct exporting {
	struct ctl *ctl;
	const char *address;
	struct advisory advisory;
	const struct revision *revision; /* that is being searched */
	struct export_reply *replies;
	size_t count;
};

static int collect_reply(void *context, const struct acknowledgment *ack, struct err *err)
{
	struct exporting *exporting = context;
	struct contact contact;
	bool found;
	if (store_contact_get(exporting->ctl->store, ack->contact, &contact, &found, err) < 0)
		return -1;
	if (!found || strcasecmp(contact.address, exporting->address) != 0)
		return 0;
	exporting->replies =
	    reallocarray(exporting->replies, exporting->count + 1, sizeof *exporting->replies);
	if (exporting->replies == NULL)
		abort();
	struct export_reply *reply = &exporting->replies[exporting->count++];
	*reply = (struct export_reply){.arrival = ack->arrival,
	    .signed_at = ack->signed_at,
	    .received_at = ack->received_at,
	    .token_of = "this revision"};
	snprintf(reply->what, sizeof reply->what, "An acknowledgment of %s, revision %" PRId64,
	    exporting->advisory.number, exporting->revision->number);
	snprintf(reply->status, sizeof reply->status, "%s", ack->status);
	snprintf(reply->fingerprint, sizeof reply->fingerprint, "%s", ack->fingerprint);
	snprintf(reply->token, sizeof reply->token, "%s", exporting->revision->token);
	return 0;
}

static int search_revision(void *context, const struct revision *revision, struct err *err)
{
	struct exporting *exporting = context;
	exporting->revision = revision;
	return store_acknowledgment_each(
	    exporting->ctl->store, revision->id, collect_reply, exporting, err);
}

/* The directory, made where it is missing; one with anything in it is refused. */
static int make_empty_dir(const char *path, struct err *err)
{
	if (file_make_dir(path, PRIVATE_DIR, err) < 0)
		return -1;
	DIR *dir = opendir(path);
	if (dir == NULL)
		return err_system(err, "cannot read the directory %s", path);
	const struct dirent *entry;
	bool empty = true;
	while ((entry = readdir(dir)) != NULL)
		empty =
		    empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
	closedir(dir);
	if (!empty)
		return ctl_refuse(err, "%s is not empty: name a new directory", path);
	return 0;
}

static int write_in(const char *dir, const char *name, struct view content, struct err *err)
{
	char path[CTL_PATH_SIZE];
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return ctl_refuse(err, "%s is too long a path: name another directory", dir);
	return file_write(path, content, PRIVATE_FILE, err);
}

static const struct {
	const char *files; /* what there is to verify */
	const char *verify;
	const char *read;
} forms[] = {
    [EVIDENCE_MESSAGE] =
	{"signed.gpg       the signed message, with the encryption to the gateway taken off",
	    "gpg --verify signed.gpg", "gpg --decrypt signed.gpg"},
    [EVIDENCE_DETACHED] = {"signed.txt       exactly the bytes that were signed\n"
			   "signature.asc    the signature over them",
	"gpg --verify signature.asc signed.txt", "cat signed.txt"},
    [EVIDENCE_CLEARTEXT] = {"signed.asc       the signed text", "gpg --verify signed.asc",
	"gpg --decrypt signed.asc"},
};

static void write_readme(
    struct buf *out, const char *address, const struct export_reply *reply, enum evidence_form form)
{
	buf_printf(out, "%s\n\n", reply->what);
	buf_printf(out, "by          %s\n", address);
	buf_printf(out, "key         %s\n", reply->fingerprint);
	buf_printf(out, "status      %s\n", reply->status);
	buf_add_text(out, "signed at   ");
	text_add_time(out, reply->signed_at);
	buf_add_text(out, "\nreceived at ");
	text_add_time(out, reply->received_at);
	buf_printf(out, "\ntoken       %s\n\n", reply->token);
	buf_printf(out,
	    "The gateway made the token for %s and put it nowhere but inside the\n"
	    "encrypted text. The signed bytes hold it: who signed them had opened that text.\n\n",
	    reply->token_of);
	if (reply->more_name != NULL)
		buf_printf(out, "%-16s %s\n", reply->more_name, reply->more_is);
	buf_add_text(out, "reply.eml        the mail as it came in, byte for byte\n");
	buf_printf(out, "%s\n", forms[form].files);
	buf_add_text(out,
	    "certificate.gpg  the certificate that was pinned for the contact\n\n"
	    "To verify it in this directory, in a keyring that holds nothing else:\n\n"
	    "    export GNUPGHOME=$(mktemp -d)\n"
	    "    gpg --import certificate.gpg\n");
	buf_printf(out, "    %s\n\n", forms[form].verify);
	buf_printf(out, "gpg must say \"Good signature\" and name the key\n\n    %s\n\n",
	    reply->fingerprint);
	buf_add_text(out,
	    "as the primary key. Its warning that the key is not certified speaks of gpg's web\n"
	    "of trust only: compare the fingerprint with its owner. A key that expired after the\n"
	    "signature was made does not undo it.\n\nTo read what was signed:\n\n");
	buf_printf(out, "    %s\n", forms[form].read);
}

static int write_evidence(const char *dir, const struct evidence *evidence, struct err *err)
{
	static const char *const names[] = {
	    [EVIDENCE_MESSAGE] = "signed.gpg",
	    [EVIDENCE_DETACHED] = "signed.txt",
	    [EVIDENCE_CLEARTEXT] = "signed.asc",
	};
	if (write_in(dir, names[evidence->form], buf_view(&evidence->bytes), err) < 0)
		return -1;
	if (evidence->form != EVIDENCE_DETACHED)
		return 0;
	return write_in(dir, "signature.asc", buf_view(&evidence->signature), err);
}

static int write_reply(struct ctl *ctl, const char *address, const struct export_reply *reply,
    const char *dir, struct err *err)
{
	struct buf raw = BUF_EMPTY((size_t)ctl->config.limits.message + BUF_SMALL);
	struct buf certificate = BUF_EMPTY(CERTIFICATE_MINIMAL_MAX);
	struct buf readme = BUF_EMPTY(BUF_SMALL);
	struct evidence evidence = {0};
	bool found;
	int status = -1;
	if (store_arrival_raw(ctl->store, reply->arrival, &raw, err) < 0 ||
	    store_certificate_bytes(ctl->store, reply->fingerprint, &certificate, &found, err) < 0)
		goto done;
	if (!found) {
		ctl_refuse(err, "the store has lost the certificate %s: see dewctl check",
		    reply->fingerprint);
		goto done;
	}
	if (write_in(dir, "reply.eml", buf_view(&raw), err) < 0 ||
	    write_in(dir, "certificate.gpg", buf_view(&certificate), err) < 0 ||
	    (reply->more_name != NULL && write_in(dir, reply->more_name, reply->more, err) < 0))
		goto done;
	if (evidence_find(ctl, buf_view(&raw), &evidence, err) < 0) {
		err_prefix(err, "%s/reply.eml was written, but not the signed bytes", dir);
		goto done;
	}
	write_readme(&readme, address, reply, evidence.form);
	if (write_evidence(dir, &evidence, err) < 0 ||
	    write_in(dir, "README.txt", buf_view(&readme), err) < 0)
		goto done;
	status = 0;
done:
	evidence_release(&evidence);
	buf_release(&readme);
	buf_release(&certificate);
	buf_release(&raw);
	return status;
}

/* One reply stands in DIR itself; of several each in a directory of its own, by number. */
int export_write(struct ctl *ctl, const char *address, const struct export_reply *replies,
    size_t count, const char *dir, struct err *err)
{
	if (make_empty_dir(dir, err) < 0)
		return ctl_explain_owner(ctl, err);
	if (count == 1)
		return write_reply(ctl, address, replies, dir, err);
	for (size_t i = 0; i < count; i++) {
		char below[CTL_PATH_SIZE];
		if (snprintf(below, sizeof below, "%s/%zu", dir, i + 1) >= (int)sizeof below)
			return ctl_refuse(
			    err, "%s is too long a path: name another directory", dir);
		if (make_empty_dir(below, err) < 0 ||
		    write_reply(ctl, address, &replies[i], below, err) < 0)
			return -1;
	}
	return 0;
}

int export_run(struct ctl *ctl, const struct ctl_call *call, struct err *err)
{
	struct exporting exporting = {.ctl = ctl, .address = call->arguments[1]};
	const char *dir = call->arguments[2];
	int status = -1;
	if (check_address(exporting.address, err) < 0 || ctl_open_store(ctl, err) < 0 ||
	    find_advisory(ctl, call->arguments[0], &exporting.advisory, err) < 0 ||
	    store_revision_each(
		ctl->store, exporting.advisory.id, search_revision, &exporting, err) < 0)
		goto done;
	if (exporting.count == 0) {
		ctl_refuse(err, "%s has not acknowledged %s: see dewctl ack list %s",
		    exporting.address, exporting.advisory.number, exporting.advisory.number);
		goto done;
	}
	if (export_write(ctl, exporting.address, exporting.replies, exporting.count, dir, err) <
		0 ||
	    store_begin(ctl->store, err) < 0)
		goto done;
	status = ctl_end(ctl,
	    ctl_audit(ctl, "ack.export", exporting.advisory.number, err, "%zu of %s",
		exporting.count, exporting.address),
	    err);
	if (status == 0)
		ctl_say("%zu %s written to %s: see README.txt %s", exporting.count,
		    exporting.count == 1 ? "reply" : "replies", dir,
		    exporting.count == 1 ? "there" : "in each directory below");
done:
	free(exporting.replies);
	return status;
}
