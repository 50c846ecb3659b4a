/* Sockets of both families, or of the one there is. See dual_stack.h. */
#include "dual_stack.h"

#include <errno.h>
#include <string.h>

static bool without_ipv6;

int dual_socket(int type)
{
	int flags = type | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd = socket(AF_INET6, flags, 0);

	without_ipv6 = fd < 0 && errno == EAFNOSUPPORT;
	return without_ipv6 ? socket(AF_INET, flags, 0) : fd;
}

bool dual_is_ipv4(void)
{
	return without_ipv6;
}

void dual_widen(struct sockaddr_in6 *name)
{
	struct sockaddr_in narrow;

	if (name->sin6_family != AF_INET)
		return;
	memcpy(&narrow, name, sizeof(narrow));
	*name = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = narrow.sin_port };
	memset(name->sin6_addr.s6_addr + 10, 0xff, 2);
	memcpy(name->sin6_addr.s6_addr + 12, &narrow.sin_addr, 4);
}

socklen_t dual_name(const struct sockaddr_in6 *name, struct sockaddr_storage *wanted)
{
	struct sockaddr_in narrow = { .sin_family = AF_INET, .sin_port = name->sin6_port };

	if (!without_ipv6) {
		memcpy(wanted, name, sizeof(*name));
		return sizeof(*name);
	}
	if (!IN6_IS_ADDR_V4MAPPED(&name->sin6_addr) && !IN6_IS_ADDR_UNSPECIFIED(&name->sin6_addr)) {
		errno = EAFNOSUPPORT;
		return 0;
	}
	/* Of the unspecified address the last four bytes are that of IPv4. */
	memcpy(&narrow.sin_addr, name->sin6_addr.s6_addr + 12, 4);
	memcpy(wanted, &narrow, sizeof(narrow));
	return sizeof(narrow);
}

int dual_bind(int fd, const struct sockaddr_in6 *name)
{
	struct sockaddr_storage wanted;
	socklen_t size = dual_name(name, &wanted);

	return size == 0 ? -1 : bind(fd, (struct sockaddr *)&wanted, size);
}

int dual_connect(int fd, const struct sockaddr_in6 *name)
{
	struct sockaddr_storage wanted;
	socklen_t size = dual_name(name, &wanted);

	return size == 0 ? -1 : connect(fd, (struct sockaddr *)&wanted, size);
}
