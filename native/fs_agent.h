/* What the parts of the fs verb share: the pinned directory, paths below it, attributes. */
#ifndef TSMAN_FS_AGENT_H
#define TSMAN_FS_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "failure.h"
#include "fs_stream.h"
#include "plan.h"

#define FS_PATH_MAX 65536
#define FS_ID_RANGES 340 /* user_namespaces(7): the most lines a map can have */

struct fs_id_map {
	struct {
		uint32_t first, size;
	} range[FS_ID_RANGES];
	size_t count;
};

/* owner, mode, mtime and xattrs of a request; `set` says which are meant. */
#define FS_SET_OWNER 1u
#define FS_SET_MODE 2u
#define FS_SET_MTIME 4u
struct fs_attributes {
	uint32_t set, uid, gid, mode;
	struct timespec mtime;
	uint32_t xattr_count;
	struct fs_reader xattrs;
};

/* A path below the pinned directory, without "", "." and ".." components; "" = the directory itself. */
struct fs_path {
	char bytes[FS_PATH_MAX];
	size_t length;
	size_t parent; /* length of the part before the last component */
	const char *name; /* the last component */
};

struct fs_agent {
	int pin;
	bool mapped, squash;
	struct fs_id_map uids, gids;
	uint64_t sequence;
	uint64_t devices_skipped, owners_squashed, xattrs_dropped, acls_dropped;
	struct failure failure; /* of the first changing operation that failed; the rest are ignored */

	int file; /* being written, or -1 */
	uint64_t file_size, file_end;
	struct fs_attributes file_attributes;
	uint8_t *file_xattrs;
	struct fs_path path, other;
};

/* fs_pin.c: open the directory that the requests are about */
int fs_pin(const struct plan *plan, int *pin, struct failure *why);

/* fs_path.c */
int fs_path_read(struct fs_path *path, struct fs_reader *reader, struct failure *why);
/* Descriptor of the directory that holds the path's last component: owned by the cache, valid
 * until the next call. With `create`, missing directories are made. */
int fs_parent(struct fs_agent *agent, const struct fs_path *path, bool create, struct failure *why);
/* Give the cache a directory just made or opened at `path`; it closes it. */
void fs_remember(const struct fs_path *path, int fd);
/* A component may have been replaced: forget every cached directory. */
void fs_forget(void);

/* fs_attributes.c */
void fs_attributes_read(struct fs_attributes *attributes, struct fs_reader *reader);
/* Everything but a directory's mtime, which waits. */
int fs_apply(struct fs_agent *agent, int fd, const struct fs_attributes *attributes,
	     const struct fs_path *path);
/* The same for what must not be opened: symbolic links, fifos, devices. */
int fs_apply_at(struct fs_agent *agent, int parent, const struct fs_attributes *attributes,
		const struct fs_path *path);
int fs_fail(struct fs_agent *agent, const char *step, const struct fs_path *path);

/* fs_times.c */
/* Remember a directory's mtime until fs_set_times: creating entries would change it again. */
int fs_defer_time(struct fs_agent *agent, int fd, const struct fs_attributes *attributes,
		  const struct fs_path *path);
int fs_set_times(struct fs_agent *agent);

/* fs_make.c: each returns 0, or -1 with agent->failure filled */
int fs_mkdir(struct fs_agent *agent, struct fs_reader *request);
int fs_file(struct fs_agent *agent, struct fs_reader *request);
int fs_data(struct fs_agent *agent, struct fs_reader *request);
int fs_finish_file(struct fs_agent *agent);
int fs_symlink(struct fs_agent *agent, struct fs_reader *request);
int fs_hardlink(struct fs_agent *agent, struct fs_reader *request);
int fs_node(struct fs_agent *agent, struct fs_reader *request);

/* fs_change.c */
/* Make way for a new `path`: whatever has the name goes, a directory with all it holds. */
int fs_clear(struct fs_agent *agent, int parent, const struct fs_path *path);
int fs_whiteout(struct fs_agent *agent, struct fs_reader *request);
int fs_opaque(struct fs_agent *agent, struct fs_reader *request);
int fs_mark_opaque(struct fs_agent *agent, int fd, const struct fs_path *path);
int fs_set(struct fs_agent *agent, struct fs_reader *request);
int fs_remove(struct fs_agent *agent, struct fs_reader *request);
/* flags: those of renameat2(2) */
int fs_rename(struct fs_agent *agent, struct fs_reader *request, unsigned int flags);

/* fs_copy.c */
int fs_copy_layer(struct fs_agent *agent, struct fs_reader *request);

/* fs_entry.c: reply with what is under a name in a directory; `path` is what it is called there */
void fs_put_entry(int directory, const char *name, const struct stat *now, const char *path,
		  bool with_xattrs);

/* fs_walk.c, fs_read.c: they answer by themselves and fail without stopping the stream */
int fs_walk(struct fs_agent *agent, struct fs_reader *request, bool only_usage, struct failure *why);
int fs_read(struct fs_agent *agent, struct fs_reader *request, struct failure *why);

#endif
