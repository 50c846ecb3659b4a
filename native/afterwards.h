/* What is to be done when a detached container is gone. */
#ifndef TSMAN_AFTERWARDS_H
#define TSMAN_AFTERWARDS_H

#include <sys/types.h>

#include "plan.h"

/* With the plan's `afterwards` record: leave a process behind, as the plain user that we are, which
 * becomes that program once the monitor has ended. */
void afterwards_arrange(const struct plan *plan, pid_t monitor);

#endif
