/* Supplementary groups. See groups.h. */
#include "groups.h"

#include <grp.h>
#include <linux/capability.h>
#include <stdbool.h>

#include "syscalls.h"

static bool has_setgid(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data) == 0 && (data[0].effective >> CAP_SETGID & 1) != 0;
}

int groups_set(const gid_t *groups, size_t count, struct failure *why)
{
	/* With CAP_SETGID, EPERM can only mean that /proc/self/setgroups says "deny". */
	if (setgroups(count, groups) < 0 && !(errno == EPERM && has_setgid()))
		return fail(why, "setgroups", "");
	return 0;
}
