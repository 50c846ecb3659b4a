/* The verbs that run a command: in a container, or in the engine's user namespace. */
#ifndef TSMAN_EXEC_H
#define TSMAN_EXEC_H

#include <sys/types.h>

#include "exec_streams.h"
#include "failure.h"
#include "plan.h"

int exec_main(const struct plan *plan);
int unshare_main(const struct plan *plan);

/* In a child of the monitor's: clones its brother, which becomes the command of the exec plan at
 * `path` in the container of `target`. Says on `sync` which pid it has, or what failed. */
_Noreturn void exec_probe(const char *path, pid_t target, int pidfd, int output, int sync);

/* exec_join.c: enter every namespace in which `pid` differs from us, and be root there.
 * `later`: flags of those that the command's process has to enter itself. */
int exec_join(const struct plan *plan, pid_t pid, int pidfd, int *later, struct failure *why);
/* exec_wait.c: forward signals with `sig-proxy`, and what the streams carry, until the child ends; its exit
 * status. */
int exec_wait(const struct plan *plan, pid_t child, int pidfd, struct exec_streams *streams);

#endif
