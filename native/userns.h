/* The engine's user namespace. See README.md, "The engine's user namespace". */
#ifndef TSMAN_USERNS_H
#define TSMAN_USERNS_H

#include <stdbool.h>
#include <sys/types.h>

#include "failure.h"
#include "plan.h"

struct userns {
	const struct plan *plan;
	const char *run_root; /* NULL: `userns none` */
	int existing;         /* the namespace to join, or -1: make one */
	int lock;             /* held from userns_prepare to userns_record while making one */
};

/* Caller: find a living namespace to join, or take the right to make one. */
int userns_prepare(struct userns *userns, const struct plan *plan, struct failure *why);
/* True when the caller has to make a new namespace. */
bool userns_is_new(const struct userns *userns);
/* Caller: write the maps of `pid`, which is in the new namespace, and record it for others. */
int userns_write_maps(struct userns *userns, pid_t pid, struct failure *why);
/* The process that is to live there: join if it exists, then be its root. */
int userns_become(const struct userns *userns, struct failure *why);
void userns_close(struct userns *userns);

/* All of it for the calling process itself (verbs unshare and fs). */
int userns_enter(const struct plan *plan, struct failure *why);

/* uid and gid 0 without supplementary groups (unless keep-groups). */
int become_root(const struct plan *plan, struct failure *why);

#endif
