/* A terminal for exec. There is no monitor and no stream: what would be the attach
 * client holds the pty's master itself. */
#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <unistd.h>

#include "detach_keys.h"
#include "output.h"
#include "process.h"
#include "proxy.h"
#include "record.h"
#include "syscalls.h"
#include "terminal.h"

#define TYPED 4096

static struct {
	int master, child_pidfd;
	bool input_open, output_open, ended, over, detached;
	int status;
	struct detach_keys detach;
	struct output output;
	size_t typed, typed_done; /* in `typing` */
	size_t held, held_done;   /* in `showing` */
} pty;

static unsigned char typing[TYPED + DETACH_KEYS_MAX];
static unsigned char showing[65536];

static void resize(void)
{
	struct winsize size;

	if (pty.master >= 0 && terminal_size(&size))
		ioctl(pty.master, TIOCSWINSZ, &size);
}

static void start_raw(void)
{
	if (pty.master >= 0 && pty.input_open && isatty(0))
		terminal_raw(0);
}

static void take_signals(void)
{
	int number = 1;

	while (number != 0) {
		enum proxy_verdict verdict = proxy_take(&number);

		if (verdict == PROXY_FORWARD || (verdict == PROXY_RESUMED && number != 0))
			sys_pidfd_send_signal(pty.child_pidfd, number);
		if (verdict == PROXY_RESUMED) {
			if (terminal_is_ours(0))
				start_raw();
			number = 1;
		}
		if (verdict == PROXY_RESIZED || verdict == PROXY_RESUMED)
			resize();
	}
}

/* Our terminal goes, the command stays: somebody must hold the master, or the command
 * gets a hangup, and empty it, or the command blocks. Who drains is not the command's
 * parent, so the event of its end has no exit code. */
static void leave_drain(const struct plan *plan)
{
	struct pollfd fds[2] = { { .fd = pty.master, .events = POLLIN },
				 { .fd = pty.child_pidfd, .events = POLLIN } };
	int null;

	if (fork() != 0)
		return;
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		ssize_t n = read(pty.master, showing, sizeof showing);

		if (fds[1].revents != 0 || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			break;
	}
	while (poll(&fds[1], 1, -1) < 0 && errno == EINTR) {
	}
	record_exec_event(plan, "exec_died", -1);
	_exit(0);
}

static void write_typed(void)
{
	while (pty.typed_done < pty.typed) {
		ssize_t n = write(pty.master, typing + pty.typed_done, pty.typed - pty.typed_done);

		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0 && errno != EINTR)
			break; /* EIO: nobody has the terminal open */
		if (n > 0)
			pty.typed_done += (size_t)n;
	}
	pty.typed = pty.typed_done = 0;
}

static void end_input(void)
{
	char end;

	pty.input_open = false;
	memcpy(typing, pty.detach.keys, pty.detach.matched);
	pty.typed = pty.detach.matched;
	if (terminal_end_of_file(pty.master, &end))
		typing[pty.typed++] = (unsigned char)end;
}

static void take_input(const struct plan *plan)
{
	unsigned char typed[TYPED];
	ssize_t n = read(0, typed, sizeof typed);
	bool detached = false;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_input();
	} else if (isatty(0)) {
		pty.typed = detach_keys_filter(&pty.detach, typed, (size_t)n, typing, &detached);
	} else {
		memcpy(typing, typed, (size_t)n);
		pty.typed = (size_t)n;
	}
	write_typed();
	if (detached) {
		leave_drain(plan);
		pty.over = pty.detached = true;
		pty.status = 0;
	}
}

/* Returns false when nothing could be done. */
static bool take_output(void)
{
	ssize_t n;

	if (pty.held == 0) {
		n = read(pty.master, showing, sizeof showing);
		if (n <= 0) {
			if (n == 0 || errno != EAGAIN)
				pty.output_open = false; /* EIO: the last slave was closed */
			return false;
		}
		pty.held = (size_t)n;
		pty.held_done = 0;
	}
	n = output_write(&pty.output, showing + pty.held_done, pty.held - pty.held_done);
	if (n < 0) {
		pty.over = true;
		pty.status = output_failed(&pty.output);
		return false;
	}
	pty.held_done += (size_t)n;
	if (pty.held_done == pty.held)
		pty.held = 0;
	return n > 0;
}

static void step(const struct plan *plan, int signals)
{
	bool typed = pty.typed > 0, held = pty.held > 0;
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = (pty.output_open && !held) || typed ? pty.master : -1,
		  .events = (short)((pty.output_open && !held ? POLLIN : 0) | (typed ? POLLOUT : 0)) },
		{ .fd = pty.input_open && !typed ? 0 : -1, .events = POLLIN },
		{ .fd = held ? pty.output.fd : -1, .events = POLLOUT },
		{ .fd = pty.ended ? -1 : pty.child_pidfd, .events = POLLIN },
	};

	if (poll(fds, 5, -1) < 0)
		return;
	if (fds[0].revents != 0)
		take_signals();
	if (fds[4].revents != 0)
		pty.ended = true;
	if (fds[1].revents != 0 && typed)
		write_typed();
	if (fds[2].revents != 0)
		take_input(plan);
	if (!pty.over && (fds[3].revents != 0 || (fds[1].revents != 0 && pty.output_open && !held)))
		take_output();
	/* What it wrote before it died is in the terminal; descendants that still have it
	 * open are not waited for. */
	while (pty.ended && !pty.over && pty.output_open)
		if (!take_output() && pty.held == 0)
			pty.output_open = false;
		else if (pty.held > 0 && !output_is_ready(&pty.output))
			return;
}

int attach_pty(const struct plan *plan, int master, int child_pidfd, int child, bool *detached)
{
	int signals = proxy_open(plan);

	pty.master = master;
	pty.child_pidfd = child_pidfd;
	pty.input_open = master >= 0 && plan_find(plan, "stdin") != NULL;
	pty.output_open = master >= 0;
	detach_keys_read(&pty.detach, plan);
	output_open(&pty.output, 1);
	if (master >= 0)
		fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
	start_raw();
	resize();
	while (!pty.over && !(pty.ended && !pty.output_open && pty.held == 0))
		step(plan, signals);
	terminal_restore();
	*detached = pty.detached;
	return pty.over ? pty.status : exit_status(wait_for(child));
}
