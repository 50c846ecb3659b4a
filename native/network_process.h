/* The network process (pasta and its like): started beside the container's set-up. */
#ifndef TSMAN_NETWORK_PROCESS_H
#define TSMAN_NETWORK_PROCESS_H

#include <sys/types.h>

#include "failure.h"
#include "plan.h"

struct network_process {
	const struct record *record;
	pid_t pid;  /* the one we started; it leaves its daemon behind when it is ready */
	int pidfd;  /* -1 = there is none to wait for */
	int output; /* what it says, for the failure's subject */
};

int network_process_start(struct network_process *network, const struct plan *plan,
			  pid_t container, struct failure *why);
/* It ended: ready, with the daemon's pid in *daemon, or failed. */
int network_process_ready(struct network_process *network, pid_t *daemon, struct failure *why);

#endif
