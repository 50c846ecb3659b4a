/* Files with several names, so that each is counted once. */
#ifndef TSMAN_LINKED_FILES_H
#define TSMAN_LINKED_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* (device, inode) of files with more than one link; zeros are an empty set. */
struct linked_files {
	struct linked_file *slots;
	size_t count, room;
};

/* False when this file was counted under another name. */
bool linked_files_count(struct linked_files *files, const struct stat *file);
void linked_files_free(struct linked_files *files);

#endif
