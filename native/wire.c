/* A container's end of a network: interfaces and the lease of its addresses. See net.h. The caller
 * holds the lock of all networks. */
#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "lease.h"
#include "syscalls.h"
#include "wire.h"

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

	if (wire_choose(wiring, attachment, &taken, why) < 0)
		return -1;
	if (netlink_open(&netlink, NETLINK_ROUTE) < 0)
		return fail(why, "network", "netlink");
	if (wire_links(wiring, attachment, &taken, &netlink, why) == 0) {
		describe(wiring, attachment, &taken, text);
		lease = lease_take(wiring->leases, taken.lease, text);
		if (lease < 0)
			(void)fail(why, "network", taken.lease);
		add_hosts(wiring->hosts, &taken);
	}
	close_and_forget(&netlink.fd);
	return lease;
}

int wire_clear(const struct wiring *wiring, struct failure *why)
{
	struct netlink netlink;
	int result;

	if (setns(wiring->container, CLONE_NEWNET) < 0 ||
	    netlink_open(&netlink, NETLINK_ROUTE) < 0)
		return fail(why, "network", "setns");
	result = link_delete_group(&netlink, GROUP_CONTAINER);
	if (result < 0 && errno == ENODEV)
		result = 0;
	close_and_forget(&netlink.fd);
	if (result < 0 || setns(wiring->shared, CLONE_NEWNET) < 0)
		return fail(why, "network", "renew");
	return 0;
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
