/* Listing a tree, and adding up what it takes on the disk.
 *
 * Depth costs memory for names, never descriptors: only the current directory is open. The way up is
 * "..", and the directory found there must be the one we came from; if somebody moved the tree
 * meanwhile, the walk fails instead of wandering off. Names are sorted, so that the same tree always
 * gives the same stream. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "directory_names.h"
#include "fs_agent.h"
#include "linked_files.h"
#include "syscalls.h"

#define FLAG_ONE_FILE_SYSTEM 1u
#define FLAG_XATTRS 2u
#define FLAG_ITSELF 4u
#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct level {
	struct directory_names names;
	size_t next;
	dev_t device;
	ino_t inode;
	size_t path_length; /* of the directory's path */
};

struct walk {
	struct level *levels;
	size_t depth, room;
	int fd; /* the current directory */
	dev_t device;
	uint32_t flags;
	bool only_usage;
	uint64_t blocks, inodes;
	struct linked_files linked;
	struct fs_path *path;
};

/* Go into the directory open at `fd` (ours from here on), whose path is in walk->path. */
static int enter(struct walk *walk, int fd)
{
	struct level *level;
	struct stat now;

	close_and_forget(&walk->fd);
	walk->fd = fd;
	if (walk->depth == walk->room) {
		size_t room = walk->room == 0 ? 64 : walk->room * 2;
		struct level *larger = reallocarray(walk->levels, room, sizeof(*larger));

		if (larger == NULL)
			return -1;
		walk->levels = larger;
		walk->room = room;
	}
	if (fstat(fd, &now) < 0)
		return -1;
	level = &walk->levels[walk->depth++];
	*level = (struct level){ .device = now.st_dev, .inode = now.st_ino,
				 .path_length = walk->path->length };
	return directory_names_read(fd, &level->names);
}

static int leave(struct walk *walk)
{
	struct stat now;
	const struct level *above;
	int fd;

	directory_names_free(&walk->levels[--walk->depth].names);
	if (walk->depth == 0)
		return 0;
	above = &walk->levels[walk->depth - 1];
	fd = openat(walk->fd, "..", OPEN_DIRECTORY);
	close_and_forget(&walk->fd);
	walk->fd = fd;
	if (fd < 0 || fstat(fd, &now) < 0)
		return -1;
	if (now.st_dev == above->device && now.st_ino == above->inode)
		return 0;
	errno = ESTALE;
	return -1;
}

static void visit(struct walk *walk, int directory, const char *name, const struct stat *now,
		  size_t skip)
{
	if (!walk->only_usage) {
		fs_put_entry(directory, name, now, walk->path->bytes + skip,
			     walk->flags & FLAG_XATTRS);
	} else if (linked_files_count(&walk->linked, now)) {
		walk->blocks += (uint64_t)now->st_blocks;
		walk->inodes++;
	}
}

/* The next entry of the current directory. What vanished since it was listed is passed over. */
static int step(struct walk *walk, size_t skip)
{
	struct level *level = &walk->levels[walk->depth - 1];
	struct fs_path *path = walk->path;
	const char *name = level->names.list[level->next++];
	size_t length = strlen(name);
	struct stat now;
	int fd;

	path->length = level->path_length;
	if (path->length + length + 2 > FS_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (path->length > 0)
		path->bytes[path->length++] = '/';
	memcpy(path->bytes + path->length, name, length + 1);
	path->length += length;
	if (fstatat(walk->fd, name, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	visit(walk, walk->fd, name, &now, path->length < skip ? path->length : skip);
	if (!S_ISDIR(now.st_mode) ||
	    (walk->flags & FLAG_ONE_FILE_SYSTEM && now.st_dev != walk->device))
		return 0;
	fd = openat(walk->fd, name, OPEN_DIRECTORY);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENOTDIR ? 0 : -1;
	return enter(walk, fd);
}

static int walk_from(struct walk *walk, int parent, const char *name)
{
	size_t skip = walk->path->length == 0 ? 0 : walk->path->length + 1;
	struct stat now;
	int fd, result;

	if (fstatat(parent, name, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	walk->device = now.st_dev;
	visit(walk, parent, name, &now, walk->path->length);
	if (!S_ISDIR(now.st_mode) || walk->flags & FLAG_ITSELF)
		return 0;
	fd = openat(parent, name, OPEN_DIRECTORY);
	result = fd < 0 ? -1 : enter(walk, fd);
	while (result == 0 && walk->depth > 0) {
		const struct level *level = &walk->levels[walk->depth - 1];

		result = level->next == level->names.count ? leave(walk) : step(walk, skip);
	}
	return result;
}

int fs_walk(struct fs_agent *agent, struct fs_reader *request, bool only_usage, struct failure *why)
{
	static struct walk walk;
	int parent, result, error;

	if (fs_path_read(&agent->path, request, why) < 0)
		return -1;
	walk = (struct walk){ .fd = -1, .path = &agent->path, .only_usage = only_usage,
			      .flags = fs_u32(request) };
	parent = agent->pin;
	if (agent->path.length > 0)
		parent = fs_parent(agent, &agent->path, false, why);
	if (parent < 0)
		return -1;
	result = walk_from(&walk, parent, agent->path.length == 0 ? "." : agent->path.name);
	error = errno;
	while (walk.depth > 0)
		directory_names_free(&walk.levels[--walk.depth].names);
	free(walk.levels);
	linked_files_free(&walk.linked);
	close_descriptor(&walk.fd);
	if (result < 0)
		return fail_errno(why, "walk", agent->path.bytes, error);
	fs_reply_begin(FS_END);
	fs_put_u64(agent->sequence);
	fs_put_u64(walk.blocks);
	fs_put_u64(walk.inodes);
	fs_reply_end();
	return 0;
}
