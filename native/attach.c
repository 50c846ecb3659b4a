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
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach_session.h"
#include "proxy.h"
#include "report.h"
#include "rights.h"
#include "terminal.h"

#define TYPED 4096

static struct session session;
static unsigned char outgoing[FRAME_HEADER + FRAME_INPUT];

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

static void take_signals(struct session *self)
{
	int number = 1;

	while (number != 0) {
		switch (proxy_take(&number)) {
		case PROXY_FORWARD:
			attach_send_signal(self->plan, number);
			break;
		case PROXY_RESUMED:
			if (number != 0)
				attach_send_signal(self->plan, number);
			number = 1;
			if (session_wants_raw(self) && terminal_is_ours(0))
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
			 : read(0, outgoing + FRAME_HEADER, FRAME_INPUT);
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
		session_finish(self, 0);
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
		{ .fd = self->await == AWAIT_OUTPUT ? session_output(self)->fd : -1, .events = POLLOUT },
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
		session_take_frames(self);
}

static unsigned char read_wants(const struct plan *plan)
{
	const struct record *attach = plan_find(plan, "attach");
	const char *list = attach != NULL ? attach->argv[0] : "";

	return (unsigned char)((strstr(list, "stdin") != NULL ? WANTS_STDIN : 0) |
			       (strstr(list, "stdout") != NULL ? WANTS_STDOUT : 0) |
			       (strstr(list, "stderr") != NULL ? WANTS_STDERR : 0));
}

/* The first frame. An output that is a pipe goes with it, for the monitor to write to; what it
 * will not take comes in frames. The payload is sent by itself: descriptors belong to the bytes
 * they were sent with. */
static void greet(struct session *self)
{
	static const unsigned char hands[3] = { 0, HANDS_STDOUT, HANDS_STDERR };
	static const unsigned char wanted[3] = { 0, WANTS_STDOUT, WANTS_STDERR };
	unsigned char header[FRAME_HEADER], flags = self->wants;
	int fds[RIGHTS_MAX];
	size_t count = 0;

	for (int fd = 1; fd <= 2; fd++) {
		if (self->outputs[fd].kind != OUTPUT_PIPE || (self->wants & wanted[fd]) == 0)
			continue;
		flags |= hands[fd];
		fds[count++] = fd;
	}
	frame_header(header, FRAME_HELLO, 1);
	/* The first bytes ever sent here always fit; a monitor that has gone is seen when reading. */
	(void)send(self->socket, header, sizeof header, MSG_NOSIGNAL);
	if (rights_send(self->socket, &flags, 1, fds, count, MSG_NOSIGNAL) < 0)
		(void)send(self->socket, &self->wants, 1, MSG_NOSIGNAL);
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
	greet(self);
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
