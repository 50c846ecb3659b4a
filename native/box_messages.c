/* What the monitor answers while the container process carries out its steps. */
#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "box.h"
#include "fuse_root.h"
#include "message.h"
#include "syscalls.h"

static int serve_fuse(struct box *box, int fd, struct failure *why)
{
	int result = fuse_root_serve(box->plan, fd, why);

	close(fd);
	if (result == 0 && message_send_kind(box->sync, MESSAGE_GO) < 0)
		result = fail(why, "container", "send");
	return result;
}

/* Main starts the network process: it has to be the plain user's. See network_process.c.
 * For a container that runs again main is gone, and the network is the one it had. */
static int ask_for_network(struct box *box, struct failure *why)
{
	struct message message = { .kind = MESSAGE_PID, .pid = box->monitor.child };

	if (box->main_socket < 0) {
		if (kill(box->monitor.network, 0) < 0)
			return fail(why, "network-process", "has ended");
		if (message_send_kind(box->sync, MESSAGE_GO) < 0)
			return fail(why, "container", "send");
		return 0;
	}
	if (message_send(box->main_socket, &message, -1) < 0)
		return fail(why, "monitor", "send");
	return 0;
}

/* One message of the container process. 1 = go on, 0 = it runs its program, -1 = failed. */
static int handle_container(struct box *box, struct failure *why)
{
	struct message message;
	int fd = -1;
	int got = message_receive(box->sync, &message, &fd);

	if (got <= 0)
		return got == 0 ? 0 : fail(why, "container", "receive");
	if (message.kind == MESSAGE_FAILED) {
		*why = message.failure;
		return -1;
	}
	if (message.kind == MESSAGE_STAGED)
		return ask_for_network(box, why) < 0 ? -1 : 1;
	if (message.kind == MESSAGE_TERMINAL && fd >= 0 && box->monitor.terminal < 0) {
		box->monitor.terminal = fd;
		return 1;
	}
	if (message.kind == MESSAGE_FUSE && fd >= 0)
		return serve_fuse(box, fd, why) < 0 ? -1 : 1;
	close_descriptor(&fd);
	return fail_errno(why, "container", "unexpected message", EPROTO);
}

/* The network is ready, or failed, or main is gone: then nobody waits for this container. */
static int handle_main(struct box *box, struct failure *why)
{
	struct message message;
	int got = message_receive(box->main_socket, &message, NULL);

	if (got <= 0)
		return fail_errno(why, "monitor", "the caller ended", ECANCELED);
	if (message.kind == MESSAGE_FAILED) {
		*why = message.failure;
		return -1;
	}
	box->monitor.network = message.pid;
	if (message_send_kind(box->sync, MESSAGE_GO) < 0)
		return fail(why, "container", "send");
	return 0;
}

int box_wait_for_exec(struct box *box, struct failure *why)
{
	for (;;) {
		struct pollfd polled[2] = {
			{ .fd = box->sync, .events = POLLIN },
			{ .fd = box->main_socket, .events = POLLIN },
		};

		if (poll(polled, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return fail(why, "poll", "");
		}
		if (polled[0].revents != 0) {
			int got = handle_container(box, why);

			if (got <= 0)
				return got;
		} else if (polled[1].revents != 0 && handle_main(box, why) < 0) {
			return -1;
		}
	}
}
