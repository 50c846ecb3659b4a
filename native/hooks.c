/* createContainer hooks (runtime-spec config.md, "CreateContainer Hooks"): programs of the host that
 * change the container's root before its pivot. They find it by the bundle that the state on their
 * standard input names. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "mount_tree.h"
#include "numbers.h"
#include "process.h"
#include "stage.h"
#include "syscalls.h"

#define MAX_WORDS 256

/* bundle-root PATH: the root, with all that is mounted in it, is seen at the host's PATH as well; in
 * the container's mount namespace alone, and only until the pivot. */
int step_bundle_root(struct stage *stage, const struct record *record, struct failure *why)
{
	AUTO_CLOSE int tree = open_tree(stage->root, "", AT_EMPTY_PATH | OPEN_TREE_CLONE |
					OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	AUTO_CLOSE int place = open(record->argv[0], O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (tree < 0 || place < 0)
		return fail(why, "hook", record->argv[0]);
	return mount_attach(tree, place, record->argv[0], why);
}

/* hook STATE TIMEOUT ENVCOUNT PATH ENV... ARG... */
static _Noreturn void run(const struct record *record, int input)
{
	size_t count = (size_t)number_of(record->argv[2]);
	char *env[MAX_WORDS + 1] = { NULL };
	char *args[MAX_WORDS + 1] = { NULL };

	for (size_t i = 4 + count; i < record->argc; i++)
		args[i - 4 - count] = record->argv[i];
	for (size_t i = 0; i < count; i++)
		env[i] = record->argv[4 + i];
	if (dup2(input, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		_exit(126);
	execve(record->argv[3], args, env);
	_exit(errno == ENOENT ? 127 : 126);
}

/* Its exit status; -1 with errno ETIMEDOUT when it was killed. */
static int wait_at_most(pid_t pid, int seconds)
{
	AUTO_CLOSE int pidfd = sys_pidfd_open(pid);
	struct pollfd polled = { .fd = pidfd, .events = POLLIN };
	int status;

	if (seconds > 0 && pidfd >= 0 && poll(&polled, 1, seconds * 1000) == 0) {
		kill(pid, SIGKILL);
		(void)wait_for(pid);
		errno = ETIMEDOUT;
		return -1;
	}
	status = wait_for(pid);
	return status < 0 ? -1 : exit_status(status);
}

int step_hook(struct stage *stage, const struct record *record, struct failure *why)
{
	const char *state = record->argv[0];
	const char *path = record->argv[3];
	size_t env = (size_t)number_of(record->argv[2]);
	AUTO_CLOSE int input = memfd_create("state", MFD_CLOEXEC);
	char subject[256];
	pid_t pid;
	int status;

	if (stage->pivoted)
		return fail_errno(why, "hook", path, EXDEV);
	if (record->argc > MAX_WORDS || record->argc < 4 + env + 1)
		return fail_errno(why, "hook", path, E2BIG);
	if (input < 0 || write(input, state, strlen(state)) != (ssize_t)strlen(state) ||
	    lseek(input, 0, SEEK_SET) < 0)
		return fail(why, "hook", "state");
	pid = fork();
	if (pid == 0)
		run(record, input);
	status = pid < 0 ? -1 : wait_at_most(pid, (int)number_of(record->argv[1]));
	if (status < 0)
		return fail(why, "hook", path);
	if (status == 127 && access(path, F_OK) < 0)
		return fail(why, "hook", path);
	if (status == 0)
		return 0;
	(void)snprintf(subject, sizeof(subject), "%.200s: exit status %d", path, status);
	return fail_errno(why, "hook", subject, ECANCELED);
}
