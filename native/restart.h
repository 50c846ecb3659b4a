/* Restart policies. */
#ifndef TSMAN_RESTART_H
#define TSMAN_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

/* Nobody has asked for the container's end since it was started: container-dir/wanted. */
bool restart_is_wanted(const struct monitor *monitor);
/* Milliseconds until the container runs again after this end, or -1 = it does not.
 * `forced`: its health check asks for it, whatever the policy. */
int64_t restart_delay(const struct monitor *monitor, const struct ending *ending, int64_t ran_ms,
		      bool forced);

#endif
