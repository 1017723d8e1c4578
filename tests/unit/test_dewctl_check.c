/* The pre-flight calls well only what goes well now. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "courier_fixture.h"
#include "dewctl/findings_looks.h"
#include "dewctl_world.h"
#include "store/messages.h"
#include "store/outcomes.h"
#include "store/people.h"

#define US "alice@us.example"
enum { NOW = 1000000000, NOW_MS = 5000000, SECOND = 1000, HOUR = 3600 };

static void assert_says(const struct buf *printed, const char *what)
{
	if (strstr(buf_text(printed), what) == NULL)
		fail_msg("\"%s\" is not in: %s", what, buf_text(printed));
}

/* -- rows by themselves -- */

static struct pulse of_stage(enum pulse_stage stage, int64_t quiet)
{
	return (struct pulse){.stage = stage,
	    .started = NOW - HOUR,
	    .since = NOW - HOUR,
	    .seen = NOW - quiet,
	    .seen_ms = NOW_MS - quiet * SECOND};
}

static void add_ends(struct pulse *pulse, int count, int64_t at)
{
	struct pulse_log *log = &pulse->logs[PULSE_GATE_END];
	for (int i = 0; i < count; i++)
		log->at[log->total++ % PULSE_KEPT] = at;
	snprintf(log->last, sizeof log->last, "the gate ended (exit status 1): no space left");
}

static void judged(const struct pulse *pulse, enum finding expected, const char *words)
{
	struct buf detail = BUF_EMPTY(BUF_SMALL);
	assert_int_equal(findings_judge_gate(pulse, NOW, NOW_MS, &detail), expected);
	assert_says(&detail, words);
	buf_release(&detail);
}

static void gate_is_well_only_while_it_goes_round(void **state)
{
	(void)state;
	struct pulse pulse = of_stage(PULSE_RUNS, 20);
	judged(&pulse, FINDING_OK, "running since 2001-09-09T00:46:40Z");
	pulse = of_stage(PULSE_RUNS, 600);
	judged(&pulse, FINDING_BAD, "it hangs: no sign of life for 10 min");
	pulse.seen_ms = NOW_MS + HOUR; /* of a clock that began anew: the day's is asked */
	judged(&pulse, FINDING_BAD, "no sign of life for 10 min");
	pulse = of_stage(PULSE_STARTS, 5);
	judged(&pulse, FINDING_WARNING, "it starts, for 5 s");
	pulse = of_stage(PULSE_STARTS, 300);
	judged(&pulse, FINDING_BAD, "it starts, for 5 min: nothing is taken in or sent yet");
	pulse = of_stage(PULSE_WAITS, 1);
	judged(&pulse, FINDING_BAD, "it is down");
	pulse = of_stage(PULSE_ENDED, 1);
	judged(&pulse, FINDING_WARNING, "it ends");
}

/* Whoever looks between two ends finds it running. */
static void gate_that_ends_again_and_again_is_bad(void **state)
{
	(void)state;
	struct pulse pulse = of_stage(PULSE_RUNS, 1);
	add_ends(&pulse, 5, NOW - 2 * HOUR);
	judged(&pulse, FINDING_OK, "running");
	add_ends(&pulse, 1, NOW - 60);
	judged(&pulse, FINDING_WARNING, "ended by itself once in the last hour, last at 2001-09-09T01:45:40Z: ");
	add_ends(&pulse, 19, NOW - 30);
	judged(&pulse, FINDING_BAD, "ended by itself 20 times in the last hour");
	judged(&pulse, FINDING_BAD, "the gate ended (exit status 1): no space left");
	add_ends(&pulse, 3 * PULSE_KEPT, NOW - 1);
	judged(&pulse, FINDING_BAD, "128 times or more");
}

static void full_disk_is_bad_before_it_is_full(void **state)
{
	(void)state;
	static const struct {
		int64_t bytes;
		int64_t files;
		enum finding finding;
		const char *words;
	} cases[] = {
	    {20000000000, -1, FINDING_OK, "/state: 20 GB free"},
	    {20000000000, 100000, FINDING_OK, "free"},
	    {20000000000, 500, FINDING_WARNING, "room for 500 files more: make room"},
	    {20000000000, 0, FINDING_BAD, "room for 0 files more, too little"},
	    {400000000, -1, FINDING_WARNING, "400 MB free: make room"},
	    {3000000, -1, FINDING_BAD, "3000 kB free, too little to go on for long: make room now"},
	    {0, -1, FINDING_BAD, "0 bytes free"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf detail = BUF_EMPTY(BUF_SMALL);
		assert_int_equal(
		    findings_judge_room("/state", cases[i].bytes, cases[i].files, &detail),
		    cases[i].finding);
		assert_says(&detail, cases[i].words);
		buf_release(&detail);
	}
}

static void old_backup_is_a_warning(void **state)
{
	(void)state;
	static const struct {
		int64_t first_days;
		int64_t last_days; /* ago; 0: never */
		enum finding finding;
		const char *words;
	} cases[] = {
	    {1, 0, FINDING_OK, "none was made"},
	    {8, 0, FINDING_WARNING, "none was made by dewctl backup yet: what came in more than 7"},
	    {100, 1, FINDING_OK, "the last was made by dewctl backup at 2001-09-08T01:46:40Z"},
	    {100, 30, FINDING_WARNING, "keep it on another machine"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf detail = BUF_EMPTY(BUF_SMALL);
		const int64_t last = cases[i].last_days;
		assert_int_equal(findings_judge_backup(NOW, NOW - 86400 * cases[i].first_days,
				     last == 0 ? 0 : NOW - 86400 * last, &detail),
		    cases[i].finding);
		assert_says(&detail, cases[i].words);
		buf_release(&detail);
	}
}

/* -- the command -- */

/* A gateway all of which is well: a contact, a publisher, an admin, a daemon. */
static void make_well(struct world *world)
{
	char fingerprint[FINGERPRINT_SIZE];
	MUST(world, "init");
	world_start_daemon(world);
	world_make_key(world, US, fingerprint);
	MUST(world, "key", "confirm", fingerprint);
	MUST(world, "member", "add", "us", "--name", "United States");
	MUST(world, "contact", "add", "us", US, "--key", fingerprint);
	world_make_key(world, "pub@vendor.example", fingerprint);
	MUST(world, "key", "confirm", fingerprint);
	MUST(world, "publisher", "add", "pub@vendor.example", "--key", fingerprint);
	world_make_key(world, "root@gw.example", fingerprint);
	MUST(world, "key", "confirm", fingerprint);
	MUST(world, "admin", "add", "root@gw.example", "--key", fingerprint);
}

#define OK(call)                                                                                   \
	do {                                                                                       \
		struct err err;                                                                    \
		if ((call) != 0)                                                                   \
			fail_msg("%s: %s", #call, err.text);                                       \
	} while (0)

/* A mail to the contact that the smarthost refused, or took. */
static void add_mail(const struct world *world, const char *id, bool taken)
{
	struct store *store = world_store(world);
	struct contact contact;
	struct message message = {.kind = "advisory",
	    .created_at = clock_now(),
	    .head = VIEW("h"),
	    .tail = VIEW("t"),
	    .stash = VIEW("s")};
	int64_t batch;
	bool found;
	snprintf(message.message_id, sizeof message.message_id, "%s", id);
	OK(store_contact_by_address(store, US, &contact, &found, &err));
	OK(store_message_add(store, &message, &err));
	struct delivery delivery = {
	    .message = message.id, .contact = contact.id, .key_id = "E", .state = "queued"};
	snprintf(delivery.address, sizeof delivery.address, US);
	snprintf(delivery.fingerprint, sizeof delivery.fingerprint, "%s", contact.fingerprint);
	OK(store_delivery_add(store, &delivery, &err));
	OK(store_batch_add(store, message.id, VIEW("data"), 0, &batch, &err));
	OK(store_delivery_bind(store, delivery.id, batch, VIEW("key"), &err));
	OK(store_delivery_move(
	    store, delivery.id, "start", NULL, 0, clock_now(), false, &err));
	OK(store_delivery_move(store, delivery.id, taken ? "accept" : "reject",
	    taken ? "" : "RCPT TO: 550 5.1.1 no such user", 0, clock_now(), false, &err));
	store_close(store);
}

static void person_whose_last_mail_failed_is_named(struct world *world)
{
	MUST(world, "check");
	assert_says(&world->out, "All well:        yes");
	add_mail(world, "1@x", false);
	assert_int_equal(CTL(world, "check"), 1);
	assert_says(&world->out, "People whose last mail did not arrive");
	assert_says(&world->out, "RCPT TO: 550 5.1.1 no such user");
	assert_says(&world->err, "1 person's last mail did not arrive");
	assert_int_equal(CTL(world, "check", "--json"), 1);
	assert_says(&world->out, "\"undelivered\": [\n    {\n      \"address\": \"" US "\"");
	assert_says(&world->out, "\"well\": false");
	add_mail(world, "2@x", true);
	MUST(world, "check");
}

static void warning_counts_with_strict(struct world *world)
{
	struct store *store = world_store(world);
	const struct smarthost_word refused = {
	    .at = clock_now(), .code = 504, .text = "RCPT TO: 504 5.5.2 Helo command rejected"};
	MUST(world, "check", "--strict");
	OK(store_smarthost_word_set(store, &refused, &err));
	store_close(store);
	MUST(world, "check");
	assert_says(&world->out, "RCPT TO: 504 5.5.2 Helo command rejected");
	assert_says(&world->out, "there is 1 warning");
	assert_int_equal(CTL(world, "check", "--strict"), 1);
	assert_says(&world->err, "1 warning, which --strict counts");
	assert_int_equal(CTL(world, "check", "--strict", "--json"), 1);
	assert_says(&world->out, "\"ok\": true");
	assert_says(&world->out, "\"well\": false");
}

static void ends_of_the_gate_are_told(struct world *world)
{
	struct pulse_file *pulse = pulse_open(world_path(world, "state/pulse"));
	for (int i = 0; i < 20; i++)
		pulse_note(pulse, PULSE_GATE_END, "the gate ended (exit status 1): disk is full");
	pulse_stage(pulse, PULSE_WAITS);
	pulse_free(pulse);
	assert_int_equal(CTL(world, "check"), 1);
	assert_says(&world->out, "in the last hour, last at ");
	assert_says(&world->out, "the gate ended (exit status 1): disk is full");
	assert_int_equal(unlink(world_path(world, "state/pulse")), 0);
	assert_int_equal(CTL(world, "check"), 1);
	assert_says(&world->out, "dewlined has left no word of it");
}

static void state_that_is_open_is_bad(struct world *world)
{
	assert_int_equal(chmod(world_path(world, "state"), 0755), 0);
	assert_int_equal(CTL(world, "check"), 1);
	assert_says(&world->out, "is open to others, and dewlined would not start on it again");
	assert_int_equal(chmod(world_path(world, "state"), 0700), 0);
}

static void what_is_seen_without_the_store_is_told_without_it(struct world *world)
{
	world_stop_daemon(world);
	world_write(world, "state/store.db", VIEW("no store at all, and longer than nothing"));
	assert_int_equal(CTL(world, "check"), 1);
	assert_says(&world->out, "store ");
	assert_says(&world->err, "; the tables say what is seen without it");
	assert_says(&world->out, "dewlined is not running");
	assert_says(&world->out, "room ");
}

static void smarthost_is_asked_for_an_envelope(struct world *world)
{
	static const char *const plain[] = {NULL};
	struct config peer;
	char configuration[1024];
	peer_start(&peer, CONFIG_TLS_NONE, plain);
	snprintf(configuration, sizeof configuration,
	    "state = \"state\"; drop = \"drop\";\n"
	    "gateway: { address = \"gateway@gw.example\"; list = \"all@gw.example\"; };\n"
	    "smarthost: { host = \"127.0.0.1\"; port = %d; tls = \"none\"; };\n",
	    (int)peer.smarthost.port);
	world_write(world, "cfg", view_of(configuration));
	MUST(world, "check", "--smarthost");
	assert_says(&world->out, "MAIL FROM:<gateway+0.AAAAAAAAAAAAAAAA@gw.example>: 250");
	assert_says(&world->out, "RCPT TO:<gateway@gw.example>: 250");
	assert_says(&world->out, "RCPT TO:<root@gw.example>: 250");
	assert_int_equal(peer_said("DATA"), 0);
	peer_script("rcpt root@* * reply 504 5.5.2 Helo command rejected\n");
	assert_int_equal(CTL(world, "check", "--smarthost"), 1);
	assert_says(&world->out, "RCPT TO:<root@gw.example>: 504 5.5.2 Helo command rejected");
	peer_script("rcpt * * reply 451 4.7.1 come back later\n");
	MUST(world, "check", "--smarthost");
	assert_int_equal(CTL(world, "check", "--smarthost", "--strict"), 1);
	assert_says(&world->out, "RCPT TO:<gateway@gw.example>: 451 4.7.1 come back later");
	peer_stop();
}

/* One gateway for all, for making one takes longer than what is done with it. */
static void check_tells_the_truth_of_today(void **state)
{
	struct world *world = *state;
	make_well(world);
	person_whose_last_mail_failed_is_named(world);
	smarthost_is_asked_for_an_envelope(world);
	warning_counts_with_strict(world);
	state_that_is_open_is_bad(world);
	ends_of_the_gate_are_told(world);
	what_is_seen_without_the_store_is_told_without_it(world);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gate_is_well_only_while_it_goes_round),
	    cmocka_unit_test(gate_that_ends_again_and_again_is_bad),
	    cmocka_unit_test(full_disk_is_bad_before_it_is_full),
	    cmocka_unit_test(old_backup_is_a_warning),
	    cmocka_unit_test_setup_teardown(
		check_tells_the_truth_of_today, world_open, world_close),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name(
	    "dewctl_check", tests, peer_group_setup, peer_group_teardown);
}
