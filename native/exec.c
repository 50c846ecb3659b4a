/* The verb exec: one more process in a running container.
 *
 *   main            plain user: waits, relays the terminal or the exit status
 *     └─ intermediate   joins the namespaces; a pid namespace takes effect for children, so it
 *     └─ command        clones its brother (CLONE_PARENT: our own child) and leaves
 *
 * Main never enters anything, so it keeps the host's files for `explain` and has
 * no powers while it relays. */
#include "exec.h"

#include <sched.h>
#include <signal.h>

#include "attach.h"
#include "box.h"
#include "descriptors.h"
#include "exec_streams.h"
#include "message.h"
#include "null_device.h"
#include "numbers.h"
#include "process.h"
#include "record.h"
#include "report.h"
#include "seal.h"
#include "syscalls.h"
#include "terminal.h"

struct exec {
	const struct plan *plan;
	pid_t target;
	int pidfd; /* of the target */
	int sealed;
	int cgroup;
	int later; /* namespaces to enter after the birth in the cgroup */
	int terminal;
	pid_t child;
	struct exec_streams streams;
	struct stage_descriptors keep;
};

static bool is_detached(const struct plan *plan)
{
	return plan_find(plan, "detach") != NULL;
}

/* Who has CAP_SYS_PTRACE in the container sees what the command's process has open, before it is the
 * command: files of the host would be open for writing to it. */
static int seal_files(struct exec *exec, struct failure *why)
{
	const struct record *filter = plan_find(exec->plan, "seccomp");
	AUTO_CLOSE int program = -1;

	exec->keep.plan = seal_content(exec->plan->fd, why);
	if (exec->keep.plan < 0 || filter == NULL)
		return exec->keep.plan < 0 ? -1 : 0;
	program = open(filter->argv[0], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (program < 0)
		return fail(why, "seccomp", filter->argv[0]);
	exec->keep.filter = seal_content(program, why);
	return exec->keep.filter < 0 ? -1 : 0;
}

static int prepare(struct exec *exec, const struct plan *plan, struct failure *why)
{
	struct winsize size;

	*exec = (struct exec){ .plan = plan, .cgroup = -1, .terminal = -1, .sealed = -1,
			       .streams = { .inner = { -1, -1, -1 }, .outer = { -1, -1, -1 } },
			       .keep = { .plan = -1, .sync = -1, .filter = -1 } };
	if (plan_find(plan, "terminal") != NULL && terminal_size(&size)) {
		exec->keep.rows = size.ws_row;
		exec->keep.columns = size.ws_col;
	}
	/* Host paths, opened while they still are. */
	if (seal_files(exec, why) < 0)
		return -1;
	if (box_open_cgroup(plan, &exec->cgroup, why) < 0)
		return -1;
	exec->sealed = seal_by_copy(why);
	return exec->sealed < 0 ? -1 : 0;
}

static int open_target(struct exec *exec, struct failure *why)
{
	const struct record *target = plan_find(exec->plan, "target");

	exec->target = (pid_t)number_of(target->argv[0]);
	exec->pidfd = process_open(exec->target, number_of(target->argv[1]));
	return exec->pidfd < 0 ? fail(why, "target", target->argv[0]) : 0;
}

/* What of 0, 1 and 2 is not the caller's. */
static int place_stdio(const struct exec *exec, int null)
{
	const struct plan *plan = exec->plan;
	bool none = is_detached(plan) || plan_find(plan, "terminal") != NULL;

	if ((none || plan_find(plan, "stdin") == NULL) && dup2(null, 0) < 0)
		return -1;
	if (none && (dup2(null, 1) < 0 || dup2(null, 2) < 0))
		return -1;
	return exec_streams_place(&exec->streams);
}

static pid_t clone_command(struct exec *exec, struct failure *why)
{
	struct clone_args args = { .flags = CLONE_PARENT };
	pid_t pid;

	if (exec->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)exec->cgroup;
	}
	pid = sys_clone3(&args);
	if (pid < 0)
		return (pid_t)fail(why, "clone", "command");
	if (pid > 0)
		return pid;
	if (exec->later != 0 && setns(exec->pidfd, exec->later) < 0)
		(void)fail(why, "target", "setns");
	else
		(void)seal_execute(exec->sealed, &exec->keep, why);
	(void)message_send_failure(exec->keep.sync, why);
	_exit(125);
}

static _Noreturn void intermediate(struct exec *exec)
{
	struct message message = { .kind = MESSAGE_PID };
	struct failure why = { 0 };
	int null = null_open();

	close(exec->plan->fd);
	leave_session_keyring();
	if (null < 0 || place_stdio(exec, null) < 0)
		(void)fail(&why, "stdio", "/dev/null");
	else if (exec_join(exec->plan, exec->target, exec->pidfd, &exec->later, &why) == 0)
		message.pid = clone_command(exec, &why);
	if (why.error != 0)
		(void)message_send_failure(exec->keep.sync, &why);
	else
		(void)message_send(exec->keep.sync, &message, -1);
	_exit(0);
}

_Noreturn void exec_probe(const char *path, pid_t target, int pidfd, int output, int sync)
{
	struct failure why = { 0 };
	struct plan plan = { .fd = -1 };
	struct exec exec;

	if (plan_read(&plan, path, &why) < 0 || plan_check_verb(&plan, PLAN_EXEC, &why) < 0 ||
	    prepare(&exec, &plan, &why) < 0 ||
	    (dup2(output, 1) < 0 || dup2(output, 2) < 0 ? fail(&why, "stdio", "dup2") : 0) < 0) {
		(void)message_send_failure(sync, &why);
		_exit(0);
	}
	exec.target = target;
	exec.pidfd = pidfd;
	exec.keep.sync = sync;
	intermediate(&exec);
}

/* Until the command runs: its pid, its terminal, or why not. */
static int listen_for_start(struct exec *exec, int socket, struct failure *why)
{
	struct message message;
	int fd = -1;
	int got;

	while ((got = message_receive(socket, &message, &fd)) == 1) {
		if (message.kind == MESSAGE_PID) {
			exec->child = message.pid;
		} else if (message.kind == MESSAGE_TERMINAL && fd >= 0 && exec->terminal < 0) {
			exec->terminal = fd;
			continue;
		} else if (message.kind == MESSAGE_FAILED) {
			*why = message.failure;
		}
		close_descriptor(&fd);
	}
	if (got < 0)
		return fail(why, "exec", "receive");
	if (why->error != 0)
		return -1;
	return exec->child > 0 ? 0 : fail_errno(why, "target", "ended", ECHILD);
}

static int start(struct exec *exec, struct failure *why)
{
	int sockets[2];
	pid_t between;
	int result;

	if (message_pair(sockets, why) < 0)
		return -1;
	exec->keep.sync = sockets[1];
	between = fork();
	if (between == 0) {
		close(sockets[0]);
		intermediate(exec);
	}
	close(sockets[1]);
	if (between < 0) {
		close(sockets[0]);
		return fail(why, "fork", "");
	}
	result = listen_for_start(exec, sockets[0], why);
	close(sockets[0]);
	(void)wait_for(between);
	return result;
}

/* Until the command runs. `pidfd` is its own. */
static int begin(struct exec *exec, const struct plan *plan, int *pidfd, struct failure *why)
{
	if (prepare(exec, plan, why) < 0 || open_target(exec, why) < 0 ||
	    exec_streams_open(&exec->streams, plan, why) < 0 || start(exec, why) < 0)
		return -1;
	exec_streams_started(&exec->streams);
	close_and_forget(&exec->sealed);
	*pidfd = sys_pidfd_open(exec->child);
	if (*pidfd < 0)
		return fail(why, "pidfd_open", "command");
	record_exec_event(plan, "exec", -1);
	return 0;
}

static int end(struct exec *exec, int pidfd)
{
	const struct plan *plan = exec->plan;
	bool detached = false;
	int status = exec->terminal >= 0
			     ? attach_pty(plan, exec->terminal, pidfd, exec->child, &detached)
			     : exec_wait(plan, exec->child, pidfd, &exec->streams);

	if (!detached) /* else whoever stays behind tells of its end */
		record_exec_event(plan, "exec_died", status);
	return status;
}

/* The caller's descriptors are the command's alone from here on. */
static void let_caller_go(const struct plan *plan)
{
	const struct record *preserved = plan_find(plan, "preserve-fds");
	AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uint64_t count = preserved != NULL ? number_of(preserved->argv[0]) : 0;

	(void)setsid();
	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		(void)dup2(null, fd);
	for (uint64_t fd = 3; fd < 3 + count; fd++)
		close((int)fd);
}

/* A detached command keeps a parent of ours: somebody has to hold the other side of its
 * terminal, and to tell its end. */
static _Noreturn void stay_behind(const struct plan *plan, int socket)
{
	struct message message = { .kind = MESSAGE_PID };
	struct failure why = { 0 };
	struct exec exec;
	int pidfd = -1;

	if (begin(&exec, plan, &pidfd, &why) < 0) {
		(void)message_send_failure(socket, &why);
		_exit(125);
	}
	message.pid = exec.child;
	(void)message_send(socket, &message, -1);
	close(socket);
	let_caller_go(plan);
	(void)end(&exec, pidfd);
	_exit(0);
}

static int exec_detached(const struct plan *plan)
{
	struct failure why = { 0 };
	struct message message = { 0 };
	int sockets[2];
	pid_t behind;

	if (message_pair(sockets, &why) < 0)
		return report_failure(plan, &why);
	behind = fork();
	if (behind == 0) {
		close(sockets[0]);
		stay_behind(plan, sockets[1]);
	}
	close(sockets[1]);
	if (behind < 0)
		(void)fail(&why, "fork", "");
	else if (message_receive(sockets[0], &message, NULL) != 1)
		(void)fail_errno(&why, "exec", "receive", ECHILD);
	else if (message.kind == MESSAGE_FAILED)
		why = message.failure;
	close(sockets[0]);
	if (why.error != 0 || report_running(plan, message.pid, 0, &why) < 0)
		return report_failure(plan, &why);
	return 0;
}

int exec_main(const struct plan *plan)
{
	struct failure why = { 0 };
	struct exec exec;
	AUTO_CLOSE int pidfd = -1;

	if (descriptors_close_inherited(plan, &why) < 0)
		return report_failure(plan, &why);
	if (is_detached(plan))
		return exec_detached(plan);
	if (begin(&exec, plan, &pidfd, &why) < 0 || report_running(plan, exec.child, 0, &why) < 0)
		return report_failure(plan, &why);
	return end(&exec, pidfd);
}
