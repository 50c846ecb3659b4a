/* Removing, renaming, whiteouts and changing attributes of what is there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "fs_agent.h"
#include "remove_tree.h"
#include "syscalls.h"

int fs_clear(struct fs_agent *agent, int parent, const struct fs_path *path)
{
	struct stat now;

	if (fstatat(parent, path->name, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fs_fail(agent, "stat", path);
	if (remove_tree(parent, path->name) < 0)
		return fs_fail(agent, "remove", path);
	/* Only these can be a component of a cached path. */
	if (S_ISDIR(now.st_mode) || S_ISLNK(now.st_mode))
		fs_forget();
	return 0;
}

int fs_mark_opaque(struct fs_agent *agent, int fd, const struct fs_path *path)
{
	/* The overlay is mounted with userxattr; trusted.* is out of reach in a user namespace. */
	if (fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) < 0)
		return fs_fail(agent, "set opaque", path);
	return 0;
}

static int open_directory(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int fs_opaque(struct fs_agent *agent, struct fs_reader *request)
{
	struct fs_path *path = &agent->path;
	int parent;

	if (fs_path_read(path, request, &agent->failure) < 0)
		return -1;
	if (path->length == 0)
		return fs_mark_opaque(agent, agent->pin, path);
	parent = fs_parent(agent, path, true, &agent->failure);
	if (parent < 0)
		return -1;
	/* The marker may come before the directory's own entry. */
	if (mkdirat(parent, path->name, 0755) < 0 && errno != EEXIST)
		return fs_fail(agent, "mkdir", path);
	AUTO_CLOSE int fd = open_directory(parent, path->name);
	if (fd < 0)
		return fs_fail(agent, "set opaque", path);
	return fs_mark_opaque(agent, fd, path);
}

/* Hide the lower layers' entry. What this layer itself has under the name stays (image-spec layer.md:
 * whiteouts apply to lower layers only), and a directory then must not show theirs. */
int fs_whiteout(struct fs_agent *agent, struct fs_reader *request)
{
	struct fs_path *path = &agent->path;
	struct stat now;
	int parent;

	if (fs_path_read(path, request, &agent->failure) < 0)
		return -1;
	if (path->length == 0)
		return fail_errno(&agent->failure, "whiteout", "/", EINVAL);
	parent = fs_parent(agent, path, true, &agent->failure);
	if (parent < 0)
		return -1;
	if (mknodat(parent, path->name, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno != EEXIST || fstatat(parent, path->name, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return fs_fail(agent, "whiteout", path);
	if (!S_ISDIR(now.st_mode))
		return 0;
	AUTO_CLOSE int fd = open_directory(parent, path->name);
	if (fd < 0)
		return fs_fail(agent, "whiteout", path);
	return fs_mark_opaque(agent, fd, path);
}

int fs_set(struct fs_agent *agent, struct fs_reader *request)
{
	struct fs_path *path = &agent->path;
	struct fs_attributes attributes;
	int parent, flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	struct stat now;

	fs_attributes_read(&attributes, request);
	if (fs_path_read(path, request, &agent->failure) < 0)
		return -1;
	if (path->length == 0)
		return fs_apply(agent, agent->pin, &attributes, path);
	parent = fs_parent(agent, path, false, &agent->failure);
	if (parent < 0)
		return -1;
	if (fstatat(parent, path->name, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return fs_fail(agent, "stat", path);
	/* Opening a device or a fifo has effects; these are changed by name. */
	if (!S_ISREG(now.st_mode) && !S_ISDIR(now.st_mode))
		return fs_apply_at(agent, parent, &attributes, path);
	AUTO_CLOSE int fd = openat(parent, path->name, flags);
	if (fd < 0)
		return fs_fail(agent, "open", path);
	return fs_apply(agent, fd, &attributes, path);
}

int fs_remove(struct fs_agent *agent, struct fs_reader *request)
{
	struct fs_path *path = &agent->path;
	struct failure missing = { .error = 0 };
	int parent;

	if (fs_path_read(path, request, &agent->failure) < 0)
		return -1;
	if (path->length == 0)
		return fail_errno(&agent->failure, "remove", "/", EBUSY);
	parent = fs_parent(agent, path, false, &missing);
	if (parent < 0 && missing.error == ENOENT)
		return 0;
	if (parent < 0)
		return fail_errno(&agent->failure, "remove", path->bytes, missing.error);
	return fs_clear(agent, parent, path);
}

int fs_rename(struct fs_agent *agent, struct fs_reader *request, unsigned int flags)
{
	struct fs_path *path = &agent->path, *target = &agent->other;
	int parent;

	if (fs_path_read(path, request, &agent->failure) < 0 ||
	    fs_path_read(target, request, &agent->failure) < 0)
		return -1;
	if (path->length == 0 || target->length == 0)
		return fail_errno(&agent->failure, "rename", "/", EBUSY);
	/* The cache may close this one when it looks up the other. */
	AUTO_CLOSE int from = fcntl(fs_parent(agent, path, false, &agent->failure), F_DUPFD_CLOEXEC, 3);
	if (from < 0)
		return fs_fail(agent, "rename", path);
	parent = fs_parent(agent, target, false, &agent->failure);
	if (parent < 0)
		return -1;
	if (renameat2(from, path->name, parent, target->name, flags) < 0)
		return fs_fail(agent, "rename", path);
	fs_forget();
	return 0;
}
