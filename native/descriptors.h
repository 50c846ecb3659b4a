/* Descriptors that came with us. */
#ifndef TSMAN_DESCRIPTORS_H
#define TSMAN_DESCRIPTORS_H

#include "failure.h"
#include "plan.h"

/* Close every inherited descriptor above 2 but the plan's, `report` and `preserve-fds`. */
int descriptors_close_inherited(const struct plan *plan, struct failure *why);
/* How many descriptors from 3 on go to the container's program. */
unsigned int descriptors_preserved(const struct plan *plan);

/* The two become 3 and 4, close-on-exec; every other descriptor from 3 on is closed. Returns 0 or -1. */
int descriptors_keep_two(int first, int second);

#endif
