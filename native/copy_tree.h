/* Copying a directory's content. */
#ifndef TSMAN_COPY_TREE_H
#define TSMAN_COPY_TREE_H

#include <sys/types.h>

#include "copy_file.h"
#include "failure.h"

/* Copy what is in the directory `from` into the directory `to`, and from's own owner, mode and
 * times. Follows no symbolic link. What exists in `to` under the same name is replaced, a directory
 * is filled up. Several names of one file stay that. Sockets and devices are left out. NULL as
 * options: everything keeps its owner. */
int copy_tree(int from, int to, const struct copy_options *options, struct failure *why);
/* The same without owner, mode and times of `from` itself. */
int copy_entries(int from, int to, struct failure *why);

#endif
