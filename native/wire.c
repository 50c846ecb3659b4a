/* A container's end of a network. See net.h. The caller holds the lock of all networks. */
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lease.h"
#include "net.h"
#include "numbers.h"
#include "process.h"
#include "syscalls.h"

#define USED_MOST 4096
#define ALLOWED_TRIES 65536

struct used {
	const char *network;
	struct ip_address addresses[USED_MOST];
	size_t count;
};

struct taken {
	struct ip_address addresses[SUBNETS];
	size_t count;
	uint8_t mac[6];
	char interface[IFNAMSIZ];
	char pair[IFNAMSIZ];
	char lease[96];
	bool first; /* in this network */
};

static bool note_used(const struct lease *lease, void *context)
{
	struct used *used = context;
	const char *line = NULL;
	char text[64];

	if (!lease_says(lease->text, "network", used->network))
		return false;
	while ((line = lease_value(lease->text, "address", line, text, sizeof(text))) != NULL)
		if (used->count < USED_MOST && ip_parse(text, &used->addresses[used->count]))
			used->count++;
	return false;
}

static int compare(const struct ip_address *a, const struct ip_address *b)
{
	return a->family != b->family ? 1 : memcmp(a->bytes, b->bytes, ip_size(a));
}

static bool is_used(const struct used *used, const struct ip_address *address)
{
	for (size_t i = 0; i < used->count; i++)
		if (compare(&used->addresses[i], address) == 0)
			return true;
	return false;
}

/* net-subnet NET GATEWAY FIRST LAST [WANTED] */
static int choose_address(const struct used *used, const struct record *subnet,
			  struct ip_address *chosen, struct failure *why)
{
	struct ip_address net;
	struct ip_address gateway = { 0 };
	struct ip_address last;
	bool wanted = subnet->argc == 5 && subnet->argv[4][0] != '\0';

	if (!ip_parse(subnet->argv[0], &net) || !ip_parse(subnet->argv[2], chosen) ||
	    !ip_parse(subnet->argv[3], &last) || (wanted && !ip_parse(subnet->argv[4], chosen)))
		return fail_errno(why, "network", subnet->argv[0], EINVAL);
	(void)ip_parse(subnet->argv[1], &gateway);
	chosen->prefix = net.prefix;
	if (wanted)
		return is_used(used, chosen) ? fail_errno(why, "network", subnet->argv[4], EADDRINUSE)
					     : 0;
	for (size_t i = 0; i < ALLOWED_TRIES && compare(chosen, &last) <= 0; i++) {
		if (compare(chosen, &gateway) != 0 && !is_used(used, chosen))
			return 0;
		*chosen = ip_plus(chosen, 1);
	}
	return fail_errno(why, "network", subnet->argv[0], EADDRNOTAVAIL);
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
	unsigned int bytes[6];

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
		   &bytes[4], &bytes[5]) != 6)
		return false;
	for (size_t i = 0; i < 6; i++)
		mac[i] = (uint8_t)bytes[i];
	return true;
}

/* From the address, as Docker's: neighbours' caches stay right when an address has a new holder. */
static void choose_mac(const struct attachment *attachment, struct taken *taken)
{
	const uint8_t *tail = taken->count == 0 ? (const uint8_t *)taken->lease
						: taken->addresses[0].bytes +
						  ip_size(&taken->addresses[0]) - 4;

	if (parse_mac(attachment->mac, taken->mac))
		return;
	taken->mac[0] = 0x02;
	taken->mac[1] = 0x42;
	memcpy(taken->mac + 2, tail, 4);
}

static int choose(const struct wiring *wiring, const struct attachment *attachment,
		  struct taken *taken, struct failure *why)
{
	static struct used used;
	unsigned int index = 0;

	used = (struct used){ .network = attachment->name };
	(void)leases_each(wiring->leases, note_used, &used);
	taken->first = used.count == 0;
	for (size_t i = 0; i < attachment->subnet_count; i++) {
		if (choose_address(&used, attachment->subnets[i], &taken->addresses[i], why) < 0)
			return -1;
		taken->count++;
	}
	do
		(void)snprintf(taken->lease, sizeof(taken->lease), "%s.%u", wiring->id, index++);
	while (faccessat(wiring->leases, taken->lease, F_OK, 0) == 0);
	(void)snprintf(taken->pair, sizeof(taken->pair), "v%.10s%u", wiring->id, (index - 1) % 1000);
	choose_mac(attachment, taken);
	return 0;
}

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

static int add_routes(struct wiring *wiring, const struct attachment *attachment,
		      struct netlink *netlink, struct failure *why)
{
	for (size_t i = 0; i < attachment->subnet_count && !attachment->internal; i++) {
		struct ip_address gateway;
		struct ip_address everywhere = { 0 };

		if (!ip_parse(attachment->subnets[i]->argv[1], &gateway))
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
		if (!ip_parse(at->argv[0], &to) || !ip_parse(at->argv[1], &gateway) ||
		    link_add_route(netlink, &to, &gateway, (uint32_t)number_of(at->argv[2])) < 0)
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
	int result = -1;

	if (index == 0 || netlink_open(&netlink, NETLINK_ROUTE) < 0)
		return fail(why, "network", taken->interface);
	if (link_up(&netlink, index) < 0)
		(void)fail(why, "network", taken->interface);
	for (size_t i = 0; i < taken->count && why->error == 0; i++)
		if (link_add_address(&netlink, index, &taken->addresses[i]) < 0)
			(void)fail(why, "network", attachment->subnets[i]->argv[0]);
	if (why->error == 0)
		result = add_routes(wiring, attachment, &netlink, why);
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

static void add_line(char *text, const char *word, const char *value)
{
	size_t length = strlen(text);

	(void)snprintf(text + length, LEASE_BYTES - length, "%s %s\n", word, value);
}

static void describe(const struct wiring *wiring, const struct attachment *attachment,
		     const struct taken *taken, char *text)
{
	char value[80];

	text[0] = '\0';
	add_line(text, "network", attachment->name);
	add_line(text, "id", wiring->id);
	add_line(text, "interface", taken->interface);
	add_line(text, "pair", taken->pair);
	(void)snprintf(value, sizeof(value), "%02x:%02x:%02x:%02x:%02x:%02x", taken->mac[0],
		       taken->mac[1], taken->mac[2], taken->mac[3], taken->mac[4], taken->mac[5]);
	add_line(text, "mac", value);
	add_line(text, "internal", attachment->internal ? "yes" : "no");
	add_line(text, "dns", attachment->dns ? "yes" : "no");
	for (size_t i = 0; i < taken->count; i++) {
		char address[INET6_ADDRSTRLEN] = "";

		(void)inet_ntop(taken->addresses[i].family, taken->addresses[i].bytes, address,
				sizeof(address));
		(void)snprintf(value, sizeof(value), "%s/%u", address, taken->addresses[i].prefix);
		add_line(text, "address", value);
		if (attachment->subnets[i]->argv[1][0] != '\0')
			add_line(text, "gateway", attachment->subnets[i]->argv[1]);
	}
	for (const struct record *at = attachment->first; at < attachment->end; at++) {
		if (strcmp(at->name, "net-name") == 0)
			add_line(text, "name", at->argv[0]);
		if (strcmp(at->name, "net-upstream") == 0)
			add_line(text, "upstream", at->argv[0]);
	}
}

static int wire(struct wiring *wiring, const struct attachment *attachment, struct taken *taken,
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

/* The addresses of the container's own name, in the file that it sees as /etc/hosts. */
static void add_hosts(const struct record *hosts, const struct taken *taken)
{
	AUTO_CLOSE int fd = hosts == NULL ? -1
					  : open(hosts->argv[0], O_WRONLY | O_APPEND | O_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < taken->count; i++) {
		char address[INET6_ADDRSTRLEN] = "";

		(void)inet_ntop(taken->addresses[i].family, taken->addresses[i].bytes, address,
				sizeof(address));
		(void)dprintf(fd, "%s %s\n", address, hosts->argv[1]);
	}
}

int wire_network(struct wiring *wiring, const struct attachment *attachment, struct failure *why)
{
	struct taken taken = { .count = 0 };
	struct netlink netlink;
	char text[LEASE_BYTES];
	int lease = -1;

	if (choose(wiring, attachment, &taken, why) < 0)
		return -1;
	if (netlink_open(&netlink, NETLINK_ROUTE) < 0)
		return fail(why, "network", "netlink");
	if (wire(wiring, attachment, &taken, &netlink, why) == 0) {
		describe(wiring, attachment, &taken, text);
		lease = lease_take(wiring->leases, taken.lease, text);
		if (lease < 0)
			(void)fail(why, "network", taken.lease);
		add_hosts(wiring->hosts, &taken);
	}
	close_and_forget(&netlink.fd);
	return lease;
}

struct leaving {
	const char *id;
	const char *network;
	char lease[128];
	char pair[IFNAMSIZ];
};

static bool find_leaving(const struct lease *lease, void *context)
{
	struct leaving *leaving = context;

	if (!lease_says(lease->text, "id", leaving->id) ||
	    !lease_says(lease->text, "network", leaving->network))
		return false;
	(void)snprintf(leaving->lease, sizeof(leaving->lease), "%s", lease->name);
	return lease_value(lease->text, "pair", NULL, leaving->pair, sizeof(leaving->pair)) != NULL;
}

int unwire_network(const struct wiring *wiring, const char *network, struct failure *why)
{
	struct leaving leaving = { .id = wiring->id, .network = network };
	struct netlink netlink;
	int result;

	if (!leases_each(wiring->leases, find_leaving, &leaving))
		return fail_errno(why, "network", network, ENOENT);
	if (netlink_open(&netlink, NETLINK_ROUTE) < 0)
		return fail(why, "network", "netlink");
	result = link_delete(&netlink, leaving.pair);
	close_and_forget(&netlink.fd);
	if (result < 0 && errno != ENODEV)
		return fail(why, "network", leaving.pair);
	(void)unlinkat(wiring->leases, leaving.lease, 0);
	return 0;
}
