/* The container's side of a published port. See forward.h.
 *
 * A connection to the container is made in its own network namespace, over its loopback interface,
 * yet to the address it has in its network and from the client's (IP_TRANSPARENT: the engine's
 * root is allowed to, there as in every namespace below its own). So that the answers to that
 * address do not leave by the container's default route, the packets carry a mark. The sockets
 * that the container's program accepts take it over (tcp_fwmark_accept), as do the kernel's own
 * answers (fwmark_reflect), and what is marked is delivered locally, by a rule of its own.
 *
 * Datagrams have no accepted socket that could take over a mark: they go by the bridge, from the
 * hub's namespace, where nf_tables knows answers to our sockets (firewall.c).
 *
 * A client on the host's loopback has no address that others could answer to, nor one that the
 * container should trust: it is seen as the network's gateway. */
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "datagram.h"
#include "dual_stack.h"
#include "forward.h"
#include "lease.h"
#include "process.h"
#include "syscalls.h"

/* Not 1 and 100, as everybody's: containers have rules of their own, too. */
#define INSIDE_MARK 0x74736d61U
#define INSIDE_TABLE 0x74736d61U

static int leases = -1;
static const char *container;
static int namespaces[2] = { -1, -1 }; /* the hub's, the container's */
static int prepared = -1; /* a socket for the next connection */

static int set(const char *path, const char *text)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

int forward_enter(int shared, int own, struct failure *why)
{
	struct netlink netlink;
	int result;

	namespaces[0] = shared;
	namespaces[1] = own;
	if (setns(own, CLONE_NEWNET) < 0)
		return fail(why, "network", "setns");
	if (set("/proc/sys/net/ipv4/tcp_fwmark_accept", "1") < 0 ||
	    set("/proc/sys/net/ipv4/fwmark_reflect", "1") < 0)
		return fail(why, "network", "fwmark_reflect");
	if (netlink_open(&netlink, NETLINK_ROUTE) < 0)
		return fail(why, "network", "netlink");
	/* The container does it, too, but perhaps later, and IPv6 takes no route over a link that is
	 * down. */
	result = link_up(&netlink, if_nametoindex("lo"));
	if (result == 0)
		result = link_deliver_marked(&netlink, AF_INET, INSIDE_MARK, INSIDE_TABLE);
	/* Without IPv6 there is nothing to deliver; EACCES: a sysctl of the container's forbids it. */
	if (result == 0 && set("/proc/sys/net/ipv6/fwmark_reflect", "1") == 0 &&
	    link_deliver_marked(&netlink, AF_INET6, INSIDE_MARK, INSIDE_TABLE) < 0 && errno != EACCES)
		result = -1;
	if (result < 0)
		(void)fail(why, "network", "published ports");
	close_and_forget(&netlink.fd);
	return result;
}

void forward_find(const char *net_dir, const char *id)
{
	container = id;
	leases = leases_open(net_dir);
	if (leases < 0)
		_exit(1);
}

/* Where the container is, and who stands for clients without an address. */
struct target {
	struct ip_address address;
	struct ip_address gateway; /* family 0 = none */
	char name[128]; /* of the lease: the lowest wins, that is the network named first */
	int family;
};

static bool find_target(const struct lease *lease, void *context)
{
	struct target *target = context;
	struct ip_address address;

	if (strncmp(lease->name, container, strlen(container)) != 0 ||
	    !lease_address(lease->text, target->family, &address))
		return false;
	if (target->name[0] == '\0' || strcmp(lease->name, target->name) < 0) {
		target->address = address;
		if (!lease_gateway(lease->text, target->family, &target->gateway))
			target->gateway.family = 0;
		(void)snprintf(target->name, sizeof(target->name), "%s", lease->name);
	}
	return false;
}

static void look_up(struct target *target, int family)
{
	*target = (struct target){ .family = family };
	(void)leases_each(leases, find_target, target);
	if (target->name[0] != '\0')
		return;
	target->family = family == AF_INET ? AF_INET6 : AF_INET;
	(void)leases_each(leases, find_target, target);
}

/* Networks come and go while the container runs: looked up anew when a lease has. */
static const struct target *find_container(int family)
{
	static struct {
		struct timespec changed;
		struct target target;
	} known[2];
	size_t which = family == AF_INET6;
	struct stat status = { 0 };

	if (fstat(leases, &status) < 0 ||
	    status.st_mtim.tv_sec != known[which].changed.tv_sec ||
	    status.st_mtim.tv_nsec != known[which].changed.tv_nsec) {
		known[which].changed = status.st_mtim;
		look_up(&known[which].target, family);
	}
	return known[which].target.name[0] == '\0' ? NULL : &known[which].target;
}

static bool is_loopback(const struct ip_address *address)
{
	static const uint8_t one[16] = { [15] = 1 };

	return address->family == AF_INET ? address->bytes[0] == 127
					  : memcmp(address->bytes, one, 16) == 0;
}

static bool set_option(int fd, int level, int option, uint32_t value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

static int make_stream(void)
{
	int fd = dual_socket(SOCK_STREAM);

	/* The port is chosen by connect(2), which knows that another destination may have it, too. */
	if (fd >= 0 && (!set_option(fd, SOL_SOCKET, SO_MARK, INSIDE_MARK) ||
			!set_option(fd, SOL_IP, IP_TRANSPARENT, 1) ||
			!set_option(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1) ||
			!set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1)))
		close_and_forget(&fd);
	return fd;
}

void forward_prepare(void)
{
	if (prepared < 0)
		prepared = make_stream();
}

static int make_datagram(void)
{
	int fd;

	if (setns(namespaces[0], CLONE_NEWNET) < 0)
		return -1;
	fd = dual_socket(SOCK_DGRAM);
	if (setns(namespaces[1], CLONE_NEWNET) < 0)
		_exit(1);
	if (fd >= 0 && !set_option(fd, SOL_IP, IP_TRANSPARENT, 1))
		close_and_forget(&fd);
	return fd;
}

/* Where a connection comes from. If an address cannot be had the next one will do: the connection
 * matters more. */
static void take_address(int fd, const struct ip_address *client, const struct target *to)
{
	struct sockaddr_in6 name = address_mapped(client, 0);

	if (client->family == to->family && !is_loopback(client) &&
	    dual_bind(fd, &name) == 0)
		return;
	name = address_mapped(&to->gateway, 0);
	if (to->gateway.family != 0)
		(void)dual_bind(fd, &name);
}

static int reach(int fd, const struct sockaddr_in6 *client, const struct target *to, uint16_t port)
{
	struct ip_address from = address_unmapped(&client->sin6_addr);
	struct sockaddr_in6 name = address_mapped(&to->address, port);

	if (fd < 0)
		return -1;
	take_address(fd, &from, to);
	if (dual_connect(fd, &name) < 0 && errno != EINPROGRESS)
		close_and_forget(&fd);
	return fd;
}

static const struct target *target_of(const struct sockaddr_in6 *client)
{
	return find_container(IN6_IS_ADDR_V4MAPPED(&client->sin6_addr) ? AF_INET : AF_INET6);
}

int forward_connect(const struct sockaddr_in6 *client, uint16_t port, bool speaks)
{
	const struct target *to = target_of(client);
	int fd;

	if (to == NULL)
		return -1;
	forward_prepare();
	fd = prepared;
	prepared = -1;
	/* In "pingpong mode" an acknowledgement waits for the bytes that follow: tcp(7). */
	if (fd >= 0 && speaks)
		(void)set_option(fd, IPPROTO_TCP, TCP_QUICKACK, 0);
	return reach(fd, client, to, port);
}

int forward_connect_datagrams(const struct sockaddr_in6 *client, uint16_t port)
{
	const struct target *to = target_of(client);

	return to == NULL ? -1 : reach(make_datagram(), client, to, port);
}
