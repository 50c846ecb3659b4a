/* Copying one file's content and attributes. See copy_file.h. */
#include "copy_file.h"

#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include "syscalls.h"

#define SMALL 65536
#define XATTR_MAX 65536
#define ACL_HEADER 4
#define ACL_ENTRY 8
#define ACL_USER 2
#define ACL_GROUP 8

static char buffer[SMALL];

static int shift_id(const struct id_shift *shift, uint32_t id, uint32_t *to)
{
	*to = id;
	if (shift == NULL)
		return 0;
	for (size_t i = 0; i < shift->count; i++) {
		if (id < shift->range[i].from || id - shift->range[i].from >= shift->range[i].size)
			continue;
		*to = shift->range[i].to + (id - shift->range[i].from);
		return 0;
	}
	errno = ERANGE;
	return -1;
}

int shift_owner(const struct copy_options *options, const struct stat *status, uid_t *uid, gid_t *gid)
{
	return shift_id(options->uids, status->st_uid, uid) < 0 ||
			       shift_id(options->gids, status->st_gid, gid) < 0
		       ? -1
		       : 0;
}

static int write_all(int to, const char *bytes, size_t size, off_t at)
{
	while (size > 0) {
		ssize_t once = pwrite(to, bytes, size, at);

		if (once < 0)
			return -1;
		bytes += once;
		at += once;
		size -= (size_t)once;
	}
	return 0;
}

static int copy_range(int from, int to, off_t at, off_t end)
{
	off_t in = at, out = at;
	ssize_t got;

	while (in < end && (got = copy_file_range(from, &in, to, &out, (size_t)(end - in), 0)) > 0)
		;
	/* Other file systems. */
	while (in < end) {
		size_t want = end - in < SMALL ? (size_t)(end - in) : SMALL;

		got = pread(from, buffer, want, in);
		if (got <= 0)
			return got < 0 ? -1 : 0; /* it has become shorter */
		if (write_all(to, buffer, (size_t)got, in) < 0)
			return -1;
		in += got;
	}
	return 0;
}

static int copy_pieces(int from, int to, off_t size)
{
	for (off_t at = 0, hole; at < size; at = hole) {
		off_t data = lseek(from, at, SEEK_DATA);

		if (data < 0 && errno == ENXIO)
			break; /* a hole up to the end */
		if (data < 0)
			return copy_range(from, to, at, size);
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return -1;
		if (copy_range(from, to, data, hole < size ? hole : size) < 0)
			return -1;
	}
	return ftruncate(to, size);
}

int copy_content(int from, int to, const struct stat *status)
{
	static bool cannot_clone;
	ssize_t got;

	if (status->st_size > 0 && status->st_size <= SMALL &&
	    status->st_blocks * 512 >= status->st_size) {
		got = pread(from, buffer, sizeof(buffer), 0);
		return got < 0 ? -1 : write_all(to, buffer, (size_t)got, 0);
	}
	if (status->st_size == 0)
		return 0;
	if (!cannot_clone && ioctl(to, FICLONE, from) == 0)
		return 0;
	cannot_clone |= errno == EOPNOTSUPP || errno == ENOTTY;
	return copy_pieces(from, to, status->st_size);
}

/* What a user may see; user.overlay.* would steer an overlay over this tree. */
static bool is_copied(const char *name, bool layer)
{
	if (strcmp(name, "user.overlay.opaque") == 0)
		return layer;
	if (strncmp(name, "user.", 5) == 0)
		return strncmp(name, "user.overlay.", 13) != 0;
	return strcmp(name, "security.capability") == 0 || strncmp(name, "system.posix_acl_", 17) == 0;
}

/* acl(5) in an xattr: a version, then tag, permissions and id of each entry, little endian. */
static int shift_acl(char *acl, size_t size, const struct copy_options *options)
{
	for (size_t at = ACL_HEADER; at + ACL_ENTRY <= size; at += ACL_ENTRY) {
		uint16_t tag;
		uint32_t id;

		memcpy(&tag, acl + at, sizeof(tag));
		memcpy(&id, acl + at + 4, sizeof(id));
		if ((tag == ACL_USER && shift_id(options->uids, id, &id) < 0) ||
		    (tag == ACL_GROUP && shift_id(options->gids, id, &id) < 0))
			return -1;
		memcpy(acl + at + 4, &id, sizeof(id));
	}
	return 0;
}

/* As far as the file system takes them; a full disk is a failure. */
static int copy_xattrs(int from, int to, const struct copy_options *options)
{
	static char names[XATTR_MAX];
	static char value[XATTR_MAX];
	ssize_t size = flistxattr(from, names, sizeof(names));

	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		const char *name = names + at;
		ssize_t length;

		if (!is_copied(name, options->layer))
			continue;
		length = fgetxattr(from, name, value, sizeof(value));
		if (length < 0)
			continue;
		if (strncmp(name, "system.posix_acl_", 17) == 0 &&
		    shift_acl(value, (size_t)length, options) < 0)
			return -1;
		if (fsetxattr(to, name, value, (size_t)length, 0) < 0 &&
		    (errno == ENOSPC || errno == EDQUOT || errno == EIO))
			return -1;
	}
	return 0;
}

int copy_attributes(int from, int to, const struct stat *status, const struct copy_options *options)
{
	struct timespec times[2] = { status->st_atim, status->st_mtim };
	uid_t uid;
	gid_t gid;

	if (shift_owner(options, status, &uid, &gid) < 0 || fchown(to, uid, gid) < 0 ||
	    fchmod(to, status->st_mode & 07777) < 0 || copy_xattrs(from, to, options) < 0)
		return -1;
	return futimens(to, times);
}
