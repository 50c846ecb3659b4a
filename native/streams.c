/* The container's standard streams, or its terminal. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "direct.h"
#include "log.h"
#include "loop.h"
#include "terminal.h"

#define PIPE_SIZE 65536 /* what pipe(2) makes (pipe(7)) */

void source_want(struct loop *self, struct source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u32 = source->tag };
	int operation = EPOLL_CTL_MOD;

	if (source->fd < 0 || source->events == events)
		return;
	if (events == 0)
		operation = EPOLL_CTL_DEL;
	else if (source->events == 0)
		operation = EPOLL_CTL_ADD;
	if (epoll_ctl(self->epoll, operation, source->fd, &event) == 0)
		source->events = events;
}

void source_close(struct loop *self, struct source *source)
{
	source_want(self, source, 0);
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
	source->events = 0;
}

size_t container_input(struct loop *self, const char *bytes, size_t size)
{
	struct source *target = self->terminal ? &self->out : &self->in;
	ssize_t n;

	if (target->fd < 0 || !self->takes_input)
		return size;
	do
		n = write(target->fd, bytes, size);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return (size_t)n;
	if (errno == EAGAIN)
		return 0;
	/* EPIPE: it closed its input. The rest has no reader and is thrown away. */
	if (!self->terminal)
		source_close(self, target);
	return size;
}

void container_input_ended(struct loop *self)
{
	char end;

	if (!self->takes_input)
		return;
	if (!self->terminal) {
		self->input_ended = true;
		source_close(self, &self->in);
		return;
	}
	if (self->out.fd >= 0 && terminal_end_of_file(self->out.fd, &end))
		container_input(self, &end, 1);
}

bool streams_hold_slave(struct loop *self)
{
	if (self->slave >= 0)
		close(self->slave);
	self->slave = ioctl(self->out.fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return self->slave >= 0;
}

static bool may_read(const struct loop *self)
{
	return self->owing == 0 && self->awaited < 0;
}

/* Who fills his pipe gets a wider one: fewer wake-ups, larger writes to the log. Only he: all
 * pipes of a user count against one limit (pipe(7), pipe-user-pages-soft), and when that is
 * reached the pipe stays as it is. */
static void widen(struct source *source)
{
	if (!source->wide)
		(void)fcntl(source->fd, F_SETPIPE_SZ, FRAME_PAYLOAD);
	source->wide = true;
}

static void narrow(struct source *source)
{
	if (source->wide && source->fd >= 0 && fcntl(source->fd, F_SETPIPE_SZ, PIPE_SIZE) >= 0)
		source->wide = false;
}

void streams_rest(struct loop *self)
{
	narrow(&self->out);
	narrow(&self->err);
}

/* Returns the bytes now in chunk_frame, 0 when there are none. */
static size_t read_chunk(struct loop *self, struct source *source, size_t limit)
{
	ssize_t n;

	do
		n = read(source->fd, chunk_frame + FRAME_HEADER, limit);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return (size_t)n;
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0 && errno == EIO && self->terminal && !self->ended && streams_hold_slave(self))
		return 0; /* vhangup(2) inside */
	source_close(self, source);
	return 0;
}

enum read_result streams_read(struct loop *self, struct source *source, int stream)
{
	size_t size = FRAME_PAYLOAD;
	int served = -1;

	if (source->fd < 0)
		return READ_NOTHING;
	if (!may_read(self))
		return READ_WAITS;
	switch (direct_tee(self, source, stream, &size)) {
	case DIRECT_WAITS:
		return self->direct[stream - 1].full ? READ_WAITS : READ_NOTHING;
	case DIRECT_DONE:
		served = self->direct[stream - 1].client;
		break;
	case DIRECT_NONE:
		break;
	}
	size = read_chunk(self, source, size);
	if (size == 0)
		return READ_NOTHING;
	if (size == PIPE_SIZE)
		widen(source);
	log_write(stream, (const char *)chunk_frame + FRAME_HEADER, size);
	frame_header(chunk_frame, stream == 1 ? FRAME_STDOUT : FRAME_STDERR, size);
	self->chunk = FRAME_HEADER + size;
	clients_offer(self, stream == 1 ? WANTS_STDOUT : WANTS_STDERR, served);
	return READ_CHUNK;
}

void streams_mark_end(struct loop *self)
{
	int size;

	if (self->slave >= 0)
		close(self->slave);
	self->slave = -1;
	/* The hangup at the end of its session silences a terminal. */
	if (self->terminal)
		self->out.backlog = SIZE_MAX;
	else if (self->out.fd >= 0 && ioctl(self->out.fd, FIONREAD, &size) == 0)
		self->out.backlog = (size_t)size;
	if (self->err.fd >= 0 && ioctl(self->err.fd, FIONREAD, &size) == 0)
		self->err.backlog = (size_t)size;
}

static size_t smaller(size_t one, size_t other)
{
	return one < other ? one : other;
}

static void drain(struct loop *self, struct source *source, int stream)
{
	enum read_result result = READ_CHUNK;

	while (source->fd >= 0 && result != READ_WAITS) {
		result = source->backlog == 0 ? READ_NOTHING : streams_read(self, source, stream);
		if (result == READ_NOTHING)
			source_close(self, source);
		else if (result == READ_CHUNK)
			source->backlog -= smaller(source->backlog, self->chunk - FRAME_HEADER);
	}
}

bool streams_drain(struct loop *self)
{
	drain(self, &self->out, 1);
	drain(self, &self->err, 2);
	return self->out.fd < 0 && self->err.fd < 0 && may_read(self);
}

void streams_watch(struct loop *self)
{
	uint32_t output = may_read(self) && !self->direct[0].full ? EPOLLIN : 0;
	uint32_t errors = may_read(self) && !self->direct[1].full ? EPOLLIN : 0;
	uint32_t input = self->stuck > 0 ? EPOLLOUT : 0;

	if (self->terminal) {
		source_want(self, &self->out, output | input);
	} else {
		source_want(self, &self->out, output);
		source_want(self, &self->in, input);
	}
	source_want(self, &self->err, errors);
	if (self->stuck > 0 && (self->terminal ? self->out.fd : self->in.fd) < 0)
		clients_unstick(self);
}

