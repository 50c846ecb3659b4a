/* Owner, mode, times and extended attributes of one file.
 *
 * Order matters: content before chown, because writing may clear setuid bits; chown before chmod and
 * xattrs, because it clears setuid bits and security.capability; times last. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "fs_agent.h"
#include "syscalls.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#define XATTR_NAME_SIZE 256

int fs_fail(struct fs_agent *agent, const char *step, const struct fs_path *path)
{
	return fail(&agent->failure, step, path->length == 0 ? "/" : path->bytes);
}

void fs_attributes_read(struct fs_attributes *attributes, struct fs_reader *reader)
{
	attributes->set = fs_u32(reader);
	attributes->uid = fs_u32(reader);
	attributes->gid = fs_u32(reader);
	attributes->mode = fs_u32(reader) & 07777;
	attributes->mtime.tv_sec = (time_t)fs_u64(reader);
	attributes->mtime.tv_nsec = (long)fs_u32(reader);
	attributes->xattr_count = fs_u32(reader);
	attributes->xattrs = *reader;
	for (uint32_t i = 0; i < attributes->xattr_count && !reader->bad; i++) {
		fs_bytes(reader, fs_u32(reader));
		fs_bytes(reader, fs_u32(reader));
	}
	attributes->xattrs.end = reader->at;
}

static bool is_mapped(const struct fs_id_map *map, uint32_t id)
{
	for (size_t i = 0; i < map->count; i++)
		if (id >= map->range[i].first && id - map->range[i].first < map->range[i].size)
			return true;
	return false;
}

/* The owner to set: with a map of one id everything is squashed to it; an id outside a larger
 * map is a failure that names the id, since silently changing owners would break the image. */
static int choose_owner(struct fs_agent *agent, const struct fs_attributes *attributes,
			const struct fs_path *path, uid_t *uid, gid_t *gid)
{
	bool uid_known = !agent->mapped || is_mapped(&agent->uids, attributes->uid);
	bool gid_known = !agent->mapped || is_mapped(&agent->gids, attributes->gid);
	char subject[FAILURE_TEXT];

	*uid = attributes->uid;
	*gid = attributes->gid;
	if (uid_known && gid_known)
		return 0;
	if (agent->squash) {
		*uid = *gid = 0;
		agent->owners_squashed++;
		return 0;
	}
	snprintf(subject, sizeof(subject), "%s %u: %.400s", uid_known ? "gid" : "uid",
		 uid_known ? attributes->gid : attributes->uid, path->bytes);
	return fail_errno(&agent->failure, "owner", subject, ERANGE);
}

/* user.overlay.* would steer the overlay file system (redirects, opacity) from inside an archive;
 * trusted.* and the rest of security.* belong to the host. */
static bool xattr_is_wanted(const char *name)
{
	if (strncmp(name, "user.", 5) == 0)
		return strncmp(name, "user.overlay.", 13) != 0;
	return strcmp(name, "security.capability") == 0 ||
	       strcmp(name, "system.posix_acl_access") == 0 ||
	       strcmp(name, "system.posix_acl_default") == 0;
}

static int apply_xattrs(struct fs_agent *agent, int fd, const struct fs_attributes *attributes,
			const struct fs_path *path)
{
	struct fs_reader reader = attributes->xattrs;

	for (uint32_t i = 0; i < attributes->xattr_count; i++) {
		uint32_t name_length = fs_u32(&reader);
		const uint8_t *raw = fs_bytes(&reader, name_length);
		uint32_t size = fs_u32(&reader);
		const uint8_t *value = fs_bytes(&reader, size);
		char name[XATTR_NAME_SIZE];

		if (raw == NULL || value == NULL)
			return fail_errno(&agent->failure, "protocol", "xattrs", EBADMSG);
		if (name_length >= sizeof(name)) {
			agent->xattrs_dropped++;
			continue;
		}
		memcpy(name, raw, name_length);
		name[name_length] = '\0';
		if (xattr_is_wanted(name) && fsetxattr(fd, name, value, size, 0) == 0)
			continue;
		/* What this file system or kernel cannot hold is counted, as other engines do;
		 * a full disk is a failure. */
		if (xattr_is_wanted(name) && (errno == ENOSPC || errno == EDQUOT || errno == EIO))
			return fs_fail(agent, "setxattr", path);
		agent->xattrs_dropped++;
		if (strncmp(name, "system.posix_acl_", 17) == 0)
			agent->acls_dropped++;
	}
	return 0;
}

int fs_apply(struct fs_agent *agent, int fd, const struct fs_attributes *attributes,
	     const struct fs_path *path)
{
	struct timespec times[2] = { attributes->mtime, attributes->mtime };
	struct stat now;
	uid_t uid;
	gid_t gid;

	if (fstat(fd, &now) < 0)
		return fs_fail(agent, "stat", path);
	if (attributes->set & FS_SET_OWNER) {
		if (choose_owner(agent, attributes, path, &uid, &gid) < 0)
			return -1;
		if (uid != now.st_uid || gid != now.st_gid) {
			if (fchown(fd, uid, gid) < 0)
				return fs_fail(agent, "chown", path);
			now.st_mode = S_IFMT; /* unknown: it may have lost its setuid bits */
		}
	}
	if (attributes->set & FS_SET_MODE &&
	    (now.st_mode == S_IFMT || (now.st_mode & 07777) != attributes->mode) &&
	    fchmod(fd, attributes->mode) < 0)
		return fs_fail(agent, "chmod", path);
	if (attributes->xattr_count > 0 && apply_xattrs(agent, fd, attributes, path) < 0)
		return -1;
	if (attributes->set & FS_SET_MTIME && futimens(fd, times) < 0)
		return fs_fail(agent, "utimens", path);
	return 0;
}

/* fchmodat2(2) is Linux 6.6; before it, through /proc to the very inode. */
static int change_mode(int parent, const char *name, mode_t mode)
{
	char proc[64];

	if (syscall(SYS_fchmodat2, parent, name, mode, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno != ENOSYS && errno != EPERM)
		return -1;
	AUTO_CLOSE int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return chmod(proc, mode);
}

int fs_apply_at(struct fs_agent *agent, int parent, const struct fs_attributes *attributes,
		const struct fs_path *path)
{
	struct timespec times[2] = { attributes->mtime, attributes->mtime };
	struct stat now;
	uid_t uid;
	gid_t gid;

	if (fstatat(parent, path->name, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return fs_fail(agent, "stat", path);
	if (attributes->set & FS_SET_OWNER) {
		if (choose_owner(agent, attributes, path, &uid, &gid) < 0)
			return -1;
		if ((uid != now.st_uid || gid != now.st_gid) &&
		    fchownat(parent, path->name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
			return fs_fail(agent, "chown", path);
	}
	if (attributes->set & FS_SET_MODE && !S_ISLNK(now.st_mode) &&
	    change_mode(parent, path->name, attributes->mode) < 0)
		return fs_fail(agent, "chmod", path);
	agent->xattrs_dropped += attributes->xattr_count; /* user.* exists on files and directories only */
	if (attributes->set & FS_SET_MTIME &&
	    utimensat(parent, path->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return fs_fail(agent, "utimens", path);
	return 0;
}
