/* Descriptors over Unix sockets. See rights.h. */
#include "rights.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(RIGHTS_MAX * sizeof(int))];
};

ssize_t rights_send(int socket, const void *bytes, size_t size, const int *fds, size_t count, int flags)
{
	struct iovec vector = { (void *)(uintptr_t)bytes, size };
	union control control = { 0 };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (count > 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	return sendmsg(socket, &header, flags);
}

ssize_t rights_receive(int socket, void *bytes, size_t size, int *fds, size_t *count, int flags)
{
	struct iovec vector = { bytes, size };
	union control control = { 0 };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1,
				 .msg_control = &control, .msg_controllen = sizeof(control.bytes) };
	ssize_t got = recvmsg(socket, &header, flags | MSG_CMSG_CLOEXEC);
	struct cmsghdr *found = got < 0 ? NULL : CMSG_FIRSTHDR(&header);

	*count = 0;
	if (found != NULL && found->cmsg_level == SOL_SOCKET && found->cmsg_type == SCM_RIGHTS) {
		*count = (found->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(found), *count * sizeof(int));
	}
	return got;
}
