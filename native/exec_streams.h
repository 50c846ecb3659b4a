/* What stands between the caller's standard streams and a command of exec's.
 *
 * Through /proc/self/fd a program opens its files anew, with its own rights: a file that is its
 * stdin for reading it could write, and of a terminal read what is typed. So it gets pipes for
 * whatever is not one (or a socket, which cannot be opened so), and main copies. */
#ifndef TSMAN_EXEC_STREAMS_H
#define TSMAN_EXEC_STREAMS_H

#include <stdbool.h>

#include "failure.h"
#include "plan.h"

struct exec_streams {
	int inner[3]; /* the command's ends, -1 = the caller's own descriptor */
	int outer[3]; /* ours */
};

/* Nothing is made for a command with a terminal, or without the caller. */
int exec_streams_open(struct exec_streams *streams, const struct plan *plan, struct failure *why);
/* In the child: the inner ends become 0, 1 and 2. */
int exec_streams_place(const struct exec_streams *streams);
/* In main, when there is a child: the inner ends are its alone. */
void exec_streams_started(struct exec_streams *streams);

/* Wait until `pidfd` or `signals` (-1 = none) can be read, copying meanwhile. True for pidfd. */
bool exec_streams_wait(struct exec_streams *streams, int pidfd, int signals);
/* What the command wrote before it died. Descendants that still write are not waited for. */
void exec_streams_drain(struct exec_streams *streams);

#endif
