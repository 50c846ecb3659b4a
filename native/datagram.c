/* Sockets of both families. See datagram.h. */
#include "datagram.h"

#include <string.h>
#include <sys/socket.h>

#include "syscalls.h"

union control {
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct cmsghdr align;
};

int socket_listen(int type, const struct ip_address *address, uint16_t port)
{
	const struct ip_address any = { .family = AF_INET6 };
	struct sockaddr_in6 name = address_mapped(address == NULL ? &any : address, port);
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int only = address != NULL && address->family == AF_INET6;
	const int on = 1;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0 ||
	    (type == SOCK_STREAM &&
	     setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) ||
	    (type == SOCK_DGRAM &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) < 0) ||
	    bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 1024) < 0))
		close_and_forget(&fd);
	return fd;
}

struct ip_address address_unmapped(const struct in6_addr *address)
{
	struct ip_address result = { .family = AF_INET6, .prefix = 128 };

	if (IN6_IS_ADDR_V4MAPPED(address)) {
		result.family = AF_INET;
		memcpy(result.bytes, address->s6_addr + 12, 4);
	} else {
		memcpy(result.bytes, address->s6_addr, 16);
	}
	return result;
}

struct sockaddr_in6 address_mapped(const struct ip_address *address, uint16_t port)
{
	struct sockaddr_in6 name = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (address->family == AF_INET6) {
		memcpy(&name.sin6_addr, address->bytes, 16);
	} else {
		memset(name.sin6_addr.s6_addr + 10, 0xff, 2);
		memcpy(name.sin6_addr.s6_addr + 12, address->bytes, 4);
	}
	return name;
}

ssize_t datagram_receive(int fd, struct asker *asker, void *bytes, size_t size)
{
	union control control;
	struct iovec data = { bytes, size };
	struct msghdr message = {
		.msg_name = &asker->address, .msg_namelen = sizeof(asker->address),
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
	};
	ssize_t got = recvmsg(fd, &message, 0);
	const struct cmsghdr *header = got < 0 ? NULL : CMSG_FIRSTHDR(&message);

	memset(&asker->at, 0, sizeof(asker->at));
	if (header != NULL && header->cmsg_type == IPV6_PKTINFO)
		memcpy(&asker->at, CMSG_DATA(header), sizeof(asker->at));
	/* The route decides about the interface, unless the address means none without it. */
	if (!IN6_IS_ADDR_LINKLOCAL(&asker->at.ipi6_addr))
		asker->at.ipi6_ifindex = 0;
	return got;
}

void datagram_reply(int fd, const struct asker *asker, const void *bytes, size_t size)
{
	union control control = { .bytes = { 0 } };
	struct sockaddr_in6 to = asker->address;
	struct iovec data = { (void *)(uintptr_t)bytes, size };
	struct msghdr message = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = IPPROTO_IPV6;
	header->cmsg_type = IPV6_PKTINFO;
	header->cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo));
	memcpy(CMSG_DATA(header), &asker->at, sizeof(asker->at));
	(void)sendmsg(fd, &message, 0); /* who is gone hears nothing */
}
