/* The interfaces of a network and of a container on it. See wire.h. */
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "numbers.h"
#include "syscalls.h"
#include "wire.h"

/* Where br_netfilter is loaded, frames between two containers would be taken for packets that are
 * forwarded, and dropped. It may have been loaded since the last time. */
static void keep_frames_from_firewall(void)
{
	static const char *const settings[] = {
		"/proc/sys/net/bridge/bridge-nf-call-iptables",
		"/proc/sys/net/bridge/bridge-nf-call-ip6tables",
		"/proc/sys/net/bridge/bridge-nf-call-arptables",
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		AUTO_CLOSE int fd = open(settings[i], O_WRONLY | O_CLOEXEC);

		if (fd >= 0)
			(void)write(fd, "0", 1);
	}
}

static int make_bridge(const struct attachment *attachment, const struct taken *taken,
		       struct netlink *netlink, struct failure *why)
{
	unsigned int group = attachment->internal ? GROUP_INTERNAL : GROUP_EXTERNAL;
	unsigned int index = if_nametoindex(attachment->bridge);

	keep_frames_from_firewall();
	/* Perhaps of a network that was removed, with other addresses and other rules. */
	if (index != 0 && taken->first && link_delete(netlink, attachment->bridge) == 0)
		index = 0;
	if (index == 0) {
		if (link_make_bridge(netlink, attachment->bridge, group, attachment->mtu) < 0)
			return fail(why, "network", attachment->bridge);
		index = if_nametoindex(attachment->bridge);
	}
	for (size_t i = 0; i < attachment->subnet_count; i++) {
		struct ip_address gateway;
		struct ip_address net;

		if (!ip_parse(attachment->subnets[i]->argv[1], &gateway) ||
		    !ip_parse(attachment->subnets[i]->argv[0], &net))
			continue; /* without a gateway */
		gateway.prefix = net.prefix;
		if (link_add_address(netlink, index, &gateway) < 0)
			return fail(why, "network", attachment->subnets[i]->argv[1]);
	}
	return link_up(netlink, index) < 0 ? fail(why, "network", attachment->bridge) : 0;
}

/* In a container whose sysctl forbids IPv6 the network has none: 1. EACCES is how one learns of it. */
static int add_addresses(const struct attachment *attachment, const struct taken *taken,
			 unsigned int index, struct netlink *netlink, struct failure *why)
{
	int without_ipv6 = 0;

	for (size_t i = 0; i < taken->count; i++) {
		if (link_add_address(netlink, index, &taken->addresses[i]) == 0)
			continue;
		if (taken->addresses[i].family != AF_INET6 || errno != EACCES)
			return fail(why, "network", attachment->subnets[i]->argv[0]);
		without_ipv6 = 1;
	}
	return without_ipv6;
}

static int add_routes(struct wiring *wiring, const struct attachment *attachment,
		      bool without_ipv6, struct netlink *netlink, struct failure *why)
{
	for (size_t i = 0; i < attachment->subnet_count && !attachment->internal; i++) {
		struct ip_address gateway;
		struct ip_address everywhere = { 0 };

		if (!ip_parse(attachment->subnets[i]->argv[1], &gateway) ||
		    (without_ipv6 && gateway.family == AF_INET6))
			continue;
		everywhere.family = gateway.family;
		/* The network named first leads out. */
		if (wiring->routed[gateway.family == AF_INET6])
			continue;
		wiring->routed[gateway.family == AF_INET6] = true;
		if (link_add_route(netlink, &everywhere, &gateway, 0) < 0 && errno != EEXIST)
			return fail(why, "network", "default route");
	}
	for (const struct record *at = attachment->first; at < attachment->end; at++) {
		struct ip_address to;
		struct ip_address gateway;

		if (strcmp(at->name, "net-route") != 0)
			continue;
		if (!ip_parse(at->argv[0], &to) || !ip_parse(at->argv[1], &gateway))
			return fail_errno(why, "network", at->argv[0], EINVAL);
		if (without_ipv6 && gateway.family == AF_INET6)
			continue;
		if (link_add_route(netlink, &to, &gateway, (uint32_t)number_of(at->argv[2])) < 0)
			return fail(why, "network", at->argv[0]);
	}
	return 0;
}

/* In the container's namespace. */
static int configure(struct wiring *wiring, const struct attachment *attachment,
		     const struct taken *taken, struct failure *why)
{
	struct netlink netlink;
	unsigned int index = if_nametoindex(taken->interface);
	int result;

	if (index == 0 || netlink_open(&netlink, NETLINK_ROUTE) < 0)
		return fail(why, "network", taken->interface);
	if (link_up(&netlink, index) < 0)
		result = fail(why, "network", taken->interface);
	else
		result = add_addresses(attachment, taken, index, &netlink, why);
	if (result >= 0)
		result = add_routes(wiring, attachment, result > 0, &netlink, why);
	close_and_forget(&netlink.fd);
	return result;
}

static int choose_interface(const struct attachment *attachment, struct taken *taken)
{
	size_t size = sizeof(taken->interface);

	(void)snprintf(taken->interface, size, "%s", attachment->interface);
	for (unsigned int i = 0; attachment->interface[0] == '\0' && i < 1000; i++) {
		(void)snprintf(taken->interface, size, "eth%u", i);
		if (if_nametoindex(taken->interface) == 0)
			return 0;
	}
	return attachment->interface[0] == '\0' ? -1 : 0;
}

int wire_links(struct wiring *wiring, const struct attachment *attachment, struct taken *taken,
	       struct netlink *netlink, struct failure *why)
{
	int result = -1;

	if (make_bridge(attachment, taken, netlink, why) < 0)
		return -1;
	if (setns(wiring->container, CLONE_NEWNET) < 0)
		return fail(why, "network", "setns");
	if (choose_interface(attachment, taken) < 0)
		(void)fail_errno(why, "network", "interface", EEXIST);
	if (setns(wiring->shared, CLONE_NEWNET) < 0)
		return fail(why, "network", "setns");
	/* Of a container that was killed this moment: its namespace is about to go. */
	(void)link_delete(netlink, taken->pair);
	if (why->error == 0 &&
	    (link_make_pair(netlink, taken->pair, if_nametoindex(attachment->bridge),
			    wiring->container, taken->interface, taken->mac, attachment->mtu) < 0 ||
	     link_up(netlink, if_nametoindex(taken->pair)) < 0))
		(void)fail(why, "network", taken->interface);
	if (why->error != 0)
		return -1;
	if (setns(wiring->container, CLONE_NEWNET) == 0)
		result = configure(wiring, attachment, taken, why);
	if (setns(wiring->shared, CLONE_NEWNET) < 0)
		return fail(why, "network", "setns");
	return result;
}
