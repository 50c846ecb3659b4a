/* Published ports of a container on bridge networks: from the host's sockets to the container. */
#ifndef TSMAN_FORWARD_H
#define TSMAN_FORWARD_H

#include <stdbool.h>

#include "failure.h"
#include "links.h"
#include "plan.h"

/* Take the plan's ports in the current (the host's) network namespace. */
int forward_open(const struct plan *plan, struct failure *why);
/* Serve them from the shared namespace until the monitor or the hub ends. */
_Noreturn void forward_serve(const char *net_dir, const char *id, int monitor, int alive);

/* For forward_udp.c. A socket connected to the container's `port`, that shows the client's address. */
int forward_connect(int type, const struct sockaddr_in6 *client, uint16_t port);
bool forward_add(int fd, uint32_t events, void *owner);
/* Datagrams from clients at a listener whose container port is `port`; from a container to a client. */
void forward_datagrams(int listener, uint16_t port);
void forward_answers(void *flow);
void forward_expire(void);

#endif
