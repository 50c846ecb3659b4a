/* Which directory an fs agent works on: one of the host's, the root of a running container, or the
 * root of a stopped one, mounted for the agent alone. */
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs_agent.h"
#include "fuse_root.h"
#include "numbers.h"
#include "process.h"
#include "stage.h"
#include "syscalls.h"
#include "userns.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* A container with a user namespace of its own: only in there its ids mean what its files say. */
static int join_userns(const struct plan *plan, pid_t pid, struct failure *why)
{
	struct stat theirs, own;
	char path[64];

	process_path(path, pid, "ns/user");
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &theirs) < 0 || stat("/proc/self/ns/user", &own) < 0)
		return fail(why, "pin", path);
	if (theirs.st_ino == own.st_ino)
		return 0;
	if (setns(fd, CLONE_NEWUSER) < 0)
		return fail(why, "pin", "setns");
	return become_root(plan, why);
}

static int pin_process(const struct plan *plan, const struct record *record, struct failure *why)
{
	pid_t pid = (pid_t)number_of(record->argv[0]);
	AUTO_CLOSE int pidfd = process_open(pid, number_of(record->argv[1]));
	char path[64];
	int fd;

	if (pidfd < 0)
		return fail(why, "pin", "process");
	if (join_userns(plan, pid, why) < 0)
		return -1;
	process_path(path, pid, record->argc > 2 ? "cwd" : "root");
	fd = open(path, OPEN_DIRECTORY);
	/* Opened by number: the pidfd says whether it was still that process. */
	if (fd >= 0 && sys_pidfd_send_signal(pidfd, 0) < 0)
		close_and_forget(&fd);
	return fd < 0 ? fail(why, "pin", path) : fd;
}

/* The steps of a container's start up to its volumes, in a mount namespace that ends with us. */
static int pin_mounts(const struct plan *plan, struct failure *why)
{
	static struct stage stage; /* large: off the stack */
	AUTO_CLOSE int fuse_server = -1;
	int fd;

	stage_init(&stage, plan);
	/* Before the mount namespace is made: it would last as long as a FUSE program in it. */
	if (plan_find(plan, "rootfs-fuse") != NULL) {
		fuse_server = fuse_root_server(plan, why);
		if (fuse_server < 0)
			return -1;
		stage.sync = fuse_server;
	}
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return fail(why, "pin", "mount namespace");
	if (stage_run_steps(&stage, why) < 0)
		return -1;
	/* Another agent may pin our working directory: the same upper directory twice is no overlay. */
	if (fchdir(stage.root) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0)
		return fail(why, "pin", "root");
	fd = open(".", OPEN_DIRECTORY);
	return fd < 0 ? fail(why, "pin", "root") : fd;
}

int fs_pin(const struct plan *plan, int *pin, struct failure *why)
{
	const struct record *directory = plan_find(plan, "pin");
	const struct record *process = plan_find(plan, "pin-process");

	if (directory != NULL) {
		/* Opened as root of the namespace, so that a directory of a subordinate id opens too. */
		*pin = open(directory->argv[0], OPEN_DIRECTORY | O_NOFOLLOW);
		return *pin < 0 ? fail(why, "pin", directory->argv[0]) : 0;
	}
	if (process != NULL)
		*pin = pin_process(plan, process, why);
	else if (plan_find(plan, "rootfs-overlay") != NULL || plan_find(plan, "rootfs-bind") != NULL ||
		 plan_find(plan, "rootfs-fuse") != NULL)
		*pin = pin_mounts(plan, why);
	else
		return fail_errno(why, "plan", "pin", EBADMSG);
	return *pin < 0 ? -1 : 0;
}
