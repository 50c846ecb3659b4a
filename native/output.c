#include "output.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a pipe reported as writable takes without blocking (PIPE_BUF, pipe(7)); and
 * little enough for a terminal that signals are served in between. */
#define STEP 4096

void output_open(struct output *output, int fd)
{
	struct stat status;

	output->fd = fd;
	output->kind = OUTPUT_FILE;
	if (isatty(fd))
		output->kind = OUTPUT_TERMINAL;
	else if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode))
		output->kind = OUTPUT_PIPE;
	else if (S_ISSOCK(status.st_mode))
		output->kind = OUTPUT_SOCKET;
}

int output_is_ready(const struct output *output)
{
	struct pollfd poll_fd = { .fd = output->fd, .events = POLLOUT };

	return poll(&poll_fd, 1, 0) > 0;
}

ssize_t output_write(const struct output *output, const void *bytes, size_t size)
{
	ssize_t n;

	if (output->kind == OUTPUT_SOCKET) {
		n = send(output->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else {
		if (output->kind != OUTPUT_FILE) {
			if (!output_is_ready(output))
				return 0;
			if (size > STEP)
				size = STEP;
		}
		n = write(output->fd, bytes, size);
	}
	/* EAGAIN here too: another owner may have set O_NONBLOCK. */
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
}

int output_write_all(const struct output *output, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t n = output_write(output, at, size);
		struct pollfd poll_fd = { .fd = output->fd, .events = POLLOUT };

		if (n < 0)
			return -1;
		if (n == 0)
			poll(&poll_fd, 1, -1);
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int output_failed(const struct output *output)
{
	/* EIO: the terminal was hung up. */
	if (errno == EPIPE || errno == EIO || errno == ECONNRESET)
		return 128 + SIGPIPE;
	dprintf(2, "Error: write to standard %s: %s\n", output->fd == 2 ? "error" : "output",
		strerror(errno));
	return 125;
}
