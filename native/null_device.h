/* /dev/null for a container's hands. */
#ifndef TSMAN_NULL_DEVICE_H
#define TSMAN_NULL_DEVICE_H

#include "failure.h"

/* Opened for reading and writing. The file is the host's: for real root, who could change its mode and
 * owner, it is opened through a read-only mount of its own, where the device works all the same. */
int null_open(void);
/* A detached, read-only mount of it, to cover files with; checked to be the device. */
int null_clone(const char *step, struct failure *why);

#endif
