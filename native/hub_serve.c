/* The hub's life: names are answered until nobody is left. Who is there is known from a FIFO; see hub.c. */
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

#include "dns.h"
#include "hub.h"
#include "lease.h"
#include "syscalls.h"
#include "uplink.h"

#define EXPECTED_MS 1000 /* so long a hub waits for the container it was made for */

/* Who is there, as the FIFO tells it. */
struct presence {
	int fifo;
	int64_t since;
	bool visited; /* somebody has come; until then the end of a writer means nothing */
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Who comes writes a byte, under the lock. */
static bool has_visitor(int fifo)
{
	char bytes[64];
	bool visited = false;

	while (read(fifo, bytes, sizeof(bytes)) > 0)
		visited = true;
	return visited;
}

/* Nobody is left, and nobody is about to come: who comes holds the lock until he is there. */
static bool is_deserted(struct presence *presence, const char *net_dir)
{
	struct pollfd polled = { .fd = presence->fifo, .events = POLLIN };
	int lock = net_open(net_dir, "lock", O_RDWR | O_CREAT);

	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0) {
		close_descriptor(&lock);
		(void)usleep(20000);
		return false;
	}
	presence->visited |= has_visitor(presence->fifo);
	if (!presence->visited || (poll(&polled, 1, 0) == 1 && (polled.revents & POLLHUP) != 0))
		return true; /* the lock goes with us */
	close(lock);
	return false;
}

/* The hub may be made before the container that wants it: who only made it may go. */
static bool may_end(struct presence *presence, const char *net_dir, short events)
{
	int again;

	presence->visited |= (events & POLLIN) != 0 && has_visitor(presence->fifo);
	if (presence->visited)
		return (events & POLLHUP) != 0 && is_deserted(presence, net_dir);
	if (now_ms() - presence->since > EXPECTED_MS)
		return is_deserted(presence, net_dir);
	if ((events & POLLHUP) != 0) {
		/* Opened anew it says so only when the next one has gone. */
		again = net_open(net_dir, "alive", O_RDONLY | O_NONBLOCK);
		if (again >= 0) {
			(void)dup3(again, presence->fifo, O_CLOEXEC);
			close(again);
		}
	}
	return false;
}

static bool look_further(const struct lease *lease, void *context)
{
	(void)lease;
	(void)context;
	return false;
}

/* The dead ones of those who have gone: a lease tells which addresses the default network has. */
static void sweep_leases(const char *net_dir)
{
	int leases = leases_open(net_dir);

	if (leases >= 0)
		(void)leases_each(leases, look_further, NULL);
	close_descriptor(&leases);
}

_Noreturn void hub_serve(const char *net_dir, int fifo)
{
	struct presence presence = { .fifo = fifo, .since = now_ms() };

	for (;;) {
		struct pollfd polled[128] = { { .fd = fifo, .events = POLLIN } };
		size_t count = 1 + dns_polled(polled + 1, 127);
		/* Besides the FIFO and the two sockets that listen: something is waited for. */
		bool hurries = count > 3 || !presence.visited;

		if (poll(polled, count, hurries ? 250 : -1) < 0 && errno != EINTR)
			break;
		dns_serve(polled + 1, count - 1);
		if (may_end(&presence, net_dir, polled[0].revents))
			break;
	}
	sweep_leases(net_dir);
	uplink_end(net_dir);
	_exit(0);
}
