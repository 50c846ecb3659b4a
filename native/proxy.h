/* The signals an attached client gets: passed on, or obeyed with the terminal in order. */
#ifndef TSMAN_PROXY_H
#define TSMAN_PROXY_H

#include <stdbool.h>

#include "plan.h"

/* Block the signals we handle and return a signalfd for them, or -1. */
int proxy_open(const struct plan *plan);

enum proxy_verdict {
	PROXY_NOTHING,
	PROXY_FORWARD, /* send *number to the container's process */
	PROXY_RESIZED,
	PROXY_CHILD,   /* SIGCHLD */
	PROXY_RESUMED, /* we were stopped and go on: set up the terminal again, and forward
			* *number unless it is 0 */
};

/* Take one signal; PROXY_NOTHING with *number 0 when none is pending. A signal that is
 * not forwarded and ends a program ends us here, the terminal restored. */
enum proxy_verdict proxy_take(int *number);

#endif
