#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "dewctl_world.h"
#include "pgp/open.h"
#include "store/advisories.h"
#include "store/arrivals.h"
#include "store/people.h"

#define ALICE "alice@us.example"
#define BOB "bob@jp.example"
#define NUMBER "DEW-2026-0007"
#define NUMBER_TYPED "dew-2026-0007"

enum { LATER = 3600, MAIL_MAX = 1024 * 1024 };

/* When the scene begins: by the clock that dewctl goes by, so that what is to come does. */
static int64_t now;

/* An advisory with one or two revisions that went to two contacts: the store as the gate leaves it.
 */
struct scene {
	struct world *world;
	struct store *store;
	struct home home;
	char alice[FINGERPRINT_SIZE];
	char bob[FINGERPRINT_SIZE];
	int64_t advisory;
	int64_t revisions[2];
	int64_t messages[2];
};

static struct err err;

static void must(int status)
{
	if (status != 0)
		fail_msg("%s", err.text);
}

static void add_person(
    struct scene *scene, const char *member, const char *address, char *fingerprint)
{
	struct world *world = scene->world;
	world_make_key(world, address, fingerprint);
	MUST(world, "key", "confirm", fingerprint);
	MUST(world, "member", "add", member, "--name", member);
	MUST(world, "contact", "add", member, address, "--key", fingerprint, "--name", "A Person");
}

static int64_t contact_id(struct scene *scene, const char *address)
{
	struct contact contact;
	bool found;
	must(store_contact_by_address(scene->store, address, &contact, &found, &err));
	assert_true(found);
	return contact.id;
}

static int64_t add_delivery(
    struct scene *scene, int64_t message, const char *address, const char *fingerprint)
{
	struct delivery delivery = {.message = message, .next_at = now};
	delivery.contact = contact_id(scene, address);
	snprintf(delivery.address, sizeof delivery.address, "%s", address);
	snprintf(delivery.fingerprint, sizeof delivery.fingerprint, "%s", fingerprint);
	snprintf(delivery.key_id, sizeof delivery.key_id, "0123456789ABCDEF");
	snprintf(delivery.state, sizeof delivery.state, "queued");
	must(store_delivery_add(scene->store, &delivery, &err));
	return delivery.id;
}

static void stash(struct scene *scene, const char *text, struct buf *out)
{
	must(pgp_stash(&scene->home, view_of(text), out, &err));
}

static void add_revision(struct scene *scene, int64_t number, const char *token)
{
	struct buf title = BUF_EMPTY(BUF_SMALL);
	struct message message = {.created_at = now};
	struct revision revision = {.advisory = scene->advisory,
	    .number = number,
	    .released_at = now,
	    .publisher = 0,
	    .arrival = 0};
	stash(scene, "A hole in everything", &title);
	snprintf(message.kind, sizeof message.kind, "advisory");
	snprintf(message.message_id, sizeof message.message_id, "m%d@gw.example", (int)number);
	message.head = VIEW("head");
	message.tail = VIEW("tail");
	message.stash = buf_view(&title);
	must(store_message_add(scene->store, &message, &err));
	revision.message = message.id;
	revision.title = buf_view(&title);
	snprintf(revision.kind, sizeof revision.kind, number == 1 ? "new" : "update");
	snprintf(revision.tlp, sizeof revision.tlp, "AMBER");
	snprintf(revision.audience, sizeof revision.audience, "all");
	snprintf(revision.token, sizeof revision.token, "%s", token);
	must(store_revision_add(scene->store, &revision, &err));
	scene->revisions[number - 1] = revision.id;
	scene->messages[number - 1] = message.id;
	buf_release(&title);
}

static void deliver(struct scene *scene, int64_t message, const char *address,
    const char *fingerprint, const char *last_event, const char *reason)
{
	const int64_t id = add_delivery(scene, message, address, fingerprint);
	int64_t batch;
	must(store_batch_add(scene->store, message, VIEW("sealed"), 0, &batch, &err));
	must(store_delivery_bind(scene->store, id, batch, VIEW("session key"), &err));
	must(store_delivery_move(scene->store, id, "start", NULL, 0, now, false, &err));
	must(store_delivery_move(scene->store, id, last_event, reason, now + LATER, now, false, &err));
}

/* Both are contacts; Alice was sent revision 1, and Bob's server refuses him. */
static void open_scene(struct scene *scene, struct world *world)
{
	struct advisory advisory = {.created_at = now};
	struct publisher publisher = {.added_at = now};
	*scene = (struct scene){.world = world};
	now = clock_now();
	MUST(world, "init");
	add_person(scene, "us", ALICE, scene->alice);
	add_person(scene, "jp", BOB, scene->bob);
	scene->store = world_store(world);
	must(home_open(world_path(world, "state/gnupg"), &scene->home, &err));
	snprintf(publisher.address, sizeof publisher.address, "pub@vendor.example");
	snprintf(publisher.fingerprint, sizeof publisher.fingerprint, "%s", scene->alice);
	snprintf(advisory.number, sizeof advisory.number, NUMBER);
	snprintf(advisory.tlp, sizeof advisory.tlp, "AMBER");
	bool added;
	must(store_publisher_add(scene->store, &publisher, &added, &err));
	advisory.publisher = publisher.id;
	must(store_advisory_add(scene->store, &advisory, &err));
	scene->advisory = advisory.id;
	add_revision(scene, 1, "AAAAAAAAAAAAAAAA");
	deliver(scene, scene->messages[0], ALICE, scene->alice, "accept", NULL);
	deliver(scene, scene->messages[0], BOB, scene->bob, "reject", "550 no such user");
}

static void close_scene(struct scene *scene)
{
	store_close(scene->store);
	home_stop_agent(&scene->home);
}

static void acknowledge(
    struct scene *scene, int64_t revision, const char *status, int64_t signed_at, struct view raw)
{
	struct acknowledgment ack = {
	    .revision = revision, .signed_at = signed_at, .received_at = signed_at + 60};
	struct buf comment = BUF_EMPTY(BUF_SMALL);
	bool fresh;
	stash(scene, "We are\r\non it \x1b[31m", &comment);
	ack.contact = contact_id(scene, ALICE);
	snprintf(ack.status, sizeof ack.status, "%s", status);
	snprintf(ack.fingerprint, sizeof ack.fingerprint, "%s", scene->alice);
	ack.comment = buf_view(&comment);
	must(store_arrival_receive(scene->store, raw, signed_at, &ack.arrival, &fresh, &err));
	must(store_acknowledgment_add(scene->store, &ack, &err));
	buf_release(&comment);
}

static void assert_says(const struct buf *printed, const char *what)
{
	if (strstr(buf_text(printed), what) == NULL)
		fail_msg("\"%s\" is not in: %s", what, buf_text(printed));
}

static void assert_silent_of(const struct buf *printed, const char *what)
{
	if (strstr(buf_text(printed), what) != NULL)
		fail_msg("\"%s\" is in: %s", what, buf_text(printed));
}

/* -- lists -- */

static void who_has_not_acknowledged_stands_with_the_state_of_the_delivery(void **state)
{
	struct scene scene;
	open_scene(&scene, *state);
	acknowledge(&scene, scene.revisions[0], "affected", now + 10, VIEW("raw"));
	MUST(scene.world, "ack", "list", NUMBER);
	assert_says(&scene.world->out, "affected");
	assert_says(&scene.world->out, "We are on it \\x1b[31m");
	assert_says(&scene.world->out, BOB);
	assert_says(&scene.world->out, "550 no such user");
	assert_says(&scene.world->out, "1 of 2 acknowledged.");
	MUST(scene.world, "ack", "list", NUMBER, "--json");
	assert_says(&scene.world->out, "\"revision\": 1");
	assert_says(&scene.world->out, "\"revision\": null");
	assert_says(&scene.world->out, "\"delivery\": \"failed\"");
	assert_says(&scene.world->out, "\"comment\": \"We are\\r\\non it \\u001B[31m\"");
	close_scene(&scene);
}

static void answer_to_a_replaced_revision_is_marked_as_older(void **state)
{
	struct scene scene;
	open_scene(&scene, *state);
	add_revision(&scene, 2, "BBBBBBBBBBBBBBBB");
	deliver(&scene, scene.messages[1], ALICE, scene.alice, "accept", NULL);
	acknowledge(&scene, scene.revisions[0], "received", now + 10, VIEW("raw"));
	MUST(scene.world, "ack", "list", NUMBER);
	assert_says(&scene.world->out, "1 (older)");
	assert_says(&scene.world->out, "0 of 2 acknowledged, and 1 an older revision only.");
	/* Revision 2 went to nobody else: Bob stands there with what became of the first. */
	assert_says(&scene.world->out, "550 no such user");
	acknowledge(&scene, scene.revisions[1], "acting", now + 20, VIEW("raw 2"));
	MUST(scene.world, "ack", "list", NUMBER);
	assert_silent_of(&scene.world->out, "(older)");
	assert_says(&scene.world->out, "acting");
	close_scene(&scene);
}

static void last_signed_answer_to_a_revision_counts(void **state)
{
	struct scene scene;
	open_scene(&scene, *state);
	acknowledge(&scene, scene.revisions[0], "acting", now + 30, VIEW("raw 1"));
	acknowledge(&scene, scene.revisions[0], "received", now + 20, VIEW("raw 2"));
	MUST(scene.world, "ack", "list", NUMBER, "--json");
	assert_says(&scene.world->out, "\"status\": \"acting\"");
	assert_says(&scene.world->out, "\"replies\": 2");
	assert_silent_of(&scene.world->out, "\"status\": \"received\"");
	close_scene(&scene);
}

static void removed_contact_stays_in_the_list(void **state)
{
	struct scene scene;
	open_scene(&scene, *state);
	MUST(scene.world, "contact", "remove", BOB);
	MUST(scene.world, "ack", "list", NUMBER);
	assert_says(&scene.world->out, BOB);
	close_scene(&scene);
}

static void advisory_is_shown_with_its_title_and_every_delivery(void **state)
{
	struct scene scene;
	open_scene(&scene, *state);
	MUST(scene.world, "advisory", "list");
	assert_says(&scene.world->out, "A hole in everything");
	MUST(scene.world, "advisory", "show", NUMBER_TYPED);
	assert_non_null(strstr(buf_text(&scene.world->out), NUMBER));
	MUST(scene.world, "ack", "list", NUMBER_TYPED);
	MUST(scene.world, "advisory", "show", NUMBER);
	assert_says(&scene.world->out, "A hole in everything");
	assert_says(&scene.world->out, "550 no such user");
	assert_says(&scene.world->out, "pub@vendor.example");
	assert_silent_of(&scene.world->out, "AAAAAAAAAAAAAAAA");
	MUST(scene.world, "advisory", "show", NUMBER, "--json");
	assert_says(&scene.world->out, "\"title\": \"A hole in everything\"");
	close_scene(&scene);
}

static void withdrawal_is_asked_for_once(void **state)
{
	struct scene scene;
	int64_t asked;
	bool found;
	open_scene(&scene, *state);
	MUST(scene.world, "advisory", "withdraw", NUMBER);
	must(store_withdrawal_next(scene.store, &asked, &found, &err));
	assert_true(found);
	assert_int_equal(asked, scene.advisory);
	assert_int_equal(CTL(scene.world, "advisory", "withdraw", NUMBER), 1);
	close_scene(&scene);
}

static void queue_names_the_advisory_and_retry_makes_it_due(void **state)
{
	struct scene scene;
	open_scene(&scene, *state);
	add_revision(&scene, 2, "BBBBBBBBBBBBBBBB");
	deliver(&scene, scene.messages[1], BOB, scene.bob, "postpone", "451 try later");
	MUST(scene.world, "queue", "list");
	assert_says(&scene.world->out, NUMBER " r2");
	assert_says(&scene.world->out, "451 try later");
	MUST(scene.world, "queue", "retry");
	assert_says(&scene.world->out, "1 deliver");
	close_scene(&scene);
}

/* -- evidence -- */

static const char signed_part[] = "Content-Type: text/plain; charset=utf-8\r\n\r\n"
				  "affected\r\n\r\n> Token: AAAAAAAAAAAAAAAA\r\n";

static void read_armor(struct scene *scene, const char *name, struct buf *out)
{
	struct buf armor = BUF_EMPTY(MAIL_MAX);
	struct view line;
	world_read(scene->world, name, &armor);
	struct view rest = buf_view(&armor);
	while (view_next_line(&rest, &line)) {
		buf_add_view(out, line);
		buf_add_text(out, "\r\n");
	}
	buf_release(&armor);
}

static void add_head(struct buf *mail, const char *type)
{
	buf_printf(mail,
	    "From: " ALICE "\r\nTo: gateway@gw.example\r\nSubject: Re: [...]\r\n"
	    "MIME-Version: 1.0\r\nContent-Type: %s\r\n\r\n",
	    type);
}

static void add_encrypted(struct scene *scene, struct buf *mail, const char *armor)
{
	add_head(
	    mail, "multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=\"b\"");
	buf_add_text(mail, "--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
			   "--b\r\nContent-Type: application/octet-stream\r\n\r\n");
	read_armor(scene, armor, mail);
	buf_add_text(mail, "\r\n--b--\r\n");
}

static void add_signed_body(struct scene *scene, struct buf *out)
{
	buf_printf(out, "--s\r\n%s\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\n",
	    signed_part);
	read_armor(scene, "sig.asc", out);
	buf_add_text(out, "\r\n--s--\r\n");
}

#define SIGNED_TYPE                                                                                \
	"multipart/signed; protocol=\"application/pgp-signature\"; "                               \
	"micalg=pgp-sha512; boundary=\"s\""

/* Encrypts to the gateway, signs as Alice, or both. */
static void seal(struct scene *scene, bool sign, bool encrypt, const char *in, const char *out)
{
	struct buf gateway = BUF_EMPTY(MAIL_MAX);
	struct world *world = scene->world;
	must(home_export_key(&scene->home, true, &gateway, &err));
	world_write(world, "gateway.asc", buf_view(&gateway));
	buf_release(&gateway);
	assert_int_equal(GPG(world->people, "--import", world_path(world, "gateway.asc")), 0);
	const char *verb = !encrypt ? "--detach-sign" : sign ? "--sign" : "--encrypt";
	assert_int_equal(GPG(world->people, "--armor", "--local-user", scene->alice, "--recipient",
			     scene->home.gateway, "--output", world_path(world, out),
			     encrypt ? "--encrypt" : "--no-greeting", verb, world_path(world, in)),
	    0);
}

/* Exports Alice's only reply into DIR/ev and lets plain gpg verify it in an empty home. */
static void assert_verifies(struct scene *scene, const char *file, const char *document)
{
	struct world *world = scene->world;
	struct buf readme = BUF_EMPTY(MAIL_MAX);
	MUST(world, "ack", "export", NUMBER, ALICE, world_path(world, "ev"));
	assert_int_equal(mkdir(world_path(world, "verify"), 0700), 0);
	const char *home = world_path(world, "verify");
	assert_int_equal(GPG(home, "--import", world_path(world, "ev/certificate.gpg")), 0);
	const char *first = world_path(world, file);
	if (document != NULL)
		assert_int_equal(GPG(home, "--verify", first, world_path(world, document)), 0);
	else
		assert_int_equal(GPG(home, "--verify", first), 0);
	world_read(world, "ev/README.txt", &readme);
	assert_says(&readme, "gpg --verify");
	assert_says(&readme, scene->alice);
	assert_says(&readme, "AAAAAAAAAAAAAAAA");
	assert_int_equal(access(world_path(world, "ev/reply.eml"), R_OK), 0);
	buf_release(&readme);
}

static void evidence_of_an_encrypted_reply_verifies_with_plain_gpg(void **state)
{
	struct scene scene;
	struct buf mail = BUF_EMPTY(MAIL_MAX);
	open_scene(&scene, *state);
	world_write(scene.world, "part", VIEW(signed_part));
	seal(&scene, true, true, "part", "msg.asc");
	add_encrypted(&scene, &mail, "msg.asc");
	acknowledge(&scene, scene.revisions[0], "affected", now + 10, buf_view(&mail));
	assert_verifies(&scene, "ev/signed.gpg", NULL);
	buf_release(&mail);
	close_scene(&scene);
}

static void evidence_of_a_signed_reply_verifies_with_plain_gpg(void **state)
{
	struct scene scene;
	struct buf mail = BUF_EMPTY(MAIL_MAX);
	open_scene(&scene, *state);
	world_write(scene.world, "part", VIEW(signed_part));
	seal(&scene, true, false, "part", "sig.asc");
	add_head(&mail, SIGNED_TYPE);
	add_signed_body(&scene, &mail);
	acknowledge(&scene, scene.revisions[0], "affected", now + 10, buf_view(&mail));
	assert_verifies(&scene, "ev/signature.asc", "ev/signed.txt");
	buf_release(&mail);
	close_scene(&scene);
}

static void evidence_signed_inside_the_encryption_verifies_with_plain_gpg(void **state)
{
	struct scene scene;
	struct buf inner = BUF_EMPTY(MAIL_MAX);
	struct buf mail = BUF_EMPTY(MAIL_MAX);
	open_scene(&scene, *state);
	world_write(scene.world, "part", VIEW(signed_part));
	seal(&scene, true, false, "part", "sig.asc");
	buf_add_text(&inner, "Content-Type: " SIGNED_TYPE "\r\n\r\n");
	add_signed_body(&scene, &inner);
	world_write(scene.world, "inner", buf_view(&inner));
	seal(&scene, false, true, "inner", "msg.asc");
	add_encrypted(&scene, &mail, "msg.asc");
	acknowledge(&scene, scene.revisions[0], "affected", now + 10, buf_view(&mail));
	assert_verifies(&scene, "ev/signature.asc", "ev/signed.txt");
	buf_release(&inner);
	buf_release(&mail);
	close_scene(&scene);
}

static void evidence_of_cleartext_signed_text_verifies_with_plain_gpg(void **state)
{
	struct scene scene;
	struct buf mail = BUF_EMPTY(MAIL_MAX);
	open_scene(&scene, *state);
	world_write(scene.world, "part", VIEW("affected\n\n> Token: AAAAAAAAAAAAAAAA\n"));
	assert_int_equal(GPG(scene.world->people, "--local-user", scene.alice, "--output",
			     world_path(scene.world, "clear.asc"), "--clear-sign",
			     world_path(scene.world, "part")),
	    0);
	add_head(&mail, "text/plain; charset=utf-8");
	read_armor(&scene, "clear.asc", &mail);
	acknowledge(&scene, scene.revisions[0], "affected", now + 10, buf_view(&mail));
	assert_verifies(&scene, "ev/signed.asc", NULL);
	buf_release(&mail);
	close_scene(&scene);
}

static void several_replies_are_exported_side_by_side(void **state)
{
	struct scene scene;
	struct buf mail = BUF_EMPTY(MAIL_MAX);
	open_scene(&scene, *state);
	world_write(scene.world, "part", VIEW(signed_part));
	seal(&scene, true, false, "part", "sig.asc");
	add_head(&mail, SIGNED_TYPE);
	add_signed_body(&scene, &mail);
	acknowledge(&scene, scene.revisions[0], "affected", now + 10, buf_view(&mail));
	buf_add_text(&mail, "\r\n");
	acknowledge(&scene, scene.revisions[0], "acting", now + 20, buf_view(&mail));
	MUST(scene.world, "ack", "export", NUMBER, ALICE, world_path(scene.world, "ev"));
	assert_int_equal(access(world_path(scene.world, "ev/1/signed.txt"), R_OK), 0);
	assert_int_equal(access(world_path(scene.world, "ev/2/README.txt"), R_OK), 0);
	buf_release(&mail);
	close_scene(&scene);
}

static void export_never_writes_into_a_directory_with_something_in_it(void **state)
{
	struct scene scene;
	open_scene(&scene, *state);
	acknowledge(&scene, scene.revisions[0], "affected", now + 10, VIEW("raw"));
	assert_int_equal(CTL(scene.world, "ack", "export", NUMBER, ALICE, scene.world->dir), 1);
	assert_says(&scene.world->err, "not empty");
	assert_int_equal(CTL(scene.world, "ack", "export", NUMBER, BOB, "/tmp/x"), 1);
	assert_says(&scene.world->err, "has not acknowledged");
	close_scene(&scene);
}

static void raw_mail_is_written_byte_for_byte(void **state)
{
	struct scene scene;
	static const char raw[] = "From: x\r\n\r\n\x01\xff\x1b[2J\0 end";
	open_scene(&scene, *state);
	acknowledge(&scene, scene.revisions[0], "affected", now + 10, VIEW(raw));
	MUST(scene.world, "inbox", "list");
	assert_says(&scene.world->out, "received");
	MUST(scene.world, "inbox", "show", "1", "--raw");
	assert_true(view_equals(buf_view(&scene.world->out), VIEW(raw)));
	close_scene(&scene);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    IN_WORLD(who_has_not_acknowledged_stands_with_the_state_of_the_delivery),
	    IN_WORLD(answer_to_a_replaced_revision_is_marked_as_older),
	    IN_WORLD(last_signed_answer_to_a_revision_counts),
	    IN_WORLD(removed_contact_stays_in_the_list),
	    IN_WORLD(advisory_is_shown_with_its_title_and_every_delivery),
	    IN_WORLD(withdrawal_is_asked_for_once),
	    IN_WORLD(queue_names_the_advisory_and_retry_makes_it_due),
	    IN_WORLD(evidence_of_an_encrypted_reply_verifies_with_plain_gpg),
	    IN_WORLD(evidence_of_a_signed_reply_verifies_with_plain_gpg),
	    IN_WORLD(evidence_signed_inside_the_encryption_verifies_with_plain_gpg),
	    IN_WORLD(evidence_of_cleartext_signed_text_verifies_with_plain_gpg),
	    IN_WORLD(several_replies_are_exported_side_by_side),
	    IN_WORLD(export_never_writes_into_a_directory_with_something_in_it),
	    IN_WORLD(raw_mail_is_written_byte_for_byte),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("dewctl_acks", tests, NULL, NULL);
}
