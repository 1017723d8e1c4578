#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dewctl_world.h"
#include "store/epoch.h"

static bool holds(const struct buf *text, const char *what)
{
	return view_find(buf_view(text), view_of(what)) != SIZE_MAX;
}

static void assert_says(const struct buf *text, const char *what)
{
	if (!holds(text, what))
		fail_msg("no \"%s\" in:\n%s", what, buf_text(text));
}

static bool is_there(const struct world *world, const char *name)
{
	return access(world_path(world, name), F_OK) == 0;
}

/* A gateway with a backup from before its one member was added. */
static const char *back_up(struct world *world)
{
	static char path[WORLD_PATH_SIZE];
	snprintf(path, sizeof path, "%s", world_path(world, "backup.db"));
	MUST(world, "init");
	MUST(world, "backup", path);
	MUST(world, "member", "add", "us", "--name", "United States");
	return path;
}

static void copy(const struct world *world, const char *from, const char *to)
{
	struct buf bytes = BUF_EMPTY(64 * 1024 * 1024);
	world_read(world, from, &bytes);
	world_write(world, to, buf_view(&bytes));
	buf_release(&bytes);
}

static struct epoch epoch_of(struct world *world)
{
	struct store *store = world_store(world);
	struct epoch epoch;
	struct err err;
	assert_int_equal(store_epoch_get(store, &epoch, &err), 0);
	store_close(store);
	return epoch;
}

static bool has_member(struct world *world)
{
	MUST(world, "member", "list");
	return holds(&world->out, "United States");
}

static void nothing_is_put_back_beside_a_daemon_or_unasked(void **state)
{
	struct world *world = *state;
	const char *backup = back_up(world);
	world_start_daemon(world);
	assert_int_equal(CTL(world, "restore", backup, "--replace"), 1);
	assert_says(&world->err, " is at work in ");
	world_stop_daemon(world);
	assert_int_equal(CTL(world, "restore", backup), 1);
	assert_says(&world->err, "with --replace it is put aside, and never deleted");
	assert_int_equal(epoch_of(world).number, 1);
	assert_true(has_member(world));
	assert_int_equal(CTL(world, "restore", "--reviewed"), 1);
	assert_says(&world->err, "was never put back");
}

static void what_is_no_backup_changes_nothing(void **state)
{
	struct world *world = *state;
	back_up(world);
	world_write(world, "text", VIEW("no store\n"));
	world_write(world, "used-wal", VIEW("frames"));
	MUST(world, "backup", world_path(world, "used"));
	static const char *const what[] = {"nowhere", "text", "used", "state", "state/store.db"};
	static const char *const why[] = {"cannot open the backup", "text", "in use and no backup",
	    "is no file", "is the store in place itself"};
	for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
		assert_int_equal(
		    CTL(world, "restore", world_path(world, what[i]), "--replace"), 1);
		if (i != 1)
			assert_says(&world->err, why[i]);
		assert_false(is_there(world, "state/store.db.restoring"));
		assert_false(is_there(world, "state/store.db.restored"));
	}
	assert_int_equal(epoch_of(world).number, 1);
	assert_true(has_member(world));
}

static void a_backup_that_was_changed_is_refused(void **state)
{
	struct world *world = *state;
	struct buf bytes = BUF_EMPTY(64 * 1024 * 1024);
	const char *backup = back_up(world);
	world_read(world, "backup.db", &bytes);
	const size_t at = view_find(buf_view(&bytes), VIEW("gateway.init"));
	assert_true(at != SIZE_MAX);
	memcpy(bytes.data + at, "gateway.INIT", 12);
	world_write(world, "backup.db", buf_view(&bytes));
	buf_release(&bytes);
	assert_int_equal(CTL(world, "restore", backup, "--replace"), 1);
	assert_says(&world->err, "the backup was tampered with or damaged");
	assert_true(has_member(world));
}

static void the_store_in_place_is_kept_and_a_new_epoch_begins(void **state)
{
	struct world *world = *state;
	char aside[64];
	const char *backup = back_up(world);
	MUST(world, "restore", backup, "--replace");
	assert_says(&world->out, "The store is put back.");
	const struct epoch epoch = epoch_of(world);
	assert_int_equal(epoch.number, 2);
	/* All that it lacks is what came behind it: the backup knows its own time. */
	assert_int_equal(epoch.lost_to, epoch.sequence + 1);
	snprintf(aside, sizeof aside, "state/store.db.before-%s", epoch.tag);
	assert_true(is_there(world, aside));
	assert_false(has_member(world));
	MUST(world, "audit", "verify");
	MUST(world, "restore");
	assert_says(&world->out, epoch.tag);
	MUST(world, "restore", "--reviewed");
	assert_true(epoch_of(world).reviewed_at != 0);
	/* Once more, from the same backup: another epoch, and higher. */
	MUST(world, "restore", backup, "--replace");
	assert_int_equal(epoch_of(world).number, 3);
	assert_true(is_there(world, aside));
}

/* Of a machine that is lost there is a copy of the key, and the backup. */
static void a_backup_alone_is_enough_beside_the_key(void **state)
{
	struct world *world = *state;
	const char *backup = back_up(world);
	unlink(world_path(world, "state/store.db"));
	unlink(world_path(world, "state/store.db-wal"));
	unlink(world_path(world, "state/store.db-shm"));
	MUST(world, "restore", backup);
	assert_int_equal(epoch_of(world).number, 2);
	MUST(world, "audit", "verify");
}

static void a_store_in_place_that_cannot_be_read_is_put_aside(void **state)
{
	struct world *world = *state;
	char aside[64];
	const char *backup = back_up(world);
	world_write(world, "state/store.db", VIEW("overwritten by something else, with some text"));
	MUST(world, "restore", backup, "--replace");
	assert_says(&world->out, "could not be read");
	const struct epoch epoch = epoch_of(world);
	snprintf(aside, sizeof aside, "state/store.db.before-%s", epoch.tag);
	assert_true(is_there(world, aside));
	MUST(world, "audit", "verify");
}

/* What a kill can leave, between any two steps that others can see. */
static void a_restore_that_was_ended_is_carried_through(void **state)
{
	struct world *world = *state;
	const char *backup = back_up(world);
	const char *place = world_path(world, "state/store.db");
	char store[WORLD_PATH_SIZE];
	char waiting[WORLD_PATH_SIZE];
	snprintf(store, sizeof store, "%s", place);
	snprintf(waiting, sizeof waiting, "%s.restored", place);
	world_write(world, "state/store.db.restoring", VIEW("a torso"));
	world_write(world, "state/store.db.restoring-wal", VIEW("and its log"));
	MUST(world, "restore", backup, "--replace");
	assert_false(is_there(world, "state/store.db.restoring-wal"));
	assert_int_equal(epoch_of(world).number, 2);
	for (int in_place = 0; in_place < 2; in_place++) {
		if (in_place == 1)
			copy(world, "state/store.db", "state/store.db.restored");
		else
			assert_int_equal(rename(store, waiting), 0);
		assert_int_equal(CTL(world, "member", "list"), 1);
		assert_says(&world->err, "a restore was ended on the way");
		assert_int_equal(CTL(world, "init"), 1);
		assert_says(&world->err, "a restore was ended on the way");
		MUST(world, "restore", backup);
		assert_says(&world->out, "it is carried through");
		assert_false(is_there(world, "state/store.db.restored"));
		assert_int_equal(epoch_of(world).number, 2);
	}
}

static void check_warns_until_it_was_looked_over(void **state)
{
	struct world *world = *state;
	const char *backup = back_up(world);
	CTL(world, "check");
	assert_says(&world->out, "the store was never put back");
	MUST(world, "restore", backup, "--replace");
	CTL(world, "check");
	assert_says(&world->out, "look over contacts and keys, then dewctl restore --reviewed");
	MUST(world, "restore", "--reviewed");
	CTL(world, "check");
	assert_false(holds(&world->out, "look over contacts"));
}

static void checkpoint_of_before_names_the_lost_entries(void **state)
{
	struct world *world = *state;
	char checkpoint[128];
	const char *backup = back_up(world);
	MUST(world, "audit", "verify", "--json");
	const size_t at = view_find(buf_view(&world->out), VIEW("\"checkpoint\": \""));
	assert_true(at != SIZE_MAX);
	struct view rest = view_part(
	    buf_view(&world->out), at + strlen("\"checkpoint\": \""), world->out.len);
	struct view value;
	view_next_field(&rest, '"', &value);
	assert_true(view_copy(value, checkpoint, sizeof checkpoint));
	MUST(world, "audit", "verify", "--checkpoint", checkpoint);
	MUST(world, "restore", backup, "--replace");
	assert_int_equal(CTL(world, "audit", "verify", "--checkpoint", checkpoint), 1);
	assert_says(&world->err, "the log of epoch 1 went on to entry ");
	assert_says(&world->err, " are lost");
	assert_false(holds(&world->err, "tampered"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    TEST(nothing_is_put_back_beside_a_daemon_or_unasked),
	    TEST(what_is_no_backup_changes_nothing),
	    TEST(a_backup_that_was_changed_is_refused),
	    TEST(the_store_in_place_is_kept_and_a_new_epoch_begins),
	    TEST(a_backup_alone_is_enough_beside_the_key),
	    TEST(a_store_in_place_that_cannot_be_read_is_put_aside),
	    TEST(a_restore_that_was_ended_is_carried_through),
	    TEST(check_warns_until_it_was_looked_over),
	    TEST(checkpoint_of_before_names_the_lost_entries),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("dewctl_restore", tests, NULL, NULL);
}
