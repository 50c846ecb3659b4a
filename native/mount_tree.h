/* Mounts made detached, given their flags while nobody can see them, and attached by descriptor. */
#ifndef TSMAN_MOUNT_TREE_H
#define TSMAN_MOUNT_TREE_H

#include <linux/types.h>

#include "failure.h"

/* MOUNT_ATTR_* of a flag list; *clear gets what has to be cleared with it. */
__u64 mount_attributes(const char *flags, __u64 *clear);
/* A new file system of `type`; `data` as in mount(2). Returns the detached mount or -1. */
int mount_new(const char *type, const char *source, const char *data, __u64 attributes,
	      struct failure *why);
/* Attach `tree` on the open directory or file `destination`. `name` is for the failure. */
int mount_attach(int tree, int destination, const char *name, struct failure *why);

#endif
