/* Writing /proc/PID/uid_map and gid_map, ourselves or through newuidmap and newgidmap. */
#ifndef TSMAN_ID_MAP_H
#define TSMAN_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "failure.h"
#include "plan.h"

/* From outside: the maps of `pid`, by the set-uid helpers where our own right does not reach. */
int id_maps_write(const struct plan *plan, pid_t pid, struct failure *why);
/* From inside as the parent namespace's root: inner-uid-map and inner-gid-map of `pid`. */
int id_maps_write_inner(const struct plan *plan, pid_t pid, struct failure *why);
/* The records called `name` as /proc/PID/uid_map takes them. Returns the length, 0 = too long. */
size_t id_map_text(const struct plan *plan, const char *name, char *text, size_t size);
/* The map is one line of one id, so it can be written without help. */
bool id_map_is_single(const struct plan *plan, const char *name);
/* The process at /proc/PID has exactly the map of the records called `name`. */
bool id_map_equals(const struct plan *plan, const char *name, pid_t pid, const char *file);

#endif
