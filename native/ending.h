/* The container's end on record, and `auto-remove`. */
#ifndef TSMAN_ENDING_H
#define TSMAN_ENDING_H

#include "record.h"

/* At the start: find where the kernel will count out-of-memory kills. */
void ending_prepare(const struct monitor *monitor);
/* Fill *ending from waitpid's status. */
void ending_note(struct ending *ending, int status);
/* The event and the exit file. */
void ending_record(const struct monitor *monitor, const struct ending *ending);
/* Nothing of the container is left: its cgroup goes, the lock is released. With auto-remove
 * it stops to exist: its directory moves to the trash, the run directory is emptied. */
void ending_release(const struct monitor *monitor, const struct ending *ending);
/* With auto-remove: delete the trash. May take long. Later calls do nothing. */
void ending_remove(const struct monitor *monitor);

#endif
