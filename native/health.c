/* Health checks.
 *
 * One probe at a time, by timers of the monitor's loop; no process waits in between. A
 * start-up check, when there is one, runs alone until it has succeeded often enough. In the
 * start period failures do not count until the first success. As in Docker a probe's time
 * begins anew when the last one has ended, so slow ones never overlap. */
#include "health.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "finish.h"
#include "health_record.h"
#include "notify.h"
#include "numbers.h"
#include "probe.h"
#include "process.h"
#include "record.h"
#include "report.h"

#define OUTPUT_MAX 8192 /* escaped as JSON it still fits in scratch */

struct check {
	const char *plan;
	int64_t interval, timeout; /* ms; interval 0 = only when asked */
	uint64_t retries;
};

static struct check regular, startup;
static int64_t start_period, start_interval;
static uint64_t successes_needed;

static struct {
	struct loop *loop;
	const char *status; /* NULL = no health check */
	bool starts_up;     /* the start-up check has not passed yet */
	bool timed_out;
	uint64_t streak, successes;
	int64_t next_at, kill_at, started_at; /* CLOCK_MONOTONIC ms, 0 = never */
	struct probe probe;
	struct source output;
	struct timespec probe_start;
	size_t size;
} state;

static char output[OUTPUT_MAX];

static struct check *current(void)
{
	return state.starts_up ? &startup : &regular;
}

static void read_check(struct check *check, const struct record *record)
{
	check->plan = record->argv[0];
	check->interval = (int64_t)number_of(record->argv[1]);
	check->timeout = (int64_t)number_of(record->argv[2]);
	check->retries = number_of(record->argv[3]);
}

void health_prepare(struct loop *loop)
{
	const struct record *record = plan_find(loop->monitor->plan, "health");
	const struct record *first = plan_find(loop->monitor->plan, "health-startup");

	state.loop = loop;
	state.output = (struct source){ .fd = -1, .tag = TAG_PROBE };
	state.probe = (struct probe){ .output = -1, .sync = -1 };
	if (record == NULL)
		return;
	state.status = "starting";
	read_check(&regular, record);
	start_period = (int64_t)number_of(record->argv[4]);
	start_interval = (int64_t)number_of(record->argv[5]);
	if (first == NULL)
		return;
	read_check(&startup, first);
	successes_needed = number_of(first->argv[4]);
}

static bool is_in_start_period(void)
{
	return start_period > 0 && strcmp(state.status, "starting") == 0 &&
	       now_ms() < state.started_at + start_period;
}

static void schedule(void)
{
	int64_t pause = current()->interval;

	if (!state.starts_up && is_in_start_period() && start_interval > 0 && pause > 0)
		pause = start_interval;
	state.next_at = pause > 0 ? now_ms() + pause : 0;
}

static void set_status(const char *status)
{
	bool changed = strcmp(status, state.status) != 0;

	state.status = status;
	health_record_status(state.loop->monitor, status, (unsigned int)state.streak);
	if (changed)
		record_health_event(state.loop->monitor->plan, status);
}

void health_running(void)
{
	if (state.status == NULL)
		return;
	state.status = "starting";
	state.starts_up = startup.plan != NULL;
	state.streak = state.successes = 0;
	state.started_at = now_ms();
	health_record_reset(state.loop->monitor);
	health_record_status(state.loop->monitor, state.status, 0);
	schedule();
}

static void close_probe(void)
{
	source_want(state.loop, &state.output, 0);
	state.output.fd = -1;
	probe_close(&state.probe);
	state.kill_at = 0;
}

void health_ended(void)
{
	state.next_at = 0;
	/* In a pid namespace of the host's it outlives the container. */
	if (state.probe.pid > 0)
		kill(state.probe.pid, SIGKILL);
	close_probe();
}

static void act_on_failure(void)
{
	const struct record *record = plan_find(state.loop->monitor->plan, "health-on-failure");
	const char *action = record == NULL ? "none" : record->argv[0];

	if (strcmp(action, "kill") == 0)
		signal_container(SIGKILL);
	else if (strcmp(action, "none") != 0)
		stop_container(strcmp(action, "restart") == 0);
}

static void judge_startup(bool success)
{
	if (success) {
		state.streak = 0;
		if (++state.successes >= successes_needed) {
			state.starts_up = false;
			state.started_at = now_ms();
		}
		return;
	}
	state.successes = 0;
	if (++state.streak >= startup.retries && startup.retries > 0)
		stop_container(true);
}

static void judge(bool success)
{
	if (state.starts_up) {
		judge_startup(success);
		health_record_status(state.loop->monitor, state.status, (unsigned int)state.streak);
	} else if (success) {
		bool first = strcmp(state.status, "healthy") != 0;

		state.streak = 0;
		set_status("healthy");
		if (first)
			notify_healthy(state.loop->monitor->plan);
	} else if (!is_in_start_period()) {
		bool was_unhealthy = strcmp(state.status, "unhealthy") == 0;

		state.streak++;
		set_status(state.streak >= regular.retries ? "unhealthy" : state.status);
		if (!was_unhealthy && strcmp(state.status, "unhealthy") == 0)
			act_on_failure();
	}
}

static void conclude(int code)
{
	struct health_result result = { .start = state.probe_start, .code = code,
					.output = output, .size = state.size };

	clock_gettime(CLOCK_REALTIME, &result.end);
	health_record_result(state.loop->monitor, &result);
	close_probe();
	judge(code == 0);
	schedule();
}

static void say(const char *text)
{
	size_t size = strlen(text), room = sizeof output - state.size;

	memcpy(output + state.size, text, size < room ? size : room);
	state.size += size < room ? size : room;
}

static void say_failure(const struct failure *why)
{
	say(why->step);
	say(" ");
	say(why->subject);
	say(": ");
	say(strerrorname_np(why->error) != NULL ? strerrorname_np(why->error) : "?");
}

void health_probe_now(void)
{
	struct failure why = { 0 };

	if (state.status == NULL || state.probe.pid > 0 || state.loop->ended)
		return;
	state.next_at = 0;
	state.size = 0;
	state.timed_out = false;
	clock_gettime(CLOCK_REALTIME, &state.probe_start);
	if (probe_start(&state.probe, state.loop->monitor, current()->plan, &why) < 0) {
		say_failure(&why);
		conclude(report_status(&why));
		return;
	}
	state.output.fd = state.probe.output;
	source_want(state.loop, &state.output, EPOLLIN);
	if (current()->timeout > 0)
		state.kill_at = now_ms() + current()->timeout;
}

void health_output(void)
{
	char rest[512];
	ssize_t n;

	if (state.output.fd < 0)
		return;
	/* What is too long is read all the same, or the probe would block. */
	do {
		size_t room = sizeof output - state.size;

		n = room > 0 ? read(state.output.fd, output + state.size, room)
			     : read(state.output.fd, rest, sizeof rest);
		if (n > 0 && room > 0)
			state.size += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0 || errno != EAGAIN) {
		source_want(state.loop, &state.output, 0);
		state.output.fd = -1; /* closed with the probe */
	}
}

bool health_reaped(pid_t pid, int status)
{
	struct failure why = { 0 };
	int code = exit_status(status);

	if (pid != state.probe.pid || pid == 0)
		return false;
	health_output();
	/* The end of the container kills it first: that is no result. */
	if (!state.timed_out && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		close_probe();
		schedule();
		return true;
	}
	if (state.timed_out) {
		say("health check exceeded its time limit");
		code = -1;
	} else if (probe_failed(&state.probe, &why)) {
		say_failure(&why);
		code = report_status(&why);
	}
	conclude(code);
	return true;
}

void health_expire(int64_t now)
{
	/* One that was frozen with its container could not go on: it gets its time again. */
	if (state.kill_at != 0 && now >= state.kill_at && probe_would_freeze(state.loop->monitor))
		state.kill_at = now + current()->timeout;
	if (state.kill_at != 0 && now >= state.kill_at) {
		state.kill_at = 0;
		state.timed_out = true;
		kill(state.probe.pid, SIGKILL);
	}
	if (state.next_at == 0 || now < state.next_at)
		return;
	if (probe_would_freeze(state.loop->monitor))
		schedule();
	else
		health_probe_now();
}

int64_t health_due(void)
{
	return state.kill_at != 0 ? state.kill_at : state.next_at;
}
