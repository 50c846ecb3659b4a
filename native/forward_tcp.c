/* Forwarding of TCP: the life of a connection. See forward.h.
 *
 * A request mostly lies ready when its connection is accepted, and the connection to the container
 * stands when connect(2) returns: it is passed on at once. What nobody waits for, closing and
 * preparing the next socket, is done while a client reads its answer. */
#include <stdlib.h>
#include <sys/socket.h>

#include "forward_pump.h"
#include "syscalls.h"

#define SOON_MS 1
#define FINISHED_MOST 64

static struct connection *busy; /* there is more to move, but others have their turn first */
static struct connection *finished; /* to be closed when nobody waits for us */
static unsigned int finished_count;
static bool answered; /* some client, who has something else to do now */

static void put_off(struct connection *connection)
{
	if (connection->queued)
		return;
	connection->queued = true;
	connection->next = busy;
	busy = connection;
}

static void finish(struct connection *connection)
{
	connection->next = finished;
	finished = connection;
	finished_count++;
}

static void end_connection(struct connection *connection)
{
	connection->over = true;
	if (!connection->queued)
		finish(connection);
}

static void close_connection(struct connection *connection)
{
	for (size_t i = 0; i < 2; i++) {
		close_descriptor(&connection->end[i].fd);
		close_pipe(&connection->half[i]);
	}
	free(connection);
}

/* A broken connection is told as such: a silent end would be taken for a whole answer. */
static void reset_connection(struct connection *connection)
{
	const struct linger reset = { .l_onoff = 1 };

	for (size_t i = 0; i < 2; i++)
		(void)setsockopt(connection->end[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	end_connection(connection);
}

static bool watch(struct end *end)
{
	const uint32_t events = EVENTS;

	return forward_watch(end->fd, end->waits ? events | EPOLLOUT : events, end);
}

static void proceed(struct connection *connection, size_t end, uint32_t events)
{
	const uint32_t gone = EPOLLHUP | EPOLLERR;
	const uint32_t which = events & (EPOLLRDHUP | EPOLLERR);
	enum progress in = STUCK;
	enum progress out = STUCK;

	/* What comes before a reset must not wait for it. */
	if (which == EPOLLRDHUP)
		in = pump(connection, end, REST_ENDS);
	else if ((events & (EPOLLIN | EPOLLPRI | gone)) != 0)
		in = pump(connection, end,
			  (events & (EPOLLPRI | gone)) == 0 ? REST_TOLD : REST_UNKNOWN);
	if ((events & (EPOLLOUT | gone)) != 0)
		out = pump(connection, 1 - end, REST_UNKNOWN);
	answered = answered || end == 1;
	if (in == BROKEN || out == BROKEN || (events & EPOLLERR) != 0)
		reset_connection(connection);
	else if (connection->half[0].shut && connection->half[1].shut)
		end_connection(connection);
	else if (in == MOVED || out == MOVED)
		put_off(connection);
}

void connection_event(void *owner, uint32_t events)
{
	struct end *end = owner;

	if (!end->connection->over)
		proceed(end->connection, (size_t)(end - end->connection->end), events);
}

/* The request mostly has come with the connection. Then the container's side need not acknowledge
 * that it is connected before it sends it: one packet less, and the program is woken once. */
static enum progress reach_container(struct connection *connection, const struct sockaddr_in6 *name,
				     uint16_t port)
{
	char buffer[SMALL];
	ssize_t got = recv(connection->end[0].fd, buffer, sizeof(buffer), 0);

	if (got < 0 && errno != EAGAIN)
		return BROKEN;
	connection->end[1].fd = forward_connect(name, port, got > 0);
	if (connection->end[1].fd < 0)
		return BROKEN;
	connection->half[0].ended = got == 0;
	return got > 0 ? pass_on(connection, 0, buffer, (size_t)got, 0) : MOVED;
}

void connection_start(int client, const struct sockaddr_in6 *name, uint16_t port)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL) {
		close(client);
		return;
	}
	*connection = (struct connection){
		.end = { { KIND_CONNECTION, client, false, connection },
			 { KIND_CONNECTION, -1, false, connection } },
		.half = { { .pipe = { -1, -1 } }, { .pipe = { -1, -1 } } },
	};
	if (reach_container(connection, name, port) == BROKEN ||
	    ((connection->half[0].held > 0 || connection->half[0].ended) &&
	     pump(connection, 0, REST_UNKNOWN) == BROKEN) ||
	    !watch(&connection->end[0]) || !watch(&connection->end[1]))
		reset_connection(connection);
}

int connections_patience(void)
{
	if (busy != NULL)
		return 0;
	return finished != NULL ? SOON_MS : -1;
}

static void close_finished(void)
{
	while (finished != NULL) {
		struct connection *next = finished->next;

		close_connection(finished);
		finished = next;
	}
	finished_count = 0;
}

void connections_turn(bool idle)
{
	struct connection *connection = busy;

	busy = NULL;
	while (connection != NULL) {
		struct connection *next = connection->next;

		connection->queued = false;
		if (connection->over)
			finish(connection);
		else
			proceed(connection, 0, EPOLLIN | EPOLLOUT);
		connection = next;
	}
	if (answered)
		forward_prepare();
	if (idle || answered || finished_count > FINISHED_MOST)
		close_finished();
	answered = false;
}
