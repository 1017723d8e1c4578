#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/lock.h"
#include "dewctl/dewctl.h"
#include "dewctl_world.h"
#include "worker/pulse.h"

enum { WORDS_MAX = 32, FILE_MAX = 4 * 1024 * 1024, PRIVATE_FILE = 0600, PRIVATE_DIR = 0700 };

static const char configuration[] =
    "state = \"state\";\n"
    "drop = \"drop\";\n"
    "gateway: { name = \"Test\"; address = \"gateway@gw.example\"; list = \"all@gw.example\"; };\n"
    "smarthost: { host = \"127.0.0.1\"; port = 2525; tls = \"none\"; };\n";

const char *world_path(const struct world *world, const char *name)
{
	static char paths[4][WORLD_PATH_SIZE];
	static unsigned next;
	char *path = paths[next++ % 4];
	snprintf(path, WORLD_PATH_SIZE, "%s/%s", world->dir, name);
	return path;
}

void world_write(const struct world *world, const char *name, struct view content)
{
	struct err err;
	if (file_write(world_path(world, name), content, PRIVATE_FILE, &err) < 0)
		fail_msg("%s", err.text);
}

void world_read(const struct world *world, const char *name, struct buf *out)
{
	struct err err;
	if (file_read(world_path(world, name), out, &err) < 0)
		fail_msg("%s", err.text);
}

int world_open(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct err err;
	if (world == NULL)
		return -1;
	snprintf(world->dir, sizeof world->dir, "/tmp/dl.XXXXXX");
	if (mkdtemp(world->dir) == NULL)
		return -1;
	world->out = world->err = BUF_EMPTY(FILE_MAX);
	snprintf(world->config, sizeof world->config, "%s/cfg", world->dir);
	snprintf(world->people, sizeof world->people, "%s/people", world->dir);
	world_write(world, "cfg", VIEW(configuration));
	*state = world;
	return file_make_dir(world->people, PRIVATE_DIR, &err);
}

/* Starts a program with its output thrown away; its exit status, or -1. */
static int start(const char *const *words)
{
	fflush(NULL);
	const pid_t child = fork();
	if (child == 0) {
		const int null = open("/dev/null", O_RDWR);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execvp(words[0], (char *const *)(uintptr_t)words);
		_exit(127);
	}
	int status;
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* The pipe says when the lock is held. */
void world_start_daemon(struct world *world)
{
	struct err err;
	int ready[2];
	char byte = 0;
	assert_int_equal(pipe(ready), 0);
	fflush(NULL);
	world->daemon = fork();
	if (world->daemon == 0) {
		if (lock_take(world_path(world, "state"), &err) != 0)
			_exit(1);
		pulse_stage(pulse_open(world_path(world, "state/pulse")), PULSE_RUNS);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_true(world->daemon > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

void world_stop_daemon(struct world *world)
{
	if (world->daemon <= 0)
		return;
	kill(world->daemon, SIGKILL);
	waitpid(world->daemon, NULL, 0);
	world->daemon = 0;
}

int world_close(void **state)
{
	struct world *world = *state;
	struct err err;
	world_stop_daemon(world);
	const char *const homes[] = {
	    world->people, world_path(world, "state/gnupg"), world_path(world, "verify")};
	for (size_t i = 0; i < sizeof homes / sizeof homes[0]; i++)
		if (access(homes[i], F_OK) == 0)
			start((const char *const[]){
			    "gpgconf", "--homedir", homes[i], "--kill", "gpg-agent", NULL});
	const int status = file_remove_tree(world->dir, &err);
	buf_release(&world->out);
	buf_release(&world->err);
	free(world);
	return status;
}

static void redirect(const struct world *world, const char *name, int to)
{
	const int fd =
	    open(world_path(world, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, PRIVATE_FILE);
	if (fd < 0 || dup2(fd, to) < 0)
		_exit(127);
	close(fd);
}

int world_run(struct world *world, const char *const *words)
{
	const char *line[WORDS_MAX] = {"dewctl", "-c", world->config};
	int count = 3;
	while (*words != NULL && count < WORDS_MAX - 1)
		line[count++] = *words++;
	fflush(NULL);
	const pid_t child = fork();
	if (child == 0) {
		redirect(world, "out", STDOUT_FILENO);
		redirect(world, "err", STDERR_FILENO);
		exit(dewctl_main(count, line, "/nonexistent"));
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	buf_clear(&world->out);
	buf_clear(&world->err);
	world_read(world, "out", &world->out);
	world_read(world, "err", &world->err);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void world_must(struct world *world, const char *const *words)
{
	const int status = world_run(world, words);
	if (status != 0)
		fail_msg("dewctl %s %s exits with %d: %s", words[0],
		    words[1] != NULL ? words[1] : "", status, buf_text(&world->err));
}

int world_gpg(const char *home, const char *const *words)
{
	const char *line[WORDS_MAX] = {"gpg", "--homedir", home, "--batch", "--yes", "--quiet",
	    "--trust-model", "always", "--pinentry-mode", "loopback", "--passphrase", ""};
	size_t count = 12;
	while (*words != NULL && count < WORDS_MAX - 1)
		line[count++] = *words++;
	return start(line);
}

void world_make_key(struct world *world, const char *address, char out[static FINGERPRINT_SIZE])
{
	char name[64];
	snprintf(name, sizeof name, "%s.asc", address);
	assert_int_equal(GPG(world->people, "--quick-gen-key", address, "future-default"), 0);
	assert_int_equal(
	    GPG(world->people, "--armor", "--output", world_path(world, name), "--export", address),
	    0);
	MUST(world, "key", "add", world_path(world, name), "--json");
	const struct view printed = buf_view(&world->out);
	const size_t at = view_find(printed, VIEW("\"fingerprint\": \""));
	assert_true(at != SIZE_MAX);
	assert_true(view_copy(
	    view_part(printed, at + strlen("\"fingerprint\": \""), 40), out, FINGERPRINT_SIZE));
}

struct store *world_store(const struct world *world)
{
	struct store *store = NULL;
	struct err err;
	if (store_open(world_path(world, "state/store.db"), &store, &err) < 0)
		fail_msg("%s", err.text);
	return store;
}
