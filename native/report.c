/* Reporting success and failure. See report.h. */
#include "report.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "process.h"
#include "syscalls.h"

extern char **environ;

int report_status(const struct failure *why)
{
	if (strcmp(why->step, "exec") != 0)
		return 125;
	return why->error == ENOENT ? 127 : 126;
}

/* One write: a pipe takes up to 4096 bytes whole. */
static void write_fields(int fd, const char *const fields[], size_t count)
{
	char bytes[1024];
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(fields[i]) + 1;

		if (size > sizeof(bytes) - length)
			return;
		memcpy(bytes + length, fields[i], size);
		length += size;
	}
	/* The reader may be gone; the exit status still tells. */
	(void)!write(fd, bytes, length);
}

static int report_fd(const struct plan *plan)
{
	const struct record *record = plan == NULL ? NULL : plan_find(plan, "report");

	return record == NULL ? -1 : (int)number_of(record->argv[0]);
}

/* Become the one program that words failures. */
static void explain(const struct record *record, const struct failure *why, char *error)
{
	char **argv = calloc(record->argc + 4, sizeof(*argv));
	size_t argc = record->argc;

	if (argv == NULL)
		return;
	memcpy(argv, record->argv, argc * sizeof(*argv));
	argv[argc++] = (char *)(uintptr_t)why->step;
	argv[argc++] = (char *)(uintptr_t)why->subject;
	argv[argc] = error;
	(void)execve(argv[0], argv, environ);
	free(argv);
}

int report_failure(const struct plan *plan, const struct failure *why)
{
	const struct record *record = plan == NULL ? NULL : plan_find(plan, "explain");
	int fd = report_fd(plan);
	char text[24];
	char *error = decimal((uint64_t)why->error, text);
	const char *fields[] = { "fail", why->step, why->subject, error };

	if (fd >= 0) {
		write_fields(fd, fields, 4);
		return report_status(why);
	}
	if (record != NULL)
		explain(record, why, error);
	(void)dprintf(2, "tsman-helper: %s: %s: %s\n", why->step, why->subject,
		      strerror(why->error));
	return report_status(why);
}

static int write_pidfiles(const struct plan *plan, const char *name, pid_t pid,
			  struct failure *why)
{
	const struct record *record = NULL;
	char text[24];

	while ((record = plan_next(plan, name, record)) != NULL)
		if (write_small_file(AT_FDCWD, record->argv[0], decimal((uint64_t)pid, text),
				     0644) < 0)
			return fail(why, name, record->argv[0]);
	return 0;
}

int report_running(const struct plan *plan, pid_t pid, pid_t monitor, struct failure *why)
{
	const struct record *announce = plan_find(plan, "announce");
	int fd = report_fd(plan);
	char text[24];
	const char *fields[] = { "ok", decimal((uint64_t)pid, text) };

	if (write_pidfiles(plan, "pidfile", pid, why) < 0 ||
	    write_pidfiles(plan, "monitor-pidfile", monitor, why) < 0)
		return -1;
	if (fd >= 0) {
		write_fields(fd, fields, 2);
		close(fd); /* the reader waits for the end of it */
	}
	if (announce != NULL && dprintf(1, "%s\n", announce->argv[0]) < 0)
		return fail(why, "announce", "stdout");
	return 0;
}
