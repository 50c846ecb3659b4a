/* The host's files that a plan names. See sources.h.
 *
 * The data root and the run root are 0700 and the engine's user's. Where a container's user namespace
 * does not map that user (`nomap`, `auto`), its root cannot get there: so the files are opened before
 * it becomes root, and named /proc/self/fd/N afterwards. */
#include "sources.h"

#include <stdio.h>
#include <string.h>

#include "syscalls.h"

#define FIRST 600 /* above every descriptor of ours, below the usual limit of 1024 */
#define MOST 256

static bool names_source(const char *name)
{
	return plan_list_has("bind,bind-below,copy-up,own-tree", name);
}

int sources_open(const struct plan *plan, int *filter, struct failure *why)
{
	const struct record *seccomp = plan_find(plan, "seccomp");
	int number = FIRST;

	for (size_t i = 0; i < plan->count && number < FIRST + MOST; i++) {
		const struct record *record = &plan->records[i];

		if (!names_source(record->name))
			continue;
		AUTO_CLOSE int fd = open(record->argv[0], O_PATH | O_CLOEXEC);
		/* What is missing is somebody else's to report, or `optional`. */
		if (fd >= 0 && dup3(fd, number, 0) < 0)
			return fail(why, record->name, record->argv[0]);
		number++;
	}
	if (seccomp != NULL)
		*filter = open(seccomp->argv[0], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return seccomp != NULL && *filter < 0 ? fail(why, "seccomp", seccomp->argv[0]) : 0;
}

void sources_take(struct plan *plan)
{
	static char names[MOST][32];
	int number = FIRST;

	if (plan_find(plan, "inner-uid-map") == NULL)
		return;
	for (size_t i = 0; i < plan->count && number < FIRST + MOST; i++) {
		struct record *record = &plan->records[i];

		if (!names_source(record->name))
			continue;
		if (fcntl(number, F_SETFD, FD_CLOEXEC) == 0) {
			(void)snprintf(names[number - FIRST], sizeof(names[0]), "/proc/self/fd/%d",
				       number);
			record->argv[0] = names[number - FIRST];
		}
		number++;
	}
}
