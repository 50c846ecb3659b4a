/* The hub: keeps the network namespace that a user's bridge networks share, and answers names in it. */
#ifndef TSMAN_HUB_H
#define TSMAN_HUB_H

#include <stdint.h>
#include <sys/types.h>

#include "failure.h"
#include "plan.h"

struct hub {
	pid_t pid;
	uint64_t start;
	int alive; /* whoever holds it open keeps the hub */
	pid_t monitor; /* of the container: it lives in the engine's user namespace */
};

/* A file below the directory of networks, close-on-exec, made for us alone. */
int net_open(const char *net_dir, const char *name, int flags);
/* Be root where the container's monitor is. */
int engine_enter(const struct plan *plan, pid_t monitor, struct failure *why);
/* Find the hub or make one. The caller holds the lock of `net_dir` and has filled in the monitor. */
int hub_join(struct hub *hub, const struct plan *plan, const char *net_dir, struct failure *why);
/* The lock of `net_dir`, waited for. Returns it or -1. */
int hub_lock(const char *net_dir, struct failure *why);
/* The verb hub: make it, and its up-link, before the container that will need it. */
int hub_main(const struct plan *plan);
/* Serve names until nobody is left. */
_Noreturn void hub_serve(const char *net_dir, int fifo);

#endif
