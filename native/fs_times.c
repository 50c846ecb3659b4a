/* Times of directories: set at the end, for whatever is made in a directory changes them. */
#include <stdlib.h>
#include <string.h>

#include "fs_agent.h"
#include "syscalls.h"

static struct deferred {
	char *path;
	size_t length;
	struct timespec mtime;
	dev_t device;
	ino_t inode;
} *deferred;
static size_t deferred_count, deferred_room;

int fs_defer_time(struct fs_agent *agent, int fd, const struct fs_attributes *attributes,
		  const struct fs_path *path)
{
	struct deferred *entry;
	struct stat now;

	if (!(attributes->set & FS_SET_MTIME))
		return 0;
	if (fstat(fd, &now) < 0)
		return fs_fail(agent, "stat", path);
	if (deferred_count == deferred_room) {
		size_t room = deferred_room == 0 ? 1024 : deferred_room * 2;
		struct deferred *larger = reallocarray(deferred, room, sizeof(*deferred));

		if (larger == NULL)
			return fs_fail(agent, "memory", path);
		deferred = larger;
		deferred_room = room;
	}
	entry = &deferred[deferred_count];
	*entry = (struct deferred){ .path = strdup(path->bytes), .length = path->length,
				    .mtime = attributes->mtime, .device = now.st_dev,
				    .inode = now.st_ino };
	if (entry->path == NULL)
		return fs_fail(agent, "memory", path);
	deferred_count++;
	return 0;
}

/* A directory that was removed or replaced since is passed over: its inode tells. */
static int set_time(struct fs_agent *agent, const struct deferred *entry)
{
	struct timespec times[2] = { entry->mtime, entry->mtime };
	struct fs_path *path = &agent->path;
	struct failure gone = { .error = 0 };
	const char *slash;
	struct stat now;
	int parent;

	memcpy(path->bytes, entry->path, entry->length + 1);
	path->length = entry->length;
	slash = strrchr(path->bytes, '/');
	path->parent = slash == NULL ? 0 : (size_t)(slash - path->bytes);
	path->name = slash == NULL ? path->bytes : slash + 1;
	if (path->length == 0)
		return futimens(agent->pin, times) == 0 ? 0 : fs_fail(agent, "utimens", path);
	parent = fs_parent(agent, path, false, &gone);
	if (parent < 0 || fstatat(parent, path->name, &now, AT_SYMLINK_NOFOLLOW) < 0 ||
	    now.st_dev != entry->device || now.st_ino != entry->inode)
		return 0;
	if (utimensat(parent, path->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fs_fail(agent, "utimens", path);
	return 0;
}

int fs_set_times(struct fs_agent *agent)
{
	int result = 0;

	for (size_t i = 0; i < deferred_count; i++) {
		if (result == 0)
			result = set_time(agent, &deferred[i]);
		free(deferred[i].path);
	}
	deferred_count = 0;
	return result;
}
