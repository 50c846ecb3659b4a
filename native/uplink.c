/* The up-link. See uplink.h. */
#include "uplink.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>

#include "descriptors.h"
#include "message.h"
#include "numbers.h"
#include "process.h"
#include "syscalls.h"

#define BESIDE_SOCKET 4

void uplink_end(const char *net_dir)
{
	AUTO_CLOSE int directory = open(net_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[128];
	char *blank;
	int pidfd;

	if (directory < 0 || read_small_file(directory, "uplink", text, sizeof(text)) <= 0)
		return;
	blank = strchr(text, ' ');
	if (blank == NULL)
		return;
	pidfd = process_open((pid_t)strtol(text, NULL, 10), strtoull(blank, NULL, 10));
	if (pidfd >= 0) {
		(void)sys_pidfd_send_signal(pidfd, SIGTERM);
		close(pidfd);
	}
	(void)unlinkat(directory, "uplink", 0);
}

/* As in network_process.c: real root's pasta cannot open another's namespaces by their process. */
static const char *fill(const char *argument, pid_t hub, const char *net_dir, bool is_root,
			char path[4096])
{
	if (strcmp(argument, "{userns}") == 0)
		(void)snprintf(path, 4096, "/proc/%d/ns/user", (int)hub);
	else if (strcmp(argument, "{netns}") == 0 && !is_root)
		(void)snprintf(path, 4096, "/proc/%d/ns/net", (int)hub);
	else if (strcmp(argument, "{netns}") == 0)
		(void)snprintf(path, 4096, "%s/netns", net_dir);
	else
		return argument;
	return path;
}

static int pin_namespace(pid_t hub, const char *net_dir)
{
	AUTO_CLOSE int pin = net_open(net_dir, "netns", O_RDONLY | O_CREAT);
	char from[64];
	char to[4096];

	process_path(from, hub, "ns/net");
	(void)snprintf(to, sizeof(to), "%s/netns", net_dir);
	if (pin < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return -1;
	return mount(from, to, NULL, MS_BIND, NULL);
}

/* JavaScript runtimes ignore SIGPIPE, and pasta refuses to start where it is ignored. */
static void clear_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigemptyset(&none);
	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &action, NULL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become_uplink(const struct record *record, pid_t hub, const char *net_dir,
				    bool is_root)
{
	const char *argv[64] = { NULL };
	static char paths[64][4096];

	for (size_t i = 1; i < record->argc && i < 63; i++)
		argv[i - 1] = fill(record->argv[i], hub, net_dir, is_root, paths[i]);
	clear_signals();
	(void)dup2(2, 1);
	if (is_root && pin_namespace(hub, net_dir) < 0)
		_exit(125);
	(void)sys_close_range(3, ~0U, 0);
	(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(errno == ENOENT ? 127 : 126);
}

/* Not even a zombie that nobody has reaped. */
static bool is_running(pid_t pid, uint64_t start)
{
	char path[64];
	char command[16];

	process_path(path, pid, "cmdline");
	return process_start_time(pid) == start &&
	       read_small_file(AT_FDCWD, path, command, sizeof(command)) > 0;
}

static bool is_there(int directory, const struct hub *hub)
{
	unsigned long long start;
	char text[128];
	int pid;
	int owner;

	return read_small_file(directory, "uplink", text, sizeof(text)) > 0 &&
	       sscanf(text, "%d %llu %d", &pid, &start, &owner) == 3 && owner == hub->pid &&
	       is_running(pid, start);
}

int uplink_make(const struct hub *hub, const struct plan *plan, const char *net_dir,
		struct failure *why)
{
	const struct record *record = plan_find(plan, "uplink");
	AUTO_CLOSE int directory = open(net_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Not the lock of everything else: who waits for this one only waits for pasta. */
	AUTO_CLOSE int lock = net_open(net_dir, "uplink.lock", O_RDWR | O_CREAT);
	char text[128] = "";
	int status;
	pid_t pid;

	if (record == NULL)
		return 0;
	if (directory < 0 || lock < 0 || flock(lock, LOCK_EX) < 0)
		return fail(why, "network", net_dir);
	if (is_there(directory, hub))
		return 0;
	uplink_end(net_dir);
	pid = fork();
	if (pid == 0)
		become_uplink(record, hub->pid, net_dir,
			      strcmp(plan_find(plan, "userns")->argv[0], "none") == 0);
	status = pid < 0 ? -1 : exit_status(wait_for(pid));
	if (status == 127 || status == 126)
		return fail_errno(why, "network", record->argv[1], status == 127 ? ENOENT : EACCES);
	if (status != 0)
		return fail_errno(why, "network", "pasta, the way out of the networks", EIO);
	if (read_small_file(AT_FDCWD, record->argv[0], text, sizeof(text)) <= 0)
		return fail(why, "network", record->argv[0]);
	pid = (pid_t)strtol(text, NULL, 10);
	(void)snprintf(text, sizeof(text), "%d %llu %d\n", (int)pid,
		       (unsigned long long)process_start_time(pid), (int)hub->pid);
	return write_small_file(directory, "uplink", text, 0600) < 0 ? fail(why, "network", "uplink")
								     : 0;
}

/* The process beside us: it keeps the hub, and none of what else we have open. */
static _Noreturn void make_beside(const struct hub *hub, const struct plan *plan,
				  const char *net_dir, int socket)
{
	struct failure why = { 0 };

	if (descriptors_keep_two(hub->alive, socket) < 0)
		_exit(125);
	if (uplink_make(hub, plan, net_dir, &why) < 0)
		(void)message_send_failure(BESIDE_SOCKET, &why);
	else
		(void)message_send_kind(BESIDE_SOCKET, MESSAGE_GO);
	_exit(0);
}

int uplink_begin(struct uplink *uplink, const struct hub *hub, const struct plan *plan,
		 const char *net_dir, struct failure *why)
{
	int sockets[2];

	uplink->socket = -1;
	if (plan_find(plan, "uplink") == NULL)
		return 0;
	if (message_pair(sockets, why) < 0)
		return -1;
	uplink->pid = fork();
	if (uplink->pid == 0)
		make_beside(hub, plan, net_dir, sockets[1]);
	close(sockets[1]);
	uplink->socket = sockets[0];
	return uplink->pid < 0 ? fail(why, "network", "fork") : 0;
}

int uplink_await(struct uplink *uplink, struct failure *why)
{
	int result;

	if (uplink->socket < 0)
		return 0;
	result = message_await(uplink->socket, MESSAGE_GO, "network", why);
	close_and_forget(&uplink->socket);
	(void)wait_for(uplink->pid);
	return result;
}
