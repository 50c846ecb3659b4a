/* The attach client.
 *
 * One poll loop that never blocks on one side while the other has work: a monitor that
 * waits for us to take output does not read our input, and the other way round. Input
 * goes through one frame's buffer, read only when the last frame is sent. Output in
 * bulk is spliced from the socket to a pipe without passing through us; everything
 * else goes through a buffer. Signals travel on a connection of their own: on this
 * one they would queue behind input that the container does not read. */
#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "detach_keys.h"
#include "frame.h"
#include "output.h"
#include "proxy.h"
#include "report.h"
#include "syscalls.h"
#include "terminal.h"
#include "text.h"

#define SPLICE_FROM 4096 /* less is not worth a pipe slot: 16 of them and a pipe is full */
#define TYPED 4096

static struct session {
	const struct plan *plan;
	int socket;
	unsigned char wants;
	bool terminal;      /* the container has one */
	bool greeted;
	bool input_open;
	bool resize_due;
	struct detach_keys detach;
	size_t outgoing, outgoing_sent;
	unsigned char header[FRAME_HEADER];
	size_t have;        /* bytes of the header */
	size_t left;        /* payload still in the socket */
	size_t held, held_done; /* payload in `incoming` */
	enum { AWAIT_NOTHING, AWAIT_SOCKET, AWAIT_OUTPUT } await;
	struct output outputs[3];
	bool over;
	int status;
} session;

static unsigned char outgoing[FRAME_HEADER + FRAME_PAYLOAD];
static unsigned char incoming[FRAME_PAYLOAD];

static void finish(struct session *self, int status)
{
	self->over = true;
	self->status = status;
}

static void lost(struct session *self)
{
	static const char message[] = "Error: the container's monitor has gone\n";

	terminal_restore();
	if (write(2, message, sizeof message - 1) < 0) {
		/* nobody left to tell */
	}
	finish(self, 125);
}

int attach_connect(const struct plan *plan, struct failure *why)
{
	static const char name[] = "attach.sock";
	const struct record *record = plan_find(plan, "run-dir");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct text path = { .length = 0 };
	const char *directory = record != NULL ? record->argv[0] : "";
	/* sun_path holds 108 bytes, a run directory may be longer. */
	AUTO_CLOSE int at = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (at < 0)
		return fail(why, "attach", directory);
	text_add(&path, "/proc/self/fd/");
	text_add_number(&path, (uint64_t)at);
	text_add(&path, "/");
	text_add_bytes(&path, name, sizeof name);
	memcpy(address.sun_path, path.bytes, path.length);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (const void *)&address, sizeof address) == 0)
		return fd;
	fail(why, "attach", name);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Queue one frame; only when nothing is queued. */
static void queue(struct session *self, enum frame_type type, size_t size)
{
	frame_header(outgoing, type, size);
	self->outgoing = FRAME_HEADER + size;
	self->outgoing_sent = 0;
}

static void flush_outgoing(struct session *self)
{
	while (self->outgoing_sent < self->outgoing) {
		ssize_t n = send(self->socket, outgoing + self->outgoing_sent,
				 self->outgoing - self->outgoing_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno != EINTR) {
			/* It is ending. What it sent us before is still to be read. */
			self->input_open = false;
			break;
		}
		if (n > 0)
			self->outgoing_sent += (size_t)n;
	}
	self->outgoing = self->outgoing_sent = 0;
}

static void queue_resize(struct session *self)
{
	struct winsize size;

	if (!self->resize_due || self->outgoing > 0)
		return;
	self->resize_due = false;
	if (!self->terminal || !terminal_size(&size))
		return;
	outgoing[FRAME_HEADER] = (unsigned char)(size.ws_row >> 8);
	outgoing[FRAME_HEADER + 1] = (unsigned char)size.ws_row;
	outgoing[FRAME_HEADER + 2] = (unsigned char)(size.ws_col >> 8);
	outgoing[FRAME_HEADER + 3] = (unsigned char)size.ws_col;
	queue(self, FRAME_RESIZE, 4);
	flush_outgoing(self);
}

static void send_signal(const struct session *self, int number)
{
	unsigned char frames[2 * (FRAME_HEADER + 1)];
	struct failure why = { .error = 0 };
	AUTO_CLOSE int fd = attach_connect(self->plan, &why);

	frame_header(frames, FRAME_HELLO, 1);
	frames[FRAME_HEADER] = 0;
	frame_header(frames + FRAME_HEADER + 1, FRAME_SIGNAL, 1);
	frames[sizeof frames - 1] = (unsigned char)number;
	/* Without a connection the container is about to end, or its monitor is gone. */
	if (fd >= 0 && send(fd, frames, sizeof frames, MSG_NOSIGNAL) < 0)
		return;
}

static bool wants_raw(const struct session *self)
{
	return self->terminal && (self->wants & WANTS_STDIN) && isatty(0);
}

static void take_signals(struct session *self)
{
	int number = 1;

	while (number != 0) {
		switch (proxy_take(&number)) {
		case PROXY_FORWARD:
			send_signal(self, number);
			break;
		case PROXY_RESUMED:
			if (number != 0)
				send_signal(self, number);
			number = 1;
			if (wants_raw(self) && terminal_is_ours(0))
				terminal_raw(0);
			self->resize_due = true;
			break;
		case PROXY_RESIZED:
			self->resize_due = true;
			break;
		case PROXY_CHILD:
		case PROXY_NOTHING:
			break;
		}
	}
}

/* stdin is readable and nothing is queued. */
static void take_input(struct session *self)
{
	unsigned char typed[TYPED];
	bool keys = self->detach.count > 0 && isatty(0);
	bool detached = false;
	ssize_t n = keys ? read(0, typed, sizeof typed)
			 : read(0, outgoing + FRAME_HEADER, FRAME_PAYLOAD);
	size_t size = n > 0 ? (size_t)n : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (keys && size > 0)
		size = detach_keys_filter(&self->detach, typed, size, outgoing + FRAME_HEADER, &detached);
	if (n <= 0 && self->detach.matched > 0) { /* what was held back comes first; EOF is read again */
		size = self->detach.matched;
		memcpy(outgoing + FRAME_HEADER, self->detach.keys, size);
		self->detach.matched = 0;
	} else if (n <= 0) {
		self->input_open = false;
	}
	if (size > 0 || n <= 0) {
		queue(self, FRAME_STDIN, size);
		flush_outgoing(self);
	}
	if (detached)
		finish(self, 0);
}

/* recv without waiting: 0 = nothing now, and the socket is what to wait for. */
static size_t receive(struct session *self, void *buffer, size_t size)
{
	ssize_t n;

	do
		n = recv(self->socket, buffer, size, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return (size_t)n;
	if (n < 0 && errno == EAGAIN)
		self->await = AWAIT_SOCKET;
	else
		lost(self);
	return 0;
}

static void take_header(struct session *self)
{
	self->have += receive(self, self->header + self->have, FRAME_HEADER - self->have);
	if (self->have < FRAME_HEADER)
		return;
	self->left = frame_size(self->header);
	if (!frame_is_sane(self->header))
		lost(self);
}

static void obey_control(struct session *self)
{
	if (self->header[0] == FRAME_END && self->held == 2) {
		finish(self, incoming[1] != 0 ? 128 + incoming[1] : incoming[0]);
	} else if (self->header[0] == FRAME_TERMINAL && self->held == 1) {
		self->greeted = true;
		self->terminal = incoming[0] != 0;
		self->resize_due = self->terminal;
		if (wants_raw(self))
			terminal_raw(0);
	}
}

/* Bulk output to a pipe. Returns false when the ordinary way must be taken. */
static bool splice_output(struct session *self, const struct output *output)
{
	ssize_t n;

	if (output->kind != OUTPUT_PIPE || self->left <= SPLICE_FROM || self->held > 0)
		return false;
	n = splice(self->socket, NULL, output->fd, NULL, self->left, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (n > 0)
		self->left -= (size_t)n;
	else if (n == 0)
		lost(self);
	else if (errno == EAGAIN)
		self->await = output_is_ready(output) ? AWAIT_SOCKET : AWAIT_OUTPUT;
	else if (errno == EPIPE)
		finish(self, output_failed(output));
	else
		return errno == EINTR;
	return true;
}

static void take_output(struct session *self, const struct output *output)
{
	ssize_t n;

	if (splice_output(self, output))
		return;
	if (self->held == 0) {
		self->held = receive(self, incoming, self->left);
		self->held_done = 0;
		self->left -= self->held;
		if (self->held == 0)
			return;
	}
	n = output_write(output, incoming + self->held_done, self->held - self->held_done);
	if (n < 0) {
		finish(self, output_failed(output));
		return;
	}
	if (n == 0)
		self->await = AWAIT_OUTPUT;
	self->held_done += (size_t)n;
	if (self->held_done == self->held)
		self->held = 0;
}

static void take_control(struct session *self)
{
	size_t n = 0;

	if (self->left > sizeof incoming - self->held) {
		lost(self);
		return;
	}
	if (self->left > 0)
		n = receive(self, incoming + self->held, self->left);
	self->held += n;
	self->left -= n;
	if (self->left > 0)
		return;
	obey_control(self);
	self->held = 0;
}

static bool is_output(const struct session *self)
{
	return self->header[0] == FRAME_STDOUT || self->header[0] == FRAME_STDERR;
}

static const struct output *output_of(const struct session *self)
{
	return &self->outputs[self->header[0] == FRAME_STDERR ? 2 : 1];
}

/* Take what the monitor sent until something must be waited for; a bounded number of
 * steps, so that signals and input have their turn. */
static void take_frames(struct session *self)
{
	self->await = AWAIT_NOTHING;
	for (int step = 0; step < 32 && self->await == AWAIT_NOTHING && !self->over; step++) {
		if (self->have < FRAME_HEADER) {
			take_header(self);
			continue;
		}
		if (!is_output(self))
			take_control(self);
		else if (self->left > 0 || self->held > 0)
			take_output(self, output_of(self));
		if (self->left == 0 && self->held == 0)
			self->have = 0;
	}
}

static void step(struct session *self, int signals)
{
	bool reads_input = self->greeted && self->input_open && self->outgoing == 0;
	bool awaits_socket = self->await == AWAIT_SOCKET;
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = awaits_socket || self->outgoing > 0 ? self->socket : -1,
		  .events = (short)((awaits_socket ? POLLIN : 0) | (self->outgoing > 0 ? POLLOUT : 0)) },
		{ .fd = reads_input ? 0 : -1, .events = POLLIN },
		{ .fd = self->await == AWAIT_OUTPUT ? output_of(self)->fd : -1, .events = POLLOUT },
	};

	if (poll(fds, 4, self->await == AWAIT_NOTHING ? 0 : -1) < 0)
		return;
	if (fds[0].revents != 0)
		take_signals(self);
	queue_resize(self);
	if (fds[1].revents != 0 && self->outgoing > 0)
		flush_outgoing(self);
	if (fds[2].revents != 0 && self->outgoing == 0)
		take_input(self);
	if (!self->over && (self->await == AWAIT_NOTHING || fds[3].revents != 0 ||
			    (awaits_socket && fds[1].revents != 0)))
		take_frames(self);
}

static unsigned char read_wants(const struct plan *plan)
{
	const struct record *attach = plan_find(plan, "attach");
	const char *list = attach != NULL ? attach->argv[0] : "";

	return (unsigned char)((strstr(list, "stdin") != NULL ? WANTS_STDIN : 0) |
			       (strstr(list, "stdout") != NULL ? WANTS_STDOUT : 0) |
			       (strstr(list, "stderr") != NULL ? WANTS_STDERR : 0));
}

int attach_client(const struct plan *plan, int socket)
{
	struct session *self = &session;
	int signals = proxy_open(plan);

	self->plan = plan;
	self->socket = socket;
	self->wants = read_wants(plan);
	self->input_open = (self->wants & WANTS_STDIN) != 0;
	detach_keys_read(&self->detach, plan);
	for (int fd = 1; fd <= 2; fd++)
		output_open(&self->outputs[fd], fd);
	outgoing[FRAME_HEADER] = self->wants;
	queue(self, FRAME_HELLO, 1);
	flush_outgoing(self);
	while (!self->over)
		step(self, signals);
	terminal_restore();
	close(self->socket);
	return self->status;
}

int attach_main(const struct plan *plan)
{
	struct failure why = { .error = 0 };
	int fd = attach_connect(plan, &why);

	if (fd < 0)
		return report_failure(plan, &why);
	return attach_client(plan, fd);
}
