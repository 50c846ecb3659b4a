/* What the caller learns. See README.md, "Report". */
#ifndef TSMAN_REPORT_H
#define TSMAN_REPORT_H

#include <sys/types.h>

#include "failure.h"
#include "plan.h"

/* Exit status that belongs to a failure: 127, 126 or 125. */
int report_status(const struct failure *why);
/* Tell it by `report`, `explain` or on stderr. Returns the exit status, or does not return.
 * `plan` may be NULL. */
int report_failure(const struct plan *plan, const struct failure *why);
/* Success: pid files, `report`, `announce`. Returns 0 or -1. */
int report_running(const struct plan *plan, pid_t pid, pid_t monitor, struct failure *why);

#endif
