/* What the monitor sends: frames to our stdout and stderr, the end, the terminal. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach_session.h"
#include "terminal.h"

#define SPLICE_FROM 4096 /* less is not worth a pipe slot: 16 of them and a pipe is full */

static unsigned char incoming[FRAME_PAYLOAD];

void session_finish(struct session *self, int status)
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
	session_finish(self, 125);
}

bool session_wants_raw(const struct session *self)
{
	return self->terminal && (self->wants & WANTS_STDIN) && isatty(0);
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
		session_finish(self, incoming[1] != 0 ? 128 + incoming[1] : incoming[0]);
	} else if (self->header[0] == FRAME_TERMINAL && self->held == 1) {
		self->greeted = true;
		self->terminal = incoming[0] != 0;
		self->resize_due = self->terminal;
		if (session_wants_raw(self))
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
		session_finish(self, output_failed(output));
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
		session_finish(self, output_failed(output));
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

const struct output *session_output(const struct session *self)
{
	return &self->outputs[self->header[0] == FRAME_STDERR ? 2 : 1];
}

void session_take_frames(struct session *self)
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
			take_output(self, session_output(self));
		if (self->left == 0 && self->held == 0)
			self->have = 0;
	}
}
