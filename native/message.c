/* Messages between our own processes. See message.h. */
#include "message.h"

#include <string.h>
#include <sys/socket.h>

#include "syscalls.h"

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int message_pair(int sockets[2], struct failure *why)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return fail(why, "socketpair", "");
	return 0;
}

int message_send(int socket, const struct message *message, int fd)
{
	struct iovec bytes = { (void *)(uintptr_t)message, sizeof(*message) };
	union control control = { 0 };
	struct msghdr header = { .msg_iov = &bytes, .msg_iovlen = 1 };
	ssize_t sent;

	if (fd >= 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
		header.msg_control = &control;
		header.msg_controllen = sizeof(control.bytes);
	}
	do {
		sent = sendmsg(socket, &header, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	/* A container's system call filter may know write(2) only, and a failure after it is
	 * loaded must not be mistaken for success. */
	if (sent < 0 && fd < 0 && (errno == EPERM || errno == ENOSYS || errno == EACCES))
		sent = write(socket, message, sizeof(*message));
	return sent == (ssize_t)sizeof(*message) ? 0 : -1;
}

int message_send_kind(int socket, enum message_kind kind)
{
	struct message message = { .kind = kind };

	return message_send(socket, &message, -1);
}

int message_send_failure(int socket, const struct failure *why)
{
	struct message message = { .kind = MESSAGE_FAILED, .failure = *why };

	return message_send(socket, &message, -1);
}

static int received_descriptor(struct msghdr *header)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(header);
	int fd = -1;

	if (control != NULL && control->cmsg_level == SOL_SOCKET &&
	    control->cmsg_type == SCM_RIGHTS && control->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(control), sizeof(int));
	return fd;
}

int message_receive(int socket, struct message *message, int *fd)
{
	struct iovec bytes = { message, sizeof(*message) };
	union control control = { 0 };
	struct msghdr header = { .msg_iov = &bytes, .msg_iovlen = 1,
				 .msg_control = &control, .msg_controllen = sizeof(control.bytes) };
	int descriptor;
	int was_reset = 0;
	ssize_t got;

	/* A peer that ended with a message of ours unread resets the pair once; what it had
	 * sent before, as a rule why it failed, comes after that. */
	do {
		got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	} while (got < 0 && (errno == EINTR || (errno == ECONNRESET && !was_reset++)));
	if (got <= 0)
		return (int)got;
	descriptor = received_descriptor(&header);
	if (fd != NULL)
		*fd = descriptor;
	else
		close_descriptor(&descriptor);
	if (got != (ssize_t)sizeof(*message) || (fd == NULL && descriptor >= 0)) {
		errno = EBADMSG;
		return -1;
	}
	return 1;
}

int message_await(int socket, enum message_kind kind, const char *step, struct failure *why)
{
	struct message message;
	int got = message_receive(socket, &message, NULL);

	if (got < 0)
		return fail(why, step, "receive");
	if (got == 0)
		return fail_errno(why, step, "the other process ended", ECHILD);
	if (message.kind == MESSAGE_FAILED) {
		*why = message.failure;
		return -1;
	}
	if (message.kind != kind)
		return fail_errno(why, step, "unexpected message", EPROTO);
	return 0;
}
