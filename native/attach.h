/* The attach client: the caller's terminal or pipes on one side, an attach stream on the other. */
#ifndef TSMAN_ATTACH_H
#define TSMAN_ATTACH_H

#include "failure.h"
#include "plan.h"

/* Speak the attach stream on `socket` (closed at the end) until the container
 * ends, is detached from by keys, or the monitor goes away. Puts the terminal
 * in raw mode when the container has one and stdin is a terminal, forwards
 * SIGWINCH as resizes and, with `sig-proxy`, other signals.
 * Returns the exit status for the caller: see README.md, "Report"; 141 when the
 * reader of our stdout or stderr has gone (what SIGPIPE would have said). */
int attach_client(const struct plan *plan, int socket);

/* The verb: connect to run-dir/attach.sock and be the client. */
int attach_main(const struct plan *plan);

/* Connect to run-dir/attach.sock of the plan. Returns the socket or -1. */
int attach_connect(const struct plan *plan, struct failure *why);

/* Send a signal to the container's process, on a connection of its own: on the
 * client's it would queue behind input that the container does not read. */
void attach_send_signal(const struct plan *plan, int number);

/* A terminal for exec without a monitor: copy between our stdin/stdout and the
 * pty master until `child` ends; returns its exit status (128+N on signal).
 * Detached by keys: returns 0 and sets `detached`; a process of ours stays to drain the
 * terminal and to record the end.
 * With master -1 there is nothing to copy: wait for the child and proxy signals. */
int attach_pty(const struct plan *plan, int master, int child_pidfd, int child, bool *detached);

#endif
