/* The hub. See hub.h.
 *
 * A process that does little: it was made by the first container that joined a bridge network,
 * has the network namespace in which the bridges are, answers names, and ends with the last one.
 * Who is there is known from a FIFO: each process that serves a container holds its writing end,
 * the hub its reading end, so the death of either is seen by the other, however it came. */
#include "hub.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "firewall.h"
#include "lease.h"
#include "links.h"
#include "numbers.h"
#include "process.h"
#include "syscalls.h"
#include "userns.h"

extern char **environ;

static int open_below(const char *net_dir, const char *name, int flags)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", net_dir, name);
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int set(const char *path, const char *text)
{
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

static int make_network(struct failure *why)
{
	struct netlink netlink;

	if (unshare(CLONE_NEWNET) < 0)
		return fail(why, "unshare", "net");
	if (netlink_open(&netlink, NETLINK_ROUTE) < 0 || link_up(&netlink, if_nametoindex("lo")) < 0)
		return fail(why, "network", "lo");
	if (set("/proc/sys/net/ipv4/ip_forward", "1") < 0)
		return fail(why, "network", "ip_forward");
	/* Without IPv6 there is nothing to forward. */
	(void)set("/proc/sys/net/ipv6/conf/all/forwarding", "1");
	if (firewall_make() < 0)
		return fail(why, "network", "nf_tables");
	if (link_deliver_marked(&netlink, AF_INET, FORWARD_MARK, FORWARD_TABLE) < 0)
		return fail(why, "network", "rule");
	(void)link_deliver_marked(&netlink, AF_INET6, FORWARD_MARK, FORWARD_TABLE);
	close_and_forget(&netlink.fd);
	return 0;
}

static bool same_user_namespace(pid_t a, pid_t b)
{
	struct stat one;
	struct stat other;
	char path[64];

	process_path(path, a, "ns/user");
	if (stat(path, &one) < 0)
		return false;
	process_path(path, b, "ns/user");
	return stat(path, &other) == 0 && one.st_ino == other.st_ino;
}

int engine_enter(const struct plan *plan, pid_t monitor, struct failure *why)
{
	AUTO_CLOSE int fd = -1;
	char path[64];

	/* Real root needs none. */
	if (same_user_namespace(monitor, getpid()))
		return 0;
	process_path(path, monitor, "ns/user");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWUSER) < 0)
		return fail(why, "network", path);
	return become_root(plan, why);
}

static _Noreturn void become_hub(const struct plan *plan, const char *net_dir, pid_t monitor,
				 int fifo, int ready)
{
	const struct record *resolver = plan_find(plan, "resolver");
	struct failure why = { 0 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char text[64];
	int directory;
	int dns;

	(void)setsid();
	(void)prctl(PR_SET_NAME, "tsman-hub");
	if (engine_enter(plan, monitor, &why) < 0 || make_network(&why) < 0)
		goto failed;
	/* Changing ids made us undumpable, and then pasta could not open our namespaces. */
	if (prctl(PR_SET_DUMPABLE, 1) < 0 || chdir("/") < 0)
		goto failed;
	dns = dns_open();
	directory = open(net_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(text, sizeof(text), "%d %llu\n", (int)getpid(),
		       (unsigned long long)process_start_time(getpid()));
	if (dns < 0 || directory < 0 || write_small_file(directory, "hub", text, 0600) < 0) {
		(void)fail(&why, "network", dns < 0 ? "port 53" : "hub");
		goto failed;
	}
	dns_setup(net_dir, resolver == NULL ? NULL : resolver->argv[0]);
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null, fd);
	(void)write(ready, "+", 1);
	close(ready);
	hub_serve(net_dir, fifo, dns);
failed:
	(void)dprintf(2, "%s %s: %s\n", why.step, why.subject, strerror(why.error));
	_exit(125);
}

/* The up-link belongs to the hub, and ends with it. */
static void end_uplink(const char *net_dir)
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

/* Nobody is left, and nobody is about to come: who comes holds the lock until he is there. */
static bool is_deserted(const char *net_dir, int fifo)
{
	struct pollfd polled = { .fd = fifo, .events = POLLIN };
	int lock = open_below(net_dir, "lock", O_RDWR | O_CREAT);

	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0) {
		close_descriptor(&lock);
		(void)usleep(20000);
		return false;
	}
	if (poll(&polled, 1, 0) == 1 && (polled.revents & POLLHUP) != 0)
		return true; /* the lock goes with us */
	close(lock);
	return false;
}

_Noreturn void hub_serve(const char *net_dir, int fifo, int dns)
{
	for (;;) {
		struct pollfd polled[66] = {
			{ .fd = fifo, .events = POLLIN },
			{ .fd = dns, .events = POLLIN },
		};
		size_t count = 2 + dns_polled(polled + 2, 64);

		if (poll(polled, count, count > 2 ? 1000 : -1) < 0 && errno != EINTR)
			break;
		if ((polled[1].revents & POLLIN) != 0)
			dns_question(dns);
		dns_answers(dns, polled + 2, count - 2);
		if ((polled[0].revents & POLLHUP) != 0 && is_deserted(net_dir, fifo))
			break;
	}
	end_uplink(net_dir);
	_exit(0);
}

static int make_hub(const struct plan *plan, const char *net_dir, pid_t monitor,
		    struct failure *why)
{
	AUTO_CLOSE int fifo = open_below(net_dir, "alive", O_RDONLY | O_NONBLOCK);
	int ready[2];
	char byte;
	pid_t pid;

	if (fifo < 0 || pipe2(ready, O_CLOEXEC) < 0)
		return fail(why, "network", "alive");
	pid = fork();
	if (pid == 0) {
		/* Only what it needs: a copy of the lock would keep everybody waiting. */
		int mine = dup2(fifo, 60);
		int tell = dup2(ready[1], 61);

		if (mine < 0 || tell < 0 || sys_close_range(3, 59, 0) < 0 ||
		    sys_close_range(62, ~0U, 0) < 0)
			_exit(125);
		(void)fcntl(mine, F_SETFD, FD_CLOEXEC);
		(void)fcntl(tell, F_SETFD, FD_CLOEXEC);
		become_hub(plan, net_dir, monitor, mine, tell);
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &byte, 1) != 1) {
		close(ready[0]);
		return fail_errno(why, "network", "hub", ECHILD);
	}
	close(ready[0]);
	return 0;
}

static int read_hub(struct hub *hub, const char *net_dir)
{
	AUTO_CLOSE int directory = open(net_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[64];
	char *blank;

	if (directory < 0 || read_small_file(directory, "hub", text, sizeof(text)) <= 0)
		return -1;
	blank = strchr(text, ' ');
	hub->pid = (pid_t)strtol(text, NULL, 10);
	hub->start = blank == NULL ? 0 : strtoull(blank, NULL, 10);
	return process_start_time(hub->pid) == hub->start && hub->start != 0 ? 0 : -1;
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
	AUTO_CLOSE int pin = open_below(net_dir, "netns", O_RDONLY | O_CREAT);
	char from[64];
	char to[4096];

	process_path(from, hub, "ns/net");
	(void)snprintf(to, sizeof(to), "%s/netns", net_dir);
	if (pin < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return -1;
	return mount(from, to, NULL, MS_BIND, NULL);
}

static _Noreturn void become_uplink(const struct record *record, pid_t hub, const char *net_dir,
				    bool is_root)
{
	const char *argv[64] = { NULL };
	static char paths[64][4096];

	for (size_t i = 1; i < record->argc && i < 63; i++)
		argv[i - 1] = fill(record->argv[i], hub, net_dir, is_root, paths[i]);
	(void)dup2(2, 1);
	if (is_root && pin_namespace(hub, net_dir) < 0)
		_exit(125);
	(void)sys_close_range(3, ~0U, 0);
	(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
	(void)dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
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

/* Started by the plain user; see network_process.c. */
static int ensure_uplink(const struct hub *hub, const struct plan *plan, const char *net_dir,
			 struct failure *why)
{
	const struct record *record = plan_find(plan, "uplink");
	AUTO_CLOSE int directory = open(net_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned long long start;
	char text[128] = "";
	int pid;
	int owner;

	if (record == NULL || directory < 0)
		return record == NULL ? 0 : fail(why, "network", net_dir);
	if (read_small_file(directory, "uplink", text, sizeof(text)) > 0 &&
	    sscanf(text, "%d %llu %d", &pid, &start, &owner) == 3 && owner == hub->pid &&
	    is_running(pid, start))
		return 0;
	end_uplink(net_dir);
	pid = fork();
	if (pid == 0)
		become_uplink(record, hub->pid, net_dir,
			      strcmp(plan_find(plan, "userns")->argv[0], "none") == 0);
	if (pid < 0 || wait_for(pid) != 0)
		return fail_errno(why, "network", "pasta, the up-link", EIO);
	if (read_small_file(AT_FDCWD, record->argv[0], text, sizeof(text)) <= 0)
		return fail(why, "network", record->argv[0]);
	pid = (int)strtol(text, NULL, 10);
	(void)snprintf(text, sizeof(text), "%d %llu %d\n", pid,
		       (unsigned long long)process_start_time(pid), (int)hub->pid);
	return write_small_file(directory, "uplink", text, 0600) < 0 ? fail(why, "network", "uplink")
								     : 0;
}

static bool is_any(const struct lease *lease, void *context)
{
	(void)lease;
	(void)context;
	return true;
}

/* A hub that is about to end, while our container has a newer user namespace: it goes at once. */
static int replace_hub(const struct hub *hub, const char *net_dir, struct failure *why)
{
	AUTO_CLOSE int leases = leases_open(net_dir);
	AUTO_CLOSE int pidfd = process_open(hub->pid, hub->start);
	struct pollfd polled = { .fd = pidfd, .events = POLLIN };

	/* /etc/subuid has changed under running containers. */
	if (leases >= 0 && leases_each(leases, is_any, NULL))
		return fail_errno(why, "network", "the others are in another user namespace", EBUSY);
	end_uplink(net_dir);
	if (pidfd >= 0 && sys_pidfd_send_signal(pidfd, SIGKILL) == 0)
		(void)poll(&polled, 1, 1000);
	return 0;
}

static int reach(struct hub *hub, const struct plan *plan, const char *net_dir, struct failure *why)
{
	/* ENXIO: nobody reads it. */
	hub->alive = open_below(net_dir, "alive", O_WRONLY | O_NONBLOCK);
	if (hub->alive >= 0 && read_hub(hub, net_dir) == 0 &&
	    !same_user_namespace(hub->pid, hub->monitor)) {
		close_and_forget(&hub->alive);
		if (replace_hub(hub, net_dir, why) < 0)
			return -1;
		errno = ENXIO;
	}
	if (hub->alive < 0 && (errno != ENXIO || make_hub(plan, net_dir, hub->monitor, why) < 0))
		return why->error != 0 ? -1 : fail(why, "network", "alive");
	if (hub->alive < 0)
		hub->alive = open_below(net_dir, "alive", O_WRONLY | O_NONBLOCK);
	return hub->alive < 0 ? fail(why, "network", "alive") : 0;
}

int hub_join(struct hub *hub, const struct plan *plan, const char *net_dir, struct failure *why)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/alive", net_dir);
	if (mkfifo(path, 0600) < 0 && errno != EEXIST)
		return fail(why, "network", path);
	if (reach(hub, plan, net_dir, why) < 0)
		return -1;
	if (read_hub(hub, net_dir) < 0)
		return fail_errno(why, "network", "hub", ESRCH);
	return ensure_uplink(hub, plan, net_dir, why);
}
