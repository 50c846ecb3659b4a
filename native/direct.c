/* Output that goes from pipe to pipe. See direct.h. */
#include "direct.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

void direct_start(struct loop *self)
{
	for (int i = 0; i < 2; i++)
		self->direct[i] = (struct direct){ .pipe = { .fd = -1, .tag = TAG_DIRECT + (uint32_t)i },
						   .client = -1 };
}

void direct_take(struct loop *self, int client, unsigned char flags, const int *fds, size_t count)
{
	static const unsigned char hands[2] = { HANDS_STDOUT, HANDS_STDERR };
	size_t used = 0;

	for (size_t i = 0; i < 2; i++) {
		struct direct *direct = &self->direct[i];

		if ((flags & hands[i]) == 0 || used == count)
			continue;
		if (self->terminal || direct->pipe.fd >= 0) {
			close(fds[used++]);
			continue;
		}
		direct->pipe.fd = fds[used++];
		direct->client = client;
		direct->full = false;
	}
	while (used < count)
		close(fds[used++]);
}

static void release(struct loop *self, struct direct *direct)
{
	source_close(self, &direct->pipe);
	direct->client = -1;
	direct->full = false;
}

void direct_release(struct loop *self, int client)
{
	for (int i = 0; i < 2; i++)
		if (self->direct[i].client == client)
			release(self, &self->direct[i]);
}

void direct_release_full(struct loop *self)
{
	for (int i = 0; i < 2; i++)
		if (self->direct[i].full)
			release(self, &self->direct[i]);
}

static bool is_full(const struct direct *direct)
{
	struct pollfd polled = { .fd = direct->pipe.fd, .events = POLLOUT };

	return poll(&polled, 1, 0) == 0;
}

enum direct_result direct_tee(struct loop *self, const struct source *from, int stream, size_t *size)
{
	struct direct *direct = &self->direct[stream - 1];
	ssize_t n;

	if (direct->pipe.fd < 0)
		return DIRECT_NONE;
	if (direct->full)
		return DIRECT_WAITS;
	do
		n = tee(from->fd, direct->pipe.fd, FRAME_PAYLOAD, SPLICE_F_NONBLOCK);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		*size = (size_t)n;
		return DIRECT_DONE;
	}
	if (n == 0) /* nobody will write any more: reading finds the end */
		return DIRECT_NONE;
	if (errno == EAGAIN) {
		direct->full = is_full(direct);
		if (direct->full) {
			/* As our own (streams.c, widen): in 64 KiB a chunk is hardly worth its system calls. */
			(void)fcntl(direct->pipe.fd, F_SETPIPE_SZ, FRAME_PAYLOAD);
			source_want(self, &direct->pipe, EPOLLOUT);
		}
		return DIRECT_WAITS;
	}
	/* EPIPE: its reader has gone. The client finds that out by itself when it gets a frame. */
	release(self, direct);
	return DIRECT_NONE;
}

void direct_ready(struct loop *self, int stream)
{
	struct direct *direct = &self->direct[stream - 1];

	source_want(self, &direct->pipe, 0);
	direct->full = false;
}
