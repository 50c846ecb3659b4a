/* Small files, directories and links inside the root. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "inside.h"
#include "numbers.h"
#include "stage.h"
#include "syscalls.h"

static mode_t mode_of(const struct record *record)
{
	return (mode_t)number_of_base(record->argv[1], 8);
}

int step_mkdir(struct stage *stage, const struct record *record, struct failure *why)
{
	AUTO_CLOSE int fd = inside_make_directory(stage->root, record->argv[0], mode_of(record));

	return fd < 0 ? fail(why, "mkdir", record->argv[0]) : 0;
}

int step_symlink(struct stage *stage, const struct record *record, struct failure *why)
{
	const char *name;
	AUTO_CLOSE int parent = inside_open_parent(stage->root, record->argv[1], &name);

	/* What the image has under that name stays. */
	if (parent < 0 || (symlinkat(record->argv[0], parent, name) < 0 && errno != EEXIST))
		return fail(why, "symlink", record->argv[1]);
	return 0;
}

static int write_all(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t done = write(fd, text, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		text += done;
		length -= (size_t)done;
	}
	return 0;
}

/* Written aside and renamed: an existing file, link or FIFO of that name is replaced, not opened. */
int step_write(struct stage *stage, const struct record *record, struct failure *why)
{
	const char *name;
	char aside[32];
	AUTO_CLOSE int parent = inside_open_parent(stage->root, record->argv[0], &name);
	AUTO_CLOSE int fd = -1;

	if (parent < 0)
		return fail(why, "write", record->argv[0]);
	(void)snprintf(aside, sizeof(aside), ".tsman-%d", (int)getpid());
	if (unlinkat(parent, aside, 0) < 0 && errno != ENOENT)
		return fail(why, "write", record->argv[0]);
	fd = openat(parent, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write_all(fd, record->argv[2]) < 0 || fchmod(fd, mode_of(record)) < 0 ||
	    renameat(parent, aside, parent, name) < 0) {
		(void)fail(why, "write", record->argv[0]);
		(void)unlinkat(parent, aside, 0);
		return -1;
	}
	return 0;
}
