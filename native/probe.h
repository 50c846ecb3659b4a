/* One run of a health check's command in the container. */
#ifndef TSMAN_PROBE_H
#define TSMAN_PROBE_H

#include <stdbool.h>

#include "failure.h"
#include "monitor.h"

struct probe {
	pid_t pid;     /* our child; 0 = none runs */
	int output;    /* its stdout and stderr, not blocking; -1 = closed */
	int sync;      /* tells why it could not be executed; -1 */
	struct failure failure; /* told already */
};

/* The container is paused: a probe would be born frozen. */
bool probe_would_freeze(const struct monitor *monitor);
/* Start the command of the exec plan at `path`. Returns 0 or -1. */
int probe_start(struct probe *probe, const struct monitor *monitor, const char *path,
		struct failure *why);
/* After its end: true, and why, when it could not be executed. */
bool probe_failed(struct probe *probe, struct failure *why);
void probe_close(struct probe *probe);

#endif
