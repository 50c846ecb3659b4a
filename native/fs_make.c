/* Making files, directories, links and nodes. What has the name already is replaced, except that a
 * directory keeps its content when a directory comes again (as tar and other engines do). */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "fs_agent.h"
#include "syscalls.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int malformed(struct fs_agent *agent, const char *operation)
{
	return fail_errno(&agent->failure, "protocol", operation, EBADMSG);
}

/* Where `path` is going to be: its parent directory, made if missing. */
static int place(struct fs_agent *agent, const struct fs_path *path)
{
	if (path->length == 0)
		return fail_errno(&agent->failure, "create", "/", EISDIR);
	return fs_parent(agent, path, true, &agent->failure);
}

/* Make or find the directory; *fresh when it takes the place of a whiteout. */
static int open_new_directory(struct fs_agent *agent, const struct fs_path *path, bool *whited_out)
{
	struct stat now;
	int parent = place(agent, path);
	int fd;

	if (parent < 0)
		return -1;
	if (mkdirat(parent, path->name, 0700) < 0) {
		if (errno != EEXIST || fstatat(parent, path->name, &now, AT_SYMLINK_NOFOLLOW) < 0)
			return fs_fail(agent, "mkdir", path);
		if (!S_ISDIR(now.st_mode)) {
			*whited_out = S_ISCHR(now.st_mode) && now.st_rdev == 0;
			if (fs_clear(agent, parent, path) < 0)
				return -1;
			parent = place(agent, path);
			if (parent < 0 || mkdirat(parent, path->name, 0700) < 0)
				return fs_fail(agent, "mkdir", path);
		}
	}
	fd = openat(parent, path->name, OPEN_DIRECTORY);
	return fd < 0 ? fs_fail(agent, "open directory", path) : fd;
}

int fs_mkdir(struct fs_agent *agent, struct fs_reader *request)
{
	struct fs_path *path = &agent->path;
	struct fs_attributes attributes, now;
	bool whited_out = false;
	int fd;

	fs_attributes_read(&attributes, request);
	if (fs_path_read(path, request, &agent->failure) < 0)
		return -1;
	now = attributes;
	now.set &= ~FS_SET_MTIME;
	if (path->length == 0)
		fd = agent->pin;
	else
		fd = open_new_directory(agent, path, &whited_out);
	if (fd < 0)
		return -1;
	/* The archive removed the lower layers' entry and made a directory of the same name. */
	if ((whited_out && fs_mark_opaque(agent, fd, path) < 0) ||
	    fs_apply(agent, fd, &now, path) < 0 || fs_defer_time(agent, fd, &attributes, path) < 0) {
		if (path->length > 0)
			close(fd);
		return -1;
	}
	if (path->length > 0)
		fs_remember(path, fd);
	return 0;
}

static int create_file(struct fs_agent *agent, const struct fs_path *path, mode_t mode)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int parent = place(agent, path);
	int fd;

	if (parent < 0)
		return -1;
	fd = openat(parent, path->name, flags, mode);
	if (fd < 0 && errno == EEXIST) {
		if (fs_clear(agent, parent, path) < 0)
			return -1;
		parent = place(agent, path);
		if (parent < 0)
			return -1;
		fd = openat(parent, path->name, flags, mode);
	}
	return fd < 0 ? fs_fail(agent, "create", path) : fd;
}

int fs_file(struct fs_agent *agent, struct fs_reader *request)
{
	struct fs_attributes *attributes = &agent->file_attributes;
	size_t size;

	fs_attributes_read(attributes, request);
	if (fs_path_read(&agent->path, request, &agent->failure) < 0)
		return -1;
	agent->file_size = fs_u64(request);
	agent->file_end = 0;
	if (request->bad || agent->file_size > INT64_MAX)
		return malformed(agent, "file");
	size = (size_t)(attributes->xattrs.end - attributes->xattrs.at);
	if (size > 0) {
		/* The request's bytes are gone when the content has come. */
		agent->file_xattrs = malloc(size);
		if (agent->file_xattrs == NULL)
			return fs_fail(agent, "memory", &agent->path);
		memcpy(agent->file_xattrs, attributes->xattrs.at, size);
		attributes->xattrs.at = agent->file_xattrs;
		attributes->xattrs.end = agent->file_xattrs + size;
	}
	agent->file = create_file(agent, &agent->path, attributes->mode & 0777);
	return agent->file < 0 ? -1 : 0;
}

int fs_data(struct fs_agent *agent, struct fs_reader *request)
{
	uint64_t offset = fs_u64(request);
	size_t size = (size_t)(request->end - request->at);

	if (request->bad || agent->file < 0 || offset > agent->file_size ||
	    size > agent->file_size - offset)
		return malformed(agent, "data");
	while (size > 0) {
		ssize_t n = pwrite(agent->file, request->at, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fs_fail(agent, "write", &agent->path);
		request->at += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	if (offset > agent->file_end)
		agent->file_end = offset;
	return 0;
}

int fs_finish_file(struct fs_agent *agent)
{
	int result = 0;

	if (agent->file < 0)
		return 0;
	/* A hole at the end. */
	if (agent->file_end < agent->file_size &&
	    ftruncate(agent->file, (off_t)agent->file_size) < 0)
		result = fs_fail(agent, "write", &agent->path);
	if (result == 0)
		result = fs_apply(agent, agent->file, &agent->file_attributes, &agent->path);
	if (close(agent->file) < 0 && result == 0)
		result = fs_fail(agent, "close", &agent->path);
	agent->file = -1;
	free(agent->file_xattrs);
	agent->file_xattrs = NULL;
	return result;
}

int fs_symlink(struct fs_agent *agent, struct fs_reader *request)
{
	struct fs_path *path = &agent->path;
	struct fs_attributes attributes;
	char target[PATH_MAX];
	const uint8_t *raw;
	uint32_t length;
	int parent;

	fs_attributes_read(&attributes, request);
	if (fs_path_read(path, request, &agent->failure) < 0)
		return -1;
	length = fs_u32(request);
	raw = fs_bytes(request, length);
	if (raw == NULL || memchr(raw, '\0', length) != NULL)
		return malformed(agent, "symlink");
	if (length >= sizeof(target))
		return fail_errno(&agent->failure, "symlink", path->bytes, ENAMETOOLONG);
	memcpy(target, raw, length);
	target[length] = '\0';
	parent = place(agent, path);
	if (parent < 0)
		return -1;
	if (symlinkat(target, parent, path->name) < 0) {
		if (errno != EEXIST)
			return fs_fail(agent, "symlink", path);
		if (fs_clear(agent, parent, path) < 0)
			return -1;
		parent = place(agent, path);
		if (parent < 0 || symlinkat(target, parent, path->name) < 0)
			return fs_fail(agent, "symlink", path);
	}
	return fs_apply_at(agent, parent, &attributes, path);
}

/* A link to itself would remove the file it wants to link to. */
static bool is_same_file(int first, const char *name, int second, const char *other)
{
	struct stat a, b;

	return fstatat(first, name, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(second, other, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int fs_hardlink(struct fs_agent *agent, struct fs_reader *request)
{
	struct fs_path *path = &agent->path, *target = &agent->other;
	int parent;

	if (fs_path_read(path, request, &agent->failure) < 0 ||
	    fs_path_read(target, request, &agent->failure) < 0)
		return -1;
	if (target->length == 0)
		return fail_errno(&agent->failure, "hard link", path->bytes, EPERM);
	/* The cache may close this one when it looks up the other. */
	AUTO_CLOSE int from = fcntl(fs_parent(agent, target, false, &agent->failure), F_DUPFD_CLOEXEC, 3);
	if (from < 0)
		return fs_fail(agent, "hard link to", target);
	parent = place(agent, path);
	if (parent < 0)
		return -1;
	if (linkat(from, target->name, parent, path->name, 0) == 0)
		return 0;
	if (errno != EEXIST)
		return fs_fail(agent, "hard link to", target);
	if (is_same_file(from, target->name, parent, path->name))
		return 0;
	if (fs_clear(agent, parent, path) < 0)
		return -1;
	parent = place(agent, path);
	if (parent < 0 || linkat(from, target->name, parent, path->name, 0) < 0)
		return fs_fail(agent, "hard link to", target);
	return 0;
}

int fs_node(struct fs_agent *agent, struct fs_reader *request)
{
	struct fs_path *path = &agent->path;
	struct fs_attributes attributes;
	mode_t type;
	dev_t device;
	int parent;

	fs_attributes_read(&attributes, request);
	if (fs_path_read(path, request, &agent->failure) < 0)
		return -1;
	type = fs_u32(request) & S_IFMT;
	device = makedev(fs_u32(request), fs_u32(request));
	if (request->bad || (type != S_IFIFO && type != S_IFCHR && type != S_IFBLK && type != S_IFSOCK))
		return malformed(agent, "node");
	/* Character device 0:0 is how overlay spells a whiteout: only `whiteout` makes one. */
	if ((type == S_IFCHR || type == S_IFBLK) && (agent->mapped || device == 0)) {
		agent->devices_skipped++;
		return 0;
	}
	parent = place(agent, path);
	if (parent < 0 || fs_clear(agent, parent, path) < 0)
		return -1;
	parent = place(agent, path);
	if (parent < 0)
		return -1;
	if (mknodat(parent, path->name, type | 0600, device) < 0) {
		if (errno != EPERM)
			return fs_fail(agent, "mknod", path);
		agent->devices_skipped++;
		return 0;
	}
	return fs_apply_at(agent, parent, &attributes, path);
}
