/* Paths inside a root. See inside.h.
 *
 * Every step starts again at the root descriptor, so whatever an attacker swaps
 * between two steps, each one ends inside (CVE-2021-30465, CVE-2024-45310). New
 * entries are made by plain name in a directory that is held open. */
#include "inside.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "syscalls.h"

#define MAX_LINKS 8 /* to what does not exist yet, one after the other */

static int resolve(int root, const char *path, int flags, mode_t mode, uint64_t more)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.mode = mode,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | more,
	};
	int fd;

	/* EAGAIN: a rename somewhere made the kernel unsure about a "..". */
	for (int tries = 0; tries < 100; tries++) {
		fd = sys_openat2(root, path, &how);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			return fd;
	}
	return -1;
}

int inside_open(int root, const char *path, int flags, mode_t mode)
{
	return resolve(root, path, flags, mode, 0);
}

int inside_open_plain(int root, const char *path, int flags)
{
	return resolve(root, path, flags, 0, RESOLVE_NO_SYMLINKS);
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0;
}

/* The path that the link `name` in `parent` means, with `prefix` the path of the link itself. */
static int read_link(int parent, const char *name, const char *prefix, char target[PATH_MAX])
{
	char link[PATH_MAX];
	ssize_t length = readlinkat(parent, name, link, sizeof(link) - 1);
	int directory = (int)(strlen(prefix) - strlen(name));
	int written;

	if (length < 0)
		return -1;
	link[length] = '\0';
	written = link[0] == '/' ? snprintf(target, PATH_MAX, "%s", link)
				 : snprintf(target, PATH_MAX, "%.*s%s", directory, prefix, link);
	if (written >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

static int make_directory(int root, const char *path, mode_t mode, int links);

/* Make the directory `prefix`, whose last component is `name`, in the open `parent`. */
static int open_or_make(int root, int parent, const char *prefix, mode_t mode, int links)
{
	const char *slash = strrchr(prefix, '/');
	const char *name = slash == NULL ? prefix : slash + 1;
	int fd = inside_open(root, prefix, O_PATH | O_DIRECTORY, 0);
	char target[PATH_MAX];

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdirat(parent, name, mode) == 0 || errno != EEXIST)
		return inside_open(root, prefix, O_PATH | O_DIRECTORY, 0);
	/* A link to what is missing (/var/run -> /run): that is made, below the root as well. */
	if (read_link(parent, name, prefix, target) < 0)
		return -1;
	return make_directory(root, target, mode, links - 1);
}

static int walk(int root, char *path, mode_t mode, int links)
{
	int parent = inside_open(root, "/", O_PATH | O_DIRECTORY, 0);
	char *at = path;

	while (parent >= 0) {
		char *name = at + strspn(at, "/");
		char *end = name + strcspn(name, "/");
		char saved = *end;
		int next;

		if (name == end)
			return parent;
		*end = '\0';
		/* The kernel knows what ".." means here; it is never made. */
		if (is_dot(name) || strcmp(name, "..") == 0)
			next = inside_open(root, path, O_PATH | O_DIRECTORY, 0);
		else
			next = open_or_make(root, parent, path, mode, links);
		close_descriptor(&parent);
		parent = next;
		*end = saved;
		at = end;
	}
	return -1;
}

static int make_directory(int root, const char *path, mode_t mode, int links)
{
	int fd = inside_open(root, path, O_PATH | O_DIRECTORY, 0);
	char copy[PATH_MAX];

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (links == 0 || strlen(path) >= sizeof(copy)) {
		errno = links == 0 ? ELOOP : ENAMETOOLONG;
		return -1;
	}
	memcpy(copy, path, strlen(path) + 1);
	return walk(root, copy, mode, links);
}

int inside_make_directory(int root, const char *path, mode_t mode)
{
	return make_directory(root, path, mode, MAX_LINKS);
}

int inside_open_parent(int root, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char copy[PATH_MAX];
	size_t length = slash == NULL ? 0 : (size_t)(slash - path);

	*name = slash == NULL ? path : slash + 1;
	if (length >= sizeof(copy) || **name == '\0' || is_dot(*name) || strcmp(*name, "..") == 0) {
		errno = EINVAL;
		return -1;
	}
	if (length == 0)
		return inside_open(root, "/", O_PATH | O_DIRECTORY, 0);
	memcpy(copy, path, length);
	copy[length] = '\0';
	return inside_make_directory(root, copy, 0755);
}

static int make_file(int root, const char *path, int links)
{
	int fd = inside_open(root, path, O_PATH, 0);
	char target[PATH_MAX];
	const char *name;

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (links == 0) {
		errno = ELOOP;
		return -1;
	}
	AUTO_CLOSE int parent = inside_open_parent(root, path, &name);
	if (parent < 0)
		return -1;
	fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd >= 0 || errno != EEXIST) {
		close_descriptor(&fd);
		return fd < 0 ? -1 : inside_open(root, path, O_PATH, 0);
	}
	/* /etc/resolv.conf -> ../run/...: the file is made where the link says, below the root. */
	if (read_link(parent, name, path, target) < 0)
		return -1;
	return make_file(root, target, links - 1);
}

int inside_make_file(int root, const char *path)
{
	return make_file(root, path, MAX_LINKS);
}

static char *read_all(int fd, size_t expected, size_t *size)
{
	char *bytes = malloc(expected + 1);
	size_t length = 0;

	while (bytes != NULL && length < expected) {
		ssize_t got = read(fd, bytes + length, expected - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			free(bytes);
			return NULL;
		}
		if (got == 0)
			break;
		length += (size_t)got;
	}
	if (bytes != NULL)
		bytes[length] = '\0';
	*size = length;
	return bytes;
}

char *inside_read_file(int root, const char *path, size_t limit, size_t *size)
{
	/* O_NONBLOCK: an image's FIFO must not make us wait (CVE-2024-9676 class). */
	AUTO_CLOSE int fd = inside_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return NULL;
	if (!S_ISREG(status.st_mode)) {
		errno = EINVAL;
		return NULL;
	}
	if (status.st_size < 0 || (uint64_t)status.st_size > limit) {
		errno = EFBIG;
		return NULL;
	}
	return read_all(fd, (size_t)status.st_size, size);
}
