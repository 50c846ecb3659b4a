/* The root file system: overlay, fuse-overlayfs or a directory, and the pivot into it.
 *
 * It is attached on top of the old "/": that directory always exists, and a
 * mount there hides nothing, since our own root and every path on it stay below. */
#include <linux/limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "message.h"
#include "mount_tree.h"
#include "stage.h"
#include "syscalls.h"

#define FSCONFIG_STRING_MAX 255 /* fsconfig(2) takes strings of 256 bytes with the NUL */

static int attach_root(struct stage *stage, int tree, struct failure *why)
{
	AUTO_CLOSE int old_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (old_root < 0)
		return fail(why, "rootfs", "/");
	if (mount_attach(tree, old_root, "/", why) < 0)
		return -1;
	stage->root = tree;
	return 0;
}

static int set_path(int context, const char *key, const char *path, struct failure *why)
{
	char name[64];

	if (strlen(path) <= FSCONFIG_STRING_MAX) {
		if (fsconfig(context, FSCONFIG_SET_STRING, key, path, 0) == 0)
			return 0;
		return fail(why, key, path);
	}
	AUTO_CLOSE int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(why, key, path);
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (fsconfig(context, FSCONFIG_SET_STRING, key, name, 0) < 0)
		return fail(why, key, path);
	return 0;
}

static int set_flag(int context, const char *flag, struct failure *why)
{
	if (fsconfig(context, FSCONFIG_SET_FLAG, flag, NULL, 0) < 0)
		return fail(why, "overlay", flag);
	return 0;
}

/* Layers, upper and work directory. -1 with errno EINVAL from the first layer: no lowerdir+. */
static int configure_overlay(int context, const struct record *record, struct failure *why)
{
	bool has_data = plan_list_has(record->argv[2], "data");

	for (size_t i = 3; i < record->argc; i++)
		if (set_path(context, has_data && i + 1 == record->argc ? "datadir+" : "lowerdir+",
			     record->argv[i], why) < 0)
			return -1;
	if (record->argv[0][0] != '\0' &&
	    (set_path(context, "upperdir", record->argv[0], why) < 0 ||
	     set_path(context, "workdir", record->argv[1], why) < 0))
		return -1;
	if (set_flag(context, "userxattr", why) < 0)
		return -1;
	return plan_list_has(record->argv[2], "volatile") ? set_flag(context, "volatile", why) : 0;
}

static int overlay_by_context(const struct record *record, struct failure *why)
{
	AUTO_CLOSE int context = fsopen("overlay", FSOPEN_CLOEXEC);
	bool read_only = plan_list_has(record->argv[2], "ro");
	int tree;

	if (context < 0)
		return fail(why, "overlay", "fsopen");
	(void)fsconfig(context, FSCONFIG_SET_STRING, "source", "overlay", 0);
	if (configure_overlay(context, record, why) < 0)
		return -1;
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail(why, "overlay", record->argv[0]);
	tree = fsmount(context, FSMOUNT_CLOEXEC, read_only ? MOUNT_ATTR_RDONLY : 0);
	return tree < 0 ? fail(why, "overlay", "fsmount") : tree;
}

static size_t append(char *text, size_t size, size_t length, const char *more)
{
	size_t added = strlen(more);

	if (length + added >= size)
		return size; /* stays too long from here on */
	memcpy(text + length, more, added + 1);
	return length + added;
}

/* "lowerdir=A:B", with A and B relative to `base` where they lie in it. */
static size_t lower_options(char *data, size_t size, const struct record *record, const char *base)
{
	size_t base_length = strlen(base);
	size_t length = append(data, size, 0, "userxattr,lowerdir=");

	for (size_t i = 3; i < record->argc; i++) {
		const char *layer = record->argv[i];

		if (base_length > 0 && strncmp(layer, base, base_length) == 0 &&
		    layer[base_length] == '/')
			layer += base_length + 1;
		length = append(data, size, length, i == 3 ? "" : ":");
		length = append(data, size, length, layer);
	}
	return length;
}

/* Before Linux 6.7: mount(2), whose data is one page; names relative to the layers' directory
 * leave room for some sixty layers. */
static int overlay_by_mount(struct stage *stage, const struct record *record, struct failure *why)
{
	char data[4096];
	char base[PATH_MAX];
	const char *slash = strrchr(record->argv[3], '/');
	size_t length = slash == NULL ? 0 : (size_t)(slash - record->argv[3]);
	unsigned long flags = plan_list_has(record->argv[2], "ro") ? MS_RDONLY : 0;

	if (length >= sizeof(base))
		return fail_errno(why, "overlay", record->argv[3], ENAMETOOLONG);
	memcpy(base, record->argv[3], length);
	base[length] = '\0';
	length = lower_options(data, sizeof(data), record, base);
	if (record->argv[0][0] != '\0') {
		length = append(data, sizeof(data), length, ",upperdir=");
		length = append(data, sizeof(data), length, record->argv[0]);
		length = append(data, sizeof(data), length, ",workdir=");
		length = append(data, sizeof(data), length, record->argv[1]);
	}
	if (plan_list_has(record->argv[2], "volatile"))
		length = append(data, sizeof(data), length, ",volatile");
	if (length >= sizeof(data))
		return fail_errno(why, "overlay", "too many layers for mount(2)", E2BIG);
	if (base[0] != '\0' && chdir(base) < 0)
		return fail(why, "overlay", base);
	if (mount("overlay", "/", "overlay", flags, data) < 0)
		return fail(why, "overlay", record->argv[0]);
	/* "/" is still the old root; ".." of a root stops there, on what is mounted on top. */
	stage->root = open("/..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return stage->root < 0 || chdir("/") < 0 ? fail(why, "overlay", "/..") : 0;
}

static int clone_root(const char *path, const char *flags, bool recursive, struct failure *why)
{
	struct mount_attr attributes = {
		.attr_set = plan_list_has(flags, "ro") ? MOUNT_ATTR_RDONLY : 0,
		.propagation = MS_PRIVATE,
	};
	unsigned int all = recursive ? AT_RECURSIVE : 0;
	int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | all);

	if (tree < 0)
		return fail(why, "rootfs", path);
	if (mount_setattr(tree, "", AT_EMPTY_PATH | all, &attributes, sizeof(attributes)) < 0) {
		close_descriptor(&tree);
		return fail(why, "rootfs", path);
	}
	return tree;
}

int overlay_tree(const struct record *record, struct failure *why)
{
	/* An overlay of one layer without an upper directory is not one: the kernel refuses it. */
	if (record->argv[0][0] == '\0' && record->argc == 4)
		return clone_root(record->argv[3], "ro", false, why);
	return overlay_by_context(record, why);
}

int mount_overlay_root(struct stage *stage, const struct record *record, struct failure *why)
{
	struct failure first = { 0 };
	int tree;

	tree = overlay_tree(record, &first);
	if (tree >= 0)
		return attach_root(stage, tree, why);
	if (strcmp(first.step, "lowerdir+") == 0 && first.error == EINVAL)
		return overlay_by_mount(stage, record, why);
	*why = first;
	return -1;
}

int step_rootfs_overlay(struct stage *stage, const struct record *record, struct failure *why)
{
	int tree;

	if (!has_own_userns(stage->plan))
		return mount_overlay_root(stage, record, why);
	tree = overlay_number(stage->plan, record);
	if (fcntl(tree, F_SETFD, FD_CLOEXEC) < 0)
		return fail(why, "rootfs-overlay", "not mounted");
	return attach_root(stage, tree, why);
}

int step_rootfs_bind(struct stage *stage, const struct record *record, struct failure *why)
{
	int tree = clone_root(record->argv[0], record->argv[1], true, why);

	return tree < 0 ? -1 : attach_root(stage, tree, why);
}

/* The daemon must not live in the container's pid namespace, where the container could end or
 * trace it: we mount, the monitor serves. See fuse_root.c. */
int step_rootfs_fuse(struct stage *stage, const struct record *record, struct failure *why)
{
	AUTO_CLOSE int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	struct message message = { .kind = MESSAGE_FUSE };
	char data[128];
	int tree;

	(void)record;
	if (fuse < 0)
		return fail(why, "rootfs-fuse", "/dev/fuse");
	(void)snprintf(data, sizeof(data), "fd=%d,rootmode=40000,user_id=0,group_id=0,"
		       "default_permissions,allow_other", fuse);
	tree = mount_new("fuse", "fuse-overlayfs", data, MOUNT_ATTR_NODEV, why);
	if (tree < 0)
		return -1;
	if (message_send(stage->sync, &message, fuse) < 0)
		return fail(why, "rootfs-fuse", "send");
	if (message_await(stage->sync, MESSAGE_GO, "rootfs-fuse", why) < 0)
		return -1;
	return attach_root(stage, tree, why);
}

int step_pivot(struct stage *stage, const struct record *record, struct failure *why)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

	if (fchdir(stage->root) < 0)
		return fail(why, "pivot", "fchdir");
	/* The old root ends up on top of the new one, from where it is taken away. */
	if (sys_pivot_root(".", ".") < 0)
		return fail(why, "pivot", "pivot_root");
	if (umount2(".", MNT_DETACH) < 0)
		return fail(why, "pivot", "umount");
	if (chdir("/") < 0)
		return fail(why, "pivot", "chdir");
	if (record->argc > 0 &&
	    mount_setattr(stage->root, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0)
		return fail(why, "pivot", "ro");
	stage->pivoted = true;
	return 0;
}
