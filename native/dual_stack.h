/* Sockets of both families, with IPv4 addresses inside IPv6 ones (ipv6(7), "mapped"). On a host that has
 * no IPv6 at all (ipv6.disable=1: EAFNOSUPPORT) they are of IPv4, and callers need not know. */
#ifndef TSMAN_DUAL_STACK_H
#define TSMAN_DUAL_STACK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/* Close-on-exec, not blocking; of both families unless made otherwise. -1 with errno. */
int dual_socket(int type);
/* Whether they are of IPv4 only here; known once there has been one. */
bool dual_is_ipv4(void);
/* bind(2), connect(2); EAFNOSUPPORT for an address of IPv6 where there is none. */
int dual_bind(int fd, const struct sockaddr_in6 *name);
int dual_connect(int fd, const struct sockaddr_in6 *name);
/* A name as the kernel gave it, made one of IPv6; and an IPv6 one as the kernel wants it: its size, 0
 * where it cannot be. */
void dual_widen(struct sockaddr_in6 *name);
socklen_t dual_name(const struct sockaddr_in6 *name, struct sockaddr_storage *wanted);

#endif
