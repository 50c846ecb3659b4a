/* Starting a container: what main, the monitor and the child before its re-execution share. */
#ifndef TSMAN_BOX_H
#define TSMAN_BOX_H

#include "failure.h"
#include "monitor.h"
#include "plan.h"
#include "stage.h"
#include "userns.h"

#define MAX_JOINS 9 /* a kept network besides what the plan joins */

struct joined_namespace {
	int fd;
	int flag; /* CLONE_NEW* */
};

struct box {
	const struct plan *plan;
	struct userns userns;
	struct monitor monitor;
	int main_socket; /* monitor's end of the messages with main */
	int sync;        /* monitor's end of the messages with the container process */
	int container_sync;
	int stdio[3];    /* what the container gets as 0, 1, 2; -1 = a terminal's slave later */
	int cgroup;      /* cgroup v2 directory to be born in, or -1 */
	int trees[OVERLAY_MOST]; /* overlays of a container with its own user namespace */
	size_t tree_count;
	bool may_restart;  /* what starting took is kept for the next time */
	bool kept_network; /* the network namespace is among `joins`, with what serves it */
	struct joined_namespace joins[MAX_JOINS];
	size_t join_count;
};

int box_main(const struct plan *plan);

/* The monitor's life, in the child that main cloned. Returns its exit status. */
int box_monitor(struct box *box);
/* Pipes, null or the caller's descriptors for the container; fills box->stdio and the monitor's ends. */
int box_open_stdio(struct box *box, struct failure *why);
/* Open the namespaces to join, and the cgroup, while paths still mean the host's. */
int box_open_joins(struct box *box, struct failure *why);
int box_open_cgroup(const struct plan *plan, int *cgroup, struct failure *why);
/* box_overlays.c: mount them before the container is cloned; give them to the process that is to become it. */
int box_mount_overlays(struct box *box, struct failure *why);
int box_give_overlays(const struct box *box, struct failure *why);
void box_close_overlays(struct box *box);
/* box_messages.c: until the program runs: execve closes the container's end of the socket. */
int box_wait_for_exec(struct box *box, struct failure *why);
/* Clone the container process into its namespaces. Fills monitor.child and child_pidfd. */
int box_clone_container(struct box *box, struct failure *why);

#endif
