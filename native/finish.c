/* From the end of the container's process to our own end, or to its next run.
 *
 * In this order: what the pipes still hold is read; then, when the container is to run
 * again, the end is put on record and it rests for a while. Otherwise its network process
 * is told to end; the end is put on record (ending.c); only then clients hear of it, so a
 * caller that saw its client leave finds the exit code, or with auto-remove the name free
 * again. A client that takes nothing for STALL_MS after the end delays its own frames,
 * not the record. */
#include "finish.h"

#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "direct.h"
#include "ending.h"
#include "log.h"
#include "numbers.h"
#include "process.h"
#include "record.h"
#include "restart.h"

#define STALL_MS 2000
#define NETWORK_GRACE_MS 500

static struct {
	struct ending ending;
	struct source network;  /* pidfd of the network process, which is not our child */
	int64_t network_at, stall_at, restart_at; /* CLOCK_MONOTONIC ms, 0 = never */
	int64_t started_at;
	int64_t delay;          /* until the next run, -1 = there is none */
	bool settled, told;
	bool recorded;          /* this end is on record, from before the rest */
	bool forced, forbidden;
} state;

static void end_network(int signal)
{
	if (state.network.fd >= 0)
		syscall(SYS_pidfd_send_signal, state.network.fd, signal, NULL, 0);
}

/* No more runs. */
static void decide_to_leave(void)
{
	state.delay = -1;
	state.restart_at = 0;
	if (state.network.fd >= 0 && state.network_at == 0)
		state.network_at = now_ms() + NETWORK_GRACE_MS;
	end_network(SIGTERM);
}

void finish_prepare(struct loop *loop)
{
	state.network = (struct source){ .fd = -1, .tag = TAG_NETWORK };
	if (loop->monitor->network > 0)
		state.network.fd = (int)syscall(SYS_pidfd_open, loop->monitor->network, 0);
	source_want(loop, &state.network, EPOLLIN);
}

void finish_running(struct loop *loop)
{
	loop->ended = loop->resting = false;
	state.forced = false;
	state.stall_at = state.restart_at = 0;
	state.started_at = now_ms();
	state.recorded = false;
	ending_prepare(loop->monitor);
}

static void ended(struct loop *loop)
{
	struct winsize size;

	if (loop->terminal && loop->out.fd >= 0 && ioctl(loop->out.fd, TIOCGWINSZ, &size) == 0) {
		loop->monitor->rows = size.ws_row;
		loop->monitor->columns = size.ws_col;
	}
	loop->ended = true;
	loop->resting = false;
	streams_mark_end(loop);
	state.stall_at = now_ms() + STALL_MS;
	state.delay = state.forbidden ? -1
				      : restart_delay(loop->monitor, &state.ending,
						      now_ms() - state.started_at, state.forced);
	if (state.delay < 0)
		decide_to_leave();
}

void finish_reaped(struct loop *loop, int status)
{
	ending_note(&state.ending, status);
	ended(loop);
}

void finish_unstarted(struct loop *loop, int code)
{
	ending_note(&state.ending, code << 8);
	state.recorded = false;
	state.started_at = now_ms();
	ended(loop);
}

void finish_force_restart(void)
{
	state.forced = true;
}

void finish_forbid_restart(struct loop *loop)
{
	state.forbidden = true;
	if (loop->ended && state.delay >= 0)
		decide_to_leave();
}

/* Between two runs: nothing of the container lives but its network. */
static void rest(struct loop *loop)
{
	struct failure why = { 0 };

	ending_record(loop->monitor, &state.ending);
	state.recorded = true;
	loop->resting = true;
	loop->monitor->child = 0;
	source_close(loop, &loop->in);
	state.restart_at = now_ms() + state.delay;
	state.stall_at = 0;
	/* Failing to tell is no reason not to restart. */
	(void)monitor_write_state(loop->monitor, &why);
}

static void tell_clients(struct loop *loop)
{
	state.told = true;
	accept_clients(loop); /* who connected in time hears of it too */
	frame_header(chunk_frame, FRAME_END, 2);
	chunk_frame[FRAME_HEADER] = (unsigned char)state.ending.code;
	chunk_frame[FRAME_HEADER + 1] = (unsigned char)state.ending.signal;
	loop->chunk = FRAME_HEADER + 2;
	/* Before the directories are deleted: `run | cat` ends when its pipe does. */
	for (int i = 0; i < 2; i++)
		direct_release(loop, loop->direct[i].client);
	clients_offer(loop, 0, -1);
	source_close(loop, &loop->listener);
}

static void settle(struct loop *loop, bool complete)
{
	state.settled = true;
	if (complete)
		log_close();
	if (!state.recorded)
		ending_tell(loop->monitor, &state.ending);
	ending_release(loop->monitor, &state.ending);
	if (!complete)
		ending_remove(loop->monitor);
}

static enum finish_verdict advance_to_restart(struct loop *loop, bool complete, bool stalled)
{
	if (!loop->resting) {
		if (!complete && stalled) {
			clients_drop_owing(loop);
			direct_release_full(loop);
		}
		if (complete)
			rest(loop);
		return FINISH_WAITS;
	}
	if (!restart_is_wanted(loop->monitor)) {
		decide_to_leave();
		return FINISH_WAITS;
	}
	if (now_ms() < state.restart_at)
		return FINISH_WAITS;
	loop->monitor->restarts++;
	return FINISH_RESTART;
}

enum finish_verdict finish_advance(struct loop *loop)
{
	bool complete, stalled;

	if (!loop->ended)
		return FINISH_WAITS;
	complete = streams_drain(loop);
	stalled = state.stall_at != 0 && now_ms() >= state.stall_at;
	if (state.delay >= 0) {
		enum finish_verdict verdict = advance_to_restart(loop, complete, stalled);

		if (state.delay >= 0)
			return verdict;
	}
	if (!state.settled && (stalled || (complete && state.network.fd < 0)))
		settle(loop, complete);
	if (!state.settled || !complete)
		return FINISH_WAITS;
	if (!state.told) {
		tell_clients(loop);
		ending_remove(loop->monitor);
	}
	return loop->owing == 0 ? FINISH_DONE : FINISH_WAITS;
}

void finish_expire(int64_t now)
{
	if (state.network_at != 0 && now >= state.network_at) {
		state.network_at = 0;
		end_network(SIGKILL);
	}
}

int64_t finish_due(void)
{
	int64_t stall_at = state.settled ? 0 : state.stall_at;
	int64_t due = state.network_at;

	if (stall_at != 0 && (due == 0 || stall_at < due))
		due = stall_at;
	if (state.restart_at != 0 && (due == 0 || state.restart_at < due))
		due = state.restart_at;
	return due;
}

void finish_network_event(struct loop *loop)
{
	/* Not at our wish: the container goes on without. */
	if (state.network_at == 0 && !loop->ended)
		record_plain_event(loop->monitor->plan, "network_died");
	source_close(loop, &state.network);
}

void finish_network_renewed(struct loop *loop)
{
	const struct record *record = plan_find(loop->monitor->plan, "network-process");
	const char *name = record == NULL ? NULL : strrchr(record->argv[0], '/');
	struct failure why = { 0 };
	char text[32];
	uint64_t pid;

	if (name == NULL || loop->ended || state.network.fd >= 0 ||
	    read_small_file(loop->monitor->run_dir, name + 1, text, sizeof(text)) < 0 ||
	    !number_parse_bytes(text, strcspn(text, "\n"), 10, INT32_MAX, &pid) || pid < 2 ||
	    (pid_t)pid == loop->monitor->network)
		return;
	loop->monitor->network = (pid_t)pid;
	finish_prepare(loop);
	/* If it cannot be told, the network still is ours to end. */
	(void)monitor_update_state(loop->monitor, &why);
}
