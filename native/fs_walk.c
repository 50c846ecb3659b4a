/* Listing a tree, and adding up what it takes on the disk.
 *
 * Depth costs memory for names, never descriptors: only the current directory is open. The way up is
 * "..", and the directory found there must be the one we came from; if somebody moved the tree
 * meanwhile, the walk fails instead of wandering off. Names are sorted, so that the same tree always
 * gives the same stream. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "fs_agent.h"
#include "syscalls.h"

#define FLAG_ONE_FILE_SYSTEM 1u
#define FLAG_XATTRS 2u
#define FLAG_ITSELF 4u
#define XATTR_LIST_SIZE 65536
#define XATTR_TOTAL_MAX (FS_PAYLOAD_MAX / 2)
#define LINK_MAX_SIZE 4096
#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct level {
	char **names;
	size_t count, next, room;
	dev_t device;
	ino_t inode;
	size_t path_length; /* of the directory's path */
};

struct linked {
	dev_t device;
	ino_t inode;
};

struct walk {
	struct level *levels;
	size_t depth, room;
	int fd; /* the current directory */
	dev_t device;
	uint32_t flags;
	bool only_usage;
	uint64_t blocks, inodes;
	/* Hard links count once: (device, inode) of files with more than one link. */
	struct linked *linked;
	size_t linked_count, linked_room;
	struct fs_path *path;
	char xattr_names[XATTR_LIST_SIZE];
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_level(struct level *level)
{
	for (size_t i = 0; i < level->count; i++)
		free(level->names[i]);
	free(level->names);
}

static int add_name(struct level *level, const char *name)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (level->count == level->room) {
		size_t room = level->room == 0 ? 32 : level->room * 2;
		char **larger = reallocarray(level->names, room, sizeof(*larger));

		if (larger == NULL)
			return -1;
		level->names = larger;
		level->room = room;
	}
	level->names[level->count] = strdup(name);
	return level->names[level->count++] == NULL ? -1 : 0;
}

static int read_names(int directory, struct level *level)
{
	int fd = openat(directory, ".", OPEN_DIRECTORY);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int result = 0;

	if (stream == NULL) {
		close_descriptor(&fd);
		return -1;
	}
	for (errno = 0; result == 0 && (entry = readdir(stream)) != NULL; errno = 0)
		result = add_name(level, entry->d_name);
	if (errno != 0)
		result = -1;
	closedir(stream);
	if (level->count > 1)
		qsort(level->names, level->count, sizeof(*level->names), compare_names);
	return result;
}

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
	return read_names(fd, level);
}

static int leave(struct walk *walk)
{
	struct stat now;
	const struct level *above;
	int fd;

	free_level(&walk->levels[--walk->depth]);
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

/* Where this file is, or would be, in the open-addressing table. */
static struct linked *slot_of(struct linked *table, size_t room, dev_t device, ino_t inode)
{
	size_t at = inode % room;

	while (table[at].inode != 0 && (table[at].inode != inode || table[at].device != device))
		at = (at + 1) % room;
	return &table[at];
}

static int grow_linked(struct walk *walk)
{
	size_t room = walk->linked_room == 0 ? 1024 : walk->linked_room * 2;
	struct linked *larger = calloc(room, sizeof(*larger));

	if (larger == NULL)
		return -1;
	for (size_t i = 0; i < walk->linked_room; i++) {
		const struct linked *old = &walk->linked[i];

		if (old->inode != 0)
			*slot_of(larger, room, old->device, old->inode) = *old;
	}
	free(walk->linked);
	walk->linked = larger;
	walk->linked_room = room;
	return 0;
}

/* False when this file was counted under another name. */
static bool count_once(struct walk *walk, const struct stat *file)
{
	struct linked *slot;

	if (file->st_nlink < 2 || S_ISDIR(file->st_mode))
		return true;
	if (walk->linked_count * 2 >= walk->linked_room && grow_linked(walk) < 0)
		return true; /* counted twice is better than not at all */
	slot = slot_of(walk->linked, walk->linked_room, file->st_dev, file->st_ino);
	if (slot->inode != 0)
		return false;
	*slot = (struct linked){ .device = file->st_dev, .inode = file->st_ino };
	walk->linked_count++;
	return true;
}

/* No *at calls for xattrs before Linux 6.13: through /proc to the open directory, whose entry is
 * then not followed. */
static void put_xattrs(struct walk *walk, int directory, const char *name, mode_t mode)
{
	char path[64 + 256];
	uint8_t *count_at = fs_put_room(4);
	uint32_t count = 0;
	size_t total = 0;
	ssize_t size = -1;

	fs_put_u32(0);
	if (!(walk->flags & FLAG_XATTRS) || S_ISLNK(mode) || count_at == NULL)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", directory, name);
	size = llistxattr(path, walk->xattr_names, sizeof(walk->xattr_names));
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(walk->xattr_names + at) + 1) {
		const char *attribute = walk->xattr_names + at;
		ssize_t length = lgetxattr(path, attribute, NULL, 0);
		uint8_t *room;

		if (length < 0 || (total += (size_t)length + 264) > XATTR_TOTAL_MAX)
			continue;
		room = fs_put_room(strlen(attribute) + 8 + (size_t)length);
		if (room == NULL)
			return;
		room += 4 + strlen(attribute) + 4;
		length = lgetxattr(path, attribute, room, (size_t)length);
		if (length < 0)
			continue;
		fs_put_string(attribute, strlen(attribute));
		fs_put_u32((uint32_t)length);
		fs_put_used((size_t)length);
		count++;
	}
	for (size_t i = 0; i < 4; i++)
		count_at[i] = (uint8_t)(count >> 8 * i);
}

static void put_entry(struct walk *walk, int directory, const char *name, const struct stat *now,
		      size_t skip)
{
	char target[LINK_MAX_SIZE];
	ssize_t length = 0;

	if (S_ISLNK(now->st_mode))
		length = readlinkat(directory, name, target, sizeof(target));
	fs_reply_begin(FS_ENTRY);
	fs_put_string(walk->path->bytes + skip, walk->path->length - skip);
	fs_put_u32(now->st_mode);
	fs_put_u32(now->st_uid);
	fs_put_u32(now->st_gid);
	fs_put_u32((uint32_t)now->st_nlink);
	fs_put_u64((uint64_t)now->st_size);
	fs_put_u64(now->st_ino);
	fs_put_u64((uint64_t)now->st_blocks);
	fs_put_u32(major(now->st_rdev));
	fs_put_u32(minor(now->st_rdev));
	fs_put_u64((uint64_t)now->st_mtim.tv_sec);
	fs_put_u32((uint32_t)now->st_mtim.tv_nsec);
	fs_put_string(target, length < 0 ? 0 : (size_t)length);
	put_xattrs(walk, directory, name, now->st_mode);
	fs_reply_end();
}

static void visit(struct walk *walk, int directory, const char *name, const struct stat *now,
		  size_t skip)
{
	if (!walk->only_usage) {
		put_entry(walk, directory, name, now, skip);
	} else if (count_once(walk, now)) {
		walk->blocks += (uint64_t)now->st_blocks;
		walk->inodes++;
	}
}

/* The next entry of the current directory. What vanished since it was listed is passed over. */
static int step(struct walk *walk, size_t skip)
{
	struct level *level = &walk->levels[walk->depth - 1];
	struct fs_path *path = walk->path;
	const char *name = level->names[level->next++];
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

		result = level->next == level->count ? leave(walk) : step(walk, skip);
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
		free_level(&walk.levels[--walk.depth]);
	free(walk.levels);
	free(walk.linked);
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
