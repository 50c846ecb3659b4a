/* sd_notify(3): telling the service manager. */
#ifndef TSMAN_NOTIFY_H
#define TSMAN_NOTIFY_H

#include <stdbool.h>

#include "plan.h"

/* The container runs for the first time: we are the service's main process, and with the kind
 * `conmon` the service is ready. */
void notify_running(const struct plan *plan);
/* Its health check succeeded for the first time: with the kind `healthy` the service is ready. */
void notify_healthy(const struct plan *plan);

#endif
