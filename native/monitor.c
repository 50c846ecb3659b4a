/* The monitor's loop.
 *
 * Theory of operation. One epoll loop, no thread, no allocation. While the container
 * runs, output goes pipe or pty -> log -> clients, one chunk of at most 256 KiB at a
 * time: the next one is read when every client that asked for it has taken the last.
 * Nothing is ever dropped, memory does not grow, and a slow reader slows the container
 * as a pipe would. The loop starts with the starting client still to say hello;
 * until then (or its death) no output is read, so that it misses none.
 *
 * What follows when the container's process is reaped is in finish.c. */
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

#include "direct.h"
#include "finish.h"
#include "health.h"
#include "idle.h"
#include "log.h"
#include "loop.h"
#include "notify.h"
#include "numbers.h"
#include "record.h"
#include "scratch.h"
#include "terminal.h"
#include "text.h"

#define IDLE_MS 1000
#define TIMED_OUT (255 << 8) /* the wait status that conmon, and so Podman, gives a --timeout */

char scratch[SCRATCH_SIZE] __attribute__((aligned(4096)));

static struct loop loop;

static struct {
	bool awake;         /* there was work since the last long sleep */
	bool timed_out;     /* --timeout has ended this run */
	int64_t timeout_at, kill_at; /* CLOCK_MONOTONIC ms, 0 = never */
} state;

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void accept_clients(struct loop *self)
{
	int fd;

	while ((fd = accept4(self->listener.fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		client_add(self, fd, false);
}

void signal_container(int number)
{
	if (!loop.ended)
		syscall(SYS_pidfd_send_signal, loop.monitor->child_pidfd, number, NULL, 0);
}

void stop_container(bool and_restart)
{
	const struct record *stop = plan_find(loop.monitor->plan, "stop");
	int64_t seconds = stop != NULL ? (int64_t)number_of(stop->argv[1]) : 0;

	if (and_restart)
		finish_force_restart();
	else
		finish_forbid_restart(&loop);
	signal_container(seconds > 0 ? (int)number_of(stop->argv[0]) : SIGKILL);
	state.kill_at = now_ms() + seconds * 1000;
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == loop.monitor->child && !loop.ended) {
			state.timeout_at = state.kill_at = 0;
			health_ended();
			finish_reaped(&loop, state.timed_out ? TIMED_OUT : status);
		} else {
			(void)health_reaped(pid, status);
		}
	}
}

static void take_signals(void)
{
	struct signalfd_siginfo info;

	while (read(loop.signals.fd, &info, sizeof info) == (ssize_t)sizeof info) {
		/* SIGCHLD merges; reap() is called anyway. The others were meant to end
		 * the container: systemd at logout, an operator's kill. */
		if (info.ssi_signo == SIGCHLD)
			continue;
		if (info.ssi_signo == SIGUSR1) {
			finish_network_renewed(&loop);
			health_probe_now();
			continue;
		}
		finish_forbid_restart(&loop);
		signal_container((int)info.ssi_signo);
	}
	reap();
}

static void expire(void)
{
	int64_t now = now_ms();

	if (state.timeout_at != 0 && now >= state.timeout_at) {
		state.timeout_at = 0;
		state.timed_out = true;
		signal_container(SIGKILL);
	}
	if (state.kill_at != 0 && now >= state.kill_at) {
		state.kill_at = 0;
		signal_container(SIGKILL);
	}
	health_expire(now);
	finish_expire(now);
}

static int next_timeout(void)
{
	int64_t now = now_ms(), wait = state.awake ? IDLE_MS : -1;
	int64_t at[] = { state.timeout_at, state.kill_at, health_due(), finish_due() };

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
	streams_rest(&loop);
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
			accept_clients(&loop);
	} else if (tag == TAG_STDOUT || tag == TAG_STDERR) {
		struct source *source = tag == TAG_STDOUT ? &loop.out : &loop.err;

		if (loop.terminal && (events & EPOLLOUT))
			clients_unstick(&loop);
		if (events & ~(uint32_t)EPOLLOUT)
			streams_read(&loop, source, tag == TAG_STDOUT ? 1 : 2);
	} else if (tag == TAG_NETWORK) {
		finish_network_event(&loop);
	} else if (tag == TAG_PROBE) {
		health_output();
	} else if (tag == TAG_DIRECT || tag == TAG_DIRECT + 1) {
		direct_ready(&loop, tag == TAG_DIRECT ? 1 : 2);
	} else if (tag == TAG_STDIN) {
		clients_unstick(&loop); /* EPOLLERR too: the next write finds out */
	} else {
		client_event(&loop, &loop.clients[tag - TAG_CLIENT], events);
	}
}

static int without_blocking(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

/* The streams of a run, and what counts from its start. */
static void begin_run(void)
{
	const struct monitor *monitor = loop.monitor;
	const struct record *timeout = plan_find(monitor->plan, "timeout");
	int out = monitor->terminal >= 0 ? monitor->terminal : monitor->stdout_read;

	loop.out = (struct source){ .fd = without_blocking(out), .tag = TAG_STDOUT };
	loop.err = (struct source){ .fd = without_blocking(monitor->stderr_read), .tag = TAG_STDERR };
	loop.in = (struct source){ .fd = without_blocking(monitor->stdin_write), .tag = TAG_STDIN };
	loop.slave = -1;
	if (loop.terminal)
		streams_hold_slave(&loop);
	if (loop.input_ended)
		source_close(&loop, &loop.in);
	state.timed_out = false;
	if (timeout != NULL)
		state.timeout_at = now_ms() + (int64_t)strtoull(timeout->argv[0], NULL, 10) * 1000;
	finish_running(&loop);
	health_running();
	record_plain_event(monitor->plan, "init");
	record_event(monitor->plan, NULL);
	reap(); /* it may have ended before its SIGCHLD was ours */
}

bool monitor_may_restart(const struct plan *plan)
{
	const struct record *action = plan_find(plan, "health-on-failure");

	return plan_find(plan, "restart") != NULL || plan_find(plan, "health-startup") != NULL ||
	       (action != NULL && strcmp(action->argv[0], "restart") == 0);
}

int monitor_start(struct monitor *monitor)
{
	loop.monitor = monitor;
	loop.terminal = monitor->terminal >= 0;
	loop.takes_input = plan_find(monitor->plan, "stdin") != NULL;
	loop.listener = (struct source){ .fd = without_blocking(monitor->listener), .tag = TAG_LISTENER };
	loop.signals = (struct source){ .fd = monitor_open_signals(), .tag = TAG_SIGNALS };
	loop.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop.epoll < 0 || loop.signals.fd < 0)
		return -1;
	source_want(&loop, &loop.signals, EPOLLIN);
	source_want(&loop, &loop.listener, EPOLLIN);
	clients_start(&loop);
	if (monitor->first_client >= 0)
		client_add(&loop, monitor->first_client, true);
	finish_prepare(&loop);
	health_prepare(&loop);
	notify_running(monitor->plan);
	state.awake = true;
	begin_run();
	return 0;
}

void monitor_restarted(int failed_code)
{
	if (failed_code == 0)
		begin_run();
	else
		finish_unstarted(&loop, failed_code);
}

enum monitor_verdict monitor_run(void)
{
	struct epoll_event events[16];

	for (;;) {
		enum finish_verdict verdict = finish_advance(&loop);
		int n;

		if (verdict != FINISH_WAITS)
			return verdict == FINISH_DONE ? MONITOR_DONE : MONITOR_RESTART;
		streams_watch(&loop);
		n = wait_for_events(events, 16);
		for (int i = 0; i < n; i++)
			dispatch(&events[i]);
		expire();
	}
}
