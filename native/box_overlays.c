/* The overlays of a container with a user namespace of its own: its root, images and volumes.
 *
 * Mounted by the container's own root they could not reach layers in directories of ids that its
 * namespace does not have, and the ids of their layers would mean what that namespace says. Mounted by
 * the engine's root they belong to the engine's user namespace, which has them all. The monitor lives
 * in the host's mount namespace, where it may not mount: a child does it in one of its own and hands
 * the detached mounts over. */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "box.h"
#include "message.h"
#include "process.h"
#include "stage.h"
#include "syscalls.h"

/* A new upper directory belongs to the engine's root, and would show as the overlay's root: it is given
 * to whom the uppermost layer's root belongs. */
static int own_upper(const char *upper, const char *lower, struct failure *why)
{
	struct stat now, layer;

	if (*upper == '\0')
		return 0;
	if (stat(upper, &now) < 0 || stat(lower, &layer) < 0)
		return fail(why, "overlay", upper);
	if (now.st_uid != 0 || (layer.st_uid == 0 && layer.st_gid == now.st_gid))
		return 0;
	return chown(upper, layer.st_uid, layer.st_gid) < 0 ? fail(why, "overlay", upper) : 0;
}

static int make_root(const struct plan *plan, const struct record *record, struct failure *why)
{
	static struct stage stage; /* large: off the stack */
	int tree;

	stage_init(&stage, plan);
	if (own_upper(record->argv[0], record->argv[3], why) < 0 ||
	    mount_overlay_root(&stage, record, why) < 0)
		return -1;
	tree = open_tree(stage.root, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return tree < 0 ? fail(why, "rootfs-overlay", "open_tree") : tree;
}

static int make_tree(const struct plan *plan, const struct record *record, struct failure *why)
{
	size_t upper = strcmp(record->name, "overlay-below") == 0 ? 2 : 1;

	if (strcmp(record->name, "rootfs-overlay") == 0)
		return make_root(plan, record, why);
	if (own_upper(record->argv[upper], record->argv[upper + 3], why) < 0)
		return -1;
	return overlay_make(record, why);
}

static int send_trees(const struct plan *plan, int socket, struct failure *why)
{
	const struct message message = { .kind = MESSAGE_TREE };

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return fail(why, "overlay", "mount namespace");
	for (size_t i = 0; i < plan->count; i++) {
		if (!is_overlay(&plan->records[i]))
			continue;
		AUTO_CLOSE int tree = make_tree(plan, &plan->records[i], why);
		if (tree < 0)
			return -1;
		if (message_send(socket, &message, tree) < 0)
			return fail(why, "overlay", "send");
	}
	return 0;
}

static int receive_tree(int socket, int *tree, struct failure *why)
{
	struct message message;

	if (message_receive(socket, &message, tree) != 1)
		return fail_errno(why, "overlay", "ended", ECHILD);
	if (message.kind == MESSAGE_FAILED) {
		*why = message.failure;
		return -1;
	}
	if (message.kind != MESSAGE_TREE || *tree < 0)
		return fail_errno(why, "overlay", "unexpected message", EPROTO);
	return 0;
}

static int receive_trees(struct box *box, int socket, size_t count, struct failure *why)
{
	for (box->tree_count = 0; box->tree_count < count; box->tree_count++)
		if (receive_tree(socket, &box->trees[box->tree_count], why) < 0)
			return -1;
	return 0;
}

int box_mount_overlays(struct box *box, struct failure *why)
{
	struct failure theirs = { 0 };
	size_t count = 0;
	int sockets[2];
	pid_t pid;
	int result;

	for (size_t i = 0; i < box->plan->count; i++)
		count += is_overlay(&box->plan->records[i]);
	if (count == 0 || !has_own_userns(box->plan))
		return 0;
	if (count > OVERLAY_MOST)
		return fail_errno(why, "overlay", "too many", E2BIG);
	if (message_pair(sockets, why) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(sockets[0]);
		if (send_trees(box->plan, sockets[1], &theirs) < 0)
			(void)message_send_failure(sockets[1], &theirs);
		_exit(0);
	}
	close(sockets[1]);
	result = pid < 0 ? fail(why, "fork", "overlay") : receive_trees(box, sockets[0], count, why);
	close(sockets[0]);
	if (pid > 0)
		(void)wait_for(pid);
	return result;
}

int box_give_overlays(const struct box *box, struct failure *why)
{
	for (size_t i = 0; i < box->tree_count; i++)
		if (dup3(box->trees[i], OVERLAY_TREES + (int)i, 0) < 0)
			return fail(why, "overlay", "dup");
	return 0;
}

void box_close_overlays(struct box *box)
{
	while (box->tree_count > 0)
		close(box->trees[--box->tree_count]);
}
