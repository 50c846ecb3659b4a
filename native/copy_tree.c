/* Copying a directory's content, and giving a tree to somebody. See copy_tree.h.
 *
 * Both trees may be changed by others meanwhile: every entry is opened by its plain name in a
 * directory that is held open, never followed, and its attributes are set through that descriptor.
 * Depth is bounded, since each level holds two descriptors. */
#include "copy_tree.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "syscalls.h"

#define MAX_DEPTH 400
#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

typedef int visit_function(int directory, const char *name, int other, int depth,
			   struct failure *why);

/* Calls `visit` for every entry of `directory`. */
static int each_entry(int directory, visit_function *visit, int other, int depth,
		      struct failure *why)
{
	int fd = openat(directory, ".", OPEN_DIRECTORY);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int result = 0;

	if (stream == NULL) {
		close_descriptor(&fd);
		return fail(why, "copy", "open directory");
	}
	if (depth > MAX_DEPTH)
		result = fail_errno(why, "copy", "directories too deep", ELOOP);
	while (result == 0 && (errno = 0, entry = readdir(stream)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = visit(directory, entry->d_name, other, depth, why);
	if (result == 0 && errno != 0)
		result = fail(why, "copy", "read directory");
	closedir(stream);
	return result;
}

/* What a user may see; user.overlay.* would steer an overlay over this tree. */
static int is_copied(const char *name)
{
	if (strncmp(name, "user.", 5) == 0)
		return strncmp(name, "user.overlay.", 13) != 0;
	return strcmp(name, "security.capability") == 0 || strncmp(name, "system.posix_acl_", 17) == 0;
}

/* As far as the file system takes them. */
static void copy_xattrs(int from, int to)
{
	char names[4096];
	char value[4096];
	ssize_t size = flistxattr(from, names, sizeof(names));

	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t length;

		if (!is_copied(names + at))
			continue;
		length = fgetxattr(from, names + at, value, sizeof(value));
		if (length >= 0)
			(void)fsetxattr(to, names + at, value, (size_t)length, 0);
	}
}

/* Owner before mode: chown clears setuid bits. */
static int copy_attributes(int from, int to, const struct stat *status)
{
	struct timespec times[2] = { status->st_atim, status->st_mtim };

	if (fchown(to, status->st_uid, status->st_gid) < 0 ||
	    fchmod(to, status->st_mode & 07777) < 0)
		return -1;
	copy_xattrs(from, to);
	return futimens(to, times);
}

static int copy_content(int from, int to, off_t size)
{
	char buffer[65536];
	ssize_t got;

	while (size > 0) {
		got = copy_file_range(from, NULL, to, NULL, (size_t)size, 0);
		if (got <= 0)
			break;
		size -= got;
	}
	/* Other file systems, and files that grew. */
	while ((got = read(from, buffer, sizeof(buffer))) > 0)
		for (ssize_t done = 0, once; done < got; done += once)
			if ((once = write(to, buffer + done, (size_t)(got - done))) < 0)
				return -1;
	return got < 0 ? -1 : 0;
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
	if (unlinkat(into, name, 0) < 0 && errno != ENOENT)
		return fail(why, "copy", name);
	to = openat(into, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0 || copy_content(from, to, status.st_size) < 0 ||
	    copy_attributes(from, to, &status) < 0)
		return fail(why, "copy", name);
	return 0;
}

static int copy_link(int directory, const char *name, int into, const struct stat *status,
		     struct failure *why)
{
	struct timespec times[2] = { status->st_atim, status->st_mtim };
	char target[PATH_MAX];
	ssize_t length = readlinkat(directory, name, target, sizeof(target) - 1);

	if (length < 0)
		return fail(why, "copy", name);
	target[length] = '\0';
	if (unlinkat(into, name, 0) < 0 && errno != ENOENT)
		return fail(why, "copy", name);
	if (symlinkat(target, into, name) < 0 ||
	    fchownat(into, name, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
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

static int copy_entry(int directory, const char *name, int into, int depth, struct failure *why)
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
	if (S_ISFIFO(status.st_mode) && mkfifoat(into, name, status.st_mode & 07777) < 0 &&
	    errno != EEXIST)
		return fail(why, "copy", name);
	return 0;
}

static int copy_directory(int from, int to, int depth, struct failure *why)
{
	struct stat status;

	if (each_entry(from, copy_entry, to, depth, why) < 0)
		return -1;
	if (fstat(from, &status) < 0 || copy_attributes(from, to, &status) < 0)
		return fail(why, "copy", "directory attributes");
	return 0;
}

int copy_tree(int from, int to, struct failure *why)
{
	return copy_directory(from, to, 0, why);
}

int copy_entries(int from, int to, struct failure *why)
{
	return each_entry(from, copy_entry, to, 0, why);
}

static int found_one(int directory, const char *name, int other, int depth, struct failure *why)
{
	(void)directory, (void)other, (void)depth;
	return fail_errno(why, "copy", name, ENOTEMPTY);
}

int directory_is_empty(int directory)
{
	struct failure why = { 0 };

	return each_entry(directory, found_one, -1, 0, &why) == 0;
}

struct owner {
	uid_t uid;
	gid_t gid;
};
static struct owner new_owner;

static int own_entry(int directory, const char *name, int other, int depth, struct failure *why)
{
	AUTO_CLOSE int below = -1;

	(void)other;
	if (fchownat(directory, name, new_owner.uid, new_owner.gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(why, "chown", name);
	below = openat(directory, name, OPEN_DIRECTORY);
	if (below < 0)
		return errno == ENOTDIR || errno == ELOOP ? 0 : fail(why, "chown", name);
	return each_entry(below, own_entry, -1, depth + 1, why);
}

int own_tree(int directory, uid_t uid, gid_t gid, struct failure *why)
{
	new_owner = (struct owner){ uid, gid };
	if (fchown(directory, uid, gid) < 0)
		return fail(why, "chown", "/");
	return each_entry(directory, own_entry, -1, 0, why);
}
