/* Facts about other processes. See process.h. */
#include "process.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "numbers.h"
#include "syscalls.h"

ssize_t read_small_file(int directory, const char *path, char *text, size_t size)
{
	AUTO_CLOSE int fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t length = 0;

	if (fd < 0)
		return -1;
	while (length < size - 1) {
		ssize_t got = read(fd, text + length, size - 1 - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	text[length] = '\0';
	return (ssize_t)length;
}

int write_small_file(int directory, const char *path, const char *text, mode_t mode)
{
	AUTO_CLOSE int fd = openat(directory, path,
				   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, mode);
	size_t length = strlen(text);

	if (fd < 0)
		return -1;
	if (write(fd, text, length) != (ssize_t)length) {
		if (errno == 0)
			errno = EIO;
		return -1;
	}
	return 0;
}

void process_path(char path[64], pid_t pid, const char *rest)
{
	(void)snprintf(path, 64, "/proc/%d/%s", (int)pid, rest);
}

char *decimal(uint64_t number, char text[24])
{
	char *at = text + 23;

	*at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	return at;
}

uint64_t process_start_time(pid_t pid)
{
	char path[64];
	char text[1024];
	const char *at;
	uint64_t start = 0;

	process_path(path, pid, "stat");
	if (read_small_file(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	/* The name in field 2 may hold blanks and brackets: count from its last bracket. */
	at = strrchr(text, ')');
	for (int field = 2; at != NULL && field < 22; field++) {
		at = strchr(at, ' ');
		if (at != NULL)
			at++;
	}
	if (at == NULL || !number_parse_bytes(at, strcspn(at, " "), 10, UINT64_MAX, &start))
		return 0;
	return start;
}

int process_open(pid_t pid, uint64_t start_time)
{
	int pidfd = pid > 0 ? sys_pidfd_open(pid) : -1;

	if (pidfd < 0) {
		errno = ESRCH;
		return -1;
	}
	/* Read after pidfd_open: if the number was reused, the pidfd is the new process
	 * and the start time shows it. */
	if (start_time != 0 && process_start_time(pid) != start_time) {
		close(pidfd);
		errno = ESRCH;
		return -1;
	}
	return pidfd;
}

static const struct {
	const char *kind;
	const char *file;
	int flag;
} namespaces[] = {
	{ "user", "user", CLONE_NEWUSER }, { "mount", "mnt", CLONE_NEWNS },
	{ "pid", "pid", CLONE_NEWPID },    { "uts", "uts", CLONE_NEWUTS },
	{ "ipc", "ipc", CLONE_NEWIPC },    { "net", "net", CLONE_NEWNET },
	{ "cgroup", "cgroup", CLONE_NEWCGROUP },
};

int namespace_flag(const char *kind)
{
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
		if (strcmp(namespaces[i].kind, kind) == 0)
			return namespaces[i].flag;
	return 0;
}

const char *namespace_file(const char *kind)
{
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
		if (strcmp(namespaces[i].kind, kind) == 0)
			return namespaces[i].file;
	return NULL;
}

int exit_status(int status)
{
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}
