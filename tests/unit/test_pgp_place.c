#include "config.h"

#include "pgp_world.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "pgp/place.h"

static struct world world;
static char place[PATH_MAX];

static int setup(void **state)
{
	struct err err;
	(void)state;
	world_open(&world);
	assert_works(place_make(world.home.path, PLACE_RUN, &err));
	place_path(world.home.path, PLACE_RUN, place);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	home_end_agent(place);
	world_close(&world);
	return 0;
}

static long agent_in(const char *home)
{
	char command[512];
	snprintf(command, sizeof command,
	    "gpg-connect-agent --no-autostart --homedir %s 'getinfo pid' /bye 2>/dev/null | "
	    "sed -n 's/^D //p'",
	    home);
	struct buf out = world_read(command);
	const long pid = strtol(buf_text(&out), NULL, 10);
	buf_release(&out);
	return pid;
}

static void place_has_the_same_key_and_another_agent(void **state)
{
	(void)state;
	struct home home;
	struct err err;
	assert_works(home_open_at(world.home.path, PLACE_RUN, &home, &err));
	assert_string_equal(home.gateway, world.home.gateway);
	home.passphrase = &world.passphrase;
	assert_works(home_prove_key(&world.home, &err));
	assert_works(home_prove_key(&home, &err));
	assert_int_not_equal(agent_in(place), 0);
	assert_int_not_equal(agent_in(place), agent_in(world.home.path));
}

static void made_twice_it_is_what_it_was(void **state)
{
	(void)state;
	struct err err;
	assert_works(place_make(world.home.path, PLACE_RUN, &err));
	world_do("test $(readlink $D/g/r/pubring.kbx) = ../pubring.kbx && "
		 "test $(readlink $D/g/r/private-keys-v1.d) = ../private-keys-v1.d && "
		 "cmp $D/g/gpg-agent.conf $D/g/r/gpg-agent.conf");
}

static void settings_are_written_anew(void **state)
{
	(void)state;
	struct home home;
	struct err err;
	world_do("echo 'agent-program /bin/false' >>$D/g/r/gpg.conf && touch $D/g/r/common.conf && "
		 "rm $D/g/gpg.conf");
	assert_works(home_open_at(world.home.path, PLACE_RUN, &home, &err));
	world_do("! grep -q agent-program $D/g/r/gpg.conf && test ! -e $D/g/r/common.conf");
	assert_works(place_make(world.home.path, PLACE_RUN, &err));
	world_do("cmp $D/g/gpg.conf $D/g/r/gpg.conf");
}

static void shard_built_in_a_place_leads_to_its_agent(void **state)
{
	(void)state;
	struct home home;
	struct err err;
	assert_works(home_open_at(world.home.path, PLACE_RUN, &home, &err));
	assert_works(home_build_shard(&home, 3, 1, NULL, 0, &err));
	world_do("grep -qx socket=$D/g/r/S.gpg-agent $D/g/shard-3-1/S.gpg-agent");
}

static void agent_that_was_told_to_end_is_gone_when_that_returns(void **state)
{
	(void)state;
	struct home home;
	struct err err;
	for (int i = 0; i < 5; i++) {
		assert_works(home_open_at(world.home.path, PLACE_RUN, &home, &err));
		const long pid = agent_in(place);
		char stat[64];
		assert_true(pid > 0);
		home_stop_agent(&home);
		/* Whoever reaps it may take a while; but it runs no more. */
		snprintf(stat, sizeof stat,
		    "! grep -q '^State:.[RSD]' /proc/%ld/status 2>/dev/null", pid);
		world_do(stat);
		assert_int_equal(agent_in(place), 0);
	}
}

static void whoever_gives_no_greeting_is_no_agent(void **state)
{
	(void)state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s/mute", world.dir);
	assert_int_equal(place_connect(address.sun_path), -1);
	const int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(listening, 1), 0);
	const pid_t child = fork();
	if (child == 0) { /* accepts, and ends before it says anything, as a dying agent does */
		const int fd = accept(listening, NULL, NULL);
		close(fd);
		_exit(fd >= 0 ? 0 : 1);
	}
	assert_int_equal(place_connect(address.sun_path), -1);
	close(listening);
}

static void too_long_a_home_is_refused_with_how_long_it_may_be(void **state)
{
	(void)state;
	struct home home;
	struct err err;
	char path[200] = "/tmp/";
	memset(path + 5, 'x', 79);
	assert_int_equal(home_open_at(path, PLACE_RUN, &home, &err), -1);
	assert_non_null(strstr(err.text, "84 characters"));
	assert_non_null(strstr(err.text, "83 at most"));
}

static void leave_file(const char *dir, const char *name)
{
	char path[PATH_MAX + 64];
	struct err err;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_works(file_write(path, VIEW("         1\nhost\n"), 0600, &err));
}

static bool has_file(const char *dir, const char *name)
{
	char path[PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

static void locks_that_were_left_are_removed_but_from_a_dewctl_at_work(void **state)
{
	(void)state;
	char other[PATH_MAX];
	struct err err;
	assert_works(place_make(world.home.path, "c0", &err));
	place_path(world.home.path, "c0", other);
	const char *const dirs[] = {world.home.path, place, other};
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
		leave_file(dirs[i], "gnupg_spawn_agent_sentinel.lock");
		leave_file(dirs[i], ".#lk0x0000.host.1");
		leave_file(dirs[i], "S.gpg-agent.tmp.4711");
		leave_file(dirs[i], "lock");
	}
	place_unlock_all(world.home.path);
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
		const bool stays = dirs[i] == other;
		assert_int_equal(has_file(dirs[i], "gnupg_spawn_agent_sentinel.lock"), stays);
		assert_int_equal(has_file(dirs[i], ".#lk0x0000.host.1"), stays);
		assert_int_equal(has_file(dirs[i], "S.gpg-agent.tmp.4711"), stays);
		assert_true(has_file(dirs[i], "lock"));
		assert_true(has_file(dirs[i], "pubring.kbx"));
	}
	place_unlock(other);
	assert_false(has_file(other, "gnupg_spawn_agent_sentinel.lock"));
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(place_has_the_same_key_and_another_agent),
	    cmocka_unit_test(made_twice_it_is_what_it_was),
	    cmocka_unit_test(settings_are_written_anew),
	    cmocka_unit_test(shard_built_in_a_place_leads_to_its_agent),
	    cmocka_unit_test(agent_that_was_told_to_end_is_gone_when_that_returns),
	    cmocka_unit_test(whoever_gives_no_greeting_is_no_agent),
	    cmocka_unit_test(too_long_a_home_is_refused_with_how_long_it_may_be),
	    cmocka_unit_test(locks_that_were_left_are_removed_but_from_a_dewctl_at_work),
	};
	return cmocka_run_group_tests_name("pgp_place", tests, setup, teardown);
}
