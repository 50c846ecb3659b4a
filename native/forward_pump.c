/* The bytes of a forwarded connection. See forward_pump.h.
 *
 * What is small goes through a buffer, at once. More of it, and what the other side does not take
 * yet, goes through a pipe by splice(2). Both bound what is held. Descriptors are watched edge
 * triggered: each event pumps until nothing moves. */
#include "forward_pump.h"

#include <poll.h>
#include <sys/socket.h>

#include "syscalls.h"

#define CHUNK 1048576
#define BULK 65536
#define TURN (4 << 20) /* then it is somebody else's */
/* Large pipes take a third less processor time. What they hold counts for the user, whose other
 * programs get small ones beyond 64 MB of all (pipe-user-pages-soft, pipe(7)). */
#define LARGE_MOST 8

static unsigned int large_count;

static bool wait_for_room(struct end *end)
{
	if (end->waits)
		return true;
	end->waits = true;
	return forward_watch_again(end->fd, EVENTS | EPOLLOUT, end) ||
	       errno == ENOENT; /* not yet watched: connection_start does */
}

static bool make_pipe(struct half *half)
{
	return half->pipe[0] >= 0 || pipe2(half->pipe, O_CLOEXEC | O_NONBLOCK) == 0;
}

static void grow_pipe(struct half *half)
{
	if (half->large || large_count == LARGE_MOST)
		return;
	half->large = fcntl(half->pipe[0], F_SETPIPE_SZ, CHUNK) > 0;
	large_count += half->large;
}

void close_pipe(struct half *half)
{
	close_and_forget(&half->pipe[0]);
	close_and_forget(&half->pipe[1]);
	large_count -= half->large;
	half->large = false;
}

static enum progress stuck_or_broken(void)
{
	return errno == EAGAIN ? STUCK : BROKEN;
}

enum progress pass_on(struct connection *connection, size_t from, const char *bytes,
		      size_t size, int flags)
{
	struct half *half = &connection->half[from];
	ssize_t sent = send(connection->end[1 - from].fd, bytes, size, MSG_NOSIGNAL | flags);

	if (sent < 0 && errno != EAGAIN)
		return BROKEN;
	half->held = size - (sent < 0 ? 0 : (size_t)sent);
	if (half->held == 0)
		return MOVED;
	return make_pipe(half) && write(half->pipe[1], bytes + size - half->held, half->held) ==
					  (ssize_t)half->held
		       ? MOVED
		       : BROKEN;
}

/* By the buffer. If the end is known to follow it goes in one packet with the last bytes. */
static enum progress copy_small(struct connection *connection, size_t from, enum rest rest,
				size_t *moved)
{
	static char buffer[SMALL];
	ssize_t got = recv(connection->end[from].fd, buffer, sizeof(buffer), 0);

	if (got < 0)
		return stuck_or_broken();
	*moved = (size_t)got;
	connection->half[from].ended = got == 0;
	if (from == 1)
		connection->connected = true;
	return got == 0 ? MOVED
			: pass_on(connection, from, buffer, (size_t)got,
				  rest == REST_ENDS ? MSG_MORE : 0);
}

static enum progress fill_pipe(struct connection *connection, size_t from, size_t *moved)
{
	struct half *half = &connection->half[from];
	ssize_t got = splice(connection->end[from].fd, NULL, half->pipe[1], NULL, CHUNK,
			     SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (got < 0)
		return stuck_or_broken();
	*moved = (size_t)got;
	half->ended = got == 0;
	half->held = (size_t)got;
	if (got >= BULK)
		grow_pipe(half);
	return MOVED;
}

static enum progress drain_pipe(struct connection *connection, size_t from)
{
	struct half *half = &connection->half[from];
	ssize_t put;

	while (half->held > 0) {
		put = splice(half->pipe[0], NULL, connection->end[1 - from].fd, NULL, half->held,
			     SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (put < 0 && errno == EAGAIN)
			return wait_for_room(&connection->end[1 - from]) ? STUCK : BROKEN;
		if (put <= 0)
			return BROKEN;
		half->held -= (size_t)put;
	}
	return MOVED;
}

/* shutdown(2) of a connection that is still being made would be its end. */
static bool is_connected(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLOUT };

	return poll(&polled, 1, 0) != 0;
}

static enum progress pass_end_on(struct connection *connection, size_t from)
{
	struct half *half = &connection->half[from];

	if (half->shut)
		return STUCK;
	if (!connection->connected && !is_connected(connection->end[1].fd))
		return wait_for_room(&connection->end[1]) ? STUCK : BROKEN;
	half->shut = true;
	/* The second end is the end of all. */
	if (!connection->half[1 - from].shut)
		(void)shutdown(connection->end[1 - from].fd, SHUT_WR);
	return STUCK;
}

enum progress pump(struct connection *connection, size_t from, enum rest rest)
{
	struct half *half = &connection->half[from];
	size_t left = TURN;

	while (left > 0) {
		size_t moved = 0;
		enum progress progress = drain_pipe(connection, from);

		if (progress != MOVED)
			return progress;
		if (half->ended)
			return pass_end_on(connection, from);
		progress = half->pipe[0] < 0
				   ? copy_small(connection, from, rest, &moved)
				   : fill_pipe(connection, from, &moved);
		if (progress != MOVED)
			return progress;
		if (half->pipe[0] < 0 && moved == SMALL && !make_pipe(half))
			return BROKEN;
		if (half->pipe[0] < 0 && moved < SMALL && !half->ended && rest == REST_TOLD)
			return STUCK;
		left -= moved < left ? moved : left;
	}
	return MOVED;
}
