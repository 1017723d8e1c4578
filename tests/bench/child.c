#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "bench/bench.h"

enum { NOT_STARTED = 127, SINK_START_MS = 5000, SINK_LOOK_US = 5000 };

static _Noreturn void become(char *const argv[], int out, pid_t parent)
{
	const int nothing = open("/dev/null", O_RDWR);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent && nothing >= 0) {
		dup2(nothing, STDIN_FILENO);
		dup2(out >= 0 ? out : nothing, STDOUT_FILENO);
		execvp(argv[0], argv);
	}
	_exit(NOT_STARTED);
}

pid_t child_start(char *const argv[], int *out)
{
	int ends[2] = {-1, -1};
	const pid_t parent = getpid();
	if (out != NULL && pipe2(ends, O_CLOEXEC) != 0)
		give_up("no pipe: %s", strerror(errno));
	const pid_t pid = fork();
	if (pid < 0)
		give_up("cannot fork: %s", strerror(errno));
	if (pid == 0)
		become(argv, ends[1], parent);
	if (out != NULL) {
		close(ends[1]);
		*out = ends[0];
	}
	return pid;
}

bool child_wait(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool child_run(char *const argv[])
{
	return child_wait(child_start(argv, NULL));
}

static bool is_program(struct view folder, const char *name, char path[static BENCH_PATH_SIZE])
{
	const int len =
	    snprintf(path, BENCH_PATH_SIZE, "%.*s/%s", (int)folder.len, folder.data, name);
	return folder.len > 0 && len < BENCH_PATH_SIZE && access(path, X_OK) == 0;
}

bool program_find(const char *name, char path[static BENCH_PATH_SIZE])
{
	static const char *const others[] = {"/usr/sbin", "/usr/local/sbin", "/sbin"};
	struct view rest = view_of(getenv("PATH"));
	struct view folder;
	while (view_next_field(&rest, ':', &folder)) {
		if (is_program(folder, name, path))
			return true;
	}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		if (is_program(view_of(others[i]), name, path))
			return true;
	}
	return false;
}

void sink_start(const struct bench *bench, struct sink *sink)
{
	char program[BENCH_PATH_SIZE + 16];
	char port_file[BENCH_PATH_SIZE + 16];
	snprintf(program, sizeof program, "%s/smarthost", bench->build);
	snprintf(port_file, sizeof port_file, "%s/port", bench->scratch);
	char *const argv[] = {program, "--discard", "--port-file", port_file, NULL};
	unlink(port_file);
	sink->pid = child_start(argv, &sink->out);
	const int64_t deadline = clock_monotonic_ms() + SINK_START_MS;
	while (access(port_file, R_OK) != 0) {
		if (clock_monotonic_ms() > deadline)
			give_up("%s does not start", program);
		usleep(SINK_LOOK_US);
	}
	struct buf text = BUF_EMPTY(BUF_SMALL);
	struct err err;
	must(file_read(port_file, &text, &err), &err);
	sink->port = strtol(buf_text(&text), NULL, 10);
	buf_release(&text);
}

unsigned long sink_stop(struct sink *sink)
{
	char text[64] = "";
	kill(sink->pid, SIGTERM);
	const ssize_t len = read(sink->out, text, sizeof text - 1);
	close(sink->out);
	if (!child_wait(sink->pid) || len <= 0)
		give_up("the smarthost ended badly");
	return strtoul(text, NULL, 10);
}
