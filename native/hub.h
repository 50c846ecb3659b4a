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

/* Be root where the container's monitor is. */
int engine_enter(const struct plan *plan, pid_t monitor, struct failure *why);
/* Find the hub or make one. The caller holds the lock of `net_dir` and has filled in the monitor. */
int hub_join(struct hub *hub, const struct plan *plan, const char *net_dir, struct failure *why);
/* The lock of `net_dir`, waited for. Returns it or -1. */
int hub_lock(const char *net_dir, struct failure *why);
/* The verb hub: make it, and its up-link, before the container that will need it. */
int hub_main(const struct plan *plan);
/* The hub's part of dns.c: serve names and requests until nobody is left. */
_Noreturn void hub_serve(const char *net_dir, int fifo, int dns);
/* The socket on which names are asked for, in the current namespace, or -1. */
int dns_open(void);
/* `resolver`: who answers in place of servers that listen on the host's loopback; may be NULL. */
void dns_setup(const char *net_dir, const char *resolver);
struct pollfd;
/* Descriptors to poll besides the socket; returns how many. */
size_t dns_polled(struct pollfd *polled, size_t most);
void dns_question(int fd);
/* `polled` as dns_polled filled it and poll(2) after it. */
void dns_answers(int fd, const struct pollfd *polled, size_t count);

#endif
