/* tsman-helper: which verb. See README.md. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "box.h"
#include "exec.h"
#include "failure.h"
#include "fs.h"
#include "hub.h"
#include "init.h"
#include "net.h"
#include "plan.h"
#include "report.h"
#include "seal.h"
#include "seccomp.h"
#include "slirp.h"
#include "stage.h"

static const struct {
	const char *name;
	enum plan_verb verb;
	int (*run)(const struct plan *plan);
} verbs[] = {
	{ "box", PLAN_BOX, box_main },
	{ "exec", PLAN_EXEC, exec_main },
	{ "attach", PLAN_ATTACH, attach_main },
	{ "unshare", PLAN_UNSHARE, unshare_main },
	{ "fs", PLAN_FS, fs_main },
	{ "hub", PLAN_NET, hub_main },
};

static int run_net(char *const *arguments)
{
	struct failure why = { 0 };
	struct plan plan = { .fd = -1 };

	if (plan_read(&plan, arguments[0], &why) < 0)
		return report_failure(NULL, &why);
	(void)unlink(arguments[0]);
	if (plan_check_verb(&plan, PLAN_NET, &why) < 0)
		return report_failure(&plan, &why);
	return net_main(&plan, arguments + 1);
}

static int usage(void)
{
	(void)fputs("usage: tsman-helper box|exec|attach|unshare|fs|hub PLAN\n"
		    "       tsman-helper net PLAN PIDFILE NETNS USERNS\n"
		    "       tsman-helper slirp PIDFILE NETNS USERNS SOCKET REQUESTS ARG...\n"
		    "       tsman-helper seccomp RULES OUT\n"
		    "       tsman-helper init [-s] -- COMMAND...\n"
		    "       tsman-helper version\n", stderr);
	return 125;
}

static int run_plan(size_t index, const char *path)
{
	struct failure why = { 0 };
	struct plan plan = { .fd = -1 };

	if (plan_read(&plan, path, &why) < 0)
		return report_failure(NULL, &why);
	/* Whoever starts a container again reads its plan again; the others are used up. */
	if (verbs[index].verb != PLAN_BOX)
		(void)unlink(path);
	if (plan_check_verb(&plan, verbs[index].verb, &why) < 0)
		return report_failure(&plan, &why);
	return verbs[index].run(&plan);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage();
	if (strcmp(argv[1], STAGE_NAME) == 0)
		return stage_main(argc - 2, argv + 2);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (argc == 3 && strcmp(argv[1], verbs[i].name) == 0)
			return run_plan(i, argv[2]);
	if (argc == 4 && strcmp(argv[1], "seccomp") == 0)
		return seccomp_main(argv[2], argv[3]);
	if (argc == 6 && strcmp(argv[1], "net") == 0)
		return run_net(argv + 2);
	if (argc >= 7 && strcmp(argv[1], "slirp") == 0)
		return slirp_main(argv + 2);
	if (strcmp(argv[1], "init") == 0)
		return init_main(argc - 1, argv + 1);
	if (argc == 2 && strcmp(argv[1], "version") == 0)
		return puts(TSMAN_VERSION) < 0 ? 125 : 0;
	return usage();
}
