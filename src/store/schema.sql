-- The present schema. An older store comes to the same shape by the steps in migrate.c.
-- Times are seconds since 1970, UTC; 0 means "none". Nothing here is an advisory's plaintext:
-- columns named stash, title and comment hold bytes encrypted to the gateway's own key.
-- Large blobs stand last in their row, or in a table of their own where the rest of the row
-- changes, so that neither a scan nor an update touches them.

CREATE TABLE value (
	name TEXT PRIMARY KEY,
	value BLOB NOT NULL
) STRICT;

-- People --------------------------------------------------------------------------------------

CREATE TABLE member (
	id TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64 AND id NOT GLOB '*[^a-z0-9-]*'),
	name TEXT NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('national', 'local', 'other')),
	parent TEXT REFERENCES member (id),
	state TEXT NOT NULL
	    CHECK (state IN ('invited', 'active', 'lapsed', 'suspended', 'left')),
	added_at INTEGER NOT NULL
) STRICT;

CREATE TABLE contact (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	member TEXT NOT NULL REFERENCES member (id),
	address TEXT NOT NULL COLLATE NOCASE CHECK (address <> ''),
	name TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	clearance TEXT NOT NULL
	    CHECK (clearance IN ('RED', 'AMBER+STRICT', 'AMBER', 'GREEN', 'CLEAR')),
	rank INTEGER NOT NULL CHECK (rank >= 1),
	removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
	added_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX contact_address ON contact (address) WHERE removed = 0;
CREATE UNIQUE INDEX contact_fingerprint ON contact (fingerprint)
    WHERE removed = 0 AND fingerprint <> '';
CREATE INDEX contact_member ON contact (member, rank, id) WHERE removed = 0;

CREATE TABLE publisher (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	address TEXT NOT NULL COLLATE NOCASE CHECK (address <> ''),
	name TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	admin INTEGER NOT NULL DEFAULT 0 CHECK (admin IN (0, 1)), -- gets alarms, publishes nothing
	removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
	added_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX publisher_address ON publisher (address) WHERE removed = 0;
CREATE UNIQUE INDEX publisher_fingerprint ON publisher (fingerprint)
    WHERE removed = 0 AND fingerprint <> '';

-- An entry is a member or one contact, never both.
CREATE TABLE group_entry (
	name TEXT NOT NULL CHECK (name <> ''),
	member TEXT REFERENCES member (id),
	contact INTEGER REFERENCES contact (id),
	CHECK ((member IS NULL) <> (contact IS NULL))
) STRICT;
CREATE UNIQUE INDEX group_entry_member ON group_entry (name, member) WHERE member IS NOT NULL;
CREATE UNIQUE INDEX group_entry_contact ON group_entry (name, contact) WHERE contact IS NOT NULL;

-- Certificates --------------------------------------------------------------------------------

-- A keyring of limited size. The generation rises with every change of what belongs in the keyring.
CREATE TABLE shard (
	id INTEGER PRIMARY KEY,
	generation INTEGER NOT NULL,
	certificates INTEGER NOT NULL
) STRICT;
CREATE INDEX shard_room ON shard (certificates, id);

CREATE TABLE certificate (
	fingerprint TEXT PRIMARY KEY CHECK (fingerprint <> ''),
	user_id TEXT NOT NULL,
	algorithm TEXT NOT NULL,
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	encryption_key_id TEXT NOT NULL,
	encryption_fingerprint TEXT NOT NULL,
	encryption_expires INTEGER NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('pending', 'confirmed', 'retired')),
	shard INTEGER NOT NULL REFERENCES shard (id),
	added_at INTEGER NOT NULL
) STRICT;
CREATE INDEX certificate_shard ON certificate (shard);

CREATE TABLE certificate_bytes (
	fingerprint TEXT PRIMARY KEY REFERENCES certificate (fingerprint),
	minimal BLOB NOT NULL CHECK (length(minimal) > 0)
) STRICT;

-- The keys that sign, in the order of the certificate, and the one that mail is sealed for: a key
-- ID belongs to one certificate only, or a session key could not be matched to its recipient.
CREATE TABLE certificate_key (
	key_id TEXT PRIMARY KEY CHECK (key_id <> ''),
	fingerprint TEXT NOT NULL REFERENCES certificate (fingerprint),
	position INTEGER NOT NULL,
	signs INTEGER NOT NULL CHECK (signs IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_key_fingerprint ON certificate_key (fingerprint, position);

-- Arrivals ------------------------------------------------------------------------------------

CREATE TABLE arrival (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	digest TEXT NOT NULL UNIQUE,
	received_at INTEGER NOT NULL,
	size INTEGER NOT NULL,
	state TEXT NOT NULL
	    CHECK (state IN ('received', 'judged', 'done', 'refused', 'unreadable')),
	meaning TEXT NOT NULL DEFAULT '',
	reason TEXT NOT NULL DEFAULT '',
	signer TEXT NOT NULL DEFAULT '',
	shape TEXT NOT NULL DEFAULT '', -- names of rules/intake.h: what form it had,
	refusal TEXT NOT NULL DEFAULT '', -- and why that was not taken
	kept INTEGER NOT NULL DEFAULT 1 CHECK (kept IN (0, 1)), -- 0: its bytes were removed since
	wait_until INTEGER NOT NULL DEFAULT 0, -- it is judged then: its signature is dated ahead
	claimed INTEGER NOT NULL DEFAULT 0 CHECK (claimed IN (0, 1)), -- it says it is from somebody known
	tries INTEGER NOT NULL DEFAULT 0, -- workers that it ended; and what the admins know of it: that
	told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1, 2)) -- it waits (1), or all (2)
) STRICT;
CREATE INDEX arrival_open ON arrival (id) WHERE state IN ('received', 'judged');
-- What may be removed: the mail of strangers, who have no part in anything.
CREATE INDEX arrival_strangers ON arrival (id, received_at, size) WHERE kept = 1 AND signer = ''
    AND state IN ('done', 'refused', 'unreadable')
    AND meaning IN ('unknown', 'report', 'join', 'duplicate', 'fatal');
CREATE INDEX arrival_fatal ON arrival (id) WHERE meaning = 'fatal';
CREATE INDEX arrival_fatal_untold ON arrival (id) WHERE meaning = 'fatal' AND told < 2;
CREATE INDEX arrival_claimed ON arrival (received_at) WHERE claimed = 1;

CREATE TABLE arrival_raw (
	arrival INTEGER PRIMARY KEY REFERENCES arrival (id),
	raw BLOB NOT NULL
) STRICT;

CREATE TABLE signed_seen (
	digest TEXT PRIMARY KEY,
	arrival INTEGER NOT NULL REFERENCES arrival (id)
) STRICT, WITHOUT ROWID;

-- Messages and deliveries ---------------------------------------------------------------------

CREATE TABLE message (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL,
	message_id TEXT NOT NULL UNIQUE CHECK (message_id <> ''),
	created_at INTEGER NOT NULL,
	priority INTEGER NOT NULL DEFAULT 0 CHECK (priority IN (0, 1)),
	clear INTEGER NOT NULL DEFAULT 0 CHECK (clear IN (0, 1)),
	head BLOB NOT NULL,
	tail BLOB NOT NULL,
	stash BLOB NOT NULL,
	CHECK ((clear = 1) = (kind = 'key-notice')),
	CHECK (clear = 0 OR length(stash) = 0)
) STRICT;
CREATE TRIGGER message_stays_sealed BEFORE UPDATE OF clear, kind ON message BEGIN
	SELECT RAISE(ABORT, 'how a message leaves is decided once');
END;

-- What all recipients of one sealing share: the encrypted data packet; for a message that says
-- `clear`, its signed body. sealed_at: the Date that it travels with, which is that of the signature
-- inside; 0: the one in the message's head. tag: that of the epoch which the Message-ID names where
-- the message was recorded in a former one; else ''.
CREATE TABLE batch (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	message INTEGER NOT NULL REFERENCES message (id),
	sealed_at INTEGER NOT NULL DEFAULT 0,
	tag TEXT NOT NULL DEFAULT '',
	data BLOB NOT NULL CHECK (length(data) > 0)
) STRICT;
CREATE INDEX batch_message ON batch (message);

-- The priority is that of the message: 1 waits for all others that are due, bulletins do.
-- The shard is that of the certificate, which never moves. Only one that cannot be reached has
-- none; and whatever was on its way to the smarthost is sealed: nothing leaves in the clear.
-- about: what the smarthost refused it for, '' when its last word was no refusal. told: people know
-- that it waits (1), that it failed (2).
CREATE TABLE delivery (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	message INTEGER NOT NULL REFERENCES message (id),
	contact INTEGER REFERENCES contact (id),
	publisher INTEGER REFERENCES publisher (id),
	address TEXT NOT NULL CHECK (address <> ''),
	fingerprint TEXT NOT NULL,
	key_id TEXT NOT NULL,
	shard INTEGER REFERENCES shard (id),
	priority INTEGER NOT NULL DEFAULT 0 CHECK (priority IN (0, 1)),
	state TEXT NOT NULL CHECK (state IN
	    ('queued', 'sending', 'sent', 'deferred', 'acknowledged', 'failed', 'bounced')),
	reason TEXT NOT NULL DEFAULT '',
	batch INTEGER REFERENCES batch (id),
	attempts INTEGER NOT NULL DEFAULT 0,
	ambiguous INTEGER NOT NULL DEFAULT 0,
	next_at INTEGER NOT NULL DEFAULT 0,
	first_at INTEGER NOT NULL DEFAULT 0,
	sent_at INTEGER NOT NULL DEFAULT 0,
	about TEXT NOT NULL DEFAULT '' CHECK (about IN ('', 'recipient', 'message', 'gateway')),
	told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1, 2)),
	CHECK ((contact IS NULL) <> (publisher IS NULL)),
	CHECK (state = 'failed' OR shard IS NOT NULL),
	CHECK (state <> 'failed' OR reason <> ''),
	CHECK (state IN ('queued', 'failed') OR batch IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX delivery_contact ON delivery (message, contact) WHERE contact IS NOT NULL;
CREATE UNIQUE INDEX delivery_publisher ON delivery (message, publisher)
    WHERE publisher IS NOT NULL;
CREATE INDEX delivery_state ON delivery (message, state, batch);
CREATE INDEX delivery_unsealed ON delivery (priority, message, shard, id)
    WHERE state = 'queued' AND batch IS NULL;
CREATE INDEX delivery_due ON delivery (priority, next_at, id)
    WHERE state IN ('queued', 'deferred') AND batch IS NOT NULL;
CREATE INDEX delivery_due_of_batch ON delivery (batch, next_at, id)
    WHERE state IN ('queued', 'deferred') AND batch IS NOT NULL;
CREATE INDEX delivery_waiting ON delivery (next_at, id)
    WHERE state IN ('queued', 'sending', 'deferred');
CREATE INDEX delivery_sending ON delivery (id) WHERE state = 'sending';
CREATE INDEX delivery_failed ON delivery (message, id)
    WHERE state = 'failed' AND batch IS NOT NULL;
CREATE INDEX delivery_unwell ON delivery (id) WHERE state IN ('failed', 'bounced');
CREATE INDEX delivery_of_contact ON delivery (contact, id) WHERE contact IS NOT NULL;
CREATE INDEX delivery_of_publisher ON delivery (publisher, id) WHERE publisher IS NOT NULL;

-- The session key of each sealed delivery, apart, so that scanning deliveries stays cheap.
CREATE TABLE delivery_key (
	delivery INTEGER PRIMARY KEY REFERENCES delivery (id),
	pkesk BLOB NOT NULL CHECK (length(pkesk) > 0)
) STRICT;

-- The life of keys ----------------------------------------------------------------------------

-- What was said of an expiry, so that each is said once: days left, 0 after it.
CREATE TABLE key_told (
	fingerprint TEXT NOT NULL,
	expires INTEGER NOT NULL,
	stage INTEGER NOT NULL CHECK (stage IN (30, 7, 1, 0)),
	told_at INTEGER NOT NULL,
	PRIMARY KEY (fingerprint, expires, stage)
) STRICT, WITHOUT ROWID;

-- A new key that the holder of the former one asks to be known by: it waits for an admin.
CREATE TABLE key_successor (
	fingerprint TEXT PRIMARY KEY REFERENCES certificate (fingerprint),
	former TEXT NOT NULL REFERENCES certificate (fingerprint),
	contact INTEGER UNIQUE REFERENCES contact (id),
	publisher INTEGER UNIQUE REFERENCES publisher (id),
	arrival INTEGER NOT NULL REFERENCES arrival (id),
	asked_at INTEGER NOT NULL,
	CHECK ((contact IS NULL) <> (publisher IS NULL)),
	CHECK (fingerprint <> former)
) STRICT;

-- What an admin asked for and another one has to approve.
CREATE TABLE approval (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL CHECK (kind IN
	    ('key.confirm', 'contact.rekey', 'publisher.rekey', 'publisher.add')),
	address TEXT NOT NULL,
	name TEXT NOT NULL,
	fingerprint TEXT NOT NULL CHECK (fingerprint <> ''),
	state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'rejected')),
	asked_by TEXT NOT NULL,
	asked_uid INTEGER NOT NULL,
	asked_at INTEGER NOT NULL,
	decided_by TEXT NOT NULL DEFAULT '',
	decided_uid INTEGER,
	decided_at INTEGER NOT NULL DEFAULT 0,
	CHECK ((state = 'open') = (decided_uid IS NULL)),
	CHECK (state <> 'done' OR decided_uid <> asked_uid)
) STRICT;
CREATE UNIQUE INDEX approval_open ON approval (kind, address, fingerprint) WHERE state = 'open';

-- Advisories ----------------------------------------------------------------------------------

-- The last number given out for a prefix and year.
CREATE TABLE advisory_number (
	prefix TEXT NOT NULL,
	year INTEGER NOT NULL,
	last INTEGER NOT NULL,
	PRIMARY KEY (prefix, year)
) STRICT, WITHOUT ROWID;

CREATE TABLE advisory (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	number TEXT NOT NULL UNIQUE CHECK (number <> ''),
	state TEXT NOT NULL CHECK (state IN
	    ('held', 'released', 'sealed', 'delivering', 'complete', 'withdrawn')),
	kind TEXT NOT NULL CHECK (kind IN ('advisory', 'bulletin')),
	tlp TEXT NOT NULL CHECK (tlp IN ('RED', 'AMBER+STRICT', 'AMBER', 'GREEN', 'CLEAR')),
	severity TEXT NOT NULL,
	exercise INTEGER NOT NULL CHECK (exercise IN (0, 1)),
	publisher INTEGER NOT NULL REFERENCES publisher (id),
	created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE revision (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	advisory INTEGER NOT NULL REFERENCES advisory (id),
	number INTEGER NOT NULL CHECK (number >= 1),
	kind TEXT NOT NULL CHECK (kind IN ('new', 'update', 'withdraw')),
	tlp TEXT NOT NULL CHECK (tlp IN ('RED', 'AMBER+STRICT', 'AMBER', 'GREEN', 'CLEAR')),
	audience TEXT NOT NULL,
	token TEXT NOT NULL UNIQUE CHECK (token <> ''),
	acknowledge_by INTEGER NOT NULL,
	released_at INTEGER NOT NULL,
	publisher INTEGER REFERENCES publisher (id),
	arrival INTEGER REFERENCES arrival (id),
	message INTEGER NOT NULL UNIQUE REFERENCES message (id),
	reported INTEGER NOT NULL DEFAULT 0 CHECK (reported IN (0, 1, 2)),
	own_left_out INTEGER NOT NULL DEFAULT 0 CHECK (own_left_out IN (0, 1)),
	title BLOB NOT NULL,
	UNIQUE (advisory, number)
) STRICT;
CREATE INDEX revision_unreported ON revision (id) WHERE reported < 2;

-- What waits for its hour or for another publisher's approval. The draft is the raw arrival, which
-- is encrypted to the gateway; release_at 0: as soon as it is approved.
CREATE TABLE hold (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	advisory INTEGER NOT NULL REFERENCES advisory (id),
	state TEXT NOT NULL CHECK (state IN
	    ('waiting', 'held', 'released', 'withdrawn', 'rejected', 'failed')),
	arrival INTEGER NOT NULL UNIQUE REFERENCES arrival (id),
	publisher INTEGER NOT NULL REFERENCES publisher (id),
	fingerprint TEXT NOT NULL CHECK (fingerprint <> ''),
	reading TEXT NOT NULL, -- digest of what was read in it: no other reading of it is released
	created_at INTEGER NOT NULL,
	release_at INTEGER NOT NULL,
	token TEXT UNIQUE CHECK (token <> ''),
	asked INTEGER NOT NULL DEFAULT 0 CHECK (asked IN (0, 1)),
	decided_by INTEGER REFERENCES publisher (id),
	ended_at INTEGER NOT NULL DEFAULT 0,
	title BLOB NOT NULL,
	CHECK (state <> 'waiting' OR token IS NOT NULL)
) STRICT;
CREATE INDEX hold_of_advisory ON hold (advisory);
CREATE UNIQUE INDEX hold_open ON hold (advisory) WHERE state IN ('waiting', 'held');
CREATE INDEX hold_unasked ON hold (id) WHERE state = 'waiting' AND asked = 0;
CREATE INDEX hold_due ON hold (release_at, id) WHERE state = 'held';

CREATE TABLE withdrawal (
	advisory INTEGER PRIMARY KEY REFERENCES advisory (id),
	asked_at INTEGER NOT NULL,
	done INTEGER NOT NULL DEFAULT 0 CHECK (done IN (0, 1))
) STRICT;
CREATE INDEX withdrawal_open ON withdrawal (asked_at, advisory) WHERE done = 0;

CREATE TABLE acknowledgment (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	revision INTEGER NOT NULL REFERENCES revision (id),
	contact INTEGER NOT NULL REFERENCES contact (id),
	arrival INTEGER NOT NULL REFERENCES arrival (id),
	status TEXT NOT NULL CHECK (status IN
	    ('received', 'affected', 'not affected', 'acting', 'unreadable')),
	signed_at INTEGER NOT NULL,
	received_at INTEGER NOT NULL,
	fingerprint TEXT NOT NULL CHECK (fingerprint <> ''),
	clear TEXT NOT NULL CHECK (clear IN ('', 'text', 'subject')), -- what of it was in the open
	comment BLOB NOT NULL,
	UNIQUE (revision, arrival)
) STRICT;
CREATE INDEX acknowledgment_of_contact ON acknowledgment (revision, contact, signed_at, id);

-- What travelled in the open with a revision's token: of each contact the first answer that counts,
-- and the first mail that does not; of nobody known one mail. told: the contact, by notice;
-- reported: publisher and admins.
CREATE TABLE clear_answer (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	acknowledgment INTEGER UNIQUE REFERENCES acknowledgment (id), -- NULL: it does not count
	revision INTEGER NOT NULL REFERENCES revision (id),
	contact INTEGER REFERENCES contact (id), -- NULL: nobody who got it has that address
	arrival INTEGER NOT NULL REFERENCES arrival (id),
	received_at INTEGER NOT NULL,
	what TEXT NOT NULL CHECK (what IN ('text', 'subject')),
	claimed TEXT NOT NULL, -- the address that it says it is from
	told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1)),
	reported INTEGER NOT NULL DEFAULT 0 CHECK (reported IN (0, 1)),
	notice INTEGER REFERENCES message (id),
	CHECK (acknowledgment IS NULL OR contact IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX clear_answer_of_contact ON clear_answer
    (revision, ifnull(contact, 0), acknowledgment IS NULL);
CREATE INDEX clear_answer_untold ON clear_answer (id) WHERE told = 0;
CREATE INDEX clear_answer_unreported ON clear_answer (id) WHERE reported = 0;

-- An answer that does not count: the first of each contact, revision and reason (a name of
-- rules/uncounted.h). told 0: the contact's own signature covers it, and a notice is due; 1: that
-- went, or only reminders may say it.
CREATE TABLE uncounted_answer (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	revision INTEGER NOT NULL REFERENCES revision (id),
	contact INTEGER NOT NULL REFERENCES contact (id),
	reason TEXT NOT NULL CHECK (reason <> ''),
	arrival INTEGER NOT NULL REFERENCES arrival (id),
	signed_at INTEGER NOT NULL,
	received_at INTEGER NOT NULL,
	told INTEGER NOT NULL CHECK (told IN (0, 1)),
	notice INTEGER REFERENCES message (id),
	UNIQUE (revision, contact, reason)
) STRICT;
CREATE INDEX uncounted_answer_untold ON uncounted_answer (id) WHERE told = 0;

-- Information back, and materials -----------------------------------------------------------------

-- receipt: the message that told the contact of the number.
CREATE TABLE report (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	number TEXT NOT NULL UNIQUE CHECK (number <> ''),
	contact INTEGER NOT NULL REFERENCES contact (id),
	tlp TEXT NOT NULL CHECK (tlp IN ('RED', 'AMBER+STRICT', 'AMBER', 'GREEN', 'CLEAR')),
	advisory INTEGER REFERENCES advisory (id),
	received_at INTEGER NOT NULL,
	arrival INTEGER NOT NULL UNIQUE REFERENCES arrival (id),
	message INTEGER NOT NULL UNIQUE REFERENCES message (id),
	receipt INTEGER REFERENCES message (id),
	title BLOB NOT NULL
) STRICT;
CREATE INDEX report_unanswered ON report (id) WHERE receipt IS NULL;

CREATE TABLE report_reply (
	message INTEGER PRIMARY KEY REFERENCES message (id),
	report INTEGER NOT NULL REFERENCES report (id),
	publisher INTEGER NOT NULL REFERENCES publisher (id),
	arrival INTEGER NOT NULL REFERENCES arrival (id),
	sent_at INTEGER NOT NULL
) STRICT;
CREATE INDEX report_reply_report ON report_reply (report, message);

-- title, file (its name) and content are encrypted to the gateway's own key.
CREATE TABLE material (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE
	    CHECK (length(name) BETWEEN 1 AND 64 AND name NOT GLOB '*[^a-z0-9-]*'),
	audience TEXT NOT NULL CHECK (audience <> ''),
	tlp TEXT NOT NULL CHECK (tlp IN ('RED', 'AMBER+STRICT', 'AMBER', 'GREEN', 'CLEAR')),
	size INTEGER NOT NULL,
	added_at INTEGER NOT NULL,
	title BLOB NOT NULL,
	file BLOB NOT NULL,
	content BLOB NOT NULL
) STRICT;

-- Messages that are no advisories and still only for those who are cleared.
CREATE TABLE message_label (
	message INTEGER PRIMARY KEY REFERENCES message (id),
	tlp TEXT NOT NULL CHECK (tlp IN ('RED', 'AMBER+STRICT', 'AMBER', 'GREEN', 'CLEAR'))
) STRICT;

-- Traced copies: a text of its own for each delivery of a message. The mark is what its layout was
-- drawn from.
CREATE TABLE traced_copy (
	delivery INTEGER PRIMARY KEY REFERENCES delivery (id),
	message INTEGER NOT NULL REFERENCES message (id),
	number INTEGER NOT NULL CHECK (number >= 1),
	mark BLOB NOT NULL CHECK (length(mark) = 16),
	stash BLOB NOT NULL CHECK (length(stash) > 0),
	UNIQUE (message, number)
) STRICT;

-- The agreement -------------------------------------------------------------------------------

-- A version's text is no secret, and is never changed. expires 0: never.
CREATE TABLE agreement (
	version INTEGER PRIMARY KEY AUTOINCREMENT,
	published_at INTEGER NOT NULL,
	required_from INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	text TEXT NOT NULL CHECK (text <> '')
) STRICT;

-- Who was asked to sign what: one token for each contact and version. message is the newest mail
-- that asked.
CREATE TABLE agreement_request (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	version INTEGER NOT NULL REFERENCES agreement (version),
	contact INTEGER NOT NULL REFERENCES contact (id),
	token TEXT NOT NULL UNIQUE CHECK (token <> ''),
	asked_at INTEGER NOT NULL,
	mailed_at INTEGER NOT NULL,
	reminders INTEGER NOT NULL DEFAULT 0,
	message INTEGER NOT NULL REFERENCES message (id),
	UNIQUE (contact, version)
) STRICT;
CREATE INDEX agreement_request_version ON agreement_request (version, id);

CREATE TABLE agreement_answer (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	version INTEGER NOT NULL REFERENCES agreement (version),
	contact INTEGER NOT NULL REFERENCES contact (id),
	arrival INTEGER NOT NULL REFERENCES arrival (id),
	answer TEXT NOT NULL CHECK (answer IN ('accept', 'decline', 'leave')),
	signed_at INTEGER NOT NULL,
	received_at INTEGER NOT NULL,
	fingerprint TEXT NOT NULL CHECK (fingerprint <> ''),
	UNIQUE (contact, version, arrival)
) STRICT;
CREATE INDEX agreement_answer_of_contact ON agreement_answer (contact, version, signed_at, id);

-- Strangers who ask to join: one open request for each certificate.
CREATE TABLE join_request (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	arrival INTEGER NOT NULL UNIQUE REFERENCES arrival (id),
	organisation TEXT NOT NULL CHECK (organisation <> ''),
	address TEXT NOT NULL,
	name TEXT NOT NULL,
	fingerprint TEXT NOT NULL CHECK (fingerprint <> ''),
	received_at INTEGER NOT NULL,
	state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'dismissed')),
	certificate BLOB NOT NULL CHECK (length(certificate) > 0)
) STRICT;
CREATE UNIQUE INDEX join_request_open ON join_request (fingerprint) WHERE state = 'open';
-- Reminders -----------------------------------------------------------------------------------

-- What was sent because an answer was missing: by stage, in percent of the time to answer, 100 being
-- the deadline. That each stands here once is what keeps it from being sent twice.
CREATE TABLE reminder (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	revision INTEGER NOT NULL REFERENCES revision (id),
	contact INTEGER NOT NULL REFERENCES contact (id),
	stage INTEGER NOT NULL CHECK (stage BETWEEN 1 AND 100),
	message INTEGER NOT NULL REFERENCES message (id),
	recorded_at INTEGER NOT NULL,
	UNIQUE (revision, contact, stage)
) STRICT;

-- The deadline was dealt with: by an alarm, or with nothing to tell (no message).
CREATE TABLE deadline (
	revision INTEGER PRIMARY KEY REFERENCES revision (id),
	message INTEGER REFERENCES message (id),
	recorded_at INTEGER NOT NULL,
	missing INTEGER NOT NULL
) STRICT;

-- Bounces -------------------------------------------------------------------------------------

-- What came back to the return path of one delivery. told: publisher and admins know of it, or need
-- not.
CREATE TABLE bounce (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	delivery INTEGER NOT NULL REFERENCES delivery (id),
	arrival INTEGER NOT NULL UNIQUE REFERENCES arrival (id),
	received_at INTEGER NOT NULL,
	verdict TEXT NOT NULL CHECK (verdict IN
	    ('bounced', 'given up', 'unreadable', 'auto-reply', 'written', 'noted')),
	action TEXT NOT NULL,
	status TEXT NOT NULL,
	recipient TEXT NOT NULL,
	diagnostic TEXT NOT NULL,
	first_lines TEXT NOT NULL DEFAULT '',
	instead INTEGER REFERENCES delivery (id),
	told INTEGER NOT NULL CHECK (told IN (0, 1))
) STRICT;
CREATE INDEX bounce_delivery ON bounce (delivery);
CREATE INDEX bounce_untold ON bounce (id) WHERE told = 0;

-- Restores ------------------------------------------------------------------------------------

-- Each time that the store was put back to what it had been. The first epoch has no row. tag: what
-- numbers, return paths and Message-IDs of this epoch hold. backup_at, sequence: time and number of
-- the last entry of the log that the backup had; advisory, delivery, message: the highest of each that
-- was given out before; lost_to: the last entry of the log that it took the place of, 0 where nobody knows.
CREATE TABLE epoch (
	number INTEGER PRIMARY KEY CHECK (number >= 2),
	tag TEXT NOT NULL UNIQUE CHECK (length(tag) >= 3),
	begun_at INTEGER NOT NULL,
	backup_at INTEGER NOT NULL,
	sequence INTEGER NOT NULL,
	advisory INTEGER NOT NULL,
	delivery INTEGER NOT NULL,
	message INTEGER NOT NULL,
	lost_to INTEGER NOT NULL,
	noticed INTEGER NOT NULL CHECK (noticed IN (0, 1)), -- by the gate: nobody ran dewctl restore
	told INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1, 2)), -- 1: the admins, 2: publishers too
	reviewed_at INTEGER NOT NULL DEFAULT 0,
	findings TEXT NOT NULL
) STRICT;

-- What shows that something of a former epoch is not on record: a signed answer with a token that is
-- unknown here, a number that a publisher names, what came back to a return path. told: 1 the writer,
-- where there is one to tell, 2 the admins too.
CREATE TABLE lost_trace (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL CHECK (kind IN ('answer', 'number', 'return path')),
	subject TEXT NOT NULL,
	arrival INTEGER NOT NULL REFERENCES arrival (id),
	contact INTEGER REFERENCES contact (id),
	publisher INTEGER REFERENCES publisher (id),
	received_at INTEGER NOT NULL,
	told INTEGER NOT NULL CHECK (told IN (0, 1, 2)),
	UNIQUE (kind, subject, arrival)
) STRICT;
CREATE INDEX lost_trace_untold ON lost_trace (id) WHERE told < 2;

-- The clock -----------------------------------------------------------------------------------

-- What the date of a signer's newest mail says of our clock: seconds that it was ahead of it.
CREATE TABLE clock_witness (
	fingerprint TEXT PRIMARY KEY CHECK (fingerprint <> ''),
	ahead INTEGER NOT NULL,
	seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The log -------------------------------------------------------------------------------------

CREATE TABLE audit (
	sequence INTEGER PRIMARY KEY,
	at INTEGER NOT NULL,
	actor TEXT NOT NULL,
	event TEXT NOT NULL,
	subject TEXT NOT NULL,
	detail TEXT NOT NULL,
	hash TEXT NOT NULL
) STRICT;

-- A barrier against mistakes, ours included. Whoever can write the file can drop these: the proof is
-- the chain of hashes.
CREATE TRIGGER audit_is_not_edited BEFORE UPDATE ON audit BEGIN
	SELECT RAISE(ABORT, 'the log of what happened is never edited');
END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit BEGIN
	SELECT RAISE(ABORT, 'the log of what happened is never cut');
END;
CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
    WHEN NEW.sequence <> (SELECT ifnull(max(sequence), 0) + 1 FROM audit) BEGIN
	SELECT RAISE(ABORT, 'the log of what happened grows only at its end');
END;
