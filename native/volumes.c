/* Steps about volumes: filling a new one, giving it to the user, overlays, parts of one.
 *
 * SOURCE paths are the host's and lie in directories that only the engine's user can write; what is
 * below them belongs to containers, so it is only ever reached by descriptors. */
#include <linux/limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "copy_tree.h"
#include "inside.h"
#include "mount_tree.h"
#include "numbers.h"
#include "own_tree.h"
#include "stage.h"
#include "syscalls.h"

#define COPYING "copying"

static int open_volume(const char *path, struct failure *why)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? fail(why, "volume", path) : fd;
}

/* The user the program will run as, whose record comes later in the plan. */
static int future_identity(struct stage *stage, struct identity *identity, struct failure *why)
{
	const struct record *user = plan_find(stage->plan, "user");

	*identity = (struct identity){ 0 };
	return user == NULL ? 0 : user_resolve(stage->root, user->argv[0], identity, why);
}

/* As Podman does it: without a directory in the image a new volume belongs to the program's user;
 * else it gets the directory's owner, mode and, if it is empty, content. */
static int fill(struct stage *stage, int volume, const char *name, bool copy, struct failure *why)
{
	static struct identity identity; /* large: off the stack */
	AUTO_CLOSE int image = inside_open(stage->root, name, O_RDONLY | O_DIRECTORY, 0);
	struct stat status;

	if (image >= 0 && copy)
		return copy_tree(image, volume, NULL, why);
	if (image >= 0 && fstat(image, &status) == 0)
		return fchown(volume, status.st_uid, status.st_gid) < 0 ||
				       fchmod(volume, status.st_mode & 07777) < 0
			       ? fail(why, "volume", name)
			       : 0;
	if (future_identity(stage, &identity, why) < 0)
		return -1;
	return fchown(volume, identity.uid, identity.gid) < 0 ? fail(why, "volume", name) : 0;
}

/* copy-up SOURCE DEST MARKER [owner]: once, while MARKER exists. Two starts are settled by a lock on
 * it. A copy that was killed is done again: the marker says that what is there is ours. */
int step_copy_up(struct stage *stage, const struct record *record, struct failure *why)
{
	const char *path = record->argv[2];
	AUTO_CLOSE int marker = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int volume = -1;
	char state[sizeof(COPYING)] = "";
	struct stat status;
	bool resumed;

	if (marker < 0)
		return errno == ENOENT ? 0 : fail(why, "copy-up", path);
	if (flock(marker, LOCK_EX) < 0 || fstat(marker, &status) < 0)
		return fail(why, "copy-up", path);
	if (status.st_nlink == 0)
		return 0; /* the other one was first */
	volume = open_volume(record->argv[0], why);
	if (volume < 0)
		return -1;
	resumed = pread(marker, state, sizeof(COPYING) - 1, 0) > 0;
	/* Never over what somebody has put there (CVE-2020-1726). */
	if (resumed || directory_is_empty(volume)) {
		if (pwrite(marker, COPYING, sizeof(COPYING) - 1, 0) < 0)
			return fail(why, "copy-up", path);
		if (fill(stage, volume, record->argv[1], record->argc == 3, why) < 0)
			return -1;
	}
	return unlink(path) < 0 ? fail(why, "copy-up", path) : 0;
}

/* own-tree SOURCE: the whole tree belongs to the program's user from now on (`U`). */
int step_own_tree(struct stage *stage, const struct record *record, struct failure *why)
{
	static struct identity identity;
	AUTO_CLOSE int tree = open(record->argv[0], O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (tree < 0 || fstat(tree, &status) < 0)
		return fail(why, "own-tree", record->argv[0]);
	if (future_identity(stage, &identity, why) < 0)
		return -1;
	if (S_ISDIR(status.st_mode))
		return own_tree(tree, identity.uid, identity.gid, why);
	if (fchown(tree, identity.uid, identity.gid) < 0)
		return fail(why, "own-tree", record->argv[0]);
	return 0;
}

/* owner DEST UID GID: of one file in the root. */
int step_owner(struct stage *stage, const struct record *record, struct failure *why)
{
	AUTO_CLOSE int fd = inside_open(stage->root, record->argv[0], O_PATH, 0);

	if (fd < 0 || fchownat(fd, "", (uid_t)number_of(record->argv[1]),
			       (gid_t)number_of(record->argv[2]), AT_EMPTY_PATH) < 0)
		return fail(why, "owner", record->argv[0]);
	return 0;
}
