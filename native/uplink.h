/* The up-link: the pasta that all of a user's networks share. It belongs to the hub and ends with it. */
#ifndef TSMAN_UPLINK_H
#define TSMAN_UPLINK_H

#include "failure.h"
#include "hub.h"
#include "plan.h"

/* A process that makes sure of it while its parent goes on. */
struct uplink {
	pid_t pid;
	int socket; /* -1 = the plan has no up-link */
};

/* Start it unless the hub has one. By the plain user; see network_process.c. */
int uplink_make(const struct hub *hub, const struct plan *plan, const char *net_dir,
		struct failure *why);
/* The same beside us. */
int uplink_begin(struct uplink *uplink, const struct hub *hub, const struct plan *plan,
		 const char *net_dir, struct failure *why);
int uplink_await(struct uplink *uplink, struct failure *why);
void uplink_end(const char *net_dir);

#endif
