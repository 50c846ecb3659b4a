/* One run of a health check's command. A child of ours becomes what `exec` is in between
 * (exec.c): it joins the container, clones the command as our own child, and leaves. */
#include "probe.h"

#include <string.h>
#include <sys/socket.h>

#include "exec.h"
#include "message.h"
#include "process.h"
#include "syscalls.h"
#include "text.h"

/* The child's pid; a failure may come first, when the command was quicker than its maker. */
static int receive_pid(struct probe *probe, struct failure *why)
{
	struct message message;

	while (probe->pid == 0 && message_receive(probe->sync, &message, NULL) == 1) {
		if (message.kind == MESSAGE_PID)
			probe->pid = message.pid;
		else if (message.kind == MESSAGE_FAILED)
			probe->failure = message.failure;
	}
	if (probe->pid > 0)
		return 0;
	*why = probe->failure;
	return why->error != 0 ? -1 : fail_errno(why, "health", "no process", ECHILD);
}

bool probe_would_freeze(const struct monitor *monitor)
{
	const struct record *record = plan_find(monitor->plan, "cgroup");
	struct text path = { .length = 0 };
	char events[256];

	if (record == NULL)
		return false;
	text_add(&path, record->argv[0]);
	text_add_bytes(&path, "/cgroup.events", sizeof "/cgroup.events");
	return read_small_file(AT_FDCWD, path.bytes, events, sizeof events) >= 0 &&
	       strstr(events, "frozen 1") != NULL;
}

int probe_start(struct probe *probe, const struct monitor *monitor, const char *path,
		struct failure *why)
{
	int sockets[2], output[2];
	pid_t between;
	int result;

	*probe = (struct probe){ .output = -1, .sync = -1 };
	if (message_pair(sockets, why) < 0)
		return -1;
	if (pipe2(output, O_CLOEXEC) < 0 || fcntl(output[0], F_SETFL, O_NONBLOCK) < 0) {
		close(sockets[0]);
		close(sockets[1]);
		return fail(why, "health", "pipe");
	}
	between = fork();
	if (between == 0)
		exec_probe(path, monitor->child, monitor->child_pidfd, output[1], sockets[1]);
	close(output[1]);
	close(sockets[1]);
	probe->output = output[0];
	probe->sync = sockets[0];
	if (between < 0) {
		probe_close(probe);
		return fail(why, "health", "fork");
	}
	(void)wait_for(between);
	result = receive_pid(probe, why);
	if (result < 0)
		probe_close(probe);
	return result;
}

bool probe_failed(struct probe *probe, struct failure *why)
{
	struct message message;

	*why = probe->failure;
	if (why->error != 0)
		return true;
	if (recv(probe->sync, &message, sizeof(message), MSG_DONTWAIT) != (ssize_t)sizeof(message) ||
	    message.kind != MESSAGE_FAILED)
		return false;
	*why = message.failure;
	return true;
}

void probe_close(struct probe *probe)
{
	close_and_forget(&probe->output);
	close_and_forget(&probe->sync);
	probe->pid = 0;
}
