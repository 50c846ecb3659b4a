/* Paths inside a root file system, resolved by the kernel below its directory descriptor. */
#ifndef TSMAN_INSIDE_H
#define TSMAN_INSIDE_H

#include <stddef.h>
#include <sys/types.h>

/* openat2 with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS; O_CLOEXEC is added. -1 with errno. */
int inside_open(int root, const char *path, int flags, mode_t mode);
/* The same, refusing every symbolic link on the way (ELOOP). */
int inside_open_plain(int root, const char *path, int flags);
/* Open the directory at path as O_PATH, making what is missing with `mode`. */
int inside_make_directory(int root, const char *path, mode_t mode);
/* Open the file at path as O_PATH, making it empty and its directories where missing. */
int inside_make_file(int root, const char *path);
/* Make the directories above path; returns the last one as O_PATH and where its name starts. */
int inside_open_parent(int root, const char *path, const char **name);
/* Read a regular file of at most `limit` bytes into new memory, NUL-terminated.
 * Devices, FIFOs and the like are refused with EINVAL, too much with EFBIG. */
char *inside_read_file(int root, const char *path, size_t limit, size_t *size);

#endif
