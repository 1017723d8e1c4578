/* The configuration file: the administrator's, but typed by people and written by other programs.
 * Whatever is in it, it is taken as a whole or refused with the place and the reason. */
#include "config.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"

#include "fuzz.h"

static int file;
static char path[64];

/* libconfig's scanner loses a string when it gives up within one; our process ends then. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	file = memfd_create("config", MFD_CLOEXEC);
	FUZZ_CHECK(file >= 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	return 0;
}

static void check(const struct config *config)
{
	const char *why;
	FUZZ_CHECK(strcmp(config->file, path) == 0);
	FUZZ_CHECK(config->state[0] == '/' && config->drop[0] == '/');
	FUZZ_CHECK(text_is_address(view_of(config->gateway.address), &why));
	FUZZ_CHECK(text_is_address(view_of(config->gateway.list), &why));
	FUZZ_CHECK(text_is_address(view_of(config->gateway.return_path), &why));
	FUZZ_CHECK(fuzz_is_line(config->gateway.name) && fuzz_is_line(config->gateway.prefix));
	FUZZ_CHECK(config->smarthost.port >= 1 && config->smarthost.port <= 65535);
	FUZZ_CHECK(config->smarthost.tls <= CONFIG_TLS_NONE && config->smarthost.connections >= 1);
	FUZZ_CHECK(config->smarthost.tls != CONFIG_TLS_NONE || config->smarthost.user[0] == '\0');
	FUZZ_CHECK(
	    (config->smarthost.user[0] == '\0') == (config->smarthost.password_file[0] == '\0'));
	FUZZ_CHECK(config->retry.first > 0 && config->retry.first <= config->retry.most);
	FUZZ_CHECK(config->reminders.stages.count <= CONFIG_PERCENTS_MAX);
	for (size_t i = 1; i < config->reminders.stages.count; i++)
		FUZZ_CHECK(
		    config->reminders.stages.percent[i - 1] < config->reminders.stages.percent[i]);
	FUZZ_CHECK(config->limits.message > 0 && config->limits.plaintext > 0);
	FUZZ_CHECK(config->limits.parts > 0 && config->limits.nesting > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config;
	struct err err = {.text = ""};
	/* Another file of this machine is none of the input's business. */
	if (view_find(fuzz_view(data, size), VIEW("@include")) != SIZE_MAX)
		return -1;
	FUZZ_CHECK(ftruncate(file, 0) == 0);
	FUZZ_CHECK(pwrite(file, data, size, 0) == (ssize_t)size);
	if (config_load(path, &config, &err) == 0) {
		check(&config);
	} else {
		FUZZ_CHECK(err.text[0] != '\0' && fuzz_is_line(err.text));
		FUZZ_CHECK(strstr(err.text, path) != NULL);
	}
	return 0;
}
