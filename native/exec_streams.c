/* The standard streams of exec. See exec_streams.h. */
#include "exec_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

#define CHUNK 65536

/* What is on its way, for each stream. */
static struct {
	unsigned char bytes[CHUNK];
	size_t have, done;
} held[3];

static struct output outputs[3];

/* May a container open it through /proc? */
static bool can_be_opened(const struct stat *status)
{
	return !S_ISFIFO(status->st_mode) && !S_ISSOCK(status->st_mode);
}

static int make_pipe(struct exec_streams *self, int fd, struct failure *why)
{
	int ends[2];
	int ours = fd == 0 ? 1 : 0;

	if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[ours], F_SETFL, O_NONBLOCK) < 0)
		return fail(why, "stdio", "pipe");
	self->inner[fd] = ends[1 - ours];
	self->outer[fd] = ends[ours];
	output_open(&outputs[fd], fd);
	return 0;
}

/* `2>&1` keeps its order in one pipe. */
static bool are_one(const struct exec_streams *self, const struct stat *out, const struct stat *err)
{
	return self->inner[1] >= 0 && out->st_dev == err->st_dev && out->st_ino == err->st_ino;
}

int exec_streams_open(struct exec_streams *self, const struct plan *plan, struct failure *why)
{
	struct stat status[3];

	*self = (struct exec_streams){ .inner = { -1, -1, -1 }, .outer = { -1, -1, -1 } };
	if (plan_find(plan, "detach") != NULL || plan_find(plan, "terminal") != NULL)
		return 0;
	for (int fd = plan_find(plan, "stdin") != NULL ? 0 : 1; fd <= 2; fd++) {
		if (fstat(fd, &status[fd]) < 0 || !can_be_opened(&status[fd]))
			continue;
		if (fd == 2 && are_one(self, &status[1], &status[2]))
			self->inner[2] = self->inner[1];
		else if (make_pipe(self, fd, why) < 0)
			return -1;
	}
	return 0;
}

int exec_streams_place(const struct exec_streams *self)
{
	for (int fd = 0; fd <= 2; fd++)
		if (self->inner[fd] >= 0 && dup2(self->inner[fd], fd) < 0)
			return -1;
	return 0;
}

void exec_streams_started(struct exec_streams *self)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (self->inner[fd] >= 0 && (fd != 2 || self->inner[2] != self->inner[1]))
			close(self->inner[fd]);
	}
	/* A command that reads no more is no reason to die. */
	signal(SIGPIPE, SIG_IGN);
}

static void close_stream(struct exec_streams *self, int fd)
{
	if (self->outer[fd] >= 0)
		close(self->outer[fd]);
	self->outer[fd] = -1;
	held[fd].have = held[fd].done = 0;
}

static void pass_input(struct exec_streams *self)
{
	ssize_t n;

	if (held[0].have == 0) {
		n = read(0, held[0].bytes, CHUNK);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			close_stream(self, 0);
			return;
		}
		held[0].have = (size_t)n;
		held[0].done = 0;
	}
	n = write(self->outer[0], held[0].bytes + held[0].done, held[0].have - held[0].done);
	if (n > 0)
		held[0].done += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		close_stream(self, 0); /* EPIPE */
	if (held[0].done == held[0].have)
		held[0].have = held[0].done = 0;
}

/* Returns the bytes read, 0 when there are none now, -1 at the end. */
static ssize_t fill(struct exec_streams *self, int fd)
{
	ssize_t n = read(self->outer[fd], held[fd].bytes, CHUNK);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		close_stream(self, fd);
		return -1;
	}
	held[fd].have = (size_t)n;
	held[fd].done = 0;
	return n;
}

static void pass_output(struct exec_streams *self, int fd)
{
	ssize_t n;

	if (held[fd].have == 0 && fill(self, fd) <= 0)
		return;
	n = output_write(&outputs[fd], held[fd].bytes + held[fd].done, held[fd].have - held[fd].done);
	if (n < 0) {
		/* Said once; the command learns of it as from a reader that has gone. */
		(void)output_failed(&outputs[fd]);
		close_stream(self, fd);
		return;
	}
	held[fd].done += (size_t)n;
	if (held[fd].done == held[fd].have)
		held[fd].have = held[fd].done = 0;
}

bool exec_streams_wait(struct exec_streams *self, int pidfd, int signals)
{
	for (;;) {
		bool full = held[0].have > 0;
		struct pollfd polled[6] = {
			{ .fd = pidfd, .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
			{ .fd = self->outer[0] >= 0 && !full ? 0 : -1, .events = POLLIN },
			/* Without events too, to see that the command reads no more. */
			{ .fd = self->outer[0], .events = (short)(full ? POLLOUT : 0) },
		};

		for (int fd = 1; fd <= 2; fd++)
			polled[3 + fd] = held[fd].have > 0
						 ? (struct pollfd){ .fd = fd, .events = POLLOUT }
						 : (struct pollfd){ .fd = self->outer[fd], .events = POLLIN };
		if (poll(polled, 6, -1) < 0 && errno != EINTR)
			return true;
		if ((polled[3].revents & POLLERR) != 0)
			close_stream(self, 0);
		else if (polled[2].revents != 0 || polled[3].revents != 0)
			pass_input(self);
		for (int fd = 1; fd <= 2; fd++)
			if (polled[3 + fd].revents != 0 && self->outer[fd] >= 0)
				pass_output(self, fd);
		if (polled[0].revents != 0 || polled[1].revents != 0)
			return polled[0].revents != 0;
	}
}

void exec_streams_drain(struct exec_streams *self)
{
	for (int fd = 1; fd <= 2; fd++) {
		int left = 0;

		if (self->outer[fd] < 0)
			continue;
		(void)ioctl(self->outer[fd], FIONREAD, &left);
		for (;;) {
			if (output_write_all(&outputs[fd], held[fd].bytes + held[fd].done,
					     held[fd].have - held[fd].done) < 0)
				(void)output_failed(&outputs[fd]);
			held[fd].have = held[fd].done = 0;
			if (left <= 0 || fill(self, fd) <= 0)
				break;
			left -= (int)held[fd].have;
		}
		close_stream(self, fd);
	}
	close_stream(self, 0);
}
