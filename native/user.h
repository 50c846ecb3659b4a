/* Who the program runs as: the plan's `user` and `groups`, looked up in the container's files. */
#ifndef TSMAN_USER_H
#define TSMAN_USER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "failure.h"
#include "plan.h"
#include "user_file.h"

struct identity {
	uid_t uid;
	gid_t gid;
	gid_t groups[USER_MAX_GROUPS];
	size_t group_count;
	char home[PATH_MAX]; /* from the passwd entry; empty = none */
};

/* `spec` is [uid|name][:gid|group]. */
int user_resolve(int root, const char *spec, struct identity *identity, struct failure *why);
/* Add the groups named by a `groups` record. */
int user_add_groups(int root, const struct record *record, struct identity *identity,
		    struct failure *why);

#endif
