/* Filling and wording one failure. See failure.h. */
#include "failure.h"

#include <errno.h>
#include <string.h>

static void copy_bounded(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = '\0';
}

int fail_errno(struct failure *why, const char *step, const char *subject, int error)
{
	if (why->error != 0)
		return -1;
	copy_bounded(why->step, sizeof(why->step), step);
	copy_bounded(why->subject, sizeof(why->subject), subject);
	/* 0 would read as "no failure" and let the plan go on. */
	why->error = error != 0 ? error : EIO;
	return -1;
}

int fail(struct failure *why, const char *step, const char *subject)
{
	return fail_errno(why, step, subject, errno);
}
