/* The verb unshare: a command of the host's in the engine's user namespace, as its root. */
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "descriptors.h"
#include "exec.h"
#include "numbers.h"
#include "process.h"
#include "report.h"
#include "stage.h"
#include "syscalls.h"
#include "userns.h"

static int make_namespaces(const struct plan *plan, struct failure *why)
{
	const struct record *record = plan_find(plan, "namespaces");

	if (record == NULL || !plan_list_has(record->argv[0], "mount"))
		return 0;
	if (unshare(CLONE_NEWNS) < 0)
		return fail(why, "unshare", "mount");
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return fail(why, "mount", "slave /");
	return 0;
}

/* The network namespace of a process: that of bridge networks. */
static int join_network(const struct plan *plan, struct failure *why)
{
	const struct record *record = plan_find(plan, "join");
	AUTO_CLOSE int pidfd = -1;

	if (record == NULL)
		return 0;
	pidfd = process_open((pid_t)number_of(record->argv[1]), number_of(record->argv[2]));
	if (pidfd < 0 || setns(pidfd, namespace_flag(record->argv[0])) < 0)
		return fail(why, "join", record->argv[0]);
	return 0;
}

static int run(const struct plan *plan, struct failure *why)
{
	static struct stage stage; /* large: off the stack */

	stage_init(&stage, plan);
	stage.umask = umask(0);
	if (descriptors_close_inherited(plan, why) < 0 || userns_enter(plan, why) < 0 ||
	    join_network(plan, why) < 0 || make_namespaces(plan, why) < 0)
		return -1;
	stage.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (stage.root < 0)
		return fail(why, "open", "/");
	return stage_run(&stage, why);
}

int unshare_main(const struct plan *plan)
{
	struct failure why = { 0 };

	(void)run(plan, &why);
	return report_failure(plan, &why);
}
