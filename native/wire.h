/* The parts of a container's end of a network; between the wire*.c. */
#ifndef TSMAN_WIRE_H
#define TSMAN_WIRE_H

#include <net/if.h>
#include <stdbool.h>

#include "net.h"

/* What the container has in one network. */
struct taken {
	struct ip_address addresses[SUBNETS];
	size_t count;
	uint8_t mac[6];
	char interface[IFNAMSIZ];
	char pair[IFNAMSIZ];
	char lease[96];
	bool first; /* in this network */
};

/* wire_choose.c: addresses that no lease has, the names of lease and pair, the MAC address. */
int wire_choose(const struct wiring *wiring, const struct attachment *attachment,
		struct taken *taken, struct failure *why);
/* wire_links.c: bridge, pair of interfaces, addresses and routes. */
int wire_links(struct wiring *wiring, const struct attachment *attachment, struct taken *taken,
	       struct netlink *netlink, struct failure *why);

#endif
