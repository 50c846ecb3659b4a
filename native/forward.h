/* Published ports of a container on bridge networks: from the host's sockets to the container. */
#ifndef TSMAN_FORWARD_H
#define TSMAN_FORWARD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "failure.h"
#include "plan.h"

/* Take the plan's ports in the current (the host's) network namespace. */
int forward_open(const struct plan *plan, struct failure *why);
/* Whether there are any. */
bool forward_is_needed(void);
/* Serve them until the monitor or the hub ends. */
_Noreturn void forward_serve(const char *net_dir, const char *id, int monitor, int alive);

/* What an epoll event belongs to; the first member of each owner. */
enum forward_kind { KIND_END, KIND_TCP, KIND_UDP, KIND_CONNECTION, KIND_FLOW };

/* Report `events` of fd to `owner`; again for a descriptor that is known already. */
bool forward_watch(int fd, uint32_t events, void *owner);
bool forward_watch_again(int fd, uint32_t events, void *owner);

/* forward_container.c: the container's side. Prepare its network namespace, a descriptor, and enter it. */
int forward_enter(int shared, int container, struct failure *why);
void forward_find(const char *net_dir, const char *id);
/* Sockets on their way to the container's `port`, that show the client's address; -1 with errno.
 * `speaks`: the caller will send at once. */
int forward_connect(const struct sockaddr_in6 *client, uint16_t port, bool speaks);
int forward_connect_datagrams(const struct sockaddr_in6 *client, uint16_t port);
/* While there is time: what the next forward_connect needs. */
void forward_prepare(void);

/* forward_tcp.c. Take over an accepted connection; what an event means; what can wait. */
void connection_start(int client, const struct sockaddr_in6 *name, uint16_t port);
void connection_event(void *connection, uint32_t events);
/* How long in ms epoll may wait, -1 = as long as it likes; then, with what can wait, and whether
 * nothing had happened. */
int connections_patience(void);
void connections_turn(bool idle);

/* forward_udp.c. Datagrams from clients at a listener whose container port is `port`; from a
 * container to a client; the end of flows that are silent. */
void flow_datagrams(int listener, uint16_t port);
void flow_answers(void *flow);
void flows_expire(void);

#endif
