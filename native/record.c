#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "process.h"
#include "text.h"

/* Write NAME aside and rename it into place. */
static int write_aside(int directory, const char *name, const struct text *text, bool durable)
{
	static const char aside[] = ".tsman-new";
	size_t done = 0;
	int fd;

	unlinkat(directory, aside, 0);
	fd = openat(directory, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	while (done < text->length) {
		ssize_t n = write(fd, text->bytes + done, text->length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	/* Without the fsync a crash of the machine could leave the new name on an empty
	 * file. The directory is not synced: losing the name is the same as dying before. */
	if (done < text->length || (durable && fsync(fd) < 0) ||
	    renameat(directory, aside, directory, name) < 0) {
		int error = errno;

		close(fd);
		unlinkat(directory, aside, 0);
		errno = error;
		return -1;
	}
	close(fd);
	return 0;
}

static void add_process(struct text *text, const char *pid_key, const char *start_key, pid_t pid)
{
	text_add(text, pid_key);
	text_add_number(text, (uint64_t)pid);
	text_add(text, start_key);
	text_add_number(text, pid > 0 ? process_start_time(pid) : 0);
}

int monitor_write_state(struct monitor *monitor, struct failure *why)
{
	clock_gettime(CLOCK_REALTIME, &monitor->started);
	return monitor_update_state(monitor, why);
}

int monitor_update_state(const struct monitor *monitor, struct failure *why)
{
	struct text text = { .length = 0 };
	char boot_id[64];

	if (read_small_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot_id, sizeof boot_id) < 0)
		return fail(why, "state", "boot_id");

	add_process(&text, "pid ", "\nstart ", monitor->child);
	add_process(&text, "\nmonitor ", "\nmonitor-start ", getpid());
	add_process(&text, "\nnetwork ", "\nnetwork-start ", monitor->network);
	text_add(&text, "\nboot ");
	text_add_bytes(&text, boot_id, strcspn(boot_id, "\n"));
	text_add(&text, "\nstarted ");
	text_add_time(&text, &monitor->started);
	text_add(&text, "\nrestarts ");
	text_add_number(&text, monitor->restarts);
	text_add(&text, "\n");
	if (write_aside(monitor->run_dir, "state", &text, false) < 0)
		return fail(why, "state", "state");
	return 0;
}

int record_small_file(int directory, const char *name, const struct text *text)
{
	return write_aside(directory, name, text, false);
}

int record_exit(int container_dir, const struct ending *ending, bool final)
{
	struct text text = { .length = 0 };

	text_add(&text, "code ");
	text_add_number(&text, (uint64_t)ending->code);
	text_add(&text, "\nsignal ");
	text_add_number(&text, (uint64_t)ending->signal);
	text_add(&text, "\nfinished ");
	text_add_time(&text, &ending->finished);
	text_add(&text, "\noom ");
	text_add(&text, ending->oom ? "1\n" : "0\n");
	text_add(&text, final ? "final 1\n" : "");
	if (log_lost() > 0) {
		text_add(&text, "log-lost ");
		text_add_number(&text, log_lost());
		text_add(&text, "\n");
	}
	return write_aside(container_dir, "exit", &text, true);
}

static void begin_line(struct text *line, const struct plan *plan, const char *action)
{
	const struct record *id = plan_find(plan, "id");

	text_add(line, "{\"Type\":\"container\",\"Action\":\"");
	text_add(line, action);
	text_add(line, "\",\"ID\":\"");
	if (id != NULL && strpbrk(id->argv[0], "\"\\\n") == NULL) /* hexadecimal in practice */
		text_add(line, id->argv[0]);
	text_add(line, "\"");
}

/* One write with O_APPEND: lines of several monitors never mix. Losing an event is no reason
 * to end a container, so nothing here is checked. */
static void end_line(struct text *line, const struct plan *plan, const struct timespec *time)
{
	const struct record *events = plan_find(plan, "events");
	int fd;

	text_add(line, ",\"timeNano\":");
	text_add_number(line, (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec);
	text_add(line, "}\n");
	if (events == NULL)
		return;
	fd = open(events->argv[0], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return;
	if (write(fd, line->bytes, line->length) < 0) {
		/* see above */
	}
	close(fd);
}

void record_event(const struct plan *plan, const struct ending *ending)
{
	struct text line = { .length = 0 };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	begin_line(&line, plan, ending != NULL ? "died" : "start");
	if (ending != NULL) {
		text_add(&line, ",\"exitCode\":");
		text_add_number(&line, (uint64_t)ending->code);
		text_add(&line, ending->oom ? ",\"OOMKilled\":\"true\"" : "");
	}
	end_line(&line, plan, ending != NULL ? &ending->finished : &now);
}

void record_plain_event(const struct plan *plan, const char *action)
{
	struct text line = { .length = 0 };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	begin_line(&line, plan, action);
	end_line(&line, plan, &now);
}

void record_health_event(const struct plan *plan, const char *status)
{
	struct text line = { .length = 0 };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	begin_line(&line, plan, "health_status");
	text_add(&line, ",\"health_status\":\"");
	text_add(&line, status);
	text_add(&line, "\"");
	end_line(&line, plan, &now);
}

void record_exec_event(const struct plan *plan, const char *action, int code)
{
	const struct record *id = plan_find(plan, "exec-id");
	struct text line = { .length = 0 };
	struct timespec now;

	if (id == NULL)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	begin_line(&line, plan, action);
	text_add(&line, ",\"execID\":\"");
	text_add(&line, id->argv[0]);
	text_add(&line, "\"");
	if (code >= 0) {
		text_add(&line, ",\"exitCode\":");
		text_add_number(&line, (uint64_t)code);
	}
	end_line(&line, plan, &now);
}
