/* The attach client's state, shared by attach.c (towards the monitor) and
 * attach_output.c (from it). */
#ifndef TSMAN_ATTACH_SESSION_H
#define TSMAN_ATTACH_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "detach_keys.h"
#include "frame.h"
#include "output.h"

struct session {
	const struct plan *plan;
	int socket;
	unsigned char wants;
	bool terminal;      /* the container has one */
	bool greeted;
	bool input_open;
	bool resize_due;
	struct detach_keys detach;
	size_t outgoing, outgoing_sent;
	unsigned char header[FRAME_HEADER];
	size_t have;        /* bytes of the header */
	size_t left;        /* payload still in the socket */
	size_t held, held_done; /* payload in `incoming` */
	enum { AWAIT_NOTHING, AWAIT_SOCKET, AWAIT_OUTPUT } await;
	struct output outputs[3];
	bool over;
	int status;
};

/* Leave with this exit status. */
void session_finish(struct session *session, int status);
/* Our terminal must be raw: typing goes to the container's terminal. */
bool session_wants_raw(const struct session *session);
/* Take what the monitor sent until something must be waited for; a bounded number of
 * steps, so that signals and input have their turn. */
void session_take_frames(struct session *session);
/* Where the payload of the current frame goes. */
const struct output *session_output(const struct session *session);

#endif
