/* Netlink requests. See netlink.h. A message that does not fit is a bug: it is cut and refused. */
#include "netlink.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "syscalls.h"

int netlink_open(struct netlink *netlink, int protocol)
{
	netlink->sequence = 0;
	netlink->length = 0;
	netlink->start = 0;
	netlink->awaited = 0;
	netlink->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	return netlink->fd < 0 ? -1 : 0;
}

static void *grow(struct netlink *netlink, size_t size)
{
	size_t aligned = NLMSG_ALIGN(size);
	void *place = netlink->bytes + netlink->length;

	/* The last kilobyte takes what would not fit; netlink_send then refuses. */
	if (netlink->length + aligned > sizeof(netlink->bytes))
		place = netlink->bytes + sizeof(netlink->bytes) - aligned;
	memset(place, 0, aligned);
	netlink->length += aligned;
	return place;
}

static void finish(struct netlink *netlink)
{
	struct nlmsghdr *header = (void *)(netlink->bytes + netlink->start);

	if (netlink->length > netlink->start && netlink->length <= sizeof(netlink->bytes))
		header->nlmsg_len = (uint32_t)(netlink->length - netlink->start);
}

void *netlink_begin(struct netlink *netlink, unsigned int type, unsigned int flags, size_t size)
{
	struct nlmsghdr *header;

	finish(netlink);
	netlink->start = netlink->length;
	header = grow(netlink, sizeof(*header));
	header->nlmsg_type = (uint16_t)type;
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	header->nlmsg_seq = ++netlink->sequence;
	if ((flags & NLM_F_ACK) != 0)
		netlink->awaited++;
	return grow(netlink, size);
}

void netlink_put(struct netlink *netlink, unsigned int type, const void *data, size_t size)
{
	struct nlattr *attribute = grow(netlink, sizeof(*attribute) + size);

	attribute->nla_type = (uint16_t)type;
	attribute->nla_len = (uint16_t)(sizeof(*attribute) + size);
	if (size > 0)
		memcpy(attribute + 1, data, size);
}

void netlink_put_text(struct netlink *netlink, unsigned int type, const char *text)
{
	netlink_put(netlink, type, text, strlen(text) + 1);
}

void netlink_put_u32(struct netlink *netlink, unsigned int type, uint32_t value)
{
	netlink_put(netlink, type, &value, sizeof(value));
}

void netlink_put_be32(struct netlink *netlink, unsigned int type, uint32_t value)
{
	netlink_put_u32(netlink, type, htonl(value));
}

size_t netlink_nest(struct netlink *netlink, unsigned int type)
{
	size_t nest = netlink->length;

	netlink_put(netlink, type | NLA_F_NESTED, NULL, 0);
	return nest;
}

void netlink_unnest(struct netlink *netlink, size_t nest)
{
	struct nlattr *attribute = (void *)(netlink->bytes + nest);

	if (netlink->length <= sizeof(netlink->bytes))
		attribute->nla_len = (uint16_t)(netlink->length - nest);
}

/* Acknowledgements are errors too: with number 0. */
static int read_acknowledgements(struct netlink *netlink)
{
	_Alignas(4) char answer[8192];

	while (netlink->awaited > 0) {
		ssize_t got = recv(netlink->fd, answer, sizeof(answer), 0);
		size_t left = got < 0 ? 0 : (size_t)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		for (struct nlmsghdr *header = (void *)answer; NLMSG_OK(header, left);
		     header = NLMSG_NEXT(header, left)) {
			const struct nlmsgerr *error = NLMSG_DATA(header);

			if (header->nlmsg_type != NLMSG_ERROR)
				continue;
			if (error->error != 0) {
				errno = -error->error;
				return -1;
			}
			if (netlink->awaited > 0)
				netlink->awaited--;
		}
	}
	return 0;
}

int netlink_send(struct netlink *netlink)
{
	ssize_t sent;
	int result;

	finish(netlink);
	if (netlink->length > sizeof(netlink->bytes)) {
		errno = EMSGSIZE;
		return -1;
	}
	sent = send(netlink->fd, netlink->bytes, netlink->length, 0);
	result = sent == (ssize_t)netlink->length ? read_acknowledgements(netlink) : -1;
	netlink->length = 0;
	netlink->start = 0;
	netlink->awaited = 0;
	return result;
}
