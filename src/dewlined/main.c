#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/user.h"
#include "config/config.h"
#include "courier/courier.h"
#include "dewlined/key.h"
#include "dewlined/ready.h"
#include "dewlined/state.h"
#include "dewlined/supervise.h"
#include "gate/gate.h"
#include "mail/charset.h"
#include "mail/reader.h"
#include "pgp/place.h"
#include "pgp/vault.h"
#include "worker/remote.h"
#include "worker/sandbox.h"

enum { EXIT_USAGE = 2, OPTION_SETTINGS = 256, OPTION_VERSION, OPTION_COURIER };

static const char default_configuration[] = SYSCONFDIR "/dewline.cfg";

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"test", no_argument, NULL, 't'},
    {"courier", no_argument, NULL, OPTION_COURIER},
    {"settings", no_argument, NULL, OPTION_SETTINGS},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static void print_help(FILE *out)
{
	fprintf(out,
	    "Usage: dewlined [-c FILE] [-t | --courier]\n"
	    "The daemon of the dewline gateway for security advisories. Runs in the foreground "
	    "until\n"
	    "SIGTERM.\n\n"
	    "  -c, --config FILE  read this configuration (default %s)\n"
	    "  -t, --test         check the configuration, and whether dewlined can work with it:\n"
	    "                     user, state, drop, key; and end: 0 when all is good, otherwise 1\n"
	    "      --courier      be one courier, for the connection that the service manager\n"
	    "                     passes (dewline-courier@.service)\n"
	    "      --settings     print every setting, what is allowed and its default\n"
	    "  -h, --help         print this\n"
	    "      --version      print the version\n",
	    default_configuration);
}

/* Descriptors 0 to 2 must be something, or a socket of ours would take the place of one. */
static void open_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			abort();
	}
}

/* So that no process needs the name of it later: it may be missing for a while. */
static int read_nothing(struct err *err)
{
	const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0)
		return err_system(err, "cannot open /dev/null");
	close(nothing);
	return 0;
}

/* What the worker processes inherit: nothing in a core, nothing readable by others. */
static void protect_process(void)
{
	const struct rlimit no_core = {0, 0};
	umask(S_IRWXG | S_IRWXO);
	setrlimit(RLIMIT_CORE, &no_core);
#ifndef DEWLINE_SANITIZED /* the leak check at the end traces its own process */
	prctl(PR_SET_DUMPABLE, 0);
#endif
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
}

/* Until supervise takes them: asked to end during its start, dewlined still ends in good order. */
static void hold_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* It may what the vault may: run GnuPG. */
static int confine_vault_starter(const void *settings, struct err *err)
{
	return vault_confine(settings, err);
}

static void stop_agent(const void *settings)
{
	const struct config *config = settings;
	state_stop_agent(config->state, PLACE_RUN);
}

/* With dewlined.service and without courier.socket, mail would wait for ever. */
static void look_for_network(const struct config *config)
{
	char line[LINE_MAX];
	bool found = config->courier.socket[0] != '\0';
	FILE *devices = found ? NULL : fopen("/proc/net/dev", "re");
	if (devices == NULL)
		return;
	while (!found && fgets(line, sizeof line, devices) != NULL) {
		const struct view name = view_trim(
		    (struct view){line, strchr(line, ':') == NULL ? 0 : strcspn(line, ":")});
		found = name.len > 0 && !view_is(name, "lo");
	}
	fclose(devices);
	if (!found)
		log_warning("there is no network here but within this machine: if this is "
			    "dewlined.service, set courier.socket to \"/run/dewline/courier\"");
}

/* All that it takes to begin, once the state is ours. */
static int begin(const struct config *config, struct err *err)
{
	if (state_take_drop(config->drop, err) != 0 ||
	    state_find_store(config->state, err) != 0 || ready_drop(config, err) != 0)
		return -1;
	if (chdir("/") != 0)
		return err_system(err, "cannot change to /");
	/* One that a former daemon left, or that somebody started there, is none of ours. */
	state_stop_agent(config->state, PLACE_RUN);
	state_unlock_gnupg(config->state);
	if (key_prove(config, PLACE_RUN, err) != 0) {
		state_stop_agent(config->state, PLACE_RUN);
		return -1;
	}
	if (read_nothing(err) != 0)
		return -1;
	look_for_network(config);
	log_info("%s starts with %s", PACKAGE_STRING, config->file);
	return 0;
}

static int supervise_all(const struct config *config, struct pulse_file *pulse, struct err *err)
{
	const struct supervision supervision = {
	    .gate = {gate_main, config},
	    .workers =
		{
		    [WORKER_READER] = {reader_main, config},
		    [WORKER_VAULT] = {vault_main, config},
		    [WORKER_COURIER] = {courier_main, config},
		},
	    .starters =
		{
		    [WORKER_VAULT] = {confine_vault_starter, stop_agent},
		    [WORKER_COURIER] = {courier_confine_starter, NULL},
		},
	    .gate_starter = {gate_confine_starter, NULL},
	    .sockets = {[WORKER_COURIER] = config->courier.socket},
	    .confine = supervise_confine,
	    .grace_ms = SUPERVISE_GRACE_MS,
	    .pulse = pulse,
	};
	/* There is a new reader for each reading: what it needs is loaded once, here. */
	struct charset_keep *keep = charset_keep();
	const int result = supervise(&supervision, err);
	charset_release(keep);
	return result;
}

static int run(const struct config *config, struct err *err)
{
	char path[CONFIG_PATH_SIZE + 8];
	hold_signals();
	if (ready_configuration(config, err) != 0 || ready_user(config, err) != 0 ||
	    sandbox_check(config, err) != 0 || state_take(config->state, err) != 0)
		return -1;
	snprintf(path, sizeof path, "%s/pulse", config->state);
	struct pulse_file *pulse = pulse_open(path);
	int result = begin(config, err);
	if (result == 0)
		result = supervise_all(config, pulse, err);
	if (result == 0)
		log_info("ended");
	else
		pulse_note(pulse, PULSE_DAEMON_END, err->text);
	pulse_stage(pulse, PULSE_ENDED);
	pulse_free(pulse);
	return result;
}

/* dewlined --courier: what the service manager starts for one connection of the gate. */
static int run_courier(const struct config *config, struct err *err)
{
	const int fd = remote_socket(err);
	if (fd < 0 || ready_user(config, err) != 0 || sandbox_check(config, err) != 0)
		return -1;
	const struct worker_program program = {courier_main, config};
	exit(remote_serve("courier", program, courier_confine_starter, fd));
}

/* As root, with no user named, what the service manager starts as the owner of the state is tried as
 * that user: root can read and write all. */
static int become_owner(const struct config *config, struct err *err)
{
	struct stat about;
	if (geteuid() != 0 || config->user[0] != '\0')
		return ready_user(config, err);
	if (stat(config->state, &about) != 0 || about.st_uid == 0)
		return 0;
	const struct passwd *owner = getpwuid(about.st_uid);
	if (owner == NULL)
		return err_set(err, ERR_DAEMON, ERR_NEVER,
		    "the state directory %s belongs to user %u, whom the system does not know: give "
		    "it to the user of dewlined with chown -R",
		    config->state, (unsigned)about.st_uid);
	return user_become(owner->pw_name, err);
}

/* dewlined -t: what a start looks at, without touching a daemon that runs on it. */
static int test(const struct config *config, struct err *err)
{
	if (ready_configuration(config, err) != 0 || become_owner(config, err) != 0)
		return -1;
	if (state_is_missing(config->state, err)) {
		printf("%s: good, but dewlined cannot start yet, for %s\n", config->file, err->text);
		return 0;
	}
	if (sandbox_check(config, err) != 0 || state_look(config->state, err) != 0 ||
	    state_find_store(config->state, err) != 0 || ready_drop(config, err) != 0)
		return -1;
	const int result = key_prove(config, PLACE_TRY, err);
	state_stop_agent(config->state, PLACE_TRY);
	if (result == 0)
		printf("%s: good\n", config->file);
	return result;
}

static int load(const char *path, struct config *config, struct err *err)
{
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return err_set(err, ERR_DAEMON, ERR_NEVER,
		    "there is no configuration %s: name one with -c FILE", path);
	return config_load(path, config, err);
}

int main(int argc, char **argv)
{
	const char *path = default_configuration;
	int (*command)(const struct config *config, struct err *err) = run;
	int option;
	open_standard_descriptors();
	while ((option = getopt_long(argc, argv, "c:th", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 't':
			command = test;
			break;
		case OPTION_COURIER:
			command = run_courier;
			break;
		case OPTION_SETTINGS:
			config_print_settings(stdout);
			return EXIT_SUCCESS;
		case 'h':
			print_help(stdout);
			return EXIT_SUCCESS;
		case OPTION_VERSION:
			puts(PACKAGE_STRING);
			return EXIT_SUCCESS;
		default:
			print_help(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "dewlined: %s is one argument too many\n", argv[optind]);
		return EXIT_USAGE;
	}
	protect_process();
	log_open("dewlined", LOG_LEVEL_INFO);
	struct config config;
	struct err err;
	int result = load(path, &config, &err);
	log_open("dewlined", result == 0 ? config.log_level : LOG_LEVEL_INFO);
	if (result == 0)
		result = command(&config, &err);
	if (result != 0)
		log_error("%s", err.text);
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
