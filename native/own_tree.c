/* Giving a tree to somebody. See own_tree.h. */
#include "own_tree.h"

#include <sys/stat.h>

#include "syscalls.h"
#include "tree_entries.h"

static int found_one(int directory, const char *name, int other, int depth, struct failure *why)
{
	(void)directory, (void)other, (void)depth;
	return fail_errno(why, "copy", name, ENOTEMPTY);
}

int directory_is_empty(int directory)
{
	struct failure why = { 0 };

	return tree_each_entry(directory, found_one, -1, 0, &why) == 0;
}

struct owner {
	uid_t uid;
	gid_t gid;
};
static struct owner new_owner;

static int own_entry(int directory, const char *name, int other, int depth, struct failure *why)
{
	AUTO_CLOSE int below = -1;

	(void)other;
	if (fchownat(directory, name, new_owner.uid, new_owner.gid, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(why, "chown", name);
	below = openat(directory, name, OPEN_DIRECTORY);
	if (below < 0)
		return errno == ENOTDIR || errno == ELOOP ? 0 : fail(why, "chown", name);
	return tree_each_entry(below, own_entry, -1, depth + 1, why);
}

int own_tree(int directory, uid_t uid, gid_t gid, struct failure *why)
{
	new_owner = (struct owner){ uid, gid };
	if (fchown(directory, uid, gid) < 0)
		return fail(why, "chown", "/");
	return tree_each_entry(directory, own_entry, -1, 0, why);
}
