/* Serving a FUSE root from outside the container. See fuse_root.h.
 *
 * The container's process mounted /dev/fuse and sent it here. libfuse serves a
 * descriptor instead of mounting when the mount point is called /dev/fd/N. The
 * daemon ends by itself when the container's mount namespace goes. */
#include "fuse_root.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "syscalls.h"

extern char **environ;

/* "lowerdir=A:B,upperdir=U,workdir=W,OPTIONS" in new memory. */
static char *options(const struct record *record)
{
	char *text = strdup("lowerdir=");
	char *next;

	for (size_t i = 4; text != NULL && i < record->argc; i++) {
		if (asprintf(&next, "%s%s%s", text, i == 4 ? "" : ":", record->argv[i]) < 0)
			next = NULL;
		free(text);
		text = next;
	}
	if (text == NULL)
		return NULL;
	if (asprintf(&next, "%s%s%s%s%s%s%s", text,
		     record->argv[1][0] == '\0' ? "" : ",upperdir=", record->argv[1],
		     record->argv[1][0] == '\0' ? "" : ",workdir=",
		     record->argv[1][0] == '\0' ? "" : record->argv[2],
		     record->argv[3][0] == '\0' ? "" : ",", record->argv[3]) < 0)
		next = NULL;
	free(text);
	return next;
}

static int spawn(const struct record *record, char *text, int fuse)
{
	char foreground[] = "-f";
	char o[] = "-o";
	char mount_point[] = "/dev/fd/3";
	char *argv[] = { record->argv[0], foreground, o, text, mount_point, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, 0, 1);
	posix_spawn_file_actions_adddup2(&actions, 0, 2);
	posix_spawn_file_actions_adddup2(&actions, fuse, 3);
	posix_spawn_file_actions_addclosefrom_np(&actions, 4);
	error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

int fuse_root_serve(const struct plan *plan, int fuse, struct failure *why)
{
	const struct record *record = plan_find(plan, "rootfs-fuse");
	char *text;
	int error;

	if (record == NULL)
		return fail_errno(why, "rootfs-fuse", "not in the plan", EPROTO);
	text = options(record);
	if (text == NULL)
		return fail(why, "rootfs-fuse", "memory");
	error = spawn(record, text, fuse);
	free(text);
	return error == 0 ? 0 : fail_errno(why, "rootfs-fuse", record->argv[0], error);
}

static void serve_once(const struct plan *plan, int socket)
{
	struct failure why = { .error = 0 };
	struct message message;
	int fuse = -1;

	/* Without a message the agent is gone, or failed before the mount. */
	if (message_receive(socket, &message, &fuse) <= 0)
		return;
	if (message.kind != MESSAGE_FUSE || fuse < 0)
		(void)fail_errno(&why, "rootfs-fuse", "unexpected message", EPROTO);
	else
		(void)fuse_root_serve(plan, fuse, &why);
	if (why.error == 0)
		(void)message_send_kind(socket, MESSAGE_GO);
	else
		(void)message_send_failure(socket, &why);
}

int fuse_root_server(const struct plan *plan, struct failure *why)
{
	int sockets[2];
	pid_t pid;

	if (message_pair(sockets, why) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close_descriptor(&sockets[0]);
		serve_once(plan, sockets[1]);
		_exit(0);
	}
	close_descriptor(&sockets[1]);
	if (pid < 0) {
		close_descriptor(&sockets[0]);
		return fail(why, "rootfs-fuse", "fork");
	}
	return sockets[0];
}
