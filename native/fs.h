/* The verb `fs`: file operations below one pinned directory. README.md, "The fs stream". */
#ifndef TSMAN_FS_H
#define TSMAN_FS_H

#include "plan.h"

/* Enter the engine's user namespace, pin the directory, serve stdin until its end. */
int fs_main(const struct plan *plan);

#endif
