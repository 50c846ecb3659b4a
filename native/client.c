/* The monitor's side of an attach connection.
 *
 * No client has a buffer. Output is the one chunk shared by all; input is looked at
 * with MSG_PEEK and taken out of the socket only as far as the container took it, so
 * that what it does not read waits in the kernel and at last stops the sender. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "direct.h"
#include "finish.h"
#include "loop.h"
#include "record.h"
#include "rights.h"
#include "scratch.h"

unsigned char chunk_frame[FRAME_HEADER + FRAME_PAYLOAD] __attribute__((aligned(4096)));

void clients_start(struct loop *loop)
{
	loop->awaited = -1;
	direct_start(loop);
	for (uint32_t i = 0; i < CLIENTS; i++)
		loop->clients[i].socket = (struct source){ .fd = -1, .tag = TAG_CLIENT + i };
}

static void client_watch(struct loop *loop, struct client *client)
{
	uint32_t events = (client->stuck ? 0u : (uint32_t)EPOLLIN) | (client->owes ? (uint32_t)EPOLLOUT : 0u);

	/* Never 0: the death of a client whose input waits must be seen. */
	source_want(loop, &client->socket, events | EPOLLRDHUP);
}

static void client_drop(struct loop *loop, struct client *client)
{
	if (client->owes)
		loop->owing--;
	if (client->stuck)
		loop->stuck--;
	if (loop->awaited == (int)(client - loop->clients))
		loop->awaited = -1;
	direct_release(loop, (int)(client - loop->clients));
	source_close(loop, &client->socket);
	*client = (struct client){ .socket = client->socket };
}

void client_add(struct loop *loop, int socket, bool awaited)
{
	for (int i = 0; i < CLIENTS; i++) {
		struct client *client = &loop->clients[i];

		if (client->socket.fd >= 0)
			continue;
		client->socket.fd = socket;
		if (awaited)
			loop->awaited = i;
		client_watch(loop, client);
		return;
	}
	close(socket);
}

/* Returns false when the client is gone. */
static bool send_chunk(struct loop *loop, struct client *client)
{
	ssize_t n;

	do
		n = send(client->socket.fd, chunk_frame + client->sent, loop->chunk - client->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		return false;
	if (n > 0)
		client->sent += (uint32_t)n;
	if (client->sent == loop->chunk) {
		client->owes = false;
		loop->owing--;
	}
	return true;
}

void clients_offer(struct loop *loop, unsigned char wants, int served)
{
	for (int i = 0; i < CLIENTS; i++) {
		struct client *client = &loop->clients[i];

		if (client->socket.fd < 0 || i == served || (wants != 0 && (client->wants & wants) == 0))
			continue;
		client->sent = 0;
		client->owes = true;
		loop->owing++;
		if (send_chunk(loop, client))
			client_watch(loop, client);
		else
			client_drop(loop, client);
	}
}

void clients_drop_owing(struct loop *loop)
{
	for (int i = 0; i < CLIENTS; i++)
		if (loop->clients[i].socket.fd >= 0 && loop->clients[i].owes)
			client_drop(loop, &loop->clients[i]);
}

void clients_unstick(struct loop *loop)
{
	for (int i = 0; i < CLIENTS; i++) {
		struct client *client = &loop->clients[i];

		if (!client->stuck)
			continue;
		client->stuck = false;
		loop->stuck--;
		client_watch(loop, client);
	}
}

/* recv that tells "nothing now" (0) from "gone" (-1). */
static ssize_t receive(struct client *client, void *buffer, size_t size, int flags)
{
	ssize_t n;

	do
		n = recv(client->socket.fd, buffer, size, flags | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	return n == 0 ? -1 : n;
}

static void hello(struct loop *loop, struct client *client)
{
	unsigned char answer[FRAME_HEADER + 1];

	client->wants = client->small[0] & (WANTS_STDIN | WANTS_STDOUT | WANTS_STDERR);
	client->greeted = true;
	if (loop->awaited == (int)(client - loop->clients))
		loop->awaited = -1;
	frame_header(answer, FRAME_TERMINAL, 1);
	answer[FRAME_HEADER] = loop->terminal;
	/* The first bytes ever sent here always fit. A peer that only delivers a signal
	 * may be gone already; what it sent is still to be read. */
	(void)send(client->socket.fd, answer, sizeof answer, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (client->wants != 0)
		record_plain_event(loop->monitor->plan, "attach");
}

static void resize(struct loop *loop, const unsigned char *size)
{
	struct winsize window = {
		.ws_row = (unsigned short)(size[0] << 8 | size[1]),
		.ws_col = (unsigned short)(size[2] << 8 | size[3]),
	};

	loop->monitor->rows = window.ws_row;
	loop->monitor->columns = window.ws_col;
	if (loop->terminal && loop->out.fd >= 0)
		ioctl(loop->out.fd, TIOCSWINSZ, &window);
}

static bool ends_containers(int number)
{
	return number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGKILL;
}

/* Carry out a complete control frame. Returns false when it makes no sense. */
static bool control(struct loop *loop, struct client *client)
{
	unsigned char size = client->small_have;

	if (client->header[0] == FRAME_HELLO) {
		if (client->greeted || size != 1)
			return false;
		hello(loop, client);
		return true;
	}
	if (!client->greeted)
		return false;
	switch (client->header[0]) {
	case FRAME_RESIZE:
		if (size == 4)
			resize(loop, client->small);
		return size == 4;
	case FRAME_SIGNAL:
		/* The user wants it to end, as `tsman stop` does. */
		if (size == 1 && ends_containers(client->small[0]))
			finish_forbid_restart(loop);
		if (size == 1 && !loop->ended)
			syscall(SYS_pidfd_send_signal, loop->monitor->child_pidfd, client->small[0], NULL, 0);
		return size == 1;
	case FRAME_STDIN: /* only the empty one comes here */
		if (client->wants & WANTS_STDIN)
			container_input_ended(loop);
		return true;
	default:
		return false;
	}
}

/* 1 = progress, 0 = nothing now, -1 = drop the client. */
static int read_header(struct client *client)
{
	ssize_t n = receive(client, client->header + client->have, FRAME_HEADER - client->have, 0u);

	if (n <= 0)
		return (int)n;
	client->have = (unsigned char)(client->have + n);
	if (client->have < FRAME_HEADER)
		return 1;
	if (!frame_is_sane(client->header))
		return -1;
	client->left = frame_size(client->header);
	client->small_have = 0;
	if (client->header[0] != FRAME_STDIN && client->left > sizeof client->small)
		return -1;
	if (client->header[0] == FRAME_STDIN && client->left > 0 && !client->greeted)
		return -1;
	return 1;
}

/* The flags of a hello, and the pipes that came with them. */
static ssize_t receive_hello(struct loop *loop, struct client *client)
{
	int fds[RIGHTS_MAX];
	size_t count;
	ssize_t n;

	do
		n = rights_receive(client->socket.fd, client->small, 1, fds, &count, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		direct_take(loop, (int)(client - loop->clients), client->small[0], fds, count);
	return n < 0 && errno == EAGAIN ? 0 : n > 0 ? n : -1;
}

static int read_control(struct loop *loop, struct client *client)
{
	if (client->left > 0) {
		bool greets = client->header[0] == FRAME_HELLO && !client->greeted && client->left == 1;
		ssize_t n = greets ? receive_hello(loop, client)
				   : receive(client, client->small + client->small_have, client->left, 0);

		if (n <= 0)
			return (int)n;
		client->small_have = (unsigned char)(client->small_have + n);
		client->left -= (uint32_t)n;
	}
	if (client->left > 0)
		return 1;
	client->have = 0;
	return control(loop, client) ? 1 : -1;
}

static int read_input(struct loop *loop, struct client *client)
{
	size_t want = client->left < SCRATCH_SIZE ? client->left : SCRATCH_SIZE, taken;
	ssize_t n = receive(client, scratch, want, MSG_PEEK);

	if (n <= 0)
		return (int)n;
	taken = (size_t)n;
	if (client->wants & WANTS_STDIN)
		taken = container_input(loop, scratch, taken);
	if (taken == 0) {
		client->stuck = true;
		loop->stuck++;
		return 0;
	}
	if (receive(client, scratch, taken, 0) != (ssize_t)taken)
		return -1;
	client->left -= (uint32_t)taken;
	if (client->left == 0)
		client->have = 0;
	return 1;
}

static int read_frames(struct loop *loop, struct client *client)
{
	int progress = 1;

	/* A bounded number of steps: one busy client must not starve the rest. */
	for (int step = 0; step < 8 && progress > 0; step++) {
		if (client->have < FRAME_HEADER)
			progress = read_header(client);
		else if (client->header[0] == FRAME_STDIN && client->left > 0)
			progress = read_input(loop, client);
		if (progress > 0 && client->have == FRAME_HEADER &&
		    (client->header[0] != FRAME_STDIN || client->left == 0))
			progress = read_control(loop, client);
	}
	return progress;
}

void client_event(struct loop *loop, struct client *client, uint32_t events)
{
	if (client->socket.fd < 0)
		return;
	if (client->owes && (events & EPOLLOUT) && !send_chunk(loop, client)) {
		client_drop(loop, client);
		return;
	}
	if (client->stuck ? (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0
			  : read_frames(loop, client) < 0) {
		client_drop(loop, client);
		return;
	}
	client_watch(loop, client);
}
