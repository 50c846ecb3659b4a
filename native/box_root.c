/* The overlay of a container with a user namespace of its own.
 *
 * Mounted by the container's own root it could not reach layers in directories of ids that its
 * namespace does not have, and the ids of its layers would mean what that namespace says. Mounted by
 * the engine's root it belongs to the engine's user namespace, which has them all. The monitor lives
 * in the host's mount namespace, where it may not mount: a child does it in one of its own and hands
 * the detached mount over. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "box.h"
#include "message.h"
#include "process.h"
#include "stage.h"
#include "syscalls.h"

/* A new container's upper directory belongs to the engine's root, and would show as "/": it is given
 * to whom the uppermost layer's root belongs. */
static int own_upper(const struct record *overlay, struct failure *why)
{
	const char *upper = overlay->argv[0];
	struct stat now, layer;

	if (*upper == '\0')
		return 0;
	if (stat(upper, &now) < 0 || stat(overlay->argv[3], &layer) < 0)
		return fail(why, "rootfs-overlay", upper);
	if (now.st_uid != 0 || (layer.st_uid == 0 && layer.st_gid == now.st_gid))
		return 0;
	return chown(upper, layer.st_uid, layer.st_gid) < 0 ? fail(why, "rootfs-overlay", upper) : 0;
}

static int make_tree(const struct plan *plan, struct failure *why)
{
	const struct record *overlay = plan_find(plan, "rootfs-overlay");
	static struct stage stage; /* large: off the stack */
	int tree;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return fail(why, "rootfs-overlay", "mount namespace");
	stage_init(&stage, plan);
	if (own_upper(overlay, why) < 0 || mount_overlay_root(&stage, overlay, why) < 0)
		return -1;
	tree = open_tree(stage.root, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return tree < 0 ? fail(why, "rootfs-overlay", "open_tree") : tree;
}

static _Noreturn void mount_and_send(const struct plan *plan, int socket)
{
	const struct message message = { .kind = MESSAGE_ROOT };
	struct failure why = { 0 };
	int tree = make_tree(plan, &why);

	if (tree < 0)
		(void)message_send_failure(socket, &why);
	else
		(void)message_send(socket, &message, tree);
	_exit(0);
}

static int receive_tree(struct box *box, int socket, struct failure *why)
{
	struct message message;
	int fd = -1;

	if (message_receive(socket, &message, &fd) != 1)
		return fail_errno(why, "rootfs-overlay", "ended", ECHILD);
	if (message.kind == MESSAGE_FAILED) {
		*why = message.failure;
		return -1;
	}
	if (message.kind != MESSAGE_ROOT || fd < 0)
		return fail_errno(why, "rootfs-overlay", "unexpected message", EPROTO);
	box->root_tree = fd;
	return 0;
}

int box_mount_root(struct box *box, struct failure *why)
{
	int sockets[2];
	pid_t pid;
	int result;

	if (!has_own_userns(box->plan) || plan_find(box->plan, "rootfs-overlay") == NULL)
		return 0;
	if (message_pair(sockets, why) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(sockets[0]);
		mount_and_send(box->plan, sockets[1]);
	}
	close(sockets[1]);
	result = pid < 0 ? fail(why, "fork", "rootfs-overlay") : receive_tree(box, sockets[0], why);
	close(sockets[0]);
	if (pid > 0)
		(void)wait_for(pid);
	return result;
}

int box_give_root(const struct box *box, struct failure *why)
{
	if (box->root_tree >= 0 && dup3(box->root_tree, ROOT_TREE, 0) < 0)
		return fail(why, "rootfs-overlay", "dup");
	return 0;
}
