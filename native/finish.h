/* From the end of the container's process to our own end, or to its next run. */
#ifndef TSMAN_FINISH_H
#define TSMAN_FINISH_H

#include "loop.h"
#include "monitor.h"

enum finish_verdict { FINISH_WAITS, FINISH_DONE, FINISH_RESTART };

/* Once: the network process is to be ended with the container. */
void finish_prepare(struct loop *loop);
/* The container runs, for the first time or again. */
void finish_running(struct loop *loop);
/* Its process was reaped with waitpid's `status`, or could not be started: exit code `code`. */
void finish_reaped(struct loop *loop, int status);
void finish_unstarted(struct loop *loop, int code);
/* The health check wants it run again, whatever the policy. */
void finish_force_restart(void);
/* It is not to run again, whatever the policy. */
void finish_forbid_restart(struct loop *loop);
/* One step. */
enum finish_verdict finish_advance(struct loop *loop);
/* What is due, and when something will be: ms of the monotonic clock, 0 = nothing. */
void finish_expire(int64_t now);
int64_t finish_due(void);
void finish_network_event(struct loop *loop);
/* `network reload` may have put another process in the place of one that has ended. */
void finish_network_renewed(struct loop *loop);

#endif
