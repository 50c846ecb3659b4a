/* Forwarding of UDP: a socket towards the container for each client, until both were silent. */
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "datagram.h"
#include "forward.h"
#include "syscalls.h"

#define FLOWS 256
#define SILENCE_S 120
#define TURN 64 /* datagrams; then it is somebody else's */

struct flow {
	enum forward_kind kind;
	int fd; /* 0 = free */
	int listener;
	time_t last;
	struct asker client;
};

static struct flow flows[FLOWS];
static size_t flow_count;
static uint8_t datagram[65536];

static void end_flow(struct flow *flow)
{
	if (flow->fd <= 0)
		return;
	close(flow->fd);
	flow->fd = 0;
	flow_count--;
}

static struct flow *find_flow(int listener, const struct asker *asker)
{
	for (size_t i = 0; i < FLOWS; i++) {
		const struct sockaddr_in6 *known = &flows[i].client.address;

		if (flows[i].fd > 0 && flows[i].listener == listener &&
		    known->sin6_port == asker->address.sin6_port &&
		    memcmp(&known->sin6_addr, &asker->address.sin6_addr, 16) == 0)
			return &flows[i];
	}
	return NULL;
}

static struct flow *oldest_flow(void)
{
	struct flow *oldest = &flows[0];

	for (size_t i = 0; i < FLOWS; i++) {
		if (flows[i].fd == 0)
			return &flows[i];
		if (flows[i].last < oldest->last)
			oldest = &flows[i];
	}
	end_flow(oldest);
	return oldest;
}

static struct flow *make_flow(int listener, uint16_t port, const struct asker *asker)
{
	int fd = forward_connect_datagrams(&asker->address, port);
	struct flow *flow;

	if (fd < 0)
		return NULL;
	flow = oldest_flow();
	*flow = (struct flow){ KIND_FLOW, fd, listener, time(NULL), *asker };
	flow_count++;
	if (!forward_watch(fd, EPOLLIN, flow)) {
		end_flow(flow);
		return NULL;
	}
	return flow;
}

void flow_datagrams(int listener, uint16_t port)
{
	struct asker asker;
	ssize_t size;

	for (int i = 0; i < TURN; i++) {
		struct flow *flow;

		size = datagram_receive(listener, &asker, datagram, sizeof(datagram));
		if (size < 0)
			return;
		flow = find_flow(listener, &asker);
		if (flow == NULL)
			flow = make_flow(listener, port, &asker);
		if (flow == NULL)
			continue;
		flow->last = time(NULL);
		/* Refused: the container's program is gone; the next datagram tries anew. */
		if (send(flow->fd, datagram, (size_t)size, 0) < 0 && errno != EAGAIN)
			end_flow(flow);
	}
}

void flow_answers(void *owner)
{
	struct flow *flow = owner;
	ssize_t size;

	for (int i = 0; i < TURN && flow->fd > 0; i++) {
		size = recv(flow->fd, datagram, sizeof(datagram), 0);
		if (size < 0) {
			if (errno != EAGAIN)
				end_flow(flow);
			return;
		}
		flow->last = time(NULL);
		datagram_reply(flow->listener, &flow->client, datagram, (size_t)size);
	}
}

void flows_expire(void)
{
	static time_t looked;
	time_t now = time(NULL);

	if (flow_count == 0 || now == looked)
		return;
	looked = now;
	for (size_t i = 0; i < FLOWS; i++)
		if (flows[i].fd > 0 && now - flows[i].last > SILENCE_S)
			end_flow(&flows[i]);
}
