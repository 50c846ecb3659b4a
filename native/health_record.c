/* What a health check leaves for others to read: its status, and the log of its results.
 *
 * The log is two files: when PATH has as many lines as are to be kept it becomes PATH.1, so
 * that both together always have the last ones and nothing is ever rewritten. */
#include "health_record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json_text.h"
#include "numbers.h"
#include "record.h"
#include "scratch.h"
#include "text.h"

static uint64_t lines;

static const struct record *log_record(const struct monitor *monitor)
{
	return plan_find(monitor->plan, "health-log");
}

static bool old_name(const char *path, char old[PATH_MAX])
{
	size_t length = strlen(path);

	if (length + 3 > PATH_MAX)
		return false;
	memcpy(old, path, length);
	memcpy(old + length, ".1", 3);
	return true;
}

void health_record_reset(const struct monitor *monitor)
{
	const struct record *record = log_record(monitor);
	char old[PATH_MAX];

	lines = 0;
	if (record == NULL || !old_name(record->argv[0], old))
		return;
	unlink(record->argv[0]);
	unlink(old);
}

void health_record_status(const struct monitor *monitor, const char *status, unsigned int streak)
{
	struct text text = { .length = 0 };

	text_add(&text, "status ");
	text_add(&text, status);
	text_add(&text, "\nstreak ");
	text_add_number(&text, streak);
	text_add(&text, "\n");
	(void)record_small_file(monitor->run_dir, "health", &text);
}

static uint64_t nanoseconds(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

/* The line, in scratch. */
static size_t make_line(const struct health_result *result, size_t most)
{
	struct text head = { .length = 0 };
	struct json_text partial = { .have = 0 };
	size_t size = result->size, length;

	if (most > 0 && size > most)
		size = most;
	text_add(&head, "{\"Start\":");
	text_add_number(&head, nanoseconds(&result->start));
	text_add(&head, ",\"End\":");
	text_add_number(&head, nanoseconds(&result->end));
	text_add(&head, ",\"ExitCode\":");
	text_add(&head, result->code < 0 ? "-1" : "");
	if (result->code >= 0)
		text_add_number(&head, (uint64_t)result->code);
	text_add(&head, ",\"Output\":\"");
	memcpy(scratch, head.bytes, head.length);
	length = head.length;
	length += json_escape(&partial, scratch + length, result->output, size);
	length += json_escape(&partial, scratch + length, "", 0);
	memcpy(scratch + length, "\"}\n", 3);
	return length + 3;
}

void health_record_result(const struct monitor *monitor, const struct health_result *result)
{
	const struct record *record = log_record(monitor);
	uint64_t count;
	char old[PATH_MAX];
	size_t length;
	int fd;

	if (record == NULL || !old_name(record->argv[0], old))
		return;
	count = number_of(record->argv[1]);
	if (count > 0 && lines >= count) {
		(void)rename(record->argv[0], old);
		lines = 0;
	}
	length = make_line(result, number_of(record->argv[2]));
	fd = open(record->argv[0],
		  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return;
	/* One write: a reader sees whole lines. A full disk loses the line, no more. */
	if (write(fd, scratch, length) == (ssize_t)length)
		lines++;
	close(fd);
}
