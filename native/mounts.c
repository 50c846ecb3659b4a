/* Mount, bind, mask and read-only steps. Sources are the host's, destinations the container's. */
#include <linux/limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "copy_tree.h"
#include "inside.h"
#include "mount_tree.h"
#include "null_device.h"
#include "stage.h"
#include "syscalls.h"

/* procfs and sysfs must land where the name says: on an image whose /proc is a link, later
 * writes to it would go elsewhere (CVE-2019-19921, CVE-2023-27561). */
static bool must_not_be_linked(const char *type)
{
	return plan_list_has("proc,sysfs,cgroup2,cgroup", type);
}

/* What the image has there shows up in the new file system (Podman's tmpcopyup), its mode and owner
 * as well unless the plan says one. */
static int copy_into(int tree, int destination, const char *data, struct failure *why)
{
	AUTO_CLOSE int from = openat(destination, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int to = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (from < 0 || to < 0)
		return fail(why, "mount", "copy-up");
	return strstr(data, "mode=") == NULL ? copy_tree(from, to, NULL, why) : copy_entries(from, to, why);
}

int step_mount(struct stage *stage, const struct record *record, struct failure *why)
{
	const char *type = record->argv[0];
	const char *name = record->argv[2];
	__u64 clear;
	__u64 attributes = mount_attributes(record->argv[3], &clear);
	char data[PATH_MAX];
	AUTO_CLOSE int destination = inside_open(stage->root, name, O_PATH | O_DIRECTORY, 0);
	AUTO_CLOSE int tree = -1;
	bool existed = destination >= 0;

	if (!existed)
		destination = inside_make_directory(stage->root, name, 0755);
	if (destination >= 0 && must_not_be_linked(type)) {
		close(destination);
		destination = inside_open_plain(stage->root, name, O_PATH | O_DIRECTORY);
	}
	if (destination < 0)
		return fail(why, "mount", name);
	if (snprintf(data, sizeof(data), "%s%s", record->argv[4],
		     plan_list_has(record->argv[3], "sync") ? ",sync" : "") >= (int)sizeof(data))
		return fail_errno(why, "mount", name, ENAMETOOLONG);
	tree = mount_new(type, record->argv[1], data, attributes, why);
	if (tree < 0)
		return -1;
	if (plan_list_has(record->argv[3], "copy-up") && existed && copy_into(tree, destination, data, why) < 0)
		return -1;
	return mount_attach(tree, destination, name, why);
}

static const struct {
	const char *flag;
	uint64_t propagation;
	bool recursive;
} propagations[] = {
	{ "private", MS_PRIVATE, false },	{ "rprivate", MS_PRIVATE, true },
	{ "slave", MS_SLAVE, false },		{ "rslave", MS_SLAVE, true },
	{ "shared", MS_SHARED, false },		{ "rshared", MS_SHARED, true },
	{ "unbindable", MS_UNBINDABLE, false }, { "runbindable", MS_UNBINDABLE, true },
};

/* Without a word about it a bind is rprivate: no mount of the host appears in it later. */
static int set_propagation(int tree, const char *flags, struct failure *why)
{
	struct mount_attr attributes = { .propagation = MS_PRIVATE };
	unsigned int recursive = AT_RECURSIVE;

	for (size_t i = 0; i < sizeof(propagations) / sizeof(propagations[0]); i++) {
		if (!plan_list_has(flags, propagations[i].flag))
			continue;
		attributes.propagation = propagations[i].propagation;
		recursive = propagations[i].recursive ? AT_RECURSIVE : 0;
	}
	if (mount_setattr(tree, "", AT_EMPTY_PATH | recursive, &attributes,
			  sizeof(attributes)) < 0)
		return fail(why, "bind", "propagation");
	return 0;
}

/* While detached, nobody can see the tree without its flags. */
static int set_flags(int tree, const char *flags, struct failure *why)
{
	struct mount_attr attributes = { 0 };
	unsigned int recursive = plan_list_has(flags, "rec") ? AT_RECURSIVE : 0;

	attributes.attr_set = mount_attributes(flags, &attributes.attr_clr);
	if (attributes.attr_set != 0 &&
	    mount_setattr(tree, "", AT_EMPTY_PATH | recursive, &attributes,
			  sizeof(attributes)) < 0)
		return fail(why, "bind", flags);
	return set_propagation(tree, flags, why);
}

static int open_destination(struct stage *stage, int tree, const char *name, const char *flags)
{
	struct stat status;

	if (plan_list_has(flags, "nocreate"))
		return inside_open(stage->root, name, O_PATH, 0);
	if (fstat(tree, &status) < 0)
		return -1;
	if (S_ISDIR(status.st_mode))
		return inside_make_directory(stage->root, name, 0755);
	return inside_make_file(stage->root, name);
}

static int attach_bind(struct stage *stage, int tree, const struct record *record,
		       struct failure *why)
{
	const char *name = record->argv[1];
	AUTO_CLOSE int destination = -1;

	if (set_flags(tree, record->argv[2], why) < 0)
		return -1;
	destination = open_destination(stage, tree, name, record->argv[2]);
	if (destination < 0)
		return fail(why, "bind", name);
	return mount_attach(tree, destination, name, why);
}

int step_bind(struct stage *stage, const struct record *record, struct failure *why)
{
	unsigned int recursive = plan_list_has(record->argv[2], "rec") ? AT_RECURSIVE : 0;
	AUTO_CLOSE int tree = -1;

	/* After the pivot a SOURCE would be looked up in the container. */
	if (stage->pivoted)
		return fail_errno(why, "bind", record->argv[0], EXDEV);
	tree = open_tree(AT_FDCWD, record->argv[0],
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);
	if (tree < 0) {
		if (errno == ENOENT && plan_list_has(record->argv[2], "optional"))
			return 0;
		return fail(why, "bind", record->argv[0]);
	}
	return attach_bind(stage, tree, record, why);
}

/* bind-below BASE SUBPATH DEST FLAGS: BASE is the host's; what is below it may have been made by a
 * container, so its links lead nowhere else (the class of CVE-2017-1002101). */
int step_bind_below(struct stage *stage, const struct record *record, struct failure *why)
{
	const struct record bind = { record->name, 3, record->argv + 1 };
	unsigned int recursive = plan_list_has(record->argv[3], "rec") ? AT_RECURSIVE : 0;
	AUTO_CLOSE int base = -1;
	AUTO_CLOSE int source = -1;
	AUTO_CLOSE int tree = -1;

	if (stage->pivoted)
		return fail_errno(why, "bind", record->argv[0], EXDEV);
	base = open(record->argv[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
	source = base < 0 ? -1 : inside_open(base, record->argv[1], O_PATH, 0);
	tree = source < 0 ? -1 : open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE |
					   OPEN_TREE_CLOEXEC | recursive);
	if (tree < 0)
		return fail(why, "bind", base < 0 ? record->argv[0] : record->argv[1]);
	return attach_bind(stage, tree, &bind, why);
}

int step_bind_inside(struct stage *stage, const struct record *record, struct failure *why)
{
	unsigned int recursive = plan_list_has(record->argv[2], "rec") ? AT_RECURSIVE : 0;
	AUTO_CLOSE int source = inside_open(stage->root, record->argv[0], O_PATH, 0);
	AUTO_CLOSE int tree = -1;

	if (source < 0 && errno == ENOENT && plan_list_has(record->argv[2], "optional"))
		return 0;
	if (source < 0)
		return fail(why, "bind", record->argv[0]);
	tree = open_tree(source, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
			 recursive);
	if (tree < 0)
		return fail(why, "bind", record->argv[0]);
	return attach_bind(stage, tree, record, why);
}

/* One empty tmpfs serves every masked directory: a file system costs more than a mount. */
static int clone_empty(struct stage *stage, const char *name, struct failure *why)
{
	AUTO_CLOSE int masked = -1;
	int tree;

	if (stage->masked == NULL) {
		tree = mount_new("tmpfs", "tmpfs", "mode=555,size=0,nr_inodes=1", MOUNT_ATTR_RDONLY |
				 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, why);
		if (tree >= 0)
			stage->masked = name;
		return tree;
	}
	masked = inside_open(stage->root, stage->masked, O_PATH | O_DIRECTORY, 0);
	tree = masked < 0 ? -1 : open_tree(masked, "", AT_EMPTY_PATH | OPEN_TREE_CLONE |
					   OPEN_TREE_CLOEXEC);
	return tree < 0 ? fail(why, "mask", stage->masked) : tree;
}

int step_mask(struct stage *stage, const struct record *record, struct failure *why)
{
	const char *name = record->argv[0];
	AUTO_CLOSE int destination = inside_open(stage->root, name, O_PATH, 0);
	AUTO_CLOSE int tree = -1;
	struct stat status;

	if (destination < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail(why, "mask", name);
	if (fstat(destination, &status) < 0)
		return fail(why, "mask", name);
	/* The real /dev/null: an image's own could be a link to anything (CVE-2025-31133). */
	tree = S_ISDIR(status.st_mode) ? clone_empty(stage, name, why) : null_clone("mask", why);
	if (tree < 0)
		return -1;
	return mount_attach(tree, destination, name, why);
}

int step_readonly(struct stage *stage, const struct record *record, struct failure *why)
{
	const char *name = record->argv[0];
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	AUTO_CLOSE int destination = inside_open(stage->root, name, O_PATH, 0);
	AUTO_CLOSE int tree = -1;

	if (destination < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail(why, "readonly", name);
	tree = open_tree(destination, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
			 AT_RECURSIVE);
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &read_only,
				      sizeof(read_only)) < 0)
		return fail(why, "readonly", name);
	return mount_attach(tree, destination, name, why);
}
