/* A forwarded connection, and how its bytes move; between forward_tcp.c and forward_pump.c. */
#ifndef TSMAN_FORWARD_PUMP_H
#define TSMAN_FORWARD_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>

#include "forward.h"

#define SMALL 8192 /* the least that a pipe holds, when the user has many of them: pipe(7) */

struct half {
	int pipe[2];
	size_t held; /* in the pipe */
	bool ended;  /* nothing more to read */
	bool shut;   /* and the other side has been told */
	bool large;  /* the pipe */
};

struct connection;

struct end {
	enum forward_kind kind;
	int fd;
	bool waits; /* for room to write */
	struct connection *connection;
};

struct connection {
	struct end end[2]; /* the client, the container */
	struct half half[2]; /* from end[i] to end[1 - i] */
	bool connected; /* to the container */
	bool queued;
	bool over;
	struct connection *next; /* in `busy` or `finished` */
};

/* What a connection's descriptors are watched for. Nobody asks to be told of room to write before
 * there was none. */
#define EVENTS (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET)

enum progress { BROKEN, STUCK, MOVED };

/* What is known of the bytes to come, from epoll_wait(2): it tells of those after a read that was
 * short; nothing but the end follows; or not that much. */
enum rest { REST_TOLD, REST_ENDS, REST_UNKNOWN };

/* Send what has come from end `from`; what the other end does not take waits in the pipe. */
enum progress pass_on(struct connection *connection, size_t from, const char *bytes, size_t size,
		      int flags);
/* Move what has come from end `from` until nothing moves. MOVED: it is somebody else's turn, but
 * there is more. */
enum progress pump(struct connection *connection, size_t from, enum rest rest);
void close_pipe(struct half *half);

#endif
