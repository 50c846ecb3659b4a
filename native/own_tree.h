/* Giving a tree to somebody. */
#ifndef TSMAN_OWN_TREE_H
#define TSMAN_OWN_TREE_H

#include <sys/types.h>

#include "failure.h"

/* True when nothing is in the directory. */
int directory_is_empty(int directory);
/* lchown of everything in `directory`, and of itself. */
int own_tree(int directory, uid_t uid, gid_t gid, struct failure *why);

#endif
