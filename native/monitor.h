/* The monitor's loop: copies the container's output to the log and the attach
 * clients, hands it input, reaps it, records its end. See README.md, "Attach stream". */
#ifndef TSMAN_MONITOR_H
#define TSMAN_MONITOR_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "failure.h"
#include "plan.h"

/* What box hands to the loop once the container process runs. The monitor owns every fd; -1 = none. */
struct monitor {
	const struct plan *plan;
	pid_t child;        /* the container's first process, our child */
	int child_pidfd;
	pid_t network;      /* the network process, started by main: not our child; or 0 */
	int run_dir;        /* O_PATH or O_RDONLY directory fd of run-dir */
	int container_dir;  /* directory fd of container-dir, or -1 */
	int lock;           /* holds monitor.lock */
	int listener;       /* attach.sock, listening, or -1 */
	int terminal;       /* pty master, or -1 */
	int stdin_write;    /* pipe to the container's stdin, or -1 */
	int stdout_read;    /* pipes from the container, or -1 (with a terminal: -1) */
	int stderr_read;
	int first_client;   /* socket of the box that started us and stays attached, or -1 */
	unsigned int restarts;
	struct timespec started; /* this run */
	unsigned short rows, columns; /* of the caller's terminal, later of the container's */
};

enum monitor_verdict {
	MONITOR_DONE,    /* the container has ended and everything is cleaned up */
	MONITOR_RESTART, /* it is to run again: monitor_restarted() comes next */
	MONITOR_FAILED,
};

/* Make run-dir/attach.sock (0600) below the directory fd and listen on it. Returns the fd or -1. */
int monitor_listen(int run_dir, struct failure *why);
/* Open the log named by the plan's `log` record before the container starts, so that a bad path
 * fails the start. Called before clone. Returns 0 or -1. */
int monitor_open_log(const struct plan *plan, struct failure *why);
/* Signals are for the loop from here on: nobody may learn our pid before. Fills *set with them. */
void monitor_block_signals(sigset_t *set);
/* A signalfd for them, or -1. */
int monitor_open_signals(void);
/* Write run-dir/state (README.md, "Run directory"). Called by box when exec has succeeded: it has
 * started now. */
int monitor_write_state(struct monitor *monitor, struct failure *why);
/* Write it anew. */
int monitor_update_state(const struct monitor *monitor, struct failure *why);
/* The plan has a reason to run the container again after its end. */
bool monitor_may_restart(const struct plan *plan);
/* Once, when the container runs. Returns 0 or -1. */
int monitor_start(struct monitor *monitor);
/* The loop. */
enum monitor_verdict monitor_run(void);
/* The container runs again, with the streams in *monitor; or it could not be started and
 * this is its exit code. */
void monitor_restarted(int failed_code);

#endif
