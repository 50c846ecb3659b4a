/* What main, monitor and container process tell each other: one struct per datagram of a
 * SOCK_SEQPACKET pair, sometimes with a descriptor. All ends run the same executable. */
#ifndef TSMAN_MESSAGE_H
#define TSMAN_MESSAGE_H

#include <sys/types.h>

#include "failure.h"

enum message_kind {
	MESSAGE_MAPPED = 1, /* main to monitor, monitor to container: your id map is written */
	MESSAGE_STAGED,     /* container up: re-executed, its namespaces can be opened by our user */
	MESSAGE_GO,         /* main to monitor to container: the network (pid, if any) is ready */
	MESSAGE_TERMINAL,   /* container up: the pty's master is attached */
	MESSAGE_FUSE,       /* container up: an opened /dev/fuse, please serve it */
	MESSAGE_TREE,       /* to the monitor: an overlay, a detached mount */
	MESSAGE_PID,        /* the container process or exec's command, as the host counts */
	MESSAGE_FAILED,
	MESSAGE_RUNNING,    /* monitor to main */
};

struct message {
	enum message_kind kind;
	pid_t pid;
	pid_t monitor;
	struct failure failure;
};

int message_pair(int sockets[2], struct failure *why);
/* `fd` travels along unless it is -1. */
int message_send(int socket, const struct message *message, int fd);
int message_send_kind(int socket, enum message_kind kind);
int message_send_failure(int socket, const struct failure *why);
/* 1 = a message, 0 = the other side is gone, -1. A descriptor lands close-on-exec in *fd;
 * with fd NULL a message that carries one is an error. */
int message_receive(int socket, struct message *message, int *fd);
/* Wait for exactly this kind; anything else fails `why` with step `step`. */
int message_await(int socket, enum message_kind kind, const char *step, struct failure *why);

#endif
