/* The monitor's loop.
 *
 * Theory of operation. One epoll loop, no thread, no allocation. While the container
 * runs, output goes pipe or pty -> log -> clients, one chunk of at most 64 KiB at a
 * time: the next one is read when every client that asked for it has taken the last.
 * Nothing is ever dropped, memory does not grow, and a slow reader slows the container
 * as a pipe would. The loop starts with the starting client still to say hello;
 * until then (or its death) no output is read, so that it misses none.
 *
 * When the container's process is reaped, in this order: its network process is told
 * to end; what the pipes still hold is read; the end is put on record (ending.c);
 * only then clients hear of it, so a caller that saw its client leave finds the exit
 * code, or with auto-remove the name free again. A client that takes nothing for
 * STALL_MS after the end delays its own frames, not the record. */
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ending.h"
#include "idle.h"
#include "log.h"
#include "loop.h"
#include "scratch.h"
#include "terminal.h"
#include "text.h"

#define STALL_MS 2000
#define NETWORK_GRACE_MS 500
#define IDLE_MS 1000

char scratch[SCRATCH_SIZE] __attribute__((aligned(4096)));

static struct loop loop;

static struct {
	bool settled, told;
	bool awake;             /* there was work since the last long sleep */
	struct ending ending;
	struct source network;  /* pidfd of the network process, which is not our child */
	int64_t timeout_at, network_at, stall_at; /* CLOCK_MONOTONIC ms, 0 = never */
} state;

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void accept_clients(void)
{
	int fd;

	while ((fd = accept4(loop.listener.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		client_add(&loop, fd, false);
}

static void end_network(int signal)
{
	if (state.network.fd >= 0)
		syscall(SYS_pidfd_send_signal, state.network.fd, signal, NULL, 0);
}

static void container_ended(int status)
{
	loop.ended = true;
	ending_note(&state.ending, status);
	streams_mark_end(&loop);
	state.timeout_at = 0;
	state.stall_at = now_ms() + STALL_MS;
	if (state.network.fd >= 0)
		state.network_at = now_ms() + NETWORK_GRACE_MS;
	end_network(SIGTERM);
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == loop.monitor->child)
			container_ended(status);
	}
}

static void take_signals(void)
{
	struct signalfd_siginfo info;

	while (read(loop.signals.fd, &info, sizeof info) == (ssize_t)sizeof info) {
		/* SIGCHLD merges; reap() is called anyway. The others were meant to end
		 * the container: systemd at logout, an operator's kill. */
		if (info.ssi_signo != SIGCHLD && !loop.ended)
			syscall(SYS_pidfd_send_signal, loop.monitor->child_pidfd, (int)info.ssi_signo, NULL, 0);
	}
	reap();
}

static void settle(bool complete)
{
	state.settled = true;
	if (complete)
		log_close();
	ending_record(loop.monitor, &state.ending);
}

static void tell_clients(void)
{
	state.told = true;
	accept_clients(); /* who connected in time hears of it too */
	frame_header(chunk_frame, FRAME_END, 2);
	chunk_frame[FRAME_HEADER] = (unsigned char)state.ending.code;
	chunk_frame[FRAME_HEADER + 1] = (unsigned char)state.ending.signal;
	loop.chunk = FRAME_HEADER + 2;
	clients_offer(&loop, 0);
	source_close(&loop, &loop.listener);
}

/* One step towards our own end. Returns true when nothing is left to do. */
static bool advance(void)
{
	bool complete, stalled;

	if (!loop.ended)
		return false;
	complete = streams_drain(&loop);
	stalled = now_ms() >= state.stall_at;
	if (!state.settled && (stalled || (complete && state.network.fd < 0))) {
		settle(complete);
		if (!complete)
			ending_remove(loop.monitor);
	}
	if (!state.settled || !complete)
		return false;
	if (!state.told) {
		tell_clients();
		ending_remove(loop.monitor);
	}
	return loop.owing == 0;
}

static void expire(void)
{
	int64_t now = now_ms();

	if (state.timeout_at != 0 && now >= state.timeout_at) {
		state.timeout_at = 0;
		syscall(SYS_pidfd_send_signal, loop.monitor->child_pidfd, SIGKILL, NULL, 0);
	}
	if (state.network_at != 0 && now >= state.network_at) {
		state.network_at = 0;
		end_network(SIGKILL);
	}
}

static int next_timeout(void)
{
	int64_t now = now_ms(), wait = state.awake ? IDLE_MS : -1;
	int64_t at[] = { state.timeout_at, state.network_at,
			 state.settled ? 0 : state.stall_at };

	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		int64_t left = at[i] > now ? at[i] - now : 0;

		if (at[i] != 0 && (wait < 0 || left < wait))
			wait = left;
	}
	return wait > INT_MAX ? INT_MAX : (int)wait;
}

/* Wait for events. Most containers are quiet most of the time, and then neither the
 * buffers nor most of the program need be in memory. */
static int wait_for_events(struct epoll_event *events, int count)
{
	int n = epoll_wait(loop.epoll, events, count, next_timeout());

	if (n != 0 || !state.awake) {
		state.awake = true;
		return n;
	}
	expire();
	state.awake = false;
	madvise(scratch, SCRATCH_SIZE, MADV_DONTNEED);
	if (loop.owing == 0)
		madvise(chunk_frame, FRAME_PAYLOAD, MADV_DONTNEED);
	n = idle_wait(loop.epoll, events, count, next_timeout());
	state.awake = true;
	return n;
}

static void dispatch(const struct epoll_event *event)
{
	uint32_t tag = event->data.u32, events = event->events;

	/* An event may be stale: an earlier one of the same batch closed its source. */
	if (tag == TAG_SIGNALS) {
		take_signals();
	} else if (tag == TAG_LISTENER) {
		if (loop.listener.fd >= 0)
			accept_clients();
	} else if (tag == TAG_STDOUT || tag == TAG_STDERR) {
		struct source *source = tag == TAG_STDOUT ? &loop.out : &loop.err;

		if (loop.terminal && (events & EPOLLOUT))
			clients_unstick(&loop);
		if (events & ~(uint32_t)EPOLLOUT)
			streams_read(&loop, source, tag == TAG_STDOUT ? 1 : 2);
	} else if (tag == TAG_NETWORK) {
		source_close(&loop, &state.network);
	} else if (tag == TAG_STDIN) {
		clients_unstick(&loop); /* EPOLLERR too: the next write finds out */
	} else {
		client_event(&loop, &loop.clients[tag - TAG_CLIENT], events);
	}
}

static int open_signals(void)
{
	static const int numbers[] = { SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		sigaddset(&set, numbers[i]);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a log beyond the file size limit is a full disk, not our death */
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int without_blocking(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

static int start(const struct monitor *monitor)
{
	const struct record *timeout = plan_find(monitor->plan, "timeout");
	int out = monitor->terminal >= 0 ? monitor->terminal : monitor->stdout_read;

	loop.monitor = monitor;
	loop.terminal = monitor->terminal >= 0;
	loop.out = (struct source){ .fd = without_blocking(out), .tag = TAG_STDOUT };
	loop.err = (struct source){ .fd = without_blocking(monitor->stderr_read), .tag = TAG_STDERR };
	loop.in = (struct source){ .fd = without_blocking(monitor->stdin_write), .tag = TAG_STDIN };
	loop.listener = (struct source){ .fd = without_blocking(monitor->listener), .tag = TAG_LISTENER };
	loop.signals = (struct source){ .fd = open_signals(), .tag = TAG_SIGNALS };
	loop.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop.epoll < 0 || loop.signals.fd < 0)
		return -1;
	source_want(&loop, &loop.signals, EPOLLIN);
	source_want(&loop, &loop.listener, EPOLLIN);
	clients_start(&loop);
	if (monitor->first_client >= 0)
		client_add(&loop, monitor->first_client, true);

	state.network = (struct source){ .fd = -1, .tag = TAG_NETWORK };
	if (monitor->network > 0)
		state.network.fd = (int)syscall(SYS_pidfd_open, monitor->network, 0);
	source_want(&loop, &state.network, EPOLLIN);
	loop.slave = -1;
	loop.takes_input = plan_find(monitor->plan, "stdin") != NULL;
	if (loop.terminal)
		streams_hold_slave(&loop);
	if (timeout != NULL)
		state.timeout_at = now_ms() + (int64_t)strtoull(timeout->argv[0], NULL, 10) * 1000;
	ending_prepare(monitor);
	state.awake = true;
	record_event(monitor->plan, NULL);
	reap(); /* it may have ended before its SIGCHLD was ours */
	return 0;
}

int monitor_run(struct monitor *monitor)
{
	struct epoll_event events[16];

	if (start(monitor) < 0)
		return 1; /* PR_SET_PDEATHSIG takes the container along */
	while (!advance()) {
		int n;

		streams_watch(&loop);
		n = wait_for_events(events, 16);
		for (int i = 0; i < n; i++)
			dispatch(&events[i]);
		expire();
	}
	return 0;
}
