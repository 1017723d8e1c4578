/* `make bench`: dewline_bench [BENCH...], all of them unless named. */
#include "config.h"

#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "bench/bench.h"

static const struct {
	const char *name;
	void (*run)(const struct bench *bench);
} benches[] = {
    {"seal", bench_seal},
    {"courier", bench_courier},
    {"whole", bench_whole},
};
enum { BENCHES = sizeof benches / sizeof benches[0] };

static void prepare(struct bench *bench, const char *program)
{
	char path[BENCH_PATH_SIZE];
	char scratch[] = "/tmp/dl.XXXXXX"; /* short: an agent's socket is below it */
	struct err err;
	snprintf(path, sizeof path, "%s", program);
	snprintf(bench->build, sizeof bench->build, "%s", dirname(path));
	if (snprintf(bench->cache, sizeof bench->cache, "%s/bench-cache", bench->build) >=
	    BENCH_PATH_SIZE)
		give_up("%s is too long a path", program);
	must(file_make_dir(bench->cache, 0700, &err), &err);
	if (mkdtemp(scratch) == NULL)
		give_up("cannot make a directory in /tmp");
	snprintf(bench->scratch, sizeof bench->scratch, "%s", scratch);
}

static bool is_asked_for(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return true;
	}
	return argc == 1;
}

static void check_names(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		bool known = false;
		for (size_t j = 0; j < BENCHES; j++)
			known = known || strcmp(argv[i], benches[j].name) == 0;
		if (!known)
			give_up("there is no bench \"%s\"", argv[i]);
	}
}

/* In a process of its own, so that the scratch directory goes away however it ends. */
static _Noreturn void run_benches(const struct bench *bench, int argc, char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	for (size_t i = 0; i < BENCHES; i++) {
		if (is_asked_for(benches[i].name, argc, argv))
			benches[i].run(bench);
	}
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	struct bench bench;
	struct err err;
	log_open("bench", LOG_LEVEL_WARNING);
	check_names(argc, argv);
	prepare(&bench, argv[0]);
	signal(SIGINT, SIG_IGN); /* from the keyboard it reaches the benches too */
	const pid_t pid = fork();
	if (pid == 0) {
		signal(SIGINT, SIG_DFL);
		run_benches(&bench, argc, argv);
	}
	const bool good = pid > 0 && child_wait(pid);
	must(file_remove_tree(bench.scratch, &err), &err);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
