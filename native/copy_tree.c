/* Copying a directory's content. See copy_tree.h.
 *
 * Both trees may be changed by others meanwhile: every entry is opened by its plain name in a
 * directory that is held open, never followed, and its attributes are set through that descriptor.
 * Depth is bounded, since each level holds two descriptors. */
#include "copy_tree.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "copy_links.h"
#include "syscalls.h"
#include "tree_entries.h"

#define REFER_MIN 32768 /* below, a copy costs no more than the reference's xattrs */
#define REFER_PATH_MAX 1024 /* an xattr has to fit into a block */

/* What is being copied: one tree at a time. */
static struct copy_options options;
static int root = -1; /* of the copy */
static char path[PATH_MAX]; /* of the entry, below root; cut where it does not fit */
static size_t path_length;

/* Add a component; the length to go back to. */
static size_t enter_path(const char *name)
{
	size_t before = path_length;
	size_t length = strlen(name);

	if (path_length + 1 + length >= sizeof(path)) {
		path_length = sizeof(path); /* stays too long below */
		return before;
	}
	if (path_length > 0)
		path[path_length++] = '/';
	memcpy(path + path_length, name, length + 1);
	path_length += length;
	return before;
}

static void leave_path(size_t before)
{
	path_length = before;
	if (before < sizeof(path))
		path[before] = '\0';
}

static bool path_fits(void)
{
	return path_length < sizeof(path);
}

/* Overlay then takes the content from its data-only layer. */
static int refer(int to, const struct stat *status)
{
	char target[PATH_MAX];
	int length = snprintf(target, sizeof(target), "%s/%s", options.redirect, path);

	if (length < 0 || (size_t)length >= sizeof(target)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return ftruncate(to, status->st_size) < 0 ||
			       fsetxattr(to, "user.overlay.metacopy", "", 0, 0) < 0 ||
			       fsetxattr(to, "user.overlay.redirect", target, (size_t)length, 0) < 0
		       ? -1
		       : 0;
}

static bool is_referred(const struct stat *status)
{
	return options.redirect != NULL && *options.redirect != '\0' &&
	       status->st_size >= REFER_MIN &&
	       path_length + strlen(options.redirect) < REFER_PATH_MAX;
}

/* Make way for a new file of this name. */
static int make_file(int into, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(into, name, flags, 0600);

	if (fd < 0 && errno == EEXIST && unlinkat(into, name, 0) == 0)
		fd = openat(into, name, flags, 0600);
	return fd;
}

static int copy_file(int directory, const char *name, int into, struct failure *why)
{
	AUTO_CLOSE int from = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	AUTO_CLOSE int to = -1;
	struct stat status;

	if (from < 0 || fstat(from, &status) < 0)
		return fail(why, "copy", name);
	if (!S_ISREG(status.st_mode))
		return 0; /* replaced since it was looked at */
	if (status.st_nlink > 1 && unlinkat(into, name, 0) < 0 && errno != ENOENT)
		return fail(why, "copy", name);
	if (status.st_nlink > 1 && copy_links_use(&status, root, into, name))
		return 0;
	to = make_file(into, name);
	if (to < 0)
		return fail(why, "copy", name);
	if ((is_referred(&status) ? refer(to, &status) : copy_content(from, to, &status)) < 0 ||
	    copy_attributes(from, to, &status, &options) < 0)
		return fail(why, "copy", name);
	if (status.st_nlink > 1 && path_fits() && copy_links_note(&status, to, path) < 0)
		return fail(why, "copy", "memory");
	return 0;
}

static int copy_link(int directory, const char *name, int into, const struct stat *status,
		     struct failure *why)
{
	struct timespec times[2] = { status->st_atim, status->st_mtim };
	char target[PATH_MAX];
	ssize_t length = readlinkat(directory, name, target, sizeof(target) - 1);
	uid_t uid;
	gid_t gid;

	if (length < 0 || shift_owner(&options, status, &uid, &gid) < 0)
		return fail(why, "copy", name);
	target[length] = '\0';
	if (symlinkat(target, into, name) < 0 &&
	    (errno != EEXIST || unlinkat(into, name, 0) < 0 || symlinkat(target, into, name) < 0))
		return fail(why, "copy", name);
	if (fchownat(into, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    utimensat(into, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(why, "copy", name);
	return 0;
}

static int copy_directory(int from, int to, int depth, struct failure *why);

static int copy_subdirectory(int directory, const char *name, int into, int depth,
			     struct failure *why)
{
	AUTO_CLOSE int from = openat(directory, name, OPEN_DIRECTORY);
	AUTO_CLOSE int to = -1;

	if (from < 0)
		return fail(why, "copy", name);
	if (mkdirat(into, name, 0700) < 0 && errno != EEXIST)
		return fail(why, "copy", name);
	to = openat(into, name, OPEN_DIRECTORY);
	if (to < 0)
		return fail(why, "copy", name);
	return copy_directory(from, to, depth + 1, why);
}

/* Fifos always; whiteouts, devices and sockets only of layers. */
static int copy_node(int into, const char *name, const struct stat *status, struct failure *why)
{
	struct timespec times[2] = { status->st_atim, status->st_mtim };
	bool is_whiteout = S_ISCHR(status->st_mode) && status->st_rdev == 0;
	mode_t mask;
	uid_t uid;
	gid_t gid;
	int made;

	if (!options.layer && !S_ISFIFO(status->st_mode))
		return 0;
	if (shift_owner(&options, status, &uid, &gid) < 0)
		return fail(why, "copy", name);
	mask = umask(0);
	made = mknodat(into, name, status->st_mode, status->st_rdev);
	umask(mask);
	if (made < 0)
		return errno == EEXIST && !options.layer ? 0 : fail(why, "copy", name);
	if (!is_whiteout && (fchownat(into, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
			     utimensat(into, name, times, AT_SYMLINK_NOFOLLOW) < 0))
		return fail(why, "copy", name);
	return 0;
}

static int copy_by_kind(int directory, const char *name, int into, int depth, struct failure *why)
{
	struct stat status;

	/* Removed meanwhile, or a whiteout that an overlay lists where nothing is below it. */
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(why, "copy", name);
	if (S_ISDIR(status.st_mode))
		return copy_subdirectory(directory, name, into, depth, why);
	if (S_ISREG(status.st_mode))
		return copy_file(directory, name, into, why);
	if (S_ISLNK(status.st_mode))
		return copy_link(directory, name, into, &status, why);
	return copy_node(into, name, &status, why);
}

static int copy_entry(int directory, const char *name, int into, int depth, struct failure *why)
{
	size_t before = enter_path(name);
	int result = copy_by_kind(directory, name, into, depth, why);

	leave_path(before);
	return result;
}

static int copy_directory(int from, int to, int depth, struct failure *why)
{
	struct stat status;

	if (tree_each_entry(from, copy_entry, to, depth, why) < 0)
		return -1;
	if (fstat(from, &status) < 0 || copy_attributes(from, to, &status, &options) < 0)
		return fail(why, "copy", "directory attributes");
	return 0;
}

static void begin(int to, const struct copy_options *wanted)
{
	options = wanted == NULL ? (struct copy_options){ 0 } : *wanted;
	root = to;
	leave_path(0);
}

int copy_tree(int from, int to, const struct copy_options *wanted, struct failure *why)
{
	int result;

	begin(to, wanted);
	result = copy_directory(from, to, 0, why);
	copy_links_clear();
	return result;
}

int copy_entries(int from, int to, struct failure *why)
{
	int result;

	begin(to, NULL);
	result = tree_each_entry(from, copy_entry, to, 0, why);
	copy_links_clear();
	return result;
}
