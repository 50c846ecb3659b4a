/* Names over TCP, for answers that are too long for UDP: RFC 7766. See dns.h.
 *
 * Few at a time; each goes through its states alone. The sockets towards name servers were made in
 * the host's network namespace, and are used again: connect(2) with AF_UNSPEC makes them new. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "datagram.h"
#include "dns.h"
#include "dual_stack.h"
#include "syscalls.h"

#define STREAMS 8
#define LENGTH 2 /* bytes before each message: how long it is */
#define MESSAGE (LENGTH + 65535)

enum state { FREE, READING, CONNECTING, ASKING, WRITING };

static const char *directory_of_networks;
static int listener = -1;

static struct stream {
	enum state state;
	int client;
	int servers[2]; /* IPv4, IPv6 */
	int server;     /* the one of them in use */
	time_t since;
	size_t moved; /* bytes of the message read, or written */
	uint8_t bytes[MESSAGE];
} streams[STREAMS];

int dns_stream_prepare(void)
{
	for (size_t i = 0; i < STREAMS; i++) {
		streams[i].servers[0] =
			socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		streams[i].servers[1] =
			socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (streams[i].servers[0] < 0)
			return -1;
	}
	return 0;
}

int dns_stream_open(const char *net_dir)
{
	directory_of_networks = net_dir;
	listener = socket_listen(SOCK_STREAM, NULL, 53);
	return listener < 0 ? -1 : 0;
}

static size_t message_size(const struct stream *stream)
{
	return LENGTH + ((size_t)stream->bytes[0] << 8) + stream->bytes[1];
}

static void set_size(struct stream *stream, size_t size)
{
	stream->bytes[0] = (uint8_t)(size >> 8);
	stream->bytes[1] = (uint8_t)size;
}

static void become(struct stream *stream, enum state state)
{
	stream->state = state;
	stream->moved = 0;
	stream->since = time(NULL);
}

static void leave_server(struct stream *stream)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	(void)connect(stream->server, &nobody, sizeof(nobody));
}

static void end(struct stream *stream)
{
	if (stream->state == CONNECTING || stream->state == ASKING)
		leave_server(stream);
	close_and_forget(&stream->client);
	stream->state = FREE;
}

/* More of the message. 1 = whole, 0 = not yet, -1 = it will not come. */
static int read_more(struct stream *stream, int fd)
{
	for (;;) {
		size_t wanted = stream->moved < LENGTH ? LENGTH : message_size(stream);
		ssize_t got;

		if (stream->moved >= LENGTH && stream->moved == wanted)
			return wanted > LENGTH ? 1 : -1;
		got = recv(fd, stream->bytes + stream->moved, wanted - stream->moved, 0);
		if (got <= 0)
			return got < 0 && errno == EAGAIN ? 0 : -1;
		stream->moved += (size_t)got;
	}
}

static bool ask(struct stream *stream, const char *upstream)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(53) };
	struct ip_address server;
	struct sockaddr_in6 v6;
	int result;

	if (!dns_server(upstream, &server))
		return false;
	v6 = address_mapped(&server, 53);
	memcpy(&v4.sin_addr, server.bytes, 4);
	stream->server = stream->servers[server.family == AF_INET6];
	result = server.family == AF_INET6
			 ? connect(stream->server, (struct sockaddr *)&v6, sizeof(v6))
			 : connect(stream->server, (struct sockaddr *)&v4, sizeof(v4));
	return result == 0 || errno == EINPROGRESS;
}

static struct dns_question question_of(struct stream *stream)
{
	struct dns_question question = { .packet = stream->bytes + LENGTH,
					 .size = message_size(stream) - LENGTH };
	struct sockaddr_in6 name = { .sin6_family = AF_INET6 };
	socklen_t size = sizeof(name);

	(void)getpeername(stream->client, (struct sockaddr *)&name, &size);
	dual_widen(&name);
	question.asker = address_unmapped(&name.sin6_addr);
	return question;
}

static void give_up(struct stream *stream)
{
	const struct dns_question question = question_of(stream);

	set_size(stream, dns_failure(&question));
	become(stream, WRITING);
}

static void handle_question(struct stream *stream)
{
	const struct dns_question question = question_of(stream);
	char upstream[64];
	ssize_t answered;

	if (question.size > DNS_QUESTION) {
		end(stream);
		return;
	}
	answered = dns_answer(directory_of_networks, &question, upstream);
	if (answered < 0) {
		end(stream);
	} else if (answered > 0) {
		set_size(stream, (size_t)answered);
		become(stream, WRITING);
	} else if (ask(stream, upstream)) {
		become(stream, CONNECTING);
	} else {
		leave_server(stream);
		give_up(stream);
	}
}

static void send_question(struct stream *stream)
{
	size_t size = message_size(stream);
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(stream->server, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0 &&
	    send(stream->server, stream->bytes, size, MSG_NOSIGNAL) == (ssize_t)size) {
		become(stream, ASKING);
		return;
	}
	leave_server(stream);
	give_up(stream);
}

static void write_answer(struct stream *stream)
{
	size_t size = message_size(stream);
	ssize_t sent = send(stream->client, stream->bytes + stream->moved, size - stream->moved,
			    MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN) {
		end(stream);
		return;
	}
	stream->moved += sent > 0 ? (size_t)sent : 0;
	/* The next question may be on its way: the C library asks for both families at once. */
	if (stream->moved == size)
		become(stream, READING);
}

static void go_on(struct stream *stream)
{
	int got;

	switch (stream->state) {
	case READING:
		got = read_more(stream, stream->client);
		if (got < 0)
			end(stream);
		else if (got > 0)
			handle_question(stream);
		break;
	case CONNECTING: send_question(stream); break;
	case ASKING:
		got = read_more(stream, stream->server);
		if (got < 0) {
			end(stream);
		} else if (got > 0) {
			leave_server(stream);
			become(stream, WRITING);
		}
		break;
	case WRITING: write_answer(stream); break;
	case FREE: break;
	}
}

static void accept_client(void)
{
	for (size_t i = 0; i < STREAMS; i++) {
		if (streams[i].state != FREE)
			continue;
		streams[i].client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (streams[i].client >= 0)
			become(&streams[i], READING);
		return;
	}
}

size_t dns_stream_polled(struct pollfd *polled, size_t most)
{
	time_t now = time(NULL);
	size_t count = 0;
	bool room = false;

	for (size_t i = 0; i < STREAMS; i++) {
		struct stream *stream = &streams[i];
		bool writes = stream->state == CONNECTING || stream->state == WRITING;
		bool asks = stream->state == CONNECTING || stream->state == ASKING;

		if (stream->state != FREE && now - stream->since > DNS_PATIENCE_S)
			end(stream);
		room |= stream->state == FREE;
		if (stream->state != FREE && count < most)
			polled[count++] = (struct pollfd){
				.fd = asks ? stream->server : stream->client,
				.events = writes ? POLLOUT : POLLIN,
			};
	}
	/* Who comes while all are busy waits in the kernel's queue. */
	if (room && count < most)
		polled[count++] = (struct pollfd){ .fd = listener, .events = POLLIN };
	return count;
}

void dns_stream_serve(const struct pollfd *polled, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (polled[i].revents == 0)
			continue;
		for (size_t j = 0; j < STREAMS; j++) {
			bool asks = streams[j].state == CONNECTING || streams[j].state == ASKING;
			int fd = asks ? streams[j].server : streams[j].client;

			if (streams[j].state != FREE && fd == polled[i].fd) {
				go_on(&streams[j]);
				break;
			}
		}
		if (polled[i].fd == listener)
			accept_client();
	}
}
