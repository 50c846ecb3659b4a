/* A root file system served by fuse-overlayfs, outside the container. */
#ifndef TSMAN_FUSE_ROOT_H
#define TSMAN_FUSE_ROOT_H

#include "failure.h"
#include "plan.h"

/* Monitor: start the plan's `rootfs-fuse` program on an already mounted /dev/fuse descriptor. */
int fuse_root_serve(const struct plan *plan, int fuse, struct failure *why);
/* Fs agent: a process that does so for a mount still to be made, as the monitor would. Returns the socket
 * for step_rootfs_fuse's message, or -1. */
int fuse_root_server(const struct plan *plan, struct failure *why);

#endif
