#include "ending.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/file.h>
#include <unistd.h>

#include "process.h"
#include "remove_tree.h"
#include "text.h"

/* memory.events of the container's own cgroup, or -1. Held open from the start, when
 * the process that leads there still exists. */
static int memory_events = -1;

/* The cgroup v2 line of a process, without "0::" and newline; NULL = none. */
static const char *read_cgroup(pid_t pid, char *buffer, size_t size)
{
	char path[64];
	char *line;

	process_path(path, pid, "cgroup");
	if (read_small_file(AT_FDCWD, path, buffer, size) < 0)
		return NULL;
	line = strncmp(buffer, "0::", 3) == 0 ? buffer : strstr(buffer, "\n0::");
	if (line == NULL)
		return NULL;
	line = strchr(line, '/');
	if (line != NULL)
		line[strcspn(line, "\n")] = '\0';
	return line;
}

void ending_prepare(const struct monitor *monitor)
{
	char our_lines[1024], their_lines[1024];
	const char *ours = read_cgroup(getpid(), our_lines, sizeof our_lines);
	const char *theirs = read_cgroup(monitor->child, their_lines, sizeof their_lines);
	struct text path = { .length = 0 };

	if (memory_events >= 0)
		close(memory_events);
	memory_events = -1;
	/* In a shared cgroup the count tells of other processes as well. */
	if (ours == NULL || theirs == NULL || strcmp(ours, theirs) == 0)
		return;
	text_add(&path, "/sys/fs/cgroup");
	text_add(&path, theirs);
	text_add_bytes(&path, "/memory.events", sizeof "/memory.events");
	memory_events = open(path.bytes, O_RDONLY | O_CLOEXEC);
}

/* Whether the kernel killed for memory since the last end: the cgroup's count outlives restarts. */
static bool was_out_of_memory(void)
{
	static const char key[] = "\noom_kill ";
	static long long seen;
	long long now;
	char buffer[512];
	const char *count;
	bool more;
	ssize_t n;

	if (memory_events < 0)
		return false;
	n = pread(memory_events, buffer, sizeof buffer - 1, 0);
	if (n <= 0)
		return false;
	buffer[n] = '\0';
	count = strstr(buffer, key);
	if (count == NULL)
		return false;
	now = strtoll(count + sizeof key - 1, NULL, 10);
	more = now > seen;
	seen = now;
	return more;
}

void ending_note(struct ending *ending, int status)
{
	ending->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	ending->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	ending->oom = was_out_of_memory();
	clock_gettime(CLOCK_REALTIME, &ending->finished);
}

static const char *setting(const struct plan *plan, const char *name)
{
	const struct record *record = plan_find(plan, name);

	return record != NULL ? record->argv[0] : NULL;
}

/* Anonymous volumes go with their container. Its directory of users, one empty file each, cannot be
 * removed while another container has the volume too; then the volume stays. */
static void move_volumes(const struct plan *plan)
{
	for (const struct record *volume = plan_next(plan, "auto-remove-volume", NULL);
	     volume != NULL; volume = plan_next(plan, "auto-remove-volume", volume)) {
		struct text users = { .length = 0 };
		struct text own = { .length = 0 };

		text_add(&users, volume->argv[0]);
		text_add(&users, "/users");
		text_add(&own, users.bytes);
		text_add(&own, "/");
		text_add(&own, volume->argv[1]);
		(void)unlink(own.bytes);
		if (rmdir(users.bytes) == 0)
			(void)rename(volume->argv[0], volume->argv[2]);
	}
}

static void record(const struct monitor *monitor, const struct ending *ending, bool final)
{
	if (monitor->container_dir >= 0)
		record_exit(monitor->container_dir, ending, final);
}

void ending_tell(const struct monitor *monitor, const struct ending *ending)
{
	record_event(monitor->plan, ending);
	if (setting(monitor->plan, "auto-remove") == NULL)
		record_plain_event(monitor->plan, "cleanup");
}

void ending_record(const struct monitor *monitor, const struct ending *ending)
{
	if (setting(monitor->plan, "auto-remove") == NULL)
		record(monitor, ending, false);
	ending_tell(monitor, ending);
}

static bool move_to_trash(const struct monitor *monitor)
{
	const char *trash = setting(monitor->plan, "auto-remove");
	const char *container = setting(monitor->plan, "container-dir");

	return trash != NULL && container != NULL && rename(container, trash) == 0;
}

void ending_release(const struct monitor *monitor, const struct ending *ending)
{
	const char *cgroup = setting(monitor->plan, "cgroup");
	bool removed = move_to_trash(monitor);

	if (removed) {
		record_plain_event(monitor->plan, "remove");
		move_volumes(monitor->plan);
		remove_contents(monitor->run_dir);
	} else {
		unlinkat(monitor->run_dir, "attach.sock", 0);
	}
	/* Empty by now; what a host pid namespace leaves in it keeps it. */
	if (cgroup != NULL)
		(void)rmdir(cgroup);
	/* Before anybody hears of the end: whoever does may start it again at once. */
	flock(monitor->lock, LOCK_UN);
	if (monitor->container_dir >= 0)
		flock(monitor->container_dir, LOCK_UN);
	/* If the directory could not be moved the container stays, with its exit code. */
	if (!removed)
		record(monitor, ending, true);
}

void ending_remove(const struct monitor *monitor)
{
	static bool done;
	const char *trash = setting(monitor->plan, "auto-remove");
	const char *run_dir = setting(monitor->plan, "run-dir");

	if (done || trash == NULL)
		return;
	done = true;
	remove_tree(AT_FDCWD, trash);
	for (const struct record *volume = plan_next(monitor->plan, "auto-remove-volume", NULL);
	     volume != NULL; volume = plan_next(monitor->plan, "auto-remove-volume", volume))
		remove_tree(AT_FDCWD, volume->argv[2]);
	if (run_dir != NULL)
		rmdir(run_dir);
}
