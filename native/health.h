/* Health checks: when to probe, what the results mean, what is done about them. */
#ifndef TSMAN_HEALTH_H
#define TSMAN_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"

/* Once. */
void health_prepare(struct loop *loop);
/* The container runs, for the first time or again: it is "starting". */
void health_running(void);
/* Its process has ended. */
void health_ended(void);
/* True when the reaped child was the probe. */
bool health_reaped(pid_t pid, int status);
void health_output(void);
/* Somebody wants a result now (`tsman healthcheck run`). */
void health_probe_now(void);
void health_expire(int64_t now);
int64_t health_due(void);

#endif
