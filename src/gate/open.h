/* Steps 2 and 3, read and open: from raw bytes to facts, by way of reader and vault.
 *
 *     outline (reader) -> open in the main home (vault) -> whose key ID? (store)
 *       -> open in the signer's shard (vault) -> content (reader) -> judge
 *
 * A signature inside the encryption (RFC 3156 section 6.1) goes round once more. */
#ifndef DEWLINE_GATE_OPEN_H
#define DEWLINE_GATE_OPEN_H

#include "gate/context.h"
#include "mail/entity.h"
#include "pgp/open.h"
#include "rules/intake.h"
#include "rules/uncounted.h"
#include "store/certificates.h"

/* All that is known of one arrival when it comes before judge_mail. */
struct mail_facts {
	struct gate *gate;
	int64_t arrival;
	int64_t received_at;
	int64_t tries; /* workers that it ended before */
	int64_t sender; /* of claim.h */
	int64_t hold; /* whose draft is opened anew; 0: mail that has just come in */
	bool automatic; /* it says that no person wrote it */
	bool encrypted;
	struct intake_facts intake; /* its shape, as far as it is known */
	enum intake_refusal refusal; /* what was decided about that; INTAKE_TAKEN until then */
	const struct mail_outline *outline; /* with what of it travelled in the open */
	int64_t contact; /* who has proven to have written it, by a good signature; 0: nobody has */
	struct opened opened; /* of the innermost layer that is signed, else of the outermost */
	enum uncounted uncounted; /* why what it answers does not count, where that is so */
	bool signer_known;
	struct certificate signer; /* whose pinned certificate has the signing key's ID */
	enum open_form form; /* how it was opened last, and from what */
	struct view message;
	struct view signature;
	struct mail_content *content; /* what the signature covers */
	struct mail_part *onward; /* what of its attachments goes on to others (onward.h) */
	size_t onward_count;
	char digest[65]; /* of what was signed, by whom, when: the same again is a replay */
};

int open_start(struct gate *gate, struct err *err);
void open_stop(struct gate *gate);
/* A new arrival waits its turn among those of `sender` (claim.h). */
void open_add(struct gate *gate, int64_t sender, int64_t arrival);
void open_work(struct gate *gate);
/* Opens the draft of a hold anew: its arrival ended long ago, and nothing of that changes. */
void open_draft(struct gate *gate, int64_t arrival, int64_t hold);

/* The end of an arrival, with the name of its shape: in a transaction of its own, or the caller's.
 * `event` is finish, refuse or give-up of store/state.h. */
int open_record(const struct mail_facts *facts, const char *event, const char *meaning,
    const char *reason, const char *signer, struct err *err);
/* Called once by whoever judged the mail, when nothing more is to be done: frees the facts. */
void open_done(struct mail_facts *facts);
/* open_record and open_done in one: for all that has no further consequence. A draft that ends here
 * cannot be released. */
void open_end(struct mail_facts *facts, const char *event, const char *meaning, const char *reason);

/* The same for signed text that was dealt with before (store_signed_seen): it names that arrival. */
void open_duplicate(struct mail_facts *facts);

/* Decides whether the shape is taken from these (rules/intake.h), and notes it for the record. */
bool open_is_taken(struct mail_facts *facts, enum intake_from from);
/* Ends what open_is_taken refused. */
void open_refuse_shape(struct mail_facts *facts, const char *meaning);

/* The mail is kept and opened anew when the clock has come to that time, however it does: in the
 * caller's transaction, which is to be followed by open_done. */
int open_record_wait(const struct mail_facts *facts, int64_t until, const char *meaning,
    const char *reason, struct err *err);
/* Opens those whose time has come; a check of schedule.h. */
void open_check_waits(struct gate *gate, int64_t now);

/* Nothing was recorded because GnuPG did not work, which is not the mail's fault: frees the facts,
 * and the arrival is tried anew after a pause. */
void open_again(struct mail_facts *facts, const char *why);

/* Nothing was recorded because it is the mail of a stranger who goes by the name of somebody known:
 * frees the facts, and the mail is opened anew in its turn among those of strangers. */
void open_as_stranger(struct mail_facts *facts);

#endif
