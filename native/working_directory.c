/* The program's working directory (CVE-2024-21626: never one outside the root). */
#include <limits.h>

#include "inside.h"
#include "stage.h"
#include "syscalls.h"

int working_directory_make(struct stage *stage, struct failure *why)
{
	const struct record *record = plan_find(stage->plan, "cwd");
	AUTO_CLOSE int fd = -1;

	if (record->argc < 2 || !plan_list_has(record->argv[1], "create"))
		return 0;
	fd = inside_make_directory(stage->root, record->argv[0], 0755);
	return fd < 0 ? fail(why, "cwd", record->argv[0]) : 0;
}

int working_directory_enter(struct stage *stage, struct failure *why)
{
	const struct record *record = plan_find(stage->plan, "cwd");
	char path[PATH_MAX];
	AUTO_CLOSE int fd = -1;

	if (record == NULL)
		return 0;
	fd = inside_open(stage->root, record->argv[0], O_PATH | O_DIRECTORY, 0);
	if (fd < 0 || fchdir(fd) < 0)
		return fail(why, "cwd", record->argv[0]);
	/* The kernel writes "(unreachable)" before a path that is not below our root. */
	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		return fail(why, "cwd", record->argv[0]);
	if (path[0] != '/')
		return fail_errno(why, "cwd", record->argv[0], EXDEV);
	return 0;
}
