/* Interfaces, addresses, routes: rtnetlink(7) in the namespace that the socket was opened in. */
#ifndef TSMAN_LINKS_H
#define TSMAN_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "netlink.h"

#define GROUP_INTERNAL 2 /* interface groups, as firewall.c knows them */
#define GROUP_EXTERNAL 1
#define GROUP_CONTAINER 0x74736d61 /* of our ends in containers: not 0, as of what is made inside */

/* An address of either family, and how many bits of it are the network. */
struct ip_address {
	int family; /* AF_INET, AF_INET6, or 0 = none */
	uint8_t bytes[16];
	unsigned int prefix;
};

/* "10.0.0.1" or "10.0.0.1/24", or the same of IPv6. */
bool ip_parse(const char *text, struct ip_address *address);
unsigned int ip_size(const struct ip_address *address);
/* The number `offset` after `address`; stays in the family, wraps at its end. */
struct ip_address ip_plus(const struct ip_address *address, uint64_t offset);

int link_make_bridge(struct netlink *netlink, const char *name, unsigned int group, uint32_t mtu);
/* A pair: `name` here in `bridge`, `peer` in the namespace of descriptor `netns`. */
int link_make_pair(struct netlink *netlink, const char *name, unsigned int bridge, int netns,
		   const char *peer, const uint8_t mac[6], uint32_t mtu);
int link_up(struct netlink *netlink, unsigned int index);
int link_delete(struct netlink *netlink, const char *name);
/* All of a group; ENODEV when there is none. */
int link_delete_group(struct netlink *netlink, unsigned int group);
int link_add_address(struct netlink *netlink, unsigned int index, const struct ip_address *address);
/* `to` with prefix 0 is the default route. metric 0 = the kernel's. */
int link_add_route(struct netlink *netlink, const struct ip_address *to,
		   const struct ip_address *gateway, uint32_t metric);
/* What carries `mark` is looked up in `table`, and `table` says: it is for us. Once is enough. */
int link_deliver_marked(struct netlink *netlink, int family, uint32_t mark, uint32_t table);

#endif
