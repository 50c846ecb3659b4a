/* What a walk says of one file: the reply `entry` of README.md. */
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fs_agent.h"

#define XATTR_LIST_SIZE 65536
#define XATTR_TOTAL_MAX (FS_PAYLOAD_MAX / 2)
#define LINK_MAX_SIZE 4096

/* No *at calls for xattrs before Linux 6.13: through /proc to the open directory, whose entry is
 * then not followed. */
static void put_xattrs(int directory, const char *name)
{
	static char names[XATTR_LIST_SIZE];
	char path[64 + 256];
	uint8_t *count_at = fs_put_room(4);
	uint32_t count = 0;
	size_t total = 0;
	ssize_t size = -1;

	fs_put_u32(0);
	if (count_at == NULL)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", directory, name);
	size = llistxattr(path, names, sizeof(names));
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		const char *attribute = names + at;
		ssize_t length = lgetxattr(path, attribute, NULL, 0);
		uint8_t *room;

		if (length < 0 || (total += (size_t)length + 264) > XATTR_TOTAL_MAX)
			continue;
		room = fs_put_room(strlen(attribute) + 8 + (size_t)length);
		if (room == NULL)
			return;
		room += 4 + strlen(attribute) + 4;
		length = lgetxattr(path, attribute, room, (size_t)length);
		if (length < 0)
			continue;
		fs_put_string(attribute, strlen(attribute));
		fs_put_u32((uint32_t)length);
		fs_put_used((size_t)length);
		count++;
	}
	for (size_t i = 0; i < 4; i++)
		count_at[i] = (uint8_t)(count >> 8 * i);
}

void fs_put_entry(int directory, const char *name, const struct stat *now, const char *path,
		  bool with_xattrs)
{
	char target[LINK_MAX_SIZE];
	ssize_t length = 0;

	if (S_ISLNK(now->st_mode))
		length = readlinkat(directory, name, target, sizeof(target));
	fs_reply_begin(FS_ENTRY);
	fs_put_string(path, strlen(path));
	fs_put_u32(now->st_mode);
	fs_put_u32(now->st_uid);
	fs_put_u32(now->st_gid);
	fs_put_u32((uint32_t)now->st_nlink);
	fs_put_u64((uint64_t)now->st_size);
	fs_put_u64(now->st_ino);
	fs_put_u64((uint64_t)now->st_blocks);
	fs_put_u32(major(now->st_rdev));
	fs_put_u32(minor(now->st_rdev));
	fs_put_u64((uint64_t)now->st_mtim.tv_sec);
	fs_put_u32((uint32_t)now->st_mtim.tv_nsec);
	fs_put_string(target, length < 0 ? 0 : (size_t)length);
	if (with_xattrs && !S_ISLNK(now->st_mode))
		put_xattrs(directory, name);
	else
		fs_put_u32(0);
	fs_reply_end();
}
