/* The verb box, main's side: lock, monitor, id maps, then report and leave or stay as the client.
 *
 * Order: everything that can fail without a process comes first. Then the
 * monitor is cloned, straight into a new user namespace if there is none to
 * join, so that newuidmap can start at once. Main keeps the caller's terminal
 * and standard streams; the monitor lets go of them. */
#include "box.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>

#include "afterwards.h"
#include "attach.h"
#include "descriptors.h"
#include "message.h"
#include "network_process.h"
#include "process.h"
#include "report.h"
#include "syscalls.h"
#include "terminal.h"

static int open_directory(const struct plan *plan, const char *name, struct failure *why)
{
	const struct record *record = plan_find(plan, name);
	int fd;

	if (record == NULL)
		return -1;
	fd = open(record->argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		(void)fail(why, name, record->argv[0]);
	return fd;
}

static int take_lock(int run_dir, struct failure *why)
{
	int fd = openat(run_dir, "monitor.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		(void)fail(why, "lock", "monitor.lock");
		close_descriptor(&fd);
		return -1;
	}
	return fd;
}

static int prepare(struct box *box, const struct plan *plan, struct failure *why)
{
	struct winsize size;

	*box = (struct box){
		.plan = plan,
		.monitor = { .plan = plan, .child_pidfd = -1, .container_dir = -1, .lock = -1,
			     .listener = -1, .terminal = -1, .stdin_write = -1, .stdout_read = -1,
			     .stderr_read = -1, .first_client = -1 },
		.may_restart = monitor_may_restart(plan),
		.sync = -1, .container_sync = -1, .stdio = { -1, -1, -1 }, .cgroup = -1,
	};
	if (plan_find(plan, "terminal") != NULL && terminal_size(&size)) {
		box->monitor.rows = size.ws_row;
		box->monitor.columns = size.ws_col;
	}
	box->monitor.run_dir = open_directory(plan, "run-dir", why);
	if (why->error != 0)
		return -1;
	box->monitor.container_dir = open_directory(plan, "container-dir", why);
	if (why->error != 0)
		return -1;
	box->monitor.lock = take_lock(box->monitor.run_dir, why);
	if (box->monitor.lock < 0)
		return -1;
	return userns_prepare(&box->userns, plan, why);
}

/* `sockets`: messages with the monitor; `client`: the attach stream, or -1 -1. */
static pid_t start_monitor(struct box *box, const int sockets[2], const int client[2],
			   struct failure *why)
{
	struct clone_args args = {
		.flags = userns_is_new(&box->userns) ? CLONE_NEWUSER : 0,
		.exit_signal = SIGCHLD,
	};
	pid_t pid = sys_clone3(&args);

	if (pid < 0)
		return (pid_t)fail(why, "clone", "user");
	if (pid > 0)
		return pid;
	close(sockets[0]);
	close_descriptor(&client[0]);
	box->main_socket = sockets[1];
	box->monitor.first_client = client[1];
	_exit(box_monitor(box));
}

/* A monitor that failed while newuidmap ran is what newuidmap failed of. */
static void hear_monitor(int socket, struct failure *why)
{
	struct pollfd polled = { .fd = socket, .events = POLLIN };
	struct message message;

	if (poll(&polled, 1, 0) > 0 && message_receive(socket, &message, NULL) > 0 &&
	    message.kind == MESSAGE_FAILED)
		*why = message.failure;
}

static int map_monitor(struct box *box, int socket, pid_t monitor, struct failure *why)
{
	if (userns_is_new(&box->userns)) {
		if (userns_write_maps(&box->userns, monitor, why) < 0) {
			hear_monitor(socket, why);
			return -1;
		}
		/* A monitor that has failed already has said why: that is received next. */
		(void)message_send_kind(socket, MESSAGE_MAPPED);
	}
	userns_close(&box->userns);
	return 0;
}

static int finish_network(struct network_process *network, int socket, struct failure *why)
{
	struct message message = { .kind = MESSAGE_GO };

	if (network_process_ready(network, &message.pid, why) < 0) {
		(void)message_send_failure(socket, why);
		return -1;
	}
	return message_send(socket, &message, -1) < 0 ? fail(why, "monitor", "send") : 0;
}

/* A message of the monitor's. 1 = go on, 0 = the container runs, -1 = failed. */
static int handle_monitor(struct box *box, int socket, struct network_process *network,
			  struct message *message, struct failure *why)
{
	int got = message_receive(socket, message, NULL);

	if (got < 0)
		return fail(why, "monitor", "receive");
	if (got == 0)
		return fail_errno(why, "monitor", "ended", ECHILD);
	if (message->kind == MESSAGE_FAILED) {
		*why = message->failure;
		return -1;
	}
	if (message->kind == MESSAGE_RUNNING)
		return 0;
	return network_process_start(network, box->plan, message->pid, why) < 0 ? -1 : 1;
}

static int wait_until_running(struct box *box, int socket, struct message *message,
			      struct failure *why)
{
	struct network_process network = { .pidfd = -1, .output = -1 };

	for (;;) {
		struct pollfd polled[2] = {
			{ .fd = socket, .events = POLLIN },
			{ .fd = network.pidfd, .events = POLLIN },
		};
		int got = 1;

		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			return fail(why, "poll", "");
		if (polled[0].revents != 0)
			got = handle_monitor(box, socket, &network, message, why);
		else if (polled[1].revents != 0)
			got = finish_network(&network, socket, why) < 0 ? -1 : 1;
		if (got > 0)
			continue;
		if (network.pidfd >= 0)
			(void)sys_pidfd_send_signal(network.pidfd, SIGTERM);
		return got;
	}
}

/* Made for this start alone; one that somebody lives in stays. */
static void remove_cgroup(const struct plan *plan)
{
	const struct record *record = plan_find(plan, "cgroup");

	if (record != NULL)
		(void)rmdir(record->argv[0]);
}

static int run(struct box *box, int *client_end, struct failure *why)
{
	const struct plan *plan = box->plan;
	int sockets[2];
	int client[2] = { -1, -1 };
	struct message message;
	pid_t monitor;

	if (message_pair(sockets, why) < 0)
		return -1;
	if (plan_find(plan, "attach") != NULL &&
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, client) < 0)
		return fail(why, "socketpair", "attach");
	monitor = start_monitor(box, sockets, client, why);
	close(sockets[1]);
	close_descriptor(&client[1]);
	*client_end = client[0];
	if (monitor < 0)
		return -1;
	if (map_monitor(box, sockets[0], monitor, why) < 0 ||
	    wait_until_running(box, sockets[0], &message, why) < 0) {
		/* Its end of the socket is what a monitor that waits for us notices. */
		close(sockets[0]);
		(void)wait_for(monitor);
		remove_cgroup(plan);
		return -1;
	}
	close(sockets[0]);
	afterwards_arrange(plan, monitor);
	return report_running(plan, message.pid, monitor, why);
}

int box_main(const struct plan *plan)
{
	struct failure why = { 0 };
	struct box box;
	int client = -1;

	if (descriptors_close_inherited(plan, &why) < 0 || prepare(&box, plan, &why) < 0 ||
	    run(&box, &client, &why) < 0)
		return report_failure(plan, &why);
	/* The monitor alone holds the locks from here. */
	close_and_forget(&box.monitor.lock);
	close_and_forget(&box.monitor.container_dir);
	if (client < 0)
		return 0;
	return attach_client(plan, client);
}
