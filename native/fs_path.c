/* Paths below the pinned directory.
 *
 * Every path is resolved by the kernel with RESOLVE_IN_ROOT: a symbolic link, absolute or with
 * "..", leads at most to the pinned directory itself, even when it is swapped in between two of
 * our calls. The last component is never followed; it is only a name in its parent directory.
 *
 * Archives list a directory's entries together, so open parents are kept in a small table. An
 * entry would be wrong once a directory or link in its path is replaced; whoever does that calls
 * fs_forget. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs_agent.h"
#include "syscalls.h"

#define CACHE_SIZE 128
#define STEP_MAX 4000 /* below PATH_MAX */

static struct cached {
	char *path;
	size_t length;
	int fd;
} cache[CACHE_SIZE];

static struct cached *slot_of(const char *path, size_t length)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)path[i]) * 16777619u;
	return &cache[(hash ^ hash >> 16) % CACHE_SIZE];
}

static void drop(struct cached *slot)
{
	if (slot->path == NULL)
		return;
	free(slot->path);
	slot->path = NULL;
	close(slot->fd);
}

void fs_forget(void)
{
	for (size_t i = 0; i < CACHE_SIZE; i++)
		drop(&cache[i]);
}

static int keep(const char *path, size_t length, int fd)
{
	struct cached *slot = slot_of(path, length);
	char *copy = malloc(length + 1);

	if (copy == NULL) {
		close(fd);
		errno = ENOMEM;
		return -1;
	}
	drop(slot);
	memcpy(copy, path, length);
	copy[length] = '\0';
	*slot = (struct cached){ .path = copy, .length = length, .fd = fd };
	return fd;
}

void fs_remember(const struct fs_path *path, int fd)
{
	keep(path->bytes, path->length, fd);
}

/* Open the directory at path[0..length). What lies beyond PATH_MAX is walked in steps, in which
 * symbolic links are refused: a link there could not be resolved against the right root. */
static int open_directory(int pin, const char *path, size_t length)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	char step[STEP_MAX + 1];
	int at = pin;

	for (size_t done = 0; done < length;) {
		size_t size = length - done;
		int next;

		if (size > STEP_MAX) {
			for (size = STEP_MAX; size > 0 && path[done + size] != '/'; size--)
				;
			if (size == 0) {
				errno = ENAMETOOLONG;
				next = -1;
				break;
			}
		}
		memcpy(step, path + done, size);
		step[size] = '\0';
		next = sys_openat2(at, step, &how);
		if (at != pin)
			close_descriptor(&at);
		if (next < 0)
			return -1;
		at = next;
		done += size + 1;
		how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
	}
	return at;
}

static int cached_directory(int pin, const char *path, size_t length)
{
	struct cached *slot = slot_of(path, length);
	int fd;

	if (length == 0)
		return pin;
	if (slot->path != NULL && slot->length == length && memcmp(slot->path, path, length) == 0)
		return slot->fd;
	fd = open_directory(pin, path, length);
	return fd < 0 ? -1 : keep(path, length, fd);
}

/* Make the directory path[start..end) in `parent`; returns it open, or -1. */
static int make_directory(int parent, const char *path, size_t start, size_t end)
{
	char name[256];

	if (end - start >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, path + start, end - start);
	name[end - start] = '\0';
	if (mkdirat(parent, name, 0755) < 0)
		return -1;
	return openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Make the missing directories of path[0..length), from the top. Below the first missing one all are
 * missing, and ours: they need no resolving, which would take quadratic time for a deep path. */
static int make_directories(int pin, const char *path, size_t length)
{
	bool missing = false;
	int parent = pin;

	for (size_t start = 0; start < length;) {
		const char *slash = memchr(path + start, '/', length - start);
		size_t end = slash == NULL ? length : (size_t)(slash - path);
		int next = missing ? -1 : cached_directory(pin, path, end);

		if (next < 0 && !missing && errno == ENOENT) {
			missing = true;
			/* The lookup may have closed the parent, if both share a place in the cache. */
			parent = cached_directory(pin, path, start > 0 ? start - 1 : 0);
			if (parent < 0)
				return -1;
		}
		if (missing) {
			next = make_directory(parent, path, start, end);
			/* A dangling symbolic link is no place to make something in. */
			if (next < 0 && errno == EEXIST)
				errno = ENOENT;
			if (next >= 0)
				next = keep(path, end, next);
		}
		if (next < 0)
			return -1;
		parent = next;
		start = end + 1;
	}
	return parent;
}

int fs_parent(struct fs_agent *agent, const struct fs_path *path, bool create, struct failure *why)
{
	int fd = cached_directory(agent->pin, path->bytes, path->parent);

	if (fd < 0 && errno == ENOENT && create)
		fd = make_directories(agent->pin, path->bytes, path->parent);
	return fd < 0 ? fail(why, "open the directory of", path->bytes) : fd;
}

/* Add one component. ".." is the client's to resolve: here it could mean two things. */
static int add_component(struct fs_path *path, const char *name, size_t size)
{
	bool dots = size == 2 && name[0] == '.' && name[1] == '.';

	if (size == 0 || (size == 1 && name[0] == '.'))
		return 0;
	if (dots || memchr(name, '\0', size) != NULL)
		return -1;
	if (path->length > 0)
		path->bytes[path->length++] = '/';
	path->parent = path->length > 0 ? path->length - 1 : 0;
	path->name = path->bytes + path->length;
	memcpy(path->bytes + path->length, name, size);
	path->length += size;
	return 0;
}

int fs_path_read(struct fs_path *path, struct fs_reader *reader, struct failure *why)
{
	size_t length = fs_u32(reader);
	const char *raw = (const char *)fs_bytes(reader, length);

	path->length = path->parent = 0;
	path->name = path->bytes;
	path->bytes[0] = '\0';
	if (raw == NULL)
		return fail_errno(why, "protocol", "path", EBADMSG);
	if (length >= FS_PATH_MAX)
		return fail_errno(why, "path", "(too long)", ENAMETOOLONG);
	for (size_t start = 0; start < length;) {
		const char *slash = memchr(raw + start, '/', length - start);
		size_t end = slash == NULL ? length : (size_t)(slash - raw);

		if (add_component(path, raw + start, end - start) < 0) {
			path->bytes[path->length] = '\0';
			return fail_errno(why, "path", path->bytes, EINVAL);
		}
		start = end + 1;
	}
	path->bytes[path->length] = '\0';
	return 0;
}
