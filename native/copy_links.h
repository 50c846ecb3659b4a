/* Files with several names, while a tree is copied: the copy has them, too. */
#ifndef TSMAN_COPY_LINKS_H
#define TSMAN_COPY_LINKS_H

#include <stdbool.h>
#include <sys/stat.h>

/* Forget every file. */
void copy_links_clear(void);
/* The copy of this file is at `path` below the copy's root. -1 = no memory. */
int copy_links_note(const struct stat *source, int copy, const char *path);
/* Make `name` in `into` one more name of this file's copy below `root`; false when it has none yet,
 * or none that can be linked to: then it is copied once more. */
bool copy_links_use(const struct stat *source, int root, int into, const char *name);

#endif
