/* Joining or making the engine's user namespace. See userns.h.
 *
 * Whoever makes it is outside: a process inside a fresh namespace has no right
 * to the ids that newuidmap hands out, and the mapper must see its caller's real
 * user. So the maker forks the inhabitant into the namespace, maps it from
 * outside, and tells it to go on. */
#include "userns.h"

#include <dirent.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "groups.h"
#include "id_map.h"
#include "message.h"
#include "numbers.h"
#include "process.h"
#include "syscalls.h"

bool userns_is_new(const struct userns *userns)
{
	return userns->run_root != NULL && userns->existing < 0;
}

/* The namespace of `pid` if it is ours and as the plan wants it, else -1. */
static int open_candidate(const struct plan *plan, pid_t pid, uint64_t start_time)
{
	AUTO_CLOSE int pidfd = start_time == 0 ? -1 : process_open(pid, start_time);
	struct stat theirs;
	struct stat own;
	char path[64];
	uid_t owner;
	int fd;

	if (pidfd < 0)
		return -1;
	process_path(path, pid, "ns/user");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &theirs) == 0 && stat("/proc/self/ns/user", &own) == 0 &&
	    theirs.st_ino != own.st_ino &&
	    ioctl(fd, NS_GET_OWNER_UID, &owner) == 0 && owner == geteuid() &&
	    id_map_equals(plan, "uid-map", pid, "uid_map") &&
	    id_map_equals(plan, "gid-map", pid, "gid_map") &&
	    /* The maps were read by number: make sure it still is that process. */
	    sys_pidfd_send_signal(pidfd, 0) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The number after "\nNAME " in a state file, or 0. */
static uint64_t state_number(const char *state, const char *name)
{
	size_t length = strlen(name);
	uint64_t number = 0;

	for (const char *line = state; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ' ' &&
		    number_parse_bytes(line + length + 1, strcspn(line + length + 1, "\n"), 10,
				       INT64_MAX, &number))
			return number;
	}
	return 0;
}

static int search_monitors(const struct userns *userns, int run_root)
{
	int directory = openat(run_root, "containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *containers = directory < 0 ? NULL : fdopendir(directory);
	const struct dirent *entry;
	int found = -1;

	if (containers == NULL) {
		close_descriptor(&directory);
		return -1;
	}
	while (found < 0 && (entry = readdir(containers)) != NULL) {
		char path[sizeof(entry->d_name) + 8];
		char state[1024];

		(void)snprintf(path, sizeof(path), "%s/state", entry->d_name);
		if (read_small_file(directory, path, state, sizeof(state)) > 0)
			found = open_candidate(userns->plan, (pid_t)state_number(state, "monitor"),
					       state_number(state, "monitor-start"));
	}
	closedir(containers);
	return found;
}

static int recorded_maker(const struct userns *userns, int run_root)
{
	char text[64];
	char *blank;
	uint64_t pid;
	uint64_t start;

	if (read_small_file(run_root, "userns", text, sizeof(text)) < 0)
		return -1;
	blank = strchr(text, ' ');
	if (blank == NULL || !number_parse_bytes(text, (size_t)(blank - text), 10, INT32_MAX, &pid) ||
	    !number_parse_bytes(blank + 1, strcspn(blank + 1, "\n"), 10, UINT64_MAX, &start))
		return -1;
	return open_candidate(userns->plan, (pid_t)pid, start);
}

int userns_prepare(struct userns *userns, const struct plan *plan, struct failure *why)
{
	const struct record *record = plan_find(plan, "userns");
	AUTO_CLOSE int run_root = -1;

	*userns = (struct userns){ .plan = plan, .existing = -1, .lock = -1 };
	if (record == NULL || strcmp(record->argv[0], "none") == 0)
		return 0;
	if (record->argc != 2)
		return fail_errno(why, "plan", "userns", EBADMSG);
	userns->run_root = record->argv[1];
	run_root = open(userns->run_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run_root < 0)
		return fail(why, "userns", userns->run_root);
	userns->lock = openat(run_root, "userns.lock",
			      O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (userns->lock < 0 || flock(userns->lock, LOCK_EX) < 0)
		return fail(why, "userns", "userns.lock");
	userns->existing = recorded_maker(userns, run_root);
	if (userns->existing < 0)
		userns->existing = search_monitors(userns, run_root);
	if (userns->existing >= 0)
		close_and_forget(&userns->lock); /* the descriptor keeps the namespace alive */
	return 0;
}

int userns_write_maps(struct userns *userns, pid_t pid, struct failure *why)
{
	AUTO_CLOSE int run_root = -1;
	char text[64];

	if (id_maps_write(userns->plan, pid, why) < 0)
		return -1;
	run_root = open(userns->run_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(text, sizeof(text), "%d %llu\n", (int)pid,
		       (unsigned long long)process_start_time(pid));
	if (run_root < 0 || write_small_file(run_root, "userns", text, 0600) < 0)
		return fail(why, "userns", userns->run_root);
	close_and_forget(&userns->lock);
	return 0;
}

int become_root(const struct plan *plan, struct failure *why)
{
	if (plan_find(plan, "keep-groups") == NULL && groups_set(NULL, 0, why) < 0)
		return -1;
	if (setresgid(0, 0, 0) < 0)
		return fail(why, "setresgid", "0");
	if (setresuid(0, 0, 0) < 0)
		return fail(why, "setresuid", "0");
	return 0;
}

int userns_become(const struct userns *userns, struct failure *why)
{
	if (userns->run_root == NULL)
		return 0;
	if (userns->existing >= 0 && setns(userns->existing, CLONE_NEWUSER) < 0)
		return fail(why, "setns", "user");
	return become_root(userns->plan, why);
}

void userns_close(struct userns *userns)
{
	close_and_forget(&userns->existing);
	close_and_forget(&userns->lock);
}

/* The helper that stays outside while its parent unshares, and maps it. */
static _Noreturn void map_parent(struct userns *userns, pid_t parent, int socket)
{
	struct failure why = { 0 };

	if (message_await(socket, MESSAGE_MAPPED, "userns", &why) < 0 ||
	    userns_write_maps(userns, parent, &why) < 0)
		(void)message_send_failure(socket, &why);
	else
		(void)message_send_kind(socket, MESSAGE_MAPPED);
	_exit(0);
}

static int make_for_self(struct userns *userns, struct failure *why)
{
	pid_t self = getpid();
	int sockets[2];
	pid_t mapper;
	int result = -1;

	if (message_pair(sockets, why) < 0)
		return -1;
	mapper = fork();
	if (mapper == 0) {
		close(sockets[0]);
		map_parent(userns, self, sockets[1]);
	}
	close(sockets[1]);
	if (mapper < 0)
		(void)fail(why, "fork", "");
	else if (unshare(CLONE_NEWUSER) < 0)
		(void)fail(why, "unshare", "user");
	else if (message_send_kind(sockets[0], MESSAGE_MAPPED) < 0)
		(void)fail(why, "userns", "send");
	else
		result = message_await(sockets[0], MESSAGE_MAPPED, "userns", why);
	close(sockets[0]); /* ends the mapper, too, if it still waits */
	if (mapper > 0)
		(void)wait_for(mapper);
	return result;
}

int userns_enter(const struct plan *plan, struct failure *why)
{
	struct userns userns;
	int result;

	if (userns_prepare(&userns, plan, why) < 0) {
		userns_close(&userns);
		return -1;
	}
	result = userns_is_new(&userns) ? make_for_self(&userns, why) : 0;
	if (result == 0)
		result = userns_become(&userns, why);
	userns_close(&userns);
	return result;
}
