/* Measures a TCP port: both ends, so that host loopback and every engine are asked the same.
 *
 *   port serve PORT                    answers on every address, one client after the other
 *   port requests HOST PORT COUNT      new connection, request, answer, end; one client, one at a time
 *   port echo HOST PORT COUNT          one byte and its answer over one connection
 *   port out|in HOST PORT MEGABYTES    bytes from, to the server over one connection
 *
 * A client prints one line of figures: "requests" and "echo" the median in microseconds and how many
 * a second, "out" and "in" megabytes a second. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char ANSWER[] = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
static const char REQUEST[] = "GET / HTTP/1.0\r\nHost: bench\r\n\r\n";
static char block[262144];

static void check(int result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(1);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The client's first letter says what it wants: "GET", "echo", "out N", "in". */
static void answer(int client)
{
	ssize_t got = recv(client, block, sizeof(block), 0);
	uint32_t megabytes;

	switch (got > 0 ? block[0] : '\0') {
	case 'G':
		(void)send(client, ANSWER, sizeof(ANSWER) - 1, MSG_NOSIGNAL);
		break;
	case 'e':
		while (send(client, block, (size_t)got, MSG_NOSIGNAL) > 0 &&
		       (got = recv(client, block, sizeof(block), 0)) > 0)
			;
		break;
	case 'o':
		memcpy(&megabytes, block + 1, sizeof(megabytes));
		for (uint64_t left = (uint64_t)megabytes << 20; left > 0;) {
			size_t size = left < sizeof(block) ? (size_t)left : sizeof(block);
			ssize_t sent = send(client, block, size, MSG_NOSIGNAL);

			if (sent <= 0)
				break;
			left -= (uint64_t)sent;
		}
		break;
	case 'i':
		while (recv(client, block, sizeof(block), 0) > 0)
			;
		(void)send(client, "+", 1, MSG_NOSIGNAL);
		break;
	}
	close(client);
}

static _Noreturn void serve(uint16_t port)
{
	struct sockaddr_in6 name = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const int on = 1;
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	check(fd, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	check(bind(fd, (struct sockaddr *)&name, sizeof(name)), "bind");
	check(listen(fd, 1024), "listen");
	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (client < 0)
			continue;
		(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		answer(client);
	}
}

static int reach(const struct addrinfo *to)
{
	const int on = 1;
	int fd = socket(to->ai_family, SOCK_STREAM, 0);

	check(fd, "socket");
	check(connect(fd, to->ai_addr, to->ai_addrlen), "connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* Any HTTP server will do, as long as it says the same each time. */
static void request(const struct addrinfo *to)
{
	static size_t expected;
	int fd = reach(to);
	size_t total = 0;
	ssize_t got;

	check((int)send(fd, REQUEST, sizeof(REQUEST) - 1, 0), "send");
	while ((got = recv(fd, block, sizeof(block), 0)) > 0)
		total += (size_t)got;
	check((int)got, "recv");
	close(fd);
	if (expected == 0)
		expected = total;
	if (total > 0 && total == expected)
		return;
	fprintf(stderr, "an answer of %zu bytes, not %zu\n", total, expected);
	exit(1);
}

static int by_size(const void *a, const void *b)
{
	double one = *(const double *)a;
	double other = *(const double *)b;

	return (one > other) - (one < other);
}

static void times(const struct addrinfo *to, size_t count, bool is_echo)
{
	double *took = calloc(count, sizeof(*took));
	double begun = seconds();
	int fd = is_echo ? reach(to) : -1;

	for (size_t i = 0; i < count; i++) {
		double start = seconds();

		if (is_echo) {
			check((int)send(fd, "e", 1, 0), "send");
			check((int)recv(fd, block, 1, 0) - 1, "recv");
		} else {
			request(to);
		}
		took[i] = seconds() - start;
	}
	begun = seconds() - begun;
	qsort(took, count, sizeof(*took), by_size);
	printf("%.1f us  %.0f/s\n", took[count / 2] * 1e6, (double)count / begun);
}

static void bulk(const struct addrinfo *to, uint32_t megabytes, bool is_out)
{
	double begun = seconds();
	int fd = reach(to);
	uint64_t moved = 0;
	ssize_t got;
	char order[5] = "o";

	memcpy(order + 1, &megabytes, sizeof(megabytes));
	if (is_out) {
		check((int)send(fd, order, sizeof(order), 0), "send");
	} else {
		memset(block, 'i', sizeof(block));
		for (; moved < (uint64_t)megabytes << 20; moved += (uint64_t)got) {
			got = send(fd, block, sizeof(block), 0);
			check((int)got, "send");
		}
		check(shutdown(fd, SHUT_WR), "shutdown");
	}
	while ((got = recv(fd, block, sizeof(block), 0)) > 0)
		moved += is_out ? (uint64_t)got : 0;
	check((int)got, "recv");
	if (moved < (uint64_t)megabytes << 20) {
		fprintf(stderr, "only %llu bytes\n", (unsigned long long)moved);
		exit(1);
	}
	printf("%.0f MB/s\n", (double)moved / 1e6 / (seconds() - begun));
}

int main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
	struct addrinfo *to = NULL;

	(void)signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve((uint16_t)atoi(argv[2]));
	if (argc != 5 || getaddrinfo(argv[2], argv[3], &hints, &to) != 0 || atoi(argv[4]) < 1) {
		fputs("port serve PORT | port requests|echo|out|in HOST PORT COUNT\n", stderr);
		return 2;
	}
	if (strcmp(argv[1], "requests") == 0 || strcmp(argv[1], "echo") == 0)
		times(to, (size_t)atoi(argv[4]), argv[1][0] == 'e');
	else
		bulk(to, (uint32_t)atoi(argv[4]), argv[1][0] == 'o');
	return 0;
}
