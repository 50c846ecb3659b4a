/* The entries of a directory. See tree_entries.h. */
#include "tree_entries.h"

#include <dirent.h>
#include <string.h>

#include "syscalls.h"

#define MAX_DEPTH 400

int tree_each_entry(int directory, visit_function *visit, int other, int depth,
		    struct failure *why)
{
	int fd = openat(directory, ".", OPEN_DIRECTORY);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int result = 0;

	if (stream == NULL) {
		close_descriptor(&fd);
		return fail(why, "copy", "open directory");
	}
	if (depth > MAX_DEPTH)
		result = fail_errno(why, "copy", "directories too deep", ELOOP);
	while (result == 0 && (errno = 0, entry = readdir(stream)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = visit(directory, entry->d_name, other, depth, why);
	if (result == 0 && errno != 0)
		result = fail(why, "copy", "read directory");
	closedir(stream);
	return result;
}
