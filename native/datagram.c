/* Sockets of both families. See datagram.h. */
#include "datagram.h"

#include <string.h>
#include <sys/socket.h>

#include "dual_stack.h"
#include "syscalls.h"

union control {
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct cmsghdr align;
};

static int tell_asked_address(int fd)
{
	const int on = 1;

	return dual_is_ipv4() ? setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on))
			      : setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
}

int socket_listen(int type, const struct ip_address *address, uint16_t port)
{
	const struct ip_address any = { .family = AF_INET6 };
	struct sockaddr_in6 name = address_mapped(address == NULL ? &any : address, port);
	int fd = dual_socket(type);
	const int only = address != NULL && address->family == AF_INET6;
	const int on = 1;

	if (fd < 0)
		return -1;
	if ((!dual_is_ipv4() &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0) ||
	    (type == SOCK_STREAM &&
	     setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) ||
	    (type == SOCK_DGRAM && tell_asked_address(fd) < 0) || dual_bind(fd, &name) < 0 ||
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

	dual_widen(&asker->address);
	memset(&asker->at, 0, sizeof(asker->at));
	if (header != NULL && header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
		struct sockaddr_in6 name = { .sin6_family = AF_INET };
		struct in_pktinfo at;

		memcpy(&at, CMSG_DATA(header), sizeof(at));
		((struct sockaddr_in *)&name)->sin_addr = at.ipi_addr;
		dual_widen(&name);
		asker->at.ipi6_addr = name.sin6_addr;
	}
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
	struct in_pktinfo narrow = { .ipi_ifindex = 0 };
	struct sockaddr_storage to;
	struct iovec data = { (void *)(uintptr_t)bytes, size };
	struct msghdr message = {
		.msg_name = &to, .msg_namelen = dual_name(&asker->address, &to),
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = IPPROTO_IPV6;
	header->cmsg_type = IPV6_PKTINFO;
	header->cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo));
	memcpy(CMSG_DATA(header), &asker->at, sizeof(asker->at));
	if (dual_is_ipv4()) {
		memcpy(&narrow.ipi_spec_dst, asker->at.ipi6_addr.s6_addr + 12, 4);
		header->cmsg_level = IPPROTO_IP;
		header->cmsg_type = IP_PKTINFO;
		header->cmsg_len = CMSG_LEN(sizeof(narrow));
		message.msg_controllen = CMSG_SPACE(sizeof(narrow));
		memcpy(CMSG_DATA(header), &narrow, sizeof(narrow));
	}
	(void)sendmsg(fd, &message, 0); /* who is gone hears nothing */
}
