/* Messages between our own processes. See message.h. */
#include "message.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rights.h"

int message_pair(int sockets[2], struct failure *why)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return fail(why, "socketpair", "");
	return 0;
}

int message_send(int socket, const struct message *message, int fd)
{
	ssize_t sent;

	do {
		sent = rights_send(socket, message, sizeof(*message), &fd, fd >= 0 ? 1 : 0, MSG_NOSIGNAL);
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

int message_receive(int socket, struct message *message, int *fd)
{
	int fds[RIGHTS_MAX] = { -1, -1 };
	size_t count;
	int was_reset = 0;
	ssize_t got;

	/* A peer that ended with a message of ours unread resets the pair once; what it had
	 * sent before, as a rule why it failed, comes after that. */
	do {
		got = rights_receive(socket, message, sizeof(*message), fds, &count, 0);
	} while (got < 0 && (errno == EINTR || (errno == ECONNRESET && !was_reset++)));
	if (got <= 0)
		return (int)got;
	if (got != (ssize_t)sizeof(*message) || count > (fd == NULL ? 0u : 1u)) {
		while (count > 0)
			close(fds[--count]);
		errno = EBADMSG;
		return -1;
	}
	if (fd != NULL)
		*fd = fds[0];
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
