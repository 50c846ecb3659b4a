/* Kernel settings of the container's namespaces and of its first process. */
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "numbers.h"
#include "process.h"
#include "stage.h"
#include "syscalls.h"

/* The open file is on a procfs, not on something that only looks like one
 * (CVE-2019-16884, CVE-2025-52881: redirected writes). */
static int write_verified(int fd, const char *text)
{
	struct statfs status;
	size_t length = strlen(text);
	ssize_t done;

	if (fstatfs(fd, &status) < 0)
		return -1;
	if (status.f_type != PROC_SUPER_MAGIC) {
		errno = EXDEV;
		return -1;
	}
	done = write(fd, text, length);
	if (done >= 0 && (size_t)done != length)
		errno = EIO;
	return done == (ssize_t)length ? 0 : -1;
}

static bool is_of_interfaces(const char *name)
{
	return strncmp(name, "net/", 4) == 0 &&
	       (strstr(name, "/conf/") != NULL || strstr(name, "/neigh/") != NULL);
}

/* Below the host's procfs: sysctls are those of the namespaces of whoever opens them. */
int step_sysctl(struct stage *stage, const struct record *record, struct failure *why)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	char path[PATH_MAX];
	AUTO_CLOSE int fd = -1;

	/* Some only apply to interfaces that are there, or would keep the network from being made. */
	if (is_of_interfaces(record->argv[0]) && stage_await_network(stage, why) < 0)
		return -1;
	if (snprintf(path, sizeof(path), "sys/%s", record->argv[0]) >= (int)sizeof(path))
		return fail_errno(why, "sysctl", record->argv[0], ENAMETOOLONG);
	fd = sys_openat2(stage->proc, path, &how);
	if (fd < 0 || write_verified(fd, record->argv[1]) < 0)
		return fail(why, "sysctl", record->argv[0]);
	return 0;
}

int step_hostname(struct stage *stage, const struct record *record, struct failure *why)
{
	(void)stage;
	if (sethostname(record->argv[0], strlen(record->argv[0])) < 0)
		return fail(why, "hostname", record->argv[0]);
	return 0;
}

int step_domainname(struct stage *stage, const struct record *record, struct failure *why)
{
	(void)stage;
	if (setdomainname(record->argv[0], strlen(record->argv[0])) < 0)
		return fail(why, "domainname", record->argv[0]);
	return 0;
}

int step_loopback(struct stage *stage, const struct record *record, struct failure *why)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };

	(void)stage;
	(void)record;
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return fail(why, "loopback", "lo");
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP | IFF_RUNNING);
	return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? fail(why, "loopback", "lo") : 0;
}

static const struct {
	const char *name;
	int resource;
} limits[] = {
	{ "as", RLIMIT_AS },	     { "core", RLIMIT_CORE },	      { "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },     { "fsize", RLIMIT_FSIZE },	      { "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC },	      { "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO }, { "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING }, { "stack", RLIMIT_STACK },
};

static rlim_t limit_of(const char *text)
{
	return strcmp(text, "unlimited") == 0 ? RLIM_INFINITY : (rlim_t)number_of(text);
}

int step_rlimit(struct stage *stage, const struct record *record, struct failure *why)
{
	struct rlimit limit = { limit_of(record->argv[1]), limit_of(record->argv[2]) };

	(void)stage;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (strcmp(limits[i].name, record->argv[0]) != 0)
			continue;
		if (setrlimit((__rlimit_resource_t)limits[i].resource, &limit) < 0)
			return fail(why, "rlimit", record->argv[0]);
		return 0;
	}
	return fail_errno(why, "rlimit", record->argv[0], EINVAL);
}

int step_oom_score_adj(struct stage *stage, const struct record *record, struct failure *why)
{
	/* In exec there is only the container's /proc; write_verified looks at what it is. */
	AUTO_CLOSE int fd = stage->proc >= 0
		? openat(stage->proc, "self/oom_score_adj", O_WRONLY | O_CLOEXEC)
		: open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write_verified(fd, record->argv[0]) < 0)
		return fail(why, "oom-score-adj", record->argv[0]);
	return 0;
}

int step_umask(struct stage *stage, const struct record *record, struct failure *why)
{
	(void)why;
	/* Applied before execve: the steps in between say exact modes. */
	stage->umask = (unsigned int)number_of_base(record->argv[0], 8);
	return 0;
}
