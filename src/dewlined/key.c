#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/secret.h"
#include "dewlined/key.h"
#include "pgp/home.h"
#include "pgp/place.h"
#include "pgp/vault.h"
#include "worker/spawn.h"

/* gpg and its agent take some ten milliseconds; a busy machine at its start takes longer. */
enum { PATIENCE_MS = 60 * 1000 };

/* An agent that somebody has just ended may take a last connection with it into the grave. */
enum { ATTEMPTS = 5, PAUSE_US = 200 * 1000 };

struct proving {
	const struct config *config;
	const char *place;
};

static int prove(const struct config *config, const char *at, struct err *err)
{
	char path[HOME_PATH_SIZE];
	struct home home;
	if (snprintf(path, sizeof path, "%s/gnupg", config->state) >= (int)sizeof path)
		return err_set(
		    err, ERR_DAEMON, ERR_NEVER, "the state directory's path is too long");
	if (home_open_at(path, at, &home, err) != 0)
		return -1;
	if (home.gateway[0] == '\0')
		return home_refuse_keyless(&home, err);
	struct passphrase passphrase =
	    passphrase_from(passphrase_configured, (void *)(uintptr_t)config);
	char place[CONFIG_PATH_SIZE];
	secret_place(SECRET_GATEWAY, config->gateway.passphrase_file, place);
	passphrase.place = place;
	home.passphrase = &passphrase;
	int result = home_prove_key(&home, err);
	for (int i = 1; i < ATTEMPTS && result != 0 && err->when != ERR_NEVER; i++) {
		usleep(PAUSE_US);
		result = home_prove_key(&home, err);
	}
	passphrase_release(&passphrase);
	return result;
}

/* worker_main_fn: the answer is nothing, or why not. */
static int prove_main(const void *settings, int fd)
{
	const struct proving *proving = settings;
	struct err err;
	signal(SIGPIPE, SIG_IGN);
	/* The agent that it may start serves the vaults as well. */
	if (vault_confine(proving->config, &err) == 0 &&
	    prove(proving->config, proving->place, &err) == 0)
		return EXIT_SUCCESS;
	const ssize_t sent = send(fd, err.text, strlen(err.text), MSG_NOSIGNAL);
	(void)sent; /* our exit status says it too */
	return EXIT_FAILURE;
}

/* Waits for the answer. Its text goes to err. */
static void listen_to(int fd, struct err *err)
{
	const int64_t until = clock_monotonic_ms() + PATIENCE_MS;
	struct pollfd waiting = {.fd = fd, .events = POLLIN};
	int64_t left;
	int ready = -1;
	while (ready < 0 && (left = until - clock_monotonic_ms()) > 0) {
		ready = poll(&waiting, 1, (int)left);
		if (ready < 0 && errno != EINTR)
			break;
	}
	const char *fault = ready > 0 ? "the gateway's key could not be tried"
				      : "gpg takes too long to try the gateway's key";
	char text[ERR_TEXT_SIZE];
	const ssize_t got = ready > 0 ? recv(fd, text, sizeof text - 1, 0) : 0;
	text[got > 0 ? got : 0] = '\0';
	err_set(err, ERR_DAEMON, ERR_NEVER, "%s", got > 0 ? text : fault);
}

/* In this process, which no sandbox holds yet: the place is made of links. */
static int make_place(const struct proving *proving, struct err *err)
{
	char home[HOME_PATH_SIZE];
	if (snprintf(home, sizeof home, "%s/gnupg", proving->config->state) >= (int)sizeof home)
		return err_set(
		    err, ERR_DAEMON, ERR_NEVER, "the state directory's path is too long");
	return place_make(home, proving->place, err);
}

int key_prove(const struct config *config, const char *place, struct err *err)
{
	const struct proving proving = {config, place};
	const struct worker_program program = {prove_main, &proving};
	pid_t pid;
	int fd;
	int status = -1;
	if (secret_check(SECRET_GATEWAY, config->gateway.passphrase_file, err) != 0)
		return err_prefix(err, "the passphrase of the gateway's key");
	if (make_place(&proving, err) != 0)
		return -1;
	if (process_start("vault", program, &pid, &fd, err) != 0)
		return -1;
	listen_to(fd, err);
	close(fd);
	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS ? 0 : -1;
}
