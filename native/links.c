/* Interfaces, addresses, routes. See links.h. */
#include "links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

#include "numbers.h"

#define MAKE (NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)

bool ip_parse(const char *text, struct ip_address *address)
{
	char copy[INET6_ADDRSTRLEN];
	size_t length = strcspn(text, "/");
	uint64_t prefix;

	memset(address, 0, sizeof(*address));
	if (length == 0 || length >= sizeof(copy))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	address->family = strchr(copy, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(address->family, copy, address->bytes) != 1)
		return false;
	address->prefix = ip_size(address) * 8;
	if (text[length] == '\0')
		return true;
	if (!number_parse(text + length + 1, 10, ip_size(address) * 8, &prefix))
		return false;
	address->prefix = (unsigned int)prefix;
	return true;
}

unsigned int ip_size(const struct ip_address *address)
{
	return address->family == AF_INET6 ? 16 : 4;
}

struct ip_address ip_plus(const struct ip_address *address, uint64_t offset)
{
	struct ip_address result = *address;

	for (int i = (int)ip_size(address) - 1; i >= 0 && offset > 0; i--) {
		offset += result.bytes[i];
		result.bytes[i] = (uint8_t)offset;
		offset >>= 8;
	}
	return result;
}

int link_make_bridge(struct netlink *netlink, const char *name, unsigned int group, uint32_t mtu)
{
	size_t information;

	(void)netlink_begin(netlink, RTM_NEWLINK, MAKE, sizeof(struct ifinfomsg));
	netlink_put_text(netlink, IFLA_IFNAME, name);
	netlink_put_u32(netlink, IFLA_GROUP, group);
	if (mtu > 0)
		netlink_put_u32(netlink, IFLA_MTU, mtu);
	information = netlink_nest(netlink, IFLA_LINKINFO);
	netlink_put(netlink, IFLA_INFO_KIND, "bridge", 6);
	netlink_unnest(netlink, information);
	return netlink_send(netlink);
}

int link_make_pair(struct netlink *netlink, const char *name, unsigned int bridge, int netns,
		   const char *peer, const uint8_t mac[6], uint32_t mtu)
{
	size_t information;
	size_t data;
	size_t other;

	(void)netlink_begin(netlink, RTM_NEWLINK, MAKE, sizeof(struct ifinfomsg));
	netlink_put_text(netlink, IFLA_IFNAME, name);
	netlink_put_u32(netlink, IFLA_MASTER, bridge);
	if (mtu > 0)
		netlink_put_u32(netlink, IFLA_MTU, mtu);
	information = netlink_nest(netlink, IFLA_LINKINFO);
	netlink_put(netlink, IFLA_INFO_KIND, "veth", 4);
	data = netlink_nest(netlink, IFLA_INFO_DATA);
	other = netlink_nest(netlink, VETH_INFO_PEER);
	/* The peer's own header comes before its attributes, as raw bytes. */
	netlink->length += sizeof(struct ifinfomsg);
	memset(netlink->bytes + netlink->length - sizeof(struct ifinfomsg), 0,
	       sizeof(struct ifinfomsg));
	netlink_put_text(netlink, IFLA_IFNAME, peer);
	netlink_put_u32(netlink, IFLA_GROUP, GROUP_CONTAINER);
	netlink_put_u32(netlink, IFLA_NET_NS_FD, (uint32_t)netns);
	netlink_put(netlink, IFLA_ADDRESS, mac, 6);
	if (mtu > 0)
		netlink_put_u32(netlink, IFLA_MTU, mtu);
	netlink_unnest(netlink, other);
	netlink_unnest(netlink, data);
	netlink_unnest(netlink, information);
	return netlink_send(netlink);
}

int link_up(struct netlink *netlink, unsigned int index)
{
	struct ifinfomsg *header = netlink_begin(netlink, RTM_NEWLINK, NLM_F_ACK, sizeof(*header));

	header->ifi_index = (int)index;
	header->ifi_flags = IFF_UP;
	header->ifi_change = IFF_UP;
	return netlink_send(netlink);
}

int link_delete(struct netlink *netlink, const char *name)
{
	(void)netlink_begin(netlink, RTM_DELLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
	netlink_put_text(netlink, IFLA_IFNAME, name);
	return netlink_send(netlink);
}

int link_delete_group(struct netlink *netlink, unsigned int group)
{
	(void)netlink_begin(netlink, RTM_DELLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
	netlink_put_u32(netlink, IFLA_GROUP, group);
	return netlink_send(netlink);
}

int link_add_address(struct netlink *netlink, unsigned int index, const struct ip_address *address)
{
	struct ifaddrmsg *header = netlink_begin(netlink, RTM_NEWADDR,
						 NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
						 sizeof(*header));

	header->ifa_family = (uint8_t)address->family;
	header->ifa_prefixlen = (uint8_t)address->prefix;
	header->ifa_index = index;
	/* Usable at once: who else would have it is known from the leases. */
	header->ifa_flags = IFA_F_NODAD;
	netlink_put(netlink, IFA_LOCAL, address->bytes, ip_size(address));
	netlink_put(netlink, IFA_ADDRESS, address->bytes, ip_size(address));
	return netlink_send(netlink);
}

int link_add_route(struct netlink *netlink, const struct ip_address *to,
		   const struct ip_address *gateway, uint32_t metric)
{
	struct rtmsg *header = netlink_begin(netlink, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE,
					     sizeof(*header));

	header->rtm_family = (uint8_t)to->family;
	header->rtm_dst_len = (uint8_t)to->prefix;
	header->rtm_table = RT_TABLE_MAIN;
	header->rtm_protocol = RTPROT_STATIC;
	header->rtm_type = RTN_UNICAST;
	if (to->prefix > 0)
		netlink_put(netlink, RTA_DST, to->bytes, ip_size(to));
	netlink_put(netlink, RTA_GATEWAY, gateway->bytes, ip_size(gateway));
	if (metric > 0)
		netlink_put_u32(netlink, RTA_PRIORITY, metric);
	return netlink_send(netlink);
}

int link_deliver_marked(struct netlink *netlink, int family, uint32_t mark, uint32_t table)
{
	struct fib_rule_hdr *rule = netlink_begin(netlink, RTM_NEWRULE, MAKE, sizeof(*rule));
	struct rtmsg *route;

	rule->family = (uint8_t)family;
	rule->action = FR_ACT_TO_TBL;
	rule->table = RT_TABLE_UNSPEC;
	netlink_put_u32(netlink, FRA_TABLE, table);
	netlink_put_u32(netlink, FRA_FWMARK, mark);
	/* Before any other's, of a VPN in the container for one. */
	netlink_put_u32(netlink, FRA_PRIORITY, 1);
	if (netlink_send(netlink) < 0 && errno != EEXIST)
		return -1;
	route = netlink_begin(netlink, RTM_NEWROUTE, MAKE, sizeof(*route));
	route->rtm_family = (uint8_t)family;
	route->rtm_table = RT_TABLE_UNSPEC;
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_type = RTN_LOCAL;
	route->rtm_scope = RT_SCOPE_HOST;
	netlink_put_u32(netlink, RTA_TABLE, table);
	netlink_put_u32(netlink, RTA_OIF, if_nametoindex("lo"));
	return netlink_send(netlink) < 0 && errno != EEXIST ? -1 : 0;
}
