/* Detached mounts. See mount_tree.h. */
#include "mount_tree.h"

#include <limits.h>
#include <string.h>
#include <sys/mount.h>

#include "plan.h"
#include "syscalls.h"

static const struct {
	const char *flag;
	__u64 set;
	__u64 clear;
} attributes_table[] = {
	{ "ro", MOUNT_ATTR_RDONLY, 0 },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0 },
	{ "nodev", MOUNT_ATTR_NODEV, 0 },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0 },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
	{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
};

__u64 mount_attributes(const char *flags, __u64 *clear)
{
	__u64 set = 0;

	*clear = 0;
	for (size_t i = 0; i < sizeof(attributes_table) / sizeof(attributes_table[0]); i++) {
		if (!plan_list_has(flags, attributes_table[i].flag))
			continue;
		set |= attributes_table[i].set;
		*clear |= attributes_table[i].clear;
	}
	return set;
}

/* One option of a comma-separated list, `key` or `key=value`. */
static int set_option(int context, char *option)
{
	char *equals = strchr(option, '=');

	if (equals == NULL)
		return fsconfig(context, FSCONFIG_SET_FLAG, option, NULL, 0);
	*equals = '\0';
	return fsconfig(context, FSCONFIG_SET_STRING, option, equals + 1, 0);
}

static int set_options(int context, const char *data, struct failure *why)
{
	char copy[PATH_MAX];
	char *rest = copy;
	char *option;

	if (strlen(data) >= sizeof(copy))
		return fail_errno(why, "mount", data, ENAMETOOLONG);
	memcpy(copy, data, strlen(data) + 1);
	while ((option = strsep(&rest, ",")) != NULL)
		if (*option != '\0' && set_option(context, option) < 0)
			return fail(why, "mount", option);
	return 0;
}

int mount_new(const char *type, const char *source, const char *data, __u64 attributes,
	      struct failure *why)
{
	AUTO_CLOSE int context = fsopen(type, FSOPEN_CLOEXEC);
	int tree;

	if (context < 0)
		return fail(why, "mount", type);
	if (*source != '\0' && fsconfig(context, FSCONFIG_SET_STRING, "source", source, 0) < 0)
		return fail(why, "mount", source);
	if (set_options(context, data, why) < 0)
		return -1;
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail(why, "mount", type);
	tree = fsmount(context, FSMOUNT_CLOEXEC, (unsigned int)attributes);
	return tree < 0 ? fail(why, "mount", type) : tree;
}

int mount_attach(int tree, int destination, const char *name, struct failure *why)
{
	if (move_mount(tree, "", destination, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return fail(why, "move_mount", name);
	return 0;
}
