/* The entries of a directory, for who works on a whole tree. */
#ifndef TSMAN_TREE_ENTRIES_H
#define TSMAN_TREE_ENTRIES_H

#include "failure.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

typedef int visit_function(int directory, const char *name, int other, int depth,
			   struct failure *why);

/* Call `visit` for every entry of `directory`, until one fails. */
int tree_each_entry(int directory, visit_function *visit, int other, int depth,
		    struct failure *why);

#endif
