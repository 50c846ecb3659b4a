/* UDP on sockets of both families: who sent, and to which of our addresses. */
#ifndef TSMAN_DATAGRAM_H
#define TSMAN_DATAGRAM_H

#include <netinet/in.h>
#include <sys/types.h>

#include "links.h"

struct asker {
	struct sockaddr_in6 address;
	struct in6_pktinfo at;
};

/* A bound socket of `type` that does not block; `address` NULL = every address. -1 with errno. */
int socket_listen(int type, const struct ip_address *address, uint16_t port);
ssize_t datagram_receive(int fd, struct asker *asker, void *bytes, size_t size);
/* From the address that was asked: clients drop what comes from another. */
void datagram_reply(int fd, const struct asker *asker, const void *bytes, size_t size);

/* IPv4 within IPv6 taken out again, and put in. */
struct ip_address address_unmapped(const struct in6_addr *address);
struct sockaddr_in6 address_mapped(const struct ip_address *address, uint16_t port);

#endif
