/* Forwarding of published ports. See forward.h.
 *
 * Listening sockets are made in the host's namespace and keep it. The rest of this process lives
 * in the container's, where it makes the other half of each connection (forward_container.c): one
 * process is woken for a request and one for its answer, and no packet crosses an interface. */
#include "forward.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "datagram.h"
#include "dual_stack.h"
#include "idle.h"
#include "numbers.h"
#include "syscalls.h"

#define LISTENERS 2048
#define BUSY_MS 1000

struct listener {
	enum forward_kind kind;
	int fd;
	uint16_t port; /* of the container */
};

static struct listener listeners[LISTENERS];
static size_t listener_count;
static int epoll = -1;
static int spare = -1; /* a descriptor to give up when there is none left */

static int open_port(const struct record *record, unsigned int offset, struct failure *why)
{
	bool is_tcp = strcmp(record->argv[0], "tcp") == 0;
	uint16_t port = (uint16_t)(number_of(record->argv[2]) + offset);
	struct listener *listener = &listeners[listener_count];
	struct ip_address address;
	bool anywhere = record->argv[1][0] == '\0';
	const int on = 1;
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
	/* Accepted sockets have it from the listening one. */
	if (is_tcp)
		(void)setsockopt(listener->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
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

bool forward_is_needed(void)
{
	return listener_count > 0;
}

bool forward_watch(int fd, uint32_t events, void *owner)
{
	struct epoll_event event = { .events = events, .data.ptr = owner };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool forward_watch_again(int fd, uint32_t events, void *owner)
{
	struct epoll_event event = { .events = events, .data.ptr = owner };

	return epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) == 0;
}

/* Without a descriptor the client would wait in the queue, and epoll report it without end. */
static void turn_away(int listener)
{
	close_and_forget(&spare);
	close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* One at a time: epoll tells of the next one together with what else is waiting. */
static void accept_client(const struct listener *listener)
{
	struct sockaddr_in6 name = { .sin6_family = AF_UNSPEC };
	socklen_t size = sizeof(name);
	int client = accept4(listener->fd, (struct sockaddr *)&name, &size,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);

	dual_widen(&name);
	if (client >= 0)
		connection_start(client, &name, listener->port);
	else if (errno == EMFILE || errno == ENFILE)
		turn_away(listener->fd);
}

static void handle(void *owner, uint32_t events)
{
	const struct listener *listener = owner;

	switch (listener->kind) {
	case KIND_TCP: accept_client(listener); break;
	case KIND_UDP: flow_datagrams(listener->fd, listener->port); break;
	case KIND_CONNECTION: connection_event(owner, events); break;
	case KIND_FLOW: flow_answers(owner); break;
	case KIND_END: _exit(0);
	}
}

static void prepare(const char *net_dir, const char *id, int monitor, int alive)
{
	static struct listener end = { .kind = KIND_END };
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	forward_find(net_dir, id);
	spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0 || (monitor >= 0 && !forward_watch(monitor, EPOLLIN, &end)) ||
	    !forward_watch(alive, 0, &end)) /* its error is the end of the hub */
		_exit(1);
	for (size_t i = 0; i < listener_count; i++)
		if (!forward_watch(listeners[i].fd, EPOLLIN, &listeners[i]))
			_exit(1);
}

_Noreturn void forward_serve(const char *net_dir, const char *id, int monitor, int alive)
{
	struct epoll_event events[64];

	prepare(net_dir, id, monitor, alive);
	for (;;) {
		int patience = connections_patience();
		int count = epoll_wait(epoll, events, 64, patience < 0 ? BUSY_MS : patience);

		/* Only who sleeps long gives its pages back: to fetch them again costs more than a
		 * whole request. */
		if (count == 0 && patience < 0)
			count = idle_wait(epoll, events, 64, listener_count > 0 ? 30000 : -1);
		for (int i = 0; i < count; i++)
			handle(events[i].data.ptr, events[i].events);
		connections_turn(count == 0);
		flows_expire();
	}
}
