/* The container's end on record, and `auto-remove`. */
#ifndef TSMAN_ENDING_H
#define TSMAN_ENDING_H

#include "record.h"

/* At the start: find where the kernel will count out-of-memory kills. */
void ending_prepare(const struct monitor *monitor);
/* Fill *ending from waitpid's status. */
void ending_note(struct ending *ending, int status);
/* The events. */
void ending_tell(const struct monitor *monitor, const struct ending *ending);
/* The events and the exit file, of an end that another run follows. */
void ending_record(const struct monitor *monitor, const struct ending *ending);
/* Nothing of the container is left: its cgroup goes, the lock is released, then the exit file
 * says so: from there on the container may be started or removed, although we still live. With
 * auto-remove it stops to exist: its directory moves to the trash, the run directory is emptied. */
void ending_release(const struct monitor *monitor, const struct ending *ending);
/* With auto-remove: delete the trash. May take long. Later calls do nothing. */
void ending_remove(const struct monitor *monitor);

#endif
