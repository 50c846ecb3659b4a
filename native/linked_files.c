/* Files with several names, so that each is counted once. */
#include "linked_files.h"

#include <stdlib.h>

struct linked_file {
	dev_t device;
	ino_t inode;
};

/* Where this file is, or would be, in the open-addressing table. */
static struct linked_file *slot_of(struct linked_file *table, size_t room, dev_t device, ino_t inode)
{
	size_t at = inode % room;

	while (table[at].inode != 0 && (table[at].inode != inode || table[at].device != device))
		at = (at + 1) % room;
	return &table[at];
}

static int grow(struct linked_files *files)
{
	size_t room = files->room == 0 ? 1024 : files->room * 2;
	struct linked_file *larger = calloc(room, sizeof(*larger));

	if (larger == NULL)
		return -1;
	for (size_t i = 0; i < files->room; i++) {
		const struct linked_file *old = &files->slots[i];

		if (old->inode != 0)
			*slot_of(larger, room, old->device, old->inode) = *old;
	}
	free(files->slots);
	files->slots = larger;
	files->room = room;
	return 0;
}

bool linked_files_count(struct linked_files *files, const struct stat *file)
{
	struct linked_file *slot;

	if (file->st_nlink < 2 || S_ISDIR(file->st_mode))
		return true;
	if (files->count * 2 >= files->room && grow(files) < 0)
		return true; /* counted twice is better than not at all */
	slot = slot_of(files->slots, files->room, file->st_dev, file->st_ino);
	if (slot->inode != 0)
		return false;
	*slot = (struct linked_file){ .device = file->st_dev, .inode = file->st_ino };
	files->count++;
	return true;
}

void linked_files_free(struct linked_files *files)
{
	free(files->slots);
}
