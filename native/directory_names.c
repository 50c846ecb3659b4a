#include "directory_names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "syscalls.h"

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct directory_names *names, const char *name)
{
	size_t size = strlen(name) + 1;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (names->used + size > names->room) {
		size_t room = names->room * 2 + 1024;
		char *larger = realloc(names->text, room);

		if (larger == NULL)
			return -1;
		names->text = larger;
		names->room = room;
	}
	memcpy(names->text + names->used, name, size);
	names->used += size;
	names->count++;
	return 0;
}

/* Pointers to the names, once their text moves no more. */
static int sort_names(struct directory_names *names)
{
	char *at = names->text;

	if (names->count == 0)
		return 0;
	names->list = reallocarray(NULL, names->count, sizeof(*names->list));
	if (names->list == NULL)
		return -1;
	for (size_t i = 0; i < names->count; i++) {
		names->list[i] = at;
		at += strlen(at) + 1;
	}
	qsort(names->list, names->count, sizeof(*names->list), compare_names);
	return 0;
}

int directory_names_read(int directory, struct directory_names *names)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int result = 0, error;

	if (stream == NULL) {
		close_descriptor(&fd);
		return -1;
	}
	while (result == 0 && (errno = 0, entry = readdir(stream)) != NULL)
		result = add_name(names, entry->d_name);
	error = errno;
	closedir(stream);
	errno = error;
	return error != 0 ? -1 : sort_names(names);
}

void directory_names_free(struct directory_names *names)
{
	free(names->list);
	free(names->text);
}
