/* The container process between clone3 and its re-execution, and what the monitor opens for it. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "box.h"
#include "message.h"
#include "null_device.h"
#include "numbers.h"
#include "process.h"
#include "seal.h"
#include "sources.h"
#include "syscalls.h"

/* A pipe of which the container gets `theirs` (0 or 1) and the monitor the other end. */
static int open_pipe(int theirs, int *container_end, int *monitor_end, struct failure *why)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(why, "pipe", "");
	*container_end = ends[theirs];
	*monitor_end = ends[1 - theirs];
	return 0;
}

int box_open_stdio(struct box *box, struct failure *why)
{
	if (plan_find(box->plan, "terminal") != NULL)
		return 0;
	if (plan_find(box->plan, "passthrough") != NULL) {
		for (int fd = 0; fd < 3; fd++) {
			if (box->stdio[fd] < 0) /* else kept from the run before */
				box->stdio[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
			if (box->stdio[fd] < 0)
				return fail(why, "passthrough", "dup");
		}
		return 0;
	}
	if (plan_find(box->plan, "stdin") != NULL) {
		if (open_pipe(0, &box->stdio[0], &box->monitor.stdin_write, why) < 0)
			return -1;
	} else {
		box->stdio[0] = null_open();
		if (box->stdio[0] < 0)
			return fail(why, "open", "/dev/null");
	}
	if (open_pipe(1, &box->stdio[1], &box->monitor.stdout_read, why) < 0)
		return -1;
	return open_pipe(1, &box->stdio[2], &box->monitor.stderr_read, why);
}

static int open_join(const struct record *record, struct failure *why)
{
	pid_t pid = (pid_t)number_of(record->argv[1]);
	AUTO_CLOSE int pidfd = process_open(pid, number_of(record->argv[2]));
	char rest[16];
	char path[64];
	int fd;

	if (pidfd < 0)
		return fail(why, "join", record->argv[1]);
	(void)snprintf(rest, sizeof(rest), "ns/%s", namespace_file(record->argv[0]));
	process_path(path, pid, rest);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* Opened by number: the pidfd says whether it was still that process. */
	if (fd < 0 || sys_pidfd_send_signal(pidfd, 0) < 0) {
		(void)fail(why, "join", path);
		close_descriptor(&fd);
		return -1;
	}
	return fd;
}

int box_open_joins(struct box *box, struct failure *why)
{
	for (size_t i = 0; i < box->plan->count; i++) {
		const struct record *record = &box->plan->records[i];
		struct joined_namespace *join = &box->joins[box->join_count];

		if (strncmp(record->name, "join", 4) != 0)
			continue;
		if (box->join_count == MAX_JOINS - 1)
			return fail_errno(why, "join", record->argv[0], E2BIG);
		join->flag = namespace_flag(record->argv[0]);
		join->fd = record->argc == 3 ? open_join(record, why)
					     : open(record->argv[1], O_RDONLY | O_CLOEXEC);
		if (join->fd < 0)
			return fail(why, "join", record->argv[1]);
		box->join_count++;
	}
	return 0;
}

/* A cgroup v2 directory is entered at birth: moving a living process takes a lock that waits
 * for an RCU grace period, some ten milliseconds. */
int box_open_cgroup(const struct plan *plan, int *cgroup, struct failure *why)
{
	const struct record *record = plan_find(plan, "cgroup");

	*cgroup = -1;
	if (record == NULL)
		return 0;
	*cgroup = open(record->argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *cgroup < 0 ? fail(why, "cgroup", record->argv[0]) : 0;
}

static uint64_t wanted_namespaces(const struct box *box)
{
	const char *list = plan_find(box->plan, "namespaces")->argv[0];
	static const char *const kinds[] = { "pid", "uts", "ipc", "net", "user" };
	uint64_t flags = CLONE_NEWNS;

	/* "cgroup" is unshared later, by the child: made here its root would be the monitor's. */
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (plan_list_has(list, kinds[i]))
			flags |= (uint64_t)namespace_flag(kinds[i]);
	return box->kept_network ? flags & ~(uint64_t)CLONE_NEWNET : flags;
}

static int join_namespaces(const struct box *box, bool early, struct failure *why)
{
	const int early_kinds = CLONE_NEWPID | CLONE_NEWUSER;

	/* The user namespace first: it gives the right to the others. */
	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < box->join_count; i++) {
			const struct joined_namespace *join = &box->joins[i];

			if (((join->flag & early_kinds) != 0) != early ||
			    (join->flag == CLONE_NEWUSER) != (turn == 0))
				continue;
			if (setns(join->fd, join->flag) < 0)
				return fail(why, "join", "setns");
			if (join->flag == CLONE_NEWUSER && become_root(box->plan, why) < 0)
				return -1;
		}
	}
	return 0;
}

static int place_stdio(const struct box *box, struct failure *why)
{
	for (int fd = 0; fd < 3; fd++) {
		/* With a terminal: nothing of the caller's until the slave takes its place. */
		int source = box->stdio[fd] >= 0 ? box->stdio[fd]
						 : open("/dev/null", O_RDWR | O_CLOEXEC);

		if (source < 0 || dup2(source, fd) < 0)
			return fail(why, "stdio", "dup2");
	}
	return 0;
}

static int become_stage(struct box *box, struct failure *why)
{
	const char *namespaces = plan_find(box->plan, "namespaces")->argv[0];
	struct stage_descriptors keep = { .filter = -1 };
	int sealed;

	/* If the monitor dies now, so do we; the stage repeats it after the last change of ids. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return fail(why, "prctl", "pdeathsig");
	if (box_give_overlays(box, why) < 0)
		return -1;
	if (plan_find(box->plan, "inner-uid-map") != NULL &&
	    (sources_open(box->plan, &keep.filter, why) < 0 ||
	     message_await(box->container_sync, MESSAGE_MAPPED, "userns", why) < 0 ||
	     become_root(box->plan, why) < 0))
		return -1;
	/* Until the re-execution our memory belongs to the host's user namespace, so
	 * being undumpable keeps even the container's root from looking in. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return fail(why, "prctl", "dumpable");
	if (join_namespaces(box, false, why) < 0 || place_stdio(box, why) < 0)
		return -1;
	if (plan_list_has(namespaces, "cgroup") && unshare(CLONE_NEWCGROUP) < 0)
		return fail(why, "unshare", "cgroup");
	sealed = seal_by_mount(why);
	if (sealed < 0)
		return -1;
	keep.plan = box->plan->fd;
	keep.sync = box->container_sync;
	keep.rows = box->monitor.rows;
	keep.columns = box->monitor.columns;
	return seal_execute(sealed, &keep, why);
}

static _Noreturn void child(struct box *box)
{
	struct failure why = { 0 };

	/* Else its end would be open in two places and nobody saw the other's death. */
	close_and_forget(&box->sync);
	(void)become_stage(box, &why);
	(void)message_send_failure(box->container_sync, &why);
	_exit(125);
}

static int clone_child(struct box *box, uint64_t extra, struct failure *why)
{
	struct clone_args args = {
		.flags = wanted_namespaces(box) | extra,
		/* With CLONE_PARENT the kernel takes over the intermediate's own signal. */
		.exit_signal = (extra & CLONE_PARENT) != 0 ? 0 : SIGCHLD,
	};
	pid_t pid;

	if (box->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)box->cgroup;
	}
	pid = sys_clone3(&args);
	if (pid < 0)
		return fail(why, "clone", plan_find(box->plan, "namespaces")->argv[0]);
	if (pid == 0)
		child(box);
	return pid;
}

/* A pid namespace to join applies to children only, and there is no way back out of it (nor
 * out of a user namespace), so a process in between goes there and makes its brother. */
static int clone_through_intermediate(struct box *box, struct failure *why)
{
	struct message message = { .kind = MESSAGE_PID };
	int sockets[2];
	pid_t intermediate;
	int got;

	if (message_pair(sockets, why) < 0)
		return -1;
	intermediate = fork();
	if (intermediate == 0) {
		if (join_namespaces(box, true, why) == 0)
			message.pid = clone_child(box, CLONE_PARENT, why);
		if (why->error != 0)
			(void)message_send_failure(sockets[1], why);
		else
			(void)message_send(sockets[1], &message, -1);
		_exit(0);
	}
	close(sockets[1]);
	if (intermediate < 0) {
		close(sockets[0]);
		return fail(why, "fork", "");
	}
	got = message_receive(sockets[0], &message, NULL);
	close(sockets[0]);
	(void)wait_for(intermediate);
	if (got == 1 && message.kind == MESSAGE_FAILED)
		*why = message.failure;
	else if (got != 1)
		(void)fail_errno(why, "clone", "intermediate", ECHILD);
	return why->error == 0 ? message.pid : -1;
}

int box_clone_container(struct box *box, struct failure *why)
{
	bool early = false;
	int pid;

	for (size_t i = 0; i < box->join_count; i++)
		early |= (box->joins[i].flag & (CLONE_NEWPID | CLONE_NEWUSER)) != 0;
	pid = early ? clone_through_intermediate(box, why) : clone_child(box, 0, why);
	if (pid < 0)
		return -1;
	box->monitor.child = pid;
	box->monitor.child_pidfd = sys_pidfd_open(pid);
	if (box->monitor.child_pidfd < 0)
		return fail(why, "pidfd_open", "container");
	return 0;
}
