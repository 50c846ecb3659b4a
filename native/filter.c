/* The container's system call filter: a BPF program, compiled beforehand by the verb seccomp. */
#include <linux/seccomp.h>
#include <string.h>
#include <sys/stat.h>

#include "stage.h"
#include "syscalls.h"

int filter_read(struct stage *stage, struct failure *why)
{
	const struct record *record = plan_find(stage->plan, "seccomp");
	AUTO_CLOSE int fd = stage->filter_fd;
	struct stat status;
	ssize_t size;

	stage->filter_fd = -1;
	if (record == NULL)
		return 0;
	if (fd < 0)
		fd = open(record->argv[0], O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &status) < 0)
		return fail(why, "seccomp", record->argv[0]);
	/* An empty or cut-off program would be no filter, or another one. */
	if (!S_ISREG(status.st_mode) || status.st_size <= 0 ||
	    status.st_size > (off_t)sizeof(stage->filter) ||
	    (size_t)status.st_size % sizeof(stage->filter[0]) != 0)
		return fail_errno(why, "seccomp", record->argv[0], EINVAL);
	size = pread(fd, stage->filter, (size_t)status.st_size, 0);
	if (size != (ssize_t)status.st_size)
		return fail_errno(why, "seccomp", record->argv[0], EIO);
	stage->filter_length = (unsigned short)((size_t)size / sizeof(stage->filter[0]));
	return 0;
}

int filter_load(const struct stage *stage, struct failure *why)
{
	struct sock_fprog program = {
		.len = stage->filter_length,
		.filter = (struct sock_filter *)(uintptr_t)stage->filter,
	};

	if (stage->filter_length == 0)
		return 0;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return fail(why, "seccomp", "load");
	return 0;
}
