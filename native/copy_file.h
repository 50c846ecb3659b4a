/* Copying one file's content and attributes between two descriptors. */
#ifndef TSMAN_COPY_FILE_H
#define TSMAN_COPY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "failure.h"

#define ID_SHIFT_RANGES 340 /* user_namespaces(7): the most lines a map can have */

/* Ids as a file has them, and as its copy is to have them. */
struct id_shift {
	struct {
		uint32_t from, to, size;
	} range[ID_SHIFT_RANGES];
	size_t count;
};

struct copy_options {
	const struct id_shift *uids, *gids; /* NULL = owners stay */
	bool layer; /* an unpacked layer: whiteouts, devices, sockets and opaque marks, too */
	/* With `layer`: large files become references to this directory of an overlay's data-only
	 * layer (Documentation/filesystems/overlayfs.rst, "Data-only lower layers"); "" = copies. */
	const char *redirect;
};

/* The owner that the copy gets; -1 with errno ERANGE when the map does not say. */
int shift_owner(const struct copy_options *options, const struct stat *status, uid_t *uid, gid_t *gid);
/* `size` bytes, holes as holes, sharing the blocks where the file system can. */
int copy_content(int from, int to, const struct stat *status);
/* Owner, mode, xattrs and times, in this order: chown clears setuid bits and capabilities. */
int copy_attributes(int from, int to, const struct stat *status, const struct copy_options *options);

#endif
