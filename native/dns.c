/* Names over UDP. See dns.h.
 *
 * Name servers are asked through sockets that were made in the host's network namespace, so also
 * those that listen on its loopback only (systemd-resolved, dnsmasq), and with its routes as they
 * are. Each question has a socket of its own for as long as it waits, with a port that the kernel
 * chooses anew: disconnected it loses it (udp(7), AF_UNSPEC). */
#include "dns.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "datagram.h"
#include "dual_stack.h"
#include "lease.h"
#include "process.h"
#include "syscalls.h"

#define WAITING 48
#define SERVERS 8

static const char *directory_of_networks;
static unsigned int preferred; /* which of the host's servers: the next after one was silent */
static int listener = -1;

static struct waiting {
	int fd;
	bool waits;
	time_t since;
	struct asker asker;
} waiting[WAITING];

int dns_prepare(void)
{
	const int off = 0;

	for (size_t i = 0; i < WAITING; i++) {
		int fd = dual_socket(SOCK_DGRAM);

		if (fd < 0 || (!dual_is_ipv4() && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off,
							     sizeof(off)) < 0))
			return -1;
		waiting[i].fd = fd;
	}
	return dns_stream_prepare();
}

int dns_open(const char *net_dir)
{
	directory_of_networks = net_dir;
	listener = socket_listen(SOCK_DGRAM, NULL, 53);
	return listener < 0 ? -1 : dns_stream_open(net_dir);
}

bool dns_server(const char *upstream, struct ip_address *server)
{
	char text[LEASE_BYTES];
	char found[64];
	const char *line = NULL;
	struct ip_address servers[SERVERS];
	size_t count = 0;

	if (upstream[0] != '\0')
		return ip_parse(upstream, server);
	/* Read each time, for it may change. */
	if (read_small_file(AT_FDCWD, "/etc/resolv.conf", text, sizeof(text)) <= 0)
		return false;
	for (char *tab = text; (tab = strchr(tab, '\t')) != NULL;)
		*tab = ' ';
	while (count < SERVERS &&
	       (line = lease_value(text, "nameserver", line, found, sizeof(found))) != NULL)
		if (ip_parse(found, &servers[count]))
			count++;
	if (count > 0)
		*server = servers[preferred % count];
	return count > 0;
}

static void stop_waiting(struct waiting *place)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	char late[1];

	place->waits = false;
	(void)connect(place->fd, &nobody, sizeof(nobody));
	while (recv(place->fd, late, sizeof(late), 0) >= 0)
		;
}

static struct waiting *free_place(void)
{
	struct waiting *oldest = &waiting[0];

	for (size_t i = 0; i < WAITING; i++) {
		if (!waiting[i].waits)
			return &waiting[i];
		if (waiting[i].since < oldest->since)
			oldest = &waiting[i];
	}
	stop_waiting(oldest);
	return oldest;
}

static bool pass_on(const struct asker *asker, const char *upstream,
		    const struct dns_question *question)
{
	struct waiting *place = free_place();
	struct ip_address server;
	struct sockaddr_in6 name;

	if (!dns_server(upstream, &server))
		return false;
	name = address_mapped(&server, 53);
	if (dual_connect(place->fd, &name) < 0 ||
	    send(place->fd, question->packet, question->size, 0) < 0) {
		stop_waiting(place);
		return false;
	}
	place->waits = true;
	place->since = time(NULL);
	place->asker = *asker;
	return true;
}

static void take_question(void)
{
	uint8_t packet[DNS_PACKET];
	char upstream[64];
	struct asker asker;
	ssize_t size = datagram_receive(listener, &asker, packet, DNS_QUESTION);
	struct dns_question question = { .packet = packet, .size = size < 0 ? 0 : (size_t)size };
	ssize_t answered;

	question.asker = address_unmapped(&asker.address.sin6_addr);
	answered = dns_answer(directory_of_networks, &question, upstream);
	if (answered < 0 || (answered == 0 && pass_on(&asker, upstream, &question)))
		return;
	datagram_reply(listener, &asker, packet,
		       answered > 0 ? (size_t)answered : dns_failure(&question));
}

/* The socket is connected: this is from the server that was asked. */
static void take_answer(struct waiting *place)
{
	uint8_t packet[DNS_PACKET];
	ssize_t size = recv(place->fd, packet, sizeof(packet), 0);

	if (size > 0)
		datagram_reply(listener, &place->asker, packet, (size_t)size);
	else
		preferred++; /* nobody listens there */
	stop_waiting(place);
}

size_t dns_polled(struct pollfd *polled, size_t most)
{
	time_t now = time(NULL);
	size_t count = 0;

	polled[count++] = (struct pollfd){ .fd = listener, .events = POLLIN };
	for (size_t i = 0; i < WAITING && count < most; i++) {
		if (waiting[i].waits && now - waiting[i].since > DNS_PATIENCE_S) {
			stop_waiting(&waiting[i]);
			preferred++;
		}
		if (waiting[i].waits)
			polled[count++] = (struct pollfd){ .fd = waiting[i].fd, .events = POLLIN };
	}
	return count + dns_stream_polled(polled + count, most - count);
}

void dns_serve(const struct pollfd *polled, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (polled[i].revents == 0)
			continue;
		if (polled[i].fd == listener)
			take_question();
		for (size_t j = 0; j < WAITING; j++)
			if (waiting[j].waits && waiting[j].fd == polled[i].fd)
				take_answer(&waiting[j]);
	}
	dns_stream_serve(polled, count);
}
