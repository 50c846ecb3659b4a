/* Closing what we inherited: an open directory of the host is a way out (CVE-2024-21626). */
#include "descriptors.h"

#include "numbers.h"
#include "process.h"
#include "syscalls.h"

unsigned int descriptors_preserved(const struct plan *plan)
{
	const struct record *record = plan_find(plan, "preserve-fds");

	return record == NULL ? 0 : (unsigned int)number_of(record->argv[0]);
}

static int check_preserved(unsigned int count, struct failure *why)
{
	char text[24];

	if (count > 1024)
		return fail_errno(why, "preserve-fds", "too many", EINVAL);
	for (unsigned int i = 0; i < count; i++)
		if (fcntl((int)(3 + i), F_GETFD) < 0)
			return fail(why, "preserve-fds", decimal(3 + i, text));
	return 0;
}

int descriptors_close_inherited(const struct plan *plan, struct failure *why)
{
	const struct record *report = plan_find(plan, "report");
	unsigned int preserved = descriptors_preserved(plan);
	unsigned int first = 3 + preserved;
	unsigned int low = (unsigned int)plan->fd;
	unsigned int high = report == NULL ? low : (unsigned int)number_of(report->argv[0]);

	if (check_preserved(preserved, why) < 0)
		return -1;
	/* The plan took a number that was to be preserved: so that one was not open. */
	if (low < first)
		return fail_errno(why, "preserve-fds", "not open", EBADF);
	if (report != NULL && (high < 3 || fcntl((int)high, F_SETFD, FD_CLOEXEC) < 0))
		return fail_errno(why, "plan", "report", EBADF);
	if (high < low) {
		unsigned int swap = low;

		low = high;
		high = swap;
	}
	if (first < low)
		(void)sys_close_range(first, low - 1, 0);
	if (low + 1 < high)
		(void)sys_close_range(low + 1 > first ? low + 1 : first, high - 1, 0);
	if (sys_close_range(high + 1 > first ? high + 1 : first, ~0U, 0) < 0)
		return fail(why, "close_range", "");
	return 0;
}

int descriptors_keep_two(int first, int second)
{
	/* Out of the way of 3 and 4 first. */
	int a = fcntl(first, F_DUPFD_CLOEXEC, 5);
	int b = fcntl(second, F_DUPFD_CLOEXEC, 5);

	return a < 0 || b < 0 || dup3(a, 3, O_CLOEXEC) < 0 || dup3(b, 4, O_CLOEXEC) < 0
		       ? -1
		       : sys_close_range(5, ~0U, 0);
}
