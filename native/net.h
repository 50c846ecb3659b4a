/* The verb net: put a container on bridge networks, and serve it there until its end. */
#ifndef TSMAN_NET_H
#define TSMAN_NET_H

#include <netinet/in.h>

#include "failure.h"
#include "links.h"
#include "plan.h"

#define SUBNETS 4

/* One network of the plan: its record and those that follow it. */
struct attachment {
	const char *name;
	const char *bridge;
	bool internal;
	bool dns;
	uint32_t mtu;
	const char *interface; /* "" = the first free eth */
	const char *mac;       /* "" = made from the address */
	const struct record *subnets[SUBNETS];
	size_t subnet_count;
	const struct record *first; /* of its records in the plan; aliases and routes are looked up */
	const struct record *end;
};

/* Namespaces and the directory of leases while networks are attached. */
struct wiring {
	int shared;    /* the hub's network namespace */
	int container; /* the container's */
	int leases;
	const char *id;
	const struct record *hosts; /* hosts FILE NAMES, or NULL: a line of it for each network */
	bool routed[2]; /* has a default route of IPv4, IPv6 */
};

/* The monitor of the container whose first process this file of /proc names, or -1. */
pid_t network_monitor(const char *userns);
int net_main(const struct plan *plan, char *const *places);
/* What an earlier process, which has ended, has left in the container. */
int wire_clear(const struct wiring *wiring, struct failure *why);
/* Interfaces, addresses, routes and the lease. Returns the lease's descriptor, or -1. */
int wire_network(struct wiring *wiring, const struct attachment *attachment, struct failure *why);
/* The interface and the lease go. */
int unwire_network(const struct wiring *wiring, const char *network, struct failure *why);

#endif
