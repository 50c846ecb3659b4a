/* Supplementary groups. */
#ifndef TSMAN_GROUPS_H
#define TSMAN_GROUPS_H

#include <stddef.h>
#include <sys/types.h>

#include "failure.h"

/* Have exactly these. Where the user namespace has lost setgroups(2) for good (a map of one
 * id), the caller's groups stay: unmapped, they show as nobody's. */
int groups_set(const gid_t *groups, size_t count, struct failure *why);

#endif
