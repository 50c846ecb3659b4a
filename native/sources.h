/* The host's files that a plan names, for a container whose root may not reach them by path. */
#ifndef TSMAN_SOURCES_H
#define TSMAN_SOURCES_H

#include "plan.h"

/* Open the sources of binds and volumes while we still are the engine's user; kept over the
 * re-execution. *filter becomes the seccomp program's descriptor. */
int sources_open(const struct plan *plan, int *filter, struct failure *why);
/* The re-executed process: name what was opened by its descriptor. */
void sources_take(struct plan *plan);

#endif
