/* Executing ourselves in a form that a container cannot write to (CVE-2019-5736). */
#ifndef TSMAN_SEAL_H
#define TSMAN_SEAL_H

#include "failure.h"

#define STAGE_NAME "container" /* argv[1] of the re-executed process; main.c dispatches it */

/* In a mount namespace of our own: a read-only detached mount of our file; a sealed
 * memfd where that fails. Returns a close-on-exec descriptor or -1. */
int seal_by_mount(struct failure *why);
/* Where we may not mount: a sealed copy in memory. */
int seal_by_copy(struct failure *why);
/* A sealed copy in memory of what an open file holds, from its beginning. */
int seal_content(int fd, struct failure *why);

/* What the re-executed process finds open. */
struct stage_descriptors {
	int plan;
	int sync;
	int filter; /* the seccomp program, or -1: the stage opens it by its path */
	unsigned short rows, columns; /* of the caller's terminal, 0 = it has none */
};

/* Become `container PLAN SYNC FILTER ROWS COLUMNS` from the sealed file. Returns only on failure. */
int seal_execute(int sealed, const struct stage_descriptors *keep, struct failure *why);

#endif
