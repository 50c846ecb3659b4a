/* Id maps. See id_map.h.
 *
 * newuidmap(1) and newgidmap(1) cost about a millisecond each, most of it in
 * reading /etc/subuid through NSS, so they run side by side. */
#include "id_map.h"

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "numbers.h"
#include "process.h"
#include "syscalls.h"

#define MAP_MAX_LINES 340 /* the kernel's UID_GID_MAP_MAX_EXTENTS */

extern char **environ;

size_t id_map_text(const struct plan *plan, const char *name, char *text, size_t size)
{
	const struct record *record = NULL;
	size_t length = 0;

	while ((record = plan_next(plan, name, record)) != NULL) {
		int added = snprintf(text + length, size - length, "%s %s %s\n", record->argv[0],
				     record->argv[1], record->argv[2]);

		if (added < 0 || (size_t)added >= size - length)
			return 0;
		length += (size_t)added;
	}
	return length;
}

bool id_map_is_single(const struct plan *plan, const char *name)
{
	const struct record *record = plan_find(plan, name);

	return record != NULL && number_of(record->argv[2]) == 1 &&
	       plan_next(plan, name, record) == NULL;
}

static bool take_number(const char **at, uint64_t *number)
{
	size_t length;
	bool taken;

	*at += strspn(*at, " \n");
	length = strcspn(*at, " \n");
	taken = number_parse_bytes(*at, length, 10, UINT32_MAX, number);
	*at += length;
	return taken;
}

bool id_map_equals(const struct plan *plan, const char *name, pid_t pid, const char *file)
{
	const struct record *record = NULL;
	char path[64];
	char text[8192];
	const char *at = text;
	uint64_t number;

	process_path(path, pid, file);
	if (read_small_file(AT_FDCWD, path, text, sizeof(text)) < 0)
		return false;
	while ((record = plan_next(plan, name, record)) != NULL)
		for (size_t i = 0; i < 3; i++)
			if (!take_number(&at, &number) || number != number_of(record->argv[i]))
				return false;
	return !take_number(&at, &number);
}

static int write_file_of(pid_t pid, const char *file, const char *text, struct failure *why)
{
	char path[64];
	AUTO_CLOSE int fd = -1;

	process_path(path, pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return fail(why, file, path);
	return 0;
}

static int write_map(const struct plan *plan, const char *name, pid_t pid, const char *file,
		     struct failure *why)
{
	char text[8192];

	if (id_map_text(plan, name, text, sizeof(text)) == 0)
		return fail_errno(why, file, "map", EINVAL);
	return write_file_of(pid, file, text, why);
}

/* Start `program` PID CONTAINER HOST SIZE ...; its complaints go to our stderr. */
static pid_t start_mapper(const struct plan *plan, const char *program, const char *name,
			  pid_t pid, struct failure *why)
{
	const struct record *record = NULL;
	char *argv[2 + 3 * MAP_MAX_LINES + 1];
	char pid_text[24];
	size_t argc = 0;
	pid_t child;
	int error;

	argv[argc++] = (char *)(uintptr_t)program;
	argv[argc++] = decimal((uint64_t)pid, pid_text);
	while ((record = plan_next(plan, name, record)) != NULL) {
		if (argc + 3 >= sizeof(argv) / sizeof(argv[0]))
			return fail_errno(why, program, "too many lines", E2BIG);
		for (size_t i = 0; i < 3; i++)
			argv[argc++] = record->argv[i];
	}
	argv[argc] = NULL;
	error = posix_spawnp(&child, program, NULL, NULL, argv, environ);
	if (error != 0)
		return fail_errno(why, program, "", error);
	return child;
}

static int finish_mapper(pid_t child, const char *program, struct failure *why)
{
	int status = wait_for(child);
	char text[24];

	if (status == 0)
		return 0;
	if (status < 0)
		return fail(why, program, "wait");
	return fail_errno(why, program, decimal((uint64_t)exit_status(status), text), EPERM);
}

static bool may_write(const struct plan *plan, const char *name, uid_t own_id)
{
	const struct record *record = plan_find(plan, name);

	if (geteuid() == 0)
		return true;
	return id_map_is_single(plan, name) && number_of(record->argv[1]) == own_id;
}

/* An unprivileged process may map its own group only after giving up setgroups(2). */
static int write_own_gid_map(const struct plan *plan, pid_t pid, struct failure *why)
{
	if (geteuid() != 0 && write_file_of(pid, "setgroups", "deny", why) < 0)
		return -1;
	return write_map(plan, "gid-map", pid, "gid_map", why);
}

int id_maps_write(const struct plan *plan, pid_t pid, struct failure *why)
{
	bool own_uid = may_write(plan, "uid-map", geteuid());
	bool own_gid = may_write(plan, "gid-map", getegid());
	pid_t uid_mapper = -1;
	pid_t gid_mapper = -1;

	if (plan_find(plan, "uid-map") == NULL || plan_find(plan, "gid-map") == NULL)
		return fail_errno(why, "plan", "uid-map", EBADMSG);
	if (!own_uid)
		uid_mapper = start_mapper(plan, "newuidmap", "uid-map", pid, why);
	if (!own_gid && why->error == 0)
		gid_mapper = start_mapper(plan, "newgidmap", "gid-map", pid, why);
	if (own_uid && why->error == 0)
		(void)write_map(plan, "uid-map", pid, "uid_map", why);
	if (own_gid && why->error == 0)
		(void)write_own_gid_map(plan, pid, why);
	if (uid_mapper > 0)
		(void)finish_mapper(uid_mapper, "newuidmap", why);
	if (gid_mapper > 0)
		(void)finish_mapper(gid_mapper, "newgidmap", why);
	return why->error == 0 ? 0 : -1;
}

int id_maps_write_inner(const struct plan *plan, pid_t pid, struct failure *why)
{
	if (write_map(plan, "inner-uid-map", pid, "uid_map", why) < 0)
		return -1;
	return write_map(plan, "inner-gid-map", pid, "gid_map", why);
}
