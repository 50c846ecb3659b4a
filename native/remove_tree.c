/* Deleting a tree, by descriptors only.
 *
 * A fixed stack holds one descriptor, name and batch of entries per level. A directory below
 * the last level is first moved up to the top one under a new name and met again
 * there, so depth costs renames, not memory, descriptors or stack. */
#include "remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "scratch.h"
#include "text.h"

#define LEVELS 24
#define BATCH (SCRATCH_SIZE / LEVELS & ~7) /* bytes of scratch for each level's entries */

/* As the kernel writes it (getdents64(2)); d_name is what follows. */
struct entry {
	uint64_t inode;
	int64_t next;
	unsigned short length;
	unsigned char type;
	char name[];
};

struct removal {
	int fd[LEVELS];
	char name[LEVELS][256]; /* of level n in level n-1 */
	long at[LEVELS], end[LEVELS]; /* what is left of the level's batch */
	int depth;              /* the level we are at */
	uint64_t moved;         /* makes names for directories moved up */
	int error;              /* the first one */
};

static void note(struct removal *removal, int error)
{
	if (removal->error == 0 && error != ENOENT)
		removal->error = error;
}

static int open_directory(int parent, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(parent, name, flags);

	/* Mode 000 stops only a caller without CAP_DAC_OVERRIDE over the owner. O_PATH
	 * makes sure that the mode of this very directory is changed. */
	if (fd < 0 && errno == EACCES) {
		int path = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		struct text proc = { .length = 0 };

		if (path < 0)
			return -1;
		text_add(&proc, "/proc/self/fd/");
		text_add_number(&proc, (uint64_t)path);
		text_add_bytes(&proc, "", 1);
		if (chmod(proc.bytes, 0700) == 0)
			fd = openat(parent, name, flags);
		close(path);
	}
	return fd;
}

/* The stack is full: move the directory up. The top level is read again at the end. */
static void move_up(struct removal *removal, const char *name)
{
	int here = removal->fd[removal->depth];

	for (int attempt = 0; attempt < 100; attempt++) {
		struct text fresh = { .length = 0 };

		text_add(&fresh, ".tsman-removed-");
		text_add_number(&fresh, removal->moved++);
		text_add_bytes(&fresh, "", 1);
		if (renameat2(here, name, removal->fd[0], fresh.bytes, RENAME_NOREPLACE) == 0)
			return;
		if (errno != EEXIST && errno != ENOTEMPTY)
			break;
	}
	note(removal, errno);
}

/* Remove one entry, or descend into it: true when the caller must read a deeper level. */
static bool remove_entry(struct removal *removal, const struct entry *entry)
{
	int here = removal->fd[removal->depth], fd;

	if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
		return false;
	if (entry->type != DT_DIR) {
		if (unlinkat(here, entry->name, 0) == 0)
			return false;
		if (errno != EISDIR && errno != EPERM) { /* DT_UNKNOWN may be a directory */
			note(removal, errno);
			return false;
		}
	}
	if (unlinkat(here, entry->name, AT_REMOVEDIR) == 0)
		return false;
	if (errno != ENOTEMPTY && errno != EEXIST) {
		note(removal, errno);
		return false;
	}
	if (removal->depth == LEVELS - 1) {
		move_up(removal, entry->name);
		return false;
	}
	fd = open_directory(here, entry->name);
	if (fd < 0) {
		note(removal, errno);
		return false;
	}
	removal->depth++;
	removal->fd[removal->depth] = fd;
	removal->at[removal->depth] = removal->end[removal->depth] = 0;
	strcpy(removal->name[removal->depth], entry->name); /* at most 255 bytes, NAME_MAX */
	return true;
}

/* Take entries of the current level until there are none (true) or we went down (false). */
static bool finish_level(struct removal *removal)
{
	int depth = removal->depth;
	char *batch = scratch + depth * BATCH;

	for (;;) {
		while (removal->at[depth] < removal->end[depth]) {
			const struct entry *entry = (const void *)(batch + removal->at[depth]);

			removal->at[depth] += entry->length;
			if (remove_entry(removal, entry))
				return false;
		}
		removal->at[depth] = 0;
		removal->end[depth] = syscall(SYS_getdents64, removal->fd[depth], batch, BATCH);
		if (removal->end[depth] < 0)
			note(removal, errno);
		if (removal->end[depth] <= 0)
			return true;
	}
}

static void leave_level(struct removal *removal)
{
	int depth = removal->depth--;
	int parent = removal->fd[depth - 1];

	close(removal->fd[depth]);
	if (unlinkat(parent, removal->name[depth], AT_REMOVEDIR) < 0)
		note(removal, errno);
}

static void empty_top(struct removal *removal)
{
	for (;;) {
		if (!finish_level(removal))
			continue;
		if (removal->depth == 0)
			return;
		leave_level(removal);
	}
}

int remove_contents(int directory)
{
	struct removal removal = { .depth = 0 };
	uint64_t moved;
	int attempts = 3;

	removal.fd[0] = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (removal.fd[0] < 0)
		return -1;
	do {
		moved = removal.moved;
		removal.error = 0;
		removal.at[0] = removal.end[0] = 0;
		lseek(removal.fd[0], 0, SEEK_SET);
		empty_top(&removal);
		/* Some file systems skip entries when others go away while they are read. */
	} while ((removal.moved != moved && removal.error == 0) ||
		 (removal.error == ENOTEMPTY && --attempts > 0));
	close(removal.fd[0]);
	errno = removal.error;
	return removal.error == 0 ? 0 : -1;
}

int remove_tree(int parent, const char *name)
{
	int fd, result, error;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	fd = open_directory(parent, name);
	if (fd < 0)
		return -1;
	result = remove_contents(fd);
	error = errno;
	close(fd);
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT && result == 0)
		return -1;
	errno = error;
	return result;
}
