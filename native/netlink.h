/* Netlink requests: built in a buffer, sent, and their acknowledgements read. */
#ifndef TSMAN_NETLINK_H
#define TSMAN_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

struct netlink {
	int fd;
	uint32_t sequence;
	size_t start;  /* of the message being built */
	size_t length;
	size_t awaited; /* messages that will be acknowledged */
	_Alignas(4) char bytes[8192];
};

/* A socket of the current network namespace; it stays in it. Returns 0 or -1 with errno. */
int netlink_open(struct netlink *netlink, int protocol);
/* Begin a message with `size` bytes of header after the general one; returns them, zeroed. */
void *netlink_begin(struct netlink *netlink, unsigned int type, unsigned int flags, size_t size);
void netlink_put(struct netlink *netlink, unsigned int type, const void *data, size_t size);
void netlink_put_text(struct netlink *netlink, unsigned int type, const char *text);
void netlink_put_u32(struct netlink *netlink, unsigned int type, uint32_t value);
/* Big endian, as nf_tables has it. */
void netlink_put_be32(struct netlink *netlink, unsigned int type, uint32_t value);
size_t netlink_nest(struct netlink *netlink, unsigned int type);
void netlink_unnest(struct netlink *netlink, size_t nest);
/* Send all that was begun and wait for it. Returns 0, or -1 with the kernel's errno. */
int netlink_send(struct netlink *netlink);

#endif
