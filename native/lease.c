/* Leases. See lease.h. */
#include "lease.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "process.h"
#include "syscalls.h"

int leases_open(const char *net_dir)
{
	AUTO_CLOSE int parent = open(net_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (parent < 0 || (mkdirat(parent, "leases", 0700) < 0 && errno != EEXIST))
		return -1;
	return openat(parent, "leases", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Nobody holds the lock of a dead lease. */
static bool is_live(int directory, const char *name)
{
	AUTO_CLOSE int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return true;
	(void)unlinkat(directory, name, 0);
	return false;
}

bool leases_each(int directory, bool (*visit)(const struct lease *lease, void *context),
		 void *context)
{
	int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	char text[LEASE_BYTES];
	bool stopped = false;

	if (entries == NULL) {
		close_descriptor(&copy);
		return false;
	}
	while (!stopped && (entry = readdir(entries)) != NULL) {
		struct lease lease = { entry->d_name, text };

		/* With a dot: not yet locked. */
		if (entry->d_name[0] != '.' && is_live(directory, entry->d_name) &&
		    read_small_file(directory, entry->d_name, text, sizeof(text)) > 0)
			stopped = visit(&lease, context);
	}
	closedir(entries);
	return stopped;
}

int lease_take(int directory, const char *name, const char *text)
{
	char aside[128];
	size_t length = strlen(text);
	int fd;

	(void)snprintf(aside, sizeof(aside), ".%s", name);
	fd = openat(directory, aside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || write(fd, text, length) != (ssize_t)length ||
	    renameat(directory, aside, directory, name) < 0) {
		close_descriptor(&fd);
		return -1;
	}
	return fd;
}

const char *lease_value(const char *text, const char *word, const char *after, char *value,
			size_t size)
{
	size_t length = strlen(word);
	const char *line = text;

	if (after != NULL) {
		line = strchr(after, '\n');
		line = line == NULL ? "" : line + 1;
	}
	for (; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t rest;

		if (strncmp(line, word, length) != 0 || line[length] != ' ')
			continue;
		rest = strcspn(line + length + 1, "\n");
		if (rest >= size)
			continue;
		memcpy(value, line + length + 1, rest);
		value[rest] = '\0';
		return line;
	}
	return NULL;
}

bool lease_says(const char *text, const char *word, const char *value)
{
	const char *line = NULL;
	char found[256];

	while ((line = lease_value(text, word, line, found, sizeof(found))) != NULL)
		if (strcasecmp(found, value) == 0)
			return true;
	return false;
}

static bool find_address(const char *text, const char *word, int family,
			 struct ip_address *address)
{
	const char *line = NULL;
	char found[64];

	while ((line = lease_value(text, word, line, found, sizeof(found))) != NULL)
		if (ip_parse(found, address) && address->family == family)
			return true;
	return false;
}

bool lease_address(const char *text, int family, struct ip_address *address)
{
	return find_address(text, "address", family, address);
}

bool lease_gateway(const char *text, int family, struct ip_address *gateway)
{
	return find_address(text, "gateway", family, gateway);
}
