/* Forwarding of published ports. See forward.h.
 *
 * Listening sockets are made in the host's namespace and keep it; connections to the container are
 * made in the shared one. There we are root, so a connection may come from the client's own
 * address (IP_TRANSPARENT), which is what the container then sees. A client on the host's loopback
 * has no such address, and comes from the bridge's. Bytes go through pipes by splice(2), without
 * being looked at. Everything is edge triggered: each event pumps until nothing moves. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "datagram.h"
#include "forward.h"
#include "idle.h"
#include "lease.h"
#include "numbers.h"
#include "process.h"
#include "syscalls.h"

#define LISTENERS 2048
#define CHUNK 65536
#define BUSY_MS 1000

enum kind { KIND_END, KIND_TCP, KIND_UDP, KIND_CONNECTION, KIND_FLOW };

/* What an epoll event belongs to; the first member of each owner. */
struct listener {
	enum kind kind;
	int fd;
	uint16_t port; /* of the container */
};

struct half {
	int pipe[2];
	size_t held;
	bool ended; /* nothing more to read */
	bool shut;  /* and the other side has been told */
};

struct connection {
	enum kind kind;
	int fd[2]; /* the client, the container */
	struct half half[2]; /* from fd[i] to fd[1 - i] */
	bool connected;
	bool closed;
	struct connection *next; /* closed ones, to be freed after the events of this turn */
};

static struct listener listeners[LISTENERS];
static size_t listener_count;
static struct connection *closed;
static int epoll = -1;
static int leases = -1;
static const char *container;

static int open_port(const struct record *record, unsigned int offset, struct failure *why)
{
	bool is_tcp = strcmp(record->argv[0], "tcp") == 0;
	uint16_t port = (uint16_t)(number_of(record->argv[2]) + offset);
	struct listener *listener = &listeners[listener_count];
	struct ip_address address;
	bool anywhere = record->argv[1][0] == '\0';
	char text[64];

	(void)snprintf(text, sizeof(text), "%u/%s", port, record->argv[0]);
	if (listener_count == LISTENERS)
		return fail_errno(why, "publish", "too many ports", E2BIG);
	if (!anywhere && !ip_parse(record->argv[1], &address))
		return fail_errno(why, "publish", record->argv[1], EINVAL);
	listener->kind = is_tcp ? KIND_TCP : KIND_UDP;
	listener->port = (uint16_t)(number_of(record->argv[3]) + offset);
	listener->fd = socket_listen(is_tcp ? SOCK_STREAM : SOCK_DGRAM,
				     anywhere ? NULL : &address, port);
	if (listener->fd < 0)
		return fail(why, "publish", text);
	listener_count++;
	return 0;
}

int forward_open(const struct plan *plan, struct failure *why)
{
	const struct record *record = NULL;

	while ((record = plan_next(plan, "publish", record)) != NULL)
		for (unsigned int i = 0; i < number_of(record->argv[4]); i++)
			if (open_port(record, i, why) < 0)
				return -1;
	return 0;
}

struct target {
	int family;
	struct ip_address address;
	char name[128]; /* of the lease: the lowest wins, that is the network named first */
};

static bool find_target(const struct lease *lease, void *context)
{
	struct target *target = context;
	struct ip_address address;

	if (strncmp(lease->name, container, strlen(container)) != 0 ||
	    !lease_address(lease->text, target->family, &address))
		return false;
	if (target->name[0] == '\0' || strcmp(lease->name, target->name) < 0) {
		target->address = address;
		(void)snprintf(target->name, sizeof(target->name), "%s", lease->name);
	}
	return false;
}

static bool look_up(int family, struct ip_address *address)
{
	struct target target = { .family = family };

	(void)leases_each(leases, find_target, &target);
	if (target.name[0] == '\0') {
		target.family = family == AF_INET ? AF_INET6 : AF_INET;
		(void)leases_each(leases, find_target, &target);
	}
	*address = target.address;
	return target.name[0] != '\0';
}

/* Networks come and go while the container runs: looked up anew when a lease has. */
static bool find_container(int family, struct ip_address *address)
{
	static struct {
		struct timespec changed;
		struct ip_address address;
		bool found;
	} known[2];
	size_t which = family == AF_INET6;
	struct stat status;

	if (fstat(leases, &status) < 0)
		return look_up(family, address);
	if (status.st_mtim.tv_sec != known[which].changed.tv_sec ||
	    status.st_mtim.tv_nsec != known[which].changed.tv_nsec) {
		known[which].changed = status.st_mtim;
		known[which].found = look_up(family, &known[which].address);
	}
	*address = known[which].address;
	return known[which].found;
}

static bool is_loopback(const struct ip_address *address)
{
	static const uint8_t one[16] = { [15] = 1 };

	return address->family == AF_INET ? address->bytes[0] == 127
					  : memcmp(address->bytes, one, 16) == 0;
}

static void take_address(int fd, const struct ip_address *client)
{
	struct sockaddr_in6 name = address_mapped(client, 0);
	const int on = 1;

	/* If it cannot be had the bridge's own will do: the connection matters more. */
	if (setsockopt(fd, SOL_IP, IP_TRANSPARENT, &on, sizeof(on)) == 0 &&
	    setsockopt(fd, SOL_IPV6, IPV6_TRANSPARENT, &on, sizeof(on)) == 0)
		(void)bind(fd, (struct sockaddr *)&name, sizeof(name));
}

int forward_connect(int type, const struct sockaddr_in6 *client, uint16_t port)
{
	struct ip_address from = address_unmapped(&client->sin6_addr);
	struct ip_address to;
	struct sockaddr_in6 name;
	int fd;

	if (!find_container(from.family, &to))
		return -1;
	fd = socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (from.family == to.family && !is_loopback(&from))
		take_address(fd, &from);
	name = address_mapped(&to, port);
	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0 && errno != EINPROGRESS)
		close_and_forget(&fd);
	return fd;
}

bool forward_add(int fd, uint32_t events, void *owner)
{
	struct epoll_event event = { .events = events, .data.ptr = owner };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void end_connection(struct connection *connection)
{
	const struct linger reset = { .l_onoff = 1 };

	if (connection->closed)
		return;
	connection->closed = true;
	/* A client of a container that does not listen is refused, not left with a silent end. */
	if (!connection->connected)
		(void)setsockopt(connection->fd[0], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	for (size_t i = 0; i < 2; i++) {
		close_descriptor(&connection->fd[i]);
		close_descriptor(&connection->half[i].pipe[0]);
		close_descriptor(&connection->half[i].pipe[1]);
	}
	connection->next = closed;
	closed = connection;
}

/* Returns false when the connection is broken. */
static bool pump(struct connection *connection, size_t from)
{
	struct half *half = &connection->half[from];
	ssize_t moved;

	for (;;) {
		if (half->held == 0 && !half->ended) {
			moved = splice(connection->fd[from], NULL, half->pipe[1], NULL, CHUNK,
				       SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
			if (moved < 0)
				return errno == EAGAIN;
			half->ended = moved == 0;
			half->held += (size_t)moved;
		}
		if (half->held > 0) {
			moved = splice(half->pipe[0], NULL, connection->fd[1 - from], NULL,
				       half->held, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
			if (moved <= 0)
				return moved < 0 && errno == EAGAIN;
			half->held -= (size_t)moved;
		}
		if (half->held == 0 && half->ended) {
			if (!half->shut)
				(void)shutdown(connection->fd[1 - from], SHUT_WR);
			half->shut = true;
			return true;
		}
	}
}

static void handle_connection(struct connection *connection, uint32_t events)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (connection->closed)
		return;
	if (!connection->connected) {
		struct pollfd polled = { .fd = connection->fd[1], .events = POLLOUT };

		if (poll(&polled, 1, 0) == 0)
			return;
		if (getsockopt(connection->fd[1], SOL_SOCKET, SO_ERROR, &error, &size) < 0 ||
		    error != 0) {
			end_connection(connection);
			return;
		}
		connection->connected = true;
	}
	if (!pump(connection, 0) || !pump(connection, 1) ||
	    (connection->half[0].shut && connection->half[1].shut) ||
	    ((events & EPOLLERR) != 0 && connection->half[0].ended && connection->half[1].ended))
		end_connection(connection);
}

static void forward_client(int client, const struct sockaddr_in6 *name, uint16_t port)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	const uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	const int on = 1;

	if (connection == NULL) {
		close(client);
		return;
	}
	*connection = (struct connection){ .kind = KIND_CONNECTION, .fd = { client, -1 },
					   .half = { { .pipe = { -1, -1 } }, { .pipe = { -1, -1 } } } };
	connection->fd[1] = forward_connect(SOCK_STREAM, name, port);
	if (connection->fd[1] < 0 ||
	    pipe2(connection->half[0].pipe, O_CLOEXEC | O_NONBLOCK) < 0 ||
	    pipe2(connection->half[1].pipe, O_CLOEXEC | O_NONBLOCK) < 0 ||
	    !forward_add(connection->fd[0], events, connection) ||
	    !forward_add(connection->fd[1], events, connection)) {
		end_connection(connection);
		return;
	}
	for (size_t i = 0; i < 2; i++)
		(void)setsockopt(connection->fd[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void accept_clients(const struct listener *listener)
{
	for (;;) {
		struct sockaddr_in6 name;
		socklen_t size = sizeof(name);
		int client = accept4(listener->fd, (struct sockaddr *)&name, &size,
				     SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (client < 0)
			return;
		forward_client(client, &name, listener->port);
	}
}

static void handle(void *owner, uint32_t events)
{
	const struct listener *listener = owner;

	switch (listener->kind) {
	case KIND_TCP: accept_clients(listener); break;
	case KIND_UDP: forward_datagrams(listener->fd, listener->port); break;
	case KIND_CONNECTION: handle_connection(owner, events); break;
	case KIND_FLOW: forward_answers(owner); break;
	case KIND_END: _exit(0);
	}
}

static void free_closed(void)
{
	while (closed != NULL) {
		struct connection *next = closed->next;

		free(closed);
		closed = next;
	}
}

_Noreturn void forward_serve(const char *net_dir, const char *id, int monitor, int alive)
{
	static struct listener end = { .kind = KIND_END };
	struct epoll_event events[64];
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	container = id;
	leases = leases_open(net_dir);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (leases < 0 || epoll < 0 || (monitor >= 0 && !forward_add(monitor, EPOLLIN, &end)) ||
	    !forward_add(alive, 0, &end)) /* its error is the end of the hub */
		_exit(1);
	for (size_t i = 0; i < listener_count; i++)
		if (!forward_add(listeners[i].fd, EPOLLIN, &listeners[i]))
			_exit(1);
	for (;;) {
		int count = epoll_wait(epoll, events, 64, BUSY_MS);

		/* Only who sleeps long gives its pages back: to fetch them again costs more than a
		 * whole request. */
		if (count == 0)
			count = idle_wait(epoll, events, 64, listener_count > 0 ? 30000 : -1);
		for (int i = 0; i < count; i++)
			handle(events[i].data.ptr, events[i].events);
		free_closed();
		forward_expire();
	}
}
