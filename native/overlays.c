/* Overlays: of a container's root, of an image mounted in it, over a volume (`O`).
 *
 * In a container with a user namespace of its own they were mounted before, see box_overlays.c, and
 * wait under fixed numbers. */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "inside.h"
#include "mount_tree.h"
#include "stage.h"
#include "syscalls.h"

bool is_overlay(const struct record *record)
{
	return plan_list_has("rootfs-overlay,overlay,overlay-below", record->name);
}

int overlay_number(const struct plan *plan, const struct record *record)
{
	int number = OVERLAY_TREES;

	for (const struct record *at = plan->records; at != record; at++)
		number += is_overlay(at);
	return number;
}

bool has_own_userns(const struct plan *plan)
{
	if (plan_find(plan, "inner-uid-map") != NULL)
		return true;
	for (const struct record *join = plan_next(plan, "join", NULL); join != NULL;
	     join = plan_next(plan, "join", join))
		if (strcmp(join->argv[0], "user") == 0)
			return true;
	return false;
}

/* A part of a tree, as a tree. Only what is attached can be cloned (before Linux 6.15), so the whole is,
 * on top of "/", for this moment. */
static int part_of(int whole, const char *subpath, struct failure *why)
{
	AUTO_CLOSE int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[64];
	int part = -1;

	if (root < 0 || mount_attach(whole, root, "/", why) < 0)
		return fail(why, "overlay", subpath);
	AUTO_CLOSE int below = inside_open(whole, subpath, O_PATH, 0);
	if (below >= 0)
		part = open_tree(below, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (part < 0)
		(void)fail(why, "subpath", subpath);
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", whole);
	if (umount2(name, MNT_DETACH) < 0 && part >= 0) {
		(void)fail(why, "overlay", "umount");
		close_and_forget(&part);
	}
	return part;
}

int overlay_make(const struct record *record, struct failure *why)
{
	bool is_part = strcmp(record->name, "overlay-below") == 0;
	size_t skip = is_part ? 2 : 1;
	const struct record overlay = { record->name, record->argc - skip, record->argv + skip };
	int whole = overlay_tree(&overlay, why);
	int part;

	if (whole < 0 || !is_part)
		return whole;
	part = part_of(whole, record->argv[1], why);
	close(whole);
	return part;
}

/* overlay DEST UPPER WORK FLAGS LOWER..., overlay-below DEST SUBPATH UPPER WORK FLAGS LOWER... */
int step_overlay(struct stage *stage, const struct record *record, struct failure *why)
{
	bool is_ready = has_own_userns(stage->plan) && stage->sync >= 0;
	AUTO_CLOSE int tree = is_ready ? overlay_number(stage->plan, record) : overlay_make(record, why);
	const char *name = record->argv[0];
	AUTO_CLOSE int destination = -1;
	struct stat status;

	if (tree < 0)
		return -1;
	if (fstat(tree, &status) < 0)
		return fail(why, "overlay", "not mounted");
	destination = S_ISDIR(status.st_mode) ? inside_make_directory(stage->root, name, 0755)
					      : inside_make_file(stage->root, name);
	if (destination < 0)
		return fail(why, "overlay", name);
	return mount_attach(tree, destination, name, why);
}
