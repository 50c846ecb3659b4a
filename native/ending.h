/* The container's end on record, and `auto-remove`. */
#ifndef TSMAN_ENDING_H
#define TSMAN_ENDING_H

#include "record.h"

/* At the start: find where the kernel will count out-of-memory kills. */
void ending_prepare(const struct monitor *monitor);
/* Fill *ending from waitpid's status. */
void ending_note(struct ending *ending, int status);
/* The event and the exit file; with auto-remove, instead of the file, the container
 * stops to exist: its directory moves to the trash, the run directory is emptied, the
 * lock released. */
void ending_record(const struct monitor *monitor, const struct ending *ending);
/* With auto-remove: delete the trash. May take long. Later calls do nothing. */
void ending_remove(const struct monitor *monitor);

#endif
