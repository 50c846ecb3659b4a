/* /dev/null for a container's hands. See null_device.h. */
#include "null_device.h"

#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "syscalls.h"

#define PATH "/dev/null"

static int clone_read_only(void)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	int tree = open_tree(AT_FDCWD, PATH, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree >= 0 && mount_setattr(tree, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0)
		close_and_forget(&tree);
	return tree;
}

int null_open(void)
{
	AUTO_CLOSE int tree = clone_read_only();
	char path[32];

	/* Without the right to mount there is none to change the file either. */
	if (tree < 0)
		return open(PATH, O_RDWR | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", tree);
	return open(path, O_RDWR | O_CLOEXEC);
}

int null_clone(const char *step, struct failure *why)
{
	int tree = clone_read_only();
	struct stat status;

	if (tree < 0)
		return fail(why, step, PATH);
	if (fstat(tree, &status) == 0 && S_ISCHR(status.st_mode) &&
	    status.st_rdev == makedev(1, 3))
		return tree;
	close(tree);
	return fail_errno(why, step, PATH, ENODEV);
}
