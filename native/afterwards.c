#include "afterwards.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

#include "syscalls.h"

/* Nothing of the caller's stays open: not its streams, not the container's lock. */
static bool keep_only(int pidfd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return false;
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(null, fd) < 0)
			return false;
	return dup2(pidfd, 3) == 3 && close_range(4, ~0U, 0) == 0;
}

void afterwards_arrange(const struct plan *plan, pid_t monitor)
{
	const struct record *record = plan_find(plan, "afterwards");
	struct pollfd ended = { .fd = 3, .events = POLLIN };
	int pidfd;

	if (record == NULL)
		return;
	/* Its number cannot be another's yet: it is our child, and nobody has waited for it. */
	pidfd = sys_pidfd_open(monitor);
	if (pidfd >= 0 && fork() == 0) {
		(void)setsid();
		if (!keep_only(pidfd))
			_exit(125);
		while (poll(&ended, 1, -1) < 0 && errno == EINTR)
			;
		close(3);
		(void)execve(record->argv[0], record->argv, environ);
		_exit(125);
	}
	close_descriptor(&pidfd);
}
