/* What the monitor leaves for others to read: the state and exit files, the events. */
#ifndef TSMAN_RECORD_H
#define TSMAN_RECORD_H

#include <stdbool.h>
#include <time.h>

#include "monitor.h"

struct text;

struct ending {
	int code;   /* as the caller's shell would see it: 128+N when a signal ended it */
	int signal; /* or 0 */
	bool oom;
	struct timespec finished;
};

/* Write container-dir/exit; a reader sees the whole file or none. `final`: no run follows by itself. */
int record_exit(int container_dir, const struct ending *ending, bool final);
/* Replace a small file below the directory; not synced. */
int record_small_file(int directory, const char *name, const struct text *text);
/* Append a line about a changed health to the plan's events file. */
void record_health_event(const struct plan *plan, const char *status);
/* One that has nothing to tell but itself: "init", "attach", "cleanup", "remove", "network_died". */
void record_plain_event(const struct plan *plan, const char *action);
/* "exec" or "exec_died"; a negative code is left out. */
void record_exec_event(const struct plan *plan, const char *action, int code);
/* Append one line to the plan's events file; `ending` is NULL for "start". */
void record_event(const struct plan *plan, const struct ending *ending);

#endif
