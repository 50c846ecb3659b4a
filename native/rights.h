/* Descriptors that travel with bytes over a Unix socket (SCM_RIGHTS, unix(7)). */
#ifndef TSMAN_RIGHTS_H
#define TSMAN_RIGHTS_H

#include <stddef.h>
#include <sys/types.h>

#define RIGHTS_MAX 2

/* sendmsg(2) with `count` descriptors, at most RIGHTS_MAX. */
ssize_t rights_send(int socket, const void *bytes, size_t size, const int *fds, size_t count, int flags);
/* recvmsg(2). Descriptors that came along land close-on-exec in `fds`, which has room for
 * RIGHTS_MAX; the kernel closes those beyond. */
ssize_t rights_receive(int socket, void *bytes, size_t size, int *fds, size_t *count, int flags);

#endif
