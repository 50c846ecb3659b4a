/* Files with several names. See copy_links.h.
 *
 * Somebody else may change the copy meanwhile: the first name is opened below the copy's root through
 * no symbolic link, and must still be the file that was made. */
#include "copy_links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "syscalls.h"

#define BUCKETS 4096

struct linked {
	struct linked *next;
	dev_t device, copy_device;
	ino_t inode, copy_inode;
	char path[];
};
static struct linked *buckets[BUCKETS];

static struct linked **bucket_of(const struct stat *source)
{
	return &buckets[(source->st_ino ^ source->st_dev) % BUCKETS];
}

void copy_links_clear(void)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct linked *one = buckets[i], *next; one != NULL; one = next) {
			next = one->next;
			free(one);
		}
		buckets[i] = NULL;
	}
}

int copy_links_note(const struct stat *source, int copy, const char *path)
{
	struct linked *one = malloc(sizeof(*one) + strlen(path) + 1);
	struct stat made;

	if (one == NULL || fstat(copy, &made) < 0) {
		free(one);
		return -1;
	}
	one->device = source->st_dev;
	one->inode = source->st_ino;
	one->copy_device = made.st_dev;
	one->copy_inode = made.st_ino;
	memcpy(one->path, path, strlen(path) + 1);
	one->next = *bucket_of(source);
	*bucket_of(source) = one;
	return 0;
}

static bool link_again(const struct linked *one, int root, int into, const char *name)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	AUTO_CLOSE int fd = sys_openat2(root, one->path, &how);
	struct stat now;
	char path[64];

	if (fd < 0 || fstat(fd, &now) < 0 || now.st_ino != one->copy_inode ||
	    now.st_dev != one->copy_device)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, into, name, AT_SYMLINK_FOLLOW) == 0;
}

bool copy_links_use(const struct stat *source, int root, int into, const char *name)
{
	for (const struct linked *one = *bucket_of(source); one != NULL; one = one->next)
		if (one->inode == source->st_ino && one->device == source->st_dev)
			return link_again(one, root, into, name);
	return false;
}
