/* Copying a directory's content, and giving a tree to somebody. */
#ifndef TSMAN_COPY_TREE_H
#define TSMAN_COPY_TREE_H

#include <sys/types.h>

#include "failure.h"

/* Copy what is in the directory `from` into the directory `to`, and from's own owner, mode and
 * times. Follows no symbolic link. What exists in `to` under the same name is replaced, a directory
 * is filled up. Sockets and devices are left out. */
int copy_tree(int from, int to, struct failure *why);
/* The same without owner, mode and times of `from` itself. */
int copy_entries(int from, int to, struct failure *why);
/* True when nothing is in the directory. */
int directory_is_empty(int directory);
/* lchown of everything in `directory`, and of itself. */
int own_tree(int directory, uid_t uid, gid_t gid, struct failure *why);

#endif
