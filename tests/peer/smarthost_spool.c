#include "config.h"

#include <dirent.h>
#include <err.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "peer/smarthost.h"

struct spool {
	const char *directory; /* NULL: thrown away */
	unsigned long next; /* number of the next file */
	unsigned long count;
};

/* Goes on behind what an earlier run has left. */
static unsigned long first_free(const char *directory)
{
	unsigned long most = 0;
	DIR *dir = opendir(directory);
	if (dir == NULL)
		err(EXIT_FAILURE, "cannot open %s", directory);
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		const unsigned long number = strtoul(entry->d_name, NULL, 10);
		if (number > most)
			most = number;
	}
	closedir(dir);
	return most + 1;
}

struct spool *spool_new(const char *directory)
{
	struct spool *spool = calloc(1, sizeof *spool);
	if (spool == NULL)
		abort();
	spool->directory = directory;
	spool->next = directory == NULL ? 1 : first_free(directory);
	return spool;
}

void spool_free(struct spool *spool)
{
	free(spool);
}

bool spool_keeps(const struct spool *spool)
{
	return spool->directory != NULL;
}

unsigned long spool_count(const struct spool *spool)
{
	return spool->count;
}

/* Takes away the dot that the sender put in front of a line's own (RFC 5321 section 4.5.2). */
static void write_undoubled(FILE *file, struct view message)
{
	while (message.len > 0) {
		if (message.data[0] == '.')
			message = view_part(message, 1, message.len);
		const size_t dot = view_find(message, VIEW("\n."));
		const size_t len = dot == SIZE_MAX ? message.len : dot + 1;
		fwrite(message.data, 1, len, file);
		message = view_part(message, len, message.len);
	}
}

bool spool_add(struct spool *spool, const char *sender, char (*recipients)[ADDRESS_SIZE],
    size_t recipient_count, struct view message)
{
	char temporary[PATH_MAX];
	char final[PATH_MAX];
	if (spool->directory != NULL) {
		snprintf(
		    temporary, sizeof temporary, "%s/.tmp.%06lu", spool->directory, spool->next);
		snprintf(final, sizeof final, "%s/%06lu.eml", spool->directory, spool->next);
		FILE *file = fopen(temporary, "w");
		if (file == NULL)
			return false;
		fprintf(file, "X-Envelope-From: %s\r\n", sender);
		for (size_t i = 0; i < recipient_count; i++)
			fprintf(file, "X-Envelope-To: %s\r\n", recipients[i]);
		write_undoubled(file, message);
		if (fclose(file) != 0 || rename(temporary, final) != 0)
			return false;
	}
	spool->next++;
	spool->count++;
	return true;
}
