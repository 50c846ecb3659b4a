/* The container's process after its sealed re-execution: carry out the plan's steps, in order.
 *
 * The plan is read again from its descriptor: it is the same file, in a
 * directory only its owner can enter. Records that are settings, or that
 * exec gathers by itself (env, user, capabilities), are passed over here. */
#include "stage.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "message.h"
#include "numbers.h"
#include "report.h"
#include "sources.h"
#include "syscalls.h"

static int step_user(struct stage *stage, const struct record *record, struct failure *why)
{
	stage->has_identity = true;
	return user_resolve(stage->root, record->argv[0], &stage->identity, why);
}

static int step_groups(struct stage *stage, const struct record *record, struct failure *why)
{
	stage->has_identity = true;
	return user_add_groups(stage->root, record, &stage->identity, why);
}

static int step_cwd(struct stage *stage, const struct record *record, struct failure *why)
{
	(void)record;
	return working_directory_make(stage, why);
}

static const struct {
	const char *name;
	step_function *run;
} steps[] = {
	{ "rootfs-overlay", step_rootfs_overlay },
	{ "rootfs-fuse", step_rootfs_fuse },
	{ "rootfs-bind", step_rootfs_bind },
	{ "mount", step_mount },
	{ "bind", step_bind },
	{ "bind-inside", step_bind_inside },
	{ "bind-below", step_bind_below },
	{ "overlay", step_overlay },
	{ "overlay-below", step_overlay },
	{ "copy-up", step_copy_up },
	{ "own-tree", step_own_tree },
	{ "owner", step_owner },
	{ "devices", step_devices },
	{ "device", step_device },
	{ "console", step_console },
	{ "mkdir", step_mkdir },
	{ "symlink", step_symlink },
	{ "write", step_write },
	{ "mask", step_mask },
	{ "readonly", step_readonly },
	{ "sysctl", step_sysctl },
	{ "hostname", step_hostname },
	{ "domainname", step_domainname },
	{ "loopback", step_loopback },
	{ "bundle-root", step_bundle_root },
	{ "hook", step_hook },
	{ "pivot", step_pivot },
	{ "rlimit", step_rlimit },
	{ "oom-score-adj", step_oom_score_adj },
	{ "umask", step_umask },
	{ "user", step_user },
	{ "groups", step_groups },
	{ "cwd", step_cwd },
	{ "exec", step_exec },
};

/* These need a root to work under; a plan that has them first is refused, not guessed at. */
static bool needs_root(const char *name)
{
	static const char list[] = "mount,bind,bind-inside,bind-below,overlay,copy-up,own-tree,"
				   "owner,devices,device,console,mkdir,symlink,write,mask,readonly,pivot,user,groups,cwd,exec";

	return plan_list_has(list, name);
}

static int run_step(struct stage *stage, const struct record *record, struct failure *why)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(steps[i].name, record->name) != 0)
			continue;
		if (stage->root < 0 && needs_root(record->name))
			return fail_errno(why, record->name, "no root file system yet", EBADMSG);
		return steps[i].run(stage, record, why);
	}
	return 0;
}

int stage_run_steps(struct stage *stage, struct failure *why)
{
	/* mkdir and write steps say exact modes. */
	(void)umask(0);
	for (size_t i = 0; i < stage->plan->count; i++)
		if (run_step(stage, &stage->plan->records[i], why) < 0)
			return -1;
	return 0;
}

int stage_run(struct stage *stage, struct failure *why)
{
	if (filter_read(stage, why) < 0 || stage_run_steps(stage, why) < 0)
		return -1;
	return fail_errno(why, "plan", "exec", EBADMSG);
}

/* The host's /proc, for what is written there while the container's own may be a fake. */
static int open_host_proc(struct stage *stage, struct failure *why)
{
	struct statfs status;

	stage->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (stage->proc < 0)
		return fail(why, "open", "/proc");
	if (fstatfs(stage->proc, &status) < 0 || status.f_type != PROC_SUPER_MAGIC)
		return fail_errno(why, "open", "/proc", EXDEV);
	return 0;
}

static int prepare(struct stage *stage, struct failure *why)
{
	bool is_box = plan_find(stage->plan, "target") == NULL;

	/* The execve made us visible again to processes that share our user namespace. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return fail(why, "prctl", "dumpable");
	/* A session without the caller's terminal: no TIOCSTI back into it. */
	if (setsid() < 0)
		return fail(why, "setsid", "");
	if (!is_box) {
		stage->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		stage->pivoted = true;
		return stage->root < 0 ? fail(why, "open", "/") : 0;
	}
	/* As real root the copied mounts still share events with the host's: nothing we
	 * mount may show up there. Slave, so that `rslave` volumes keep working. */
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return fail(why, "mount", "slave /");
	if (open_host_proc(stage, why) < 0)
		return -1;
	if (plan_find(stage->plan, "network-process") != NULL &&
	    message_send_kind(stage->sync, MESSAGE_STAGED) < 0)
		return fail(why, "monitor", "send");
	return 0;
}

int stage_await_network(struct stage *stage, struct failure *why)
{
	if (stage->has_network || plan_find(stage->plan, "network-process") == NULL)
		return 0;
	if (message_await(stage->sync, MESSAGE_GO, "network-process", why) < 0)
		return -1;
	stage->has_network = true;
	return 0;
}

void stage_init(struct stage *stage, const struct plan *plan)
{
	stage->plan = plan;
	stage->sync = stage->root = stage->proc = stage->terminal = stage->filter_fd = -1;
	stage->umask = 022;
}

/* A descriptor that survived the re-execution; it shall not survive the next one. */
static int take_descriptor(const char *text)
{
	uint64_t number;

	if (!number_parse(text, 10, 1 << 20, &number) ||
	    fcntl((int)number, F_SETFD, FD_CLOEXEC) < 0)
		return -1;
	return (int)number;
}

int stage_main(int argc, char **argv)
{
	static struct stage stage; /* large: off the stack */
	struct failure why = { 0 };
	struct plan plan = { .fd = -1 };
	int plan_fd;

	stage_init(&stage, &plan);
	if (argc != 5)
		return 125;
	stage.rows = (unsigned short)number_of(argv[3]);
	stage.columns = (unsigned short)number_of(argv[4]);
	plan_fd = take_descriptor(argv[0]);
	stage.sync = take_descriptor(argv[1]);
	stage.filter_fd = take_descriptor(argv[2]);
	if (plan_fd < 0 || stage.sync < 0)
		return 125;
	(void)prctl(PR_SET_NAME, "tsman-container");
	if (plan_read_fd(&plan, plan_fd, &why) == 0 && prepare(&stage, &why) == 0) {
		sources_take(&plan);
		(void)stage_run(&stage, &why);
	}
	(void)message_send_failure(stage.sync, &why);
	return report_status(&why);
}
