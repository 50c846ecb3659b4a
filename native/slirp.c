/* slirp4netns(1) as a container's network process. See slirp.h.
 *
 * Unlike pasta it stays in the foreground, says by a descriptor that it is ready, and takes ports
 * through a socket. So a process of ours starts it, asks for the ports, and goes to the background
 * beside it: whichever of container, slirp4netns and this process ends takes the others along. */
#include "slirp.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "descriptors.h"
#include "hub.h"
#include "net.h"
#include "process.h"
#include "report.h"
#include "syscalls.h"

#define MAX_WORDS 64
#define OWN_WORDS 3 /* after the options: namespace, interface, NULL */
#define PATIENCE_MS 10000

struct slirp {
	const char *pid_file;
	const char *netns;
	const char *userns;
	const char *socket;
	const char *requests; /* a line of JSON for each port, or "" */
	char *const *options;
	pid_t monitor;
	pid_t pid;
	int ready; /* the end we read */
	int exit;  /* the end whose closing ends it */
};

static _Noreturn void become_slirp(const struct slirp *slirp, int exit_end, int ready_end)
{
	const char *argv[MAX_WORDS] = { "slirp4netns", "--exit-fd=3", "--ready-fd=4", "--configure",
					"--netns-type=path" };
	const struct plan none = { .fd = -1 };
	struct failure why = { 0 };
	size_t count = 5;

	/* As root of the engine's user namespace: else it could not shut itself in. */
	if (engine_enter(&none, slirp->monitor, &why) < 0) {
		(void)dprintf(2, "%s %s: %s\n", why.step, why.subject, strerror(why.error));
		_exit(126);
	}
	for (char *const *option = slirp->options; *option != NULL; option++) {
		if (count + OWN_WORDS > MAX_WORDS)
			_exit(126);
		argv[count++] = *option;
	}
	argv[count++] = slirp->netns;
	argv[count++] = "tap0";
	/* It says much when all is well. */
	(void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 1);
	if (descriptors_keep_two(exit_end, ready_end) < 0 || fcntl(3, F_SETFD, 0) < 0 ||
	    fcntl(4, F_SETFD, 0) < 0)
		_exit(126);
	(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(errno == ENOENT ? 127 : 126);
}

static int start(struct slirp *slirp, struct failure *why)
{
	int ready[2];
	int leave[2];

	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(leave, O_CLOEXEC) < 0)
		return fail(why, "network", "pipe");
	slirp->pid = fork();
	if (slirp->pid == 0)
		become_slirp(slirp, leave[0], ready[1]);
	close(ready[1]);
	close(leave[0]);
	slirp->ready = ready[0];
	slirp->exit = leave[1];
	return slirp->pid < 0 ? fail(why, "network", "fork") : 0;
}

static int await_ready(struct slirp *slirp, struct failure *why)
{
	struct pollfd polled = { .fd = slirp->ready, .events = POLLIN };
	char byte;
	int status;

	if (poll(&polled, 1, PATIENCE_MS) == 1 && read(slirp->ready, &byte, 1) == 1)
		return 0;
	if (polled.revents == 0)
		return fail_errno(why, "network", "slirp4netns", ETIMEDOUT);
	status = exit_status(wait_for(slirp->pid));
	return fail_errno(why, "network", "slirp4netns", status == 127 ? ENOENT : EIO);
}

/* One request a connection; the answer ends with it. slirp4netns(1), "API SOCKET". */
static int ask(const char *path, const char *request, size_t length, struct failure *why)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[1024];
	size_t size = 0;
	ssize_t got;

	if (strlen(path) >= sizeof(name.sun_path))
		return fail_errno(why, "network", path, ENAMETOOLONG);
	memcpy(name.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0 ||
	    send(fd, request, length, MSG_NOSIGNAL) != (ssize_t)length ||
	    shutdown(fd, SHUT_WR) < 0)
		return fail(why, "network", path);
	while (size < sizeof(answer) - 1 &&
	       (got = recv(fd, answer + size, sizeof(answer) - 1 - size, 0)) > 0)
		size += (size_t)got;
	answer[size] = '\0';
	return size == 0 || strstr(answer, "\"error\"") != NULL
		       ? fail_errno(why, "publish", answer, EIO)
		       : 0;
}

static int publish(const struct slirp *slirp, struct failure *why)
{
	const char *line = slirp->requests;

	while (*line != '\0') {
		size_t length = strcspn(line, "\n");

		if (ask(slirp->socket, line, length, why) < 0)
			return -1;
		line += length + (line[length] == '\n');
	}
	return 0;
}

static _Noreturn void stay(const struct slirp *slirp, int monitor, int child)
{
	struct pollfd polled[2] = { { .fd = monitor, .events = POLLIN },
				    { .fd = child, .events = POLLIN } };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	(void)prctl(PR_SET_NAME, "tsman-net");
	(void)chdir("/");
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null, fd);
	while (poll(polled, 2, -1) < 0 && errno == EINTR)
		;
	(void)unlink(slirp->socket);
	/* With us goes the last end of the pipe, and with that slirp4netns. */
	_exit(0);
}

static int run(struct slirp *slirp, struct failure *why)
{
	int monitor;
	int child;
	char text[32];
	pid_t pid;

	slirp->monitor = network_monitor(slirp->userns);
	monitor = slirp->monitor > 1 ? sys_pidfd_open(slirp->monitor) : -1;
	if (monitor < 0)
		return fail_errno(why, "network", slirp->userns, ESRCH);
	if (start(slirp, why) < 0 || await_ready(slirp, why) < 0 || publish(slirp, why) < 0)
		return -1;
	child = sys_pidfd_open(slirp->pid);
	pid = child < 0 ? -1 : fork();
	if (pid == 0)
		stay(slirp, monitor, child);
	(void)snprintf(text, sizeof(text), "%d\n", (int)pid);
	if (pid < 0 || write_small_file(AT_FDCWD, slirp->pid_file, text, 0600) < 0)
		return fail(why, "network", slirp->pid_file);
	return 0;
}

int slirp_main(char *const *words)
{
	struct slirp slirp = { .pid_file = words[0], .netns = words[1], .userns = words[2],
			       .socket = words[3], .requests = words[4], .options = words + 5 };
	struct failure why = { 0 };

	return run(&slirp, &why) == 0 ? 0 : report_failure(NULL, &why);
}
