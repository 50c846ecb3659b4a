/* Entering a container's namespaces, all at once, by the pidfd of its first process. */
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "exec.h"
#include "process.h"
#include "syscalls.h"
#include "userns.h"

/* Joining a namespace we are in already is an error for "user" and needs rights over the
 * host's for others: only those that differ are joined. */
static int differing_namespaces(pid_t pid, int *flags, struct failure *why)
{
	static const char *const kinds[] = { "user", "mount", "pid", "uts", "ipc", "net", "cgroup" };

	*flags = 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char rest[16];
		char path[64];
		struct stat theirs;
		struct stat own;

		(void)snprintf(rest, sizeof(rest), "ns/%s", namespace_file(kinds[i]));
		process_path(path, pid, rest);
		if (stat(path, &theirs) < 0)
			return fail(why, "target", path);
		process_path(path, getpid(), rest);
		if (stat(path, &own) < 0)
			return fail(why, "target", path);
		if (own.st_ino != theirs.st_ino || own.st_dev != theirs.st_dev)
			*flags |= namespace_flag(kinds[i]);
	}
	return 0;
}

int exec_join(const struct plan *plan, pid_t pid, int pidfd, int *later, struct failure *why)
{
	int flags;

	if (differing_namespaces(pid, &flags, why) < 0)
		return -1;
	/* From within that namespace no process may be born in a cgroup that we are outside of
	 * (the mount option nsdelegate, cgroup-v2.rst): whoever is born there joins it. */
	*later = plan_find(plan, "cgroup") != NULL ? flags & CLONE_NEWCGROUP : 0;
	flags &= ~*later;
	/* Without its mount namespace the "container" would be the host. */
	if ((flags & CLONE_NEWNS) == 0)
		return fail_errno(why, "target", "mount namespace", EINVAL);
	if (setns(pidfd, flags) < 0)
		return fail(why, "target", "setns");
	if ((flags & CLONE_NEWUSER) != 0 && become_root(plan, why) < 0)
		return -1;
	/* The child shows up in the container's /proc before it re-executes: keep it shut. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return fail(why, "prctl", "dumpable");
	return 0;
}
