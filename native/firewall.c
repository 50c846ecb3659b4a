/* The rules of the shared network namespace, by nf_tables netlink: no nft(8), no iptables(8).
 *
 *   forward      policy drop: networks do not reach one another. Accepted is what belongs to a
 *                connection, and what leaves by the up-link from a network that is not internal
 *   postrouting  leaving by the up-link it has the namespace's own address: pasta knows one
 *   prerouting   answers to a published port's client whose address the forwarder has taken
 *                on (IP_TRANSPARENT) are delivered to the forwarder */
#include "firewall.h"

/* The C library's headers first: the kernel's then leave out what both define. */
#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "links.h"
#include "netlink.h"
#include "syscalls.h"

#define TABLE "tsman"
#define PRIORITY_MANGLE (-150)
#define PRIORITY_FILTER 0
#define PRIORITY_SOURCE_NAT 100
#define CT_ESTABLISHED_OR_RELATED 6U

static void begin(struct netlink *netlink, unsigned int message, unsigned int flags)
{
	struct nfgenmsg *header = netlink_begin(
		netlink, (NFNL_SUBSYS_NFTABLES << 8) | message,
		NLM_F_ACK | flags, sizeof(*header));

	header->nfgen_family = NFPROTO_INET;
	header->version = NFNETLINK_V0;
}

static void batch(struct netlink *netlink, unsigned int message)
{
	struct nfgenmsg *header = netlink_begin(netlink, message, 0, sizeof(*header));

	header->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

static void chain(struct netlink *netlink, const char *name, const char *type, unsigned int hook,
		  int priority, unsigned int policy)
{
	size_t nest;

	begin(netlink, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	netlink_put_text(netlink, NFTA_CHAIN_TABLE, TABLE);
	netlink_put_text(netlink, NFTA_CHAIN_NAME, name);
	nest = netlink_nest(netlink, NFTA_CHAIN_HOOK);
	netlink_put_be32(netlink, NFTA_HOOK_HOOKNUM, hook);
	netlink_put_be32(netlink, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	netlink_unnest(netlink, nest);
	netlink_put_be32(netlink, NFTA_CHAIN_POLICY, policy);
	netlink_put_text(netlink, NFTA_CHAIN_TYPE, type);
}

struct expression {
	size_t element;
	size_t data;
};

static struct expression expression(struct netlink *netlink, const char *name)
{
	struct expression opened;

	opened.element = netlink_nest(netlink, NFTA_LIST_ELEM);
	netlink_put_text(netlink, NFTA_EXPR_NAME, name);
	opened.data = netlink_nest(netlink, NFTA_EXPR_DATA);
	return opened;
}

static void end(struct netlink *netlink, struct expression opened)
{
	netlink_unnest(netlink, opened.data);
	netlink_unnest(netlink, opened.element);
}

static void value(struct netlink *netlink, unsigned int type, const void *bytes, size_t size)
{
	size_t nest = netlink_nest(netlink, type);

	netlink_put(netlink, NFTA_DATA_VALUE, bytes, size);
	netlink_unnest(netlink, nest);
}

static void compare(struct netlink *netlink, unsigned int operator, const void *bytes, size_t size)
{
	struct expression opened = expression(netlink, "cmp");

	netlink_put_be32(netlink, NFTA_CMP_SREG, NFT_REG_1);
	netlink_put_be32(netlink, NFTA_CMP_OP, operator);
	value(netlink, NFTA_CMP_DATA, bytes, size);
	end(netlink, opened);
}

static void load(struct netlink *netlink, const char *name, unsigned int register_attribute,
		 unsigned int key_attribute, unsigned int key)
{
	struct expression opened = expression(netlink, name);

	netlink_put_be32(netlink, key_attribute, key);
	netlink_put_be32(netlink, register_attribute, NFT_REG_1);
	end(netlink, opened);
}

static void leaves_by_uplink(struct netlink *netlink)
{
	char name[IFNAMSIZ] = UPLINK;

	load(netlink, "meta", NFTA_META_DREG, NFTA_META_KEY, NFT_META_OIFNAME);
	compare(netlink, NFT_CMP_EQ, name, sizeof(name));
}

static void accept_it(struct netlink *netlink)
{
	struct expression opened = expression(netlink, "immediate");
	size_t data;
	size_t verdict;

	netlink_put_be32(netlink, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = netlink_nest(netlink, NFTA_IMMEDIATE_DATA);
	verdict = netlink_nest(netlink, NFTA_DATA_VERDICT);
	netlink_put_be32(netlink, NFTA_VERDICT_CODE, NF_ACCEPT);
	netlink_unnest(netlink, verdict);
	netlink_unnest(netlink, data);
	end(netlink, opened);
}

static size_t rule(struct netlink *netlink, const char *name)
{
	begin(netlink, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	netlink_put_text(netlink, NFTA_RULE_TABLE, TABLE);
	netlink_put_text(netlink, NFTA_RULE_CHAIN, name);
	return netlink_nest(netlink, NFTA_RULE_EXPRESSIONS);
}

static void forward_rules(struct netlink *netlink)
{
	const uint32_t states = CT_ESTABLISHED_OR_RELATED;
	const uint32_t zero = 0;
	const uint32_t group = GROUP_EXTERNAL;
	size_t list = rule(netlink, "forward");
	struct expression masked;

	load(netlink, "ct", NFTA_CT_DREG, NFTA_CT_KEY, NFT_CT_STATE);
	masked = expression(netlink, "bitwise");
	netlink_put_be32(netlink, NFTA_BITWISE_SREG, NFT_REG_1);
	netlink_put_be32(netlink, NFTA_BITWISE_DREG, NFT_REG_1);
	netlink_put_be32(netlink, NFTA_BITWISE_LEN, sizeof(states));
	value(netlink, NFTA_BITWISE_MASK, &states, sizeof(states));
	value(netlink, NFTA_BITWISE_XOR, &zero, sizeof(zero));
	end(netlink, masked);
	compare(netlink, NFT_CMP_NEQ, &zero, sizeof(zero));
	accept_it(netlink);
	netlink_unnest(netlink, list);

	list = rule(netlink, "forward");
	load(netlink, "meta", NFTA_META_DREG, NFTA_META_KEY, NFT_META_IIFGROUP);
	compare(netlink, NFT_CMP_EQ, &group, sizeof(group));
	leaves_by_uplink(netlink);
	accept_it(netlink);
	netlink_unnest(netlink, list);
}

static void nat_rule(struct netlink *netlink)
{
	size_t list = rule(netlink, "postrouting");

	leaves_by_uplink(netlink);
	end(netlink, expression(netlink, "masq"));
	netlink_unnest(netlink, list);
}

static void answers_rule(struct netlink *netlink)
{
	const uint8_t one = 1;
	const uint32_t mark = FORWARD_MARK;
	size_t list = rule(netlink, "prerouting");
	struct expression opened;

	load(netlink, "socket", NFTA_SOCKET_DREG, NFTA_SOCKET_KEY, NFT_SOCKET_TRANSPARENT);
	compare(netlink, NFT_CMP_EQ, &one, sizeof(one));
	opened = expression(netlink, "immediate");
	netlink_put_be32(netlink, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	value(netlink, NFTA_IMMEDIATE_DATA, &mark, sizeof(mark));
	end(netlink, opened);
	load(netlink, "meta", NFTA_META_SREG, NFTA_META_KEY, NFT_META_MARK);
	netlink_unnest(netlink, list);
}

int firewall_make(void)
{
	struct netlink netlink;
	int result;

	if (netlink_open(&netlink, NETLINK_NETFILTER) < 0)
		return -1;
	batch(&netlink, NFNL_MSG_BATCH_BEGIN);
	begin(&netlink, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	netlink_put_text(&netlink, NFTA_TABLE_NAME, TABLE);
	chain(&netlink, "forward", "filter", NF_INET_FORWARD, PRIORITY_FILTER, NF_DROP);
	chain(&netlink, "postrouting", "nat", NF_INET_POST_ROUTING, PRIORITY_SOURCE_NAT, NF_ACCEPT);
	chain(&netlink, "prerouting", "filter", NF_INET_PRE_ROUTING, PRIORITY_MANGLE, NF_ACCEPT);
	forward_rules(&netlink);
	nat_rule(&netlink);
	answers_rule(&netlink);
	batch(&netlink, NFNL_MSG_BATCH_END);
	result = netlink_send(&netlink);
	close_and_forget(&netlink.fd);
	return result;
}
