/* The verb box, the monitor's side until its loop: streams, container, success or failure.
 *
 * The monitor lives in the engine's user namespace and in the host's other
 * namespaces. What does not need the id map (log, socket, pipes) is done while
 * newuidmap still runs. */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "box.h"
#include "id_map.h"
#include "message.h"
#include "process.h"
#include "report.h"
#include "syscalls.h"

/* What every run of the container takes anew. */
static int open_run(struct box *box, struct failure *why)
{
	int pair[2];

	if (box_open_stdio(box, why) < 0 ||
	    box_open_cgroup(box->plan, &box->cgroup, why) < 0 || message_pair(pair, why) < 0)
		return -1;
	box->sync = pair[0];
	box->container_sync = pair[1];
	return 0;
}

/* The run directory, with the lock in it, can be removed beneath a container (a logout takes
 * /run/user away): its own directory must not become the upper one of a second run. */
static int lock_container(const struct box *box, struct failure *why)
{
	if (box->monitor.container_dir >= 0 && flock(box->monitor.container_dir, LOCK_EX | LOCK_NB) < 0)
		return fail(why, "lock", "its directory");
	return 0;
}

static int prepare(struct box *box, struct failure *why)
{
	if (lock_container(box, why) < 0)
		return -1;
	if (setsid() < 0)
		return fail(why, "setsid", "");
	leave_session_keyring();
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return fail(why, "prctl", "subreaper");
	if (chdir("/") < 0)
		return fail(why, "chdir", "/");
	if (monitor_open_log(box->plan, why) < 0)
		return -1;
	box->monitor.listener = monitor_listen(box->monitor.run_dir, why);
	return box->monitor.listener < 0 ? -1 : open_run(box, why);
}

static int enter_user_namespace(struct box *box, struct failure *why)
{
	if (userns_is_new(&box->userns)) {
		if (message_await(box->main_socket, MESSAGE_MAPPED, "userns", why) < 0)
			return -1;
	}
	/* Only main needs the lock; a copy of ours would keep the next box waiting. */
	if (userns_become(&box->userns, why) < 0)
		return -1;
	userns_close(&box->userns);
	/* Changing ids made us undumpable, and then the next helper of this user
	 * could not open our namespace to join it. */
	if (prctl(PR_SET_DUMPABLE, 1) < 0)
		return fail(why, "prctl", "dumpable");
	return box_open_joins(box, why);
}

static int start_container(struct box *box, struct failure *why)
{
	if (box_mount_overlays(box, why) < 0 || box_clone_container(box, why) < 0)
		return -1;
	box_close_overlays(box);
	close_and_forget(&box->container_sync);
	for (size_t i = 0; i < 3; i++)
		if (!box->may_restart || plan_find(box->plan, "passthrough") == NULL)
			close_and_forget(&box->stdio[i]);
	for (size_t i = 0; i < box->join_count && !box->may_restart; i++)
		close_and_forget(&box->joins[i].fd);
	close_and_forget(&box->cgroup);
	if (plan_find(box->plan, "inner-uid-map") == NULL)
		return 0;
	if (id_maps_write_inner(box->plan, box->monitor.child, why) < 0)
		return -1;
	if (message_send_kind(box->sync, MESSAGE_MAPPED) < 0)
		return fail(why, "container", "send");
	return 0;
}

/* `run -d | cat` must end: nothing of the caller's stays open here. */
static int release_caller(struct failure *why)
{
	AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return fail(why, "open", "/dev/null");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return fail(why, "dup2", "/dev/null");
	return 0;
}

/* Hold the network namespace and what serves it over the container's end. */
static int keep_network(struct box *box, struct failure *why)
{
	struct joined_namespace *join = &box->joins[box->join_count];
	char path[64];

	if (!box->may_restart || box->monitor.network <= 0 || box->kept_network)
		return 0;
	process_path(path, box->monitor.child, "ns/net");
	*join = (struct joined_namespace){ open(path, O_RDONLY | O_CLOEXEC), CLONE_NEWNET };
	if (join->fd < 0)
		return fail(why, "network-process", path);
	box->join_count++;
	box->kept_network = true;
	return 0;
}

/* A removal that passed us renamed the container's directory. It looks for our state file after the
 * rename, we look for the directory after the state file: one of the two sees the other. */
static int check_not_removed(const struct box *box, struct failure *why)
{
	const char *path = plan_find(box->plan, "container-dir")->argv[0];
	struct stat ours, named;

	if (fstat(box->monitor.container_dir, &ours) < 0 || stat(path, &named) < 0)
		return fail(why, "container-dir", path);
	if (ours.st_ino != named.st_ino || ours.st_dev != named.st_dev)
		return fail_errno(why, "container-dir", path, ENOENT);
	return 0;
}

/* From the clone to the running program. */
static int run_container(struct box *box, struct failure *why)
{
	sigset_t own_signals;

	if (start_container(box, why) < 0 || (box->main_socket >= 0 && release_caller(why) < 0) ||
	    box_wait_for_exec(box, why) < 0)
		return -1;
	if (plan_find(box->plan, "terminal") != NULL && box->monitor.terminal < 0)
		return fail_errno(why, "terminal", "none arrived", ENOTTY);
	close_and_forget(&box->sync);
	if (keep_network(box, why) < 0)
		return -1;
	/* `healthcheck run` sends SIGUSR1 as soon as the state names us. */
	monitor_block_signals(&own_signals);
	if (monitor_write_state(&box->monitor, why) < 0)
		return -1;
	return check_not_removed(box, why);
}

static int launch(struct box *box, struct failure *why)
{
	if (prepare(box, why) < 0 || enter_user_namespace(box, why) < 0)
		return -1;
	return run_container(box, why);
}

static void kill_container(struct box *box)
{
	if (box->monitor.child <= 0)
		return;
	(void)sys_pidfd_send_signal(box->monitor.child_pidfd, SIGKILL);
	(void)wait_for(box->monitor.child);
}

static void abandon(struct box *box, struct failure *why)
{
	kill_container(box);
	if (box->monitor.network > 0)
		(void)kill(box->monitor.network, SIGTERM);
	if (box->monitor.listener >= 0)
		(void)unlinkat(box->monitor.run_dir, "attach.sock", 0);
	/* Whoever hears of the failure may start the container again at once. */
	close_and_forget(&box->monitor.lock);
	if (box->monitor.container_dir >= 0)
		flock(box->monitor.container_dir, LOCK_UN);
	(void)message_send_failure(box->main_socket, why);
}

/* One more run of the ended container. Returns 0, or the exit code of one that cannot start. */
static int relaunch(struct box *box)
{
	struct failure why = { 0 };

	box->monitor.terminal = -1;
	close_and_forget(&box->monitor.child_pidfd);
	if (open_run(box, &why) == 0 && run_container(box, &why) == 0)
		return 0;
	kill_container(box);
	box->monitor.child = 0;
	close_and_forget(&box->sync);
	close_and_forget(&box->container_sync);
	close_and_forget(&box->monitor.terminal);
	close_and_forget(&box->monitor.stdin_write);
	close_and_forget(&box->monitor.stdout_read);
	close_and_forget(&box->monitor.stderr_read);
	return report_status(&why);
}

int box_monitor(struct box *box)
{
	enum monitor_verdict verdict;
	struct failure why = { 0 };
	struct message running = { .kind = MESSAGE_RUNNING };

	close_and_forget(&box->userns.lock);
	if (launch(box, &why) < 0) {
		abandon(box, &why);
		return 125;
	}
	running.pid = box->monitor.child;
	(void)message_send(box->main_socket, &running, -1);
	close_and_forget(&box->main_socket);
	/* Our death takes the container along: PR_SET_PDEATHSIG. */
	if (monitor_start(&box->monitor) < 0)
		return 1;
	while ((verdict = monitor_run()) == MONITOR_RESTART)
		monitor_restarted(relaunch(box));
	return verdict == MONITOR_DONE ? 0 : 1;
}
