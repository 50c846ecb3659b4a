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
#include <sys/prctl.h>
#include <sys/stat.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "descriptors.h"
#include "dns.h"
#include "firewall.h"
#include "lease.h"
#include "links.h"
#include "process.h"
#include "report.h"
#include "syscalls.h"
#include "uplink.h"
#include "userns.h"

int net_open(const char *net_dir, const char *name, int flags)
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
	struct failure why = { 0 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char text[64];
	int directory;

	(void)setsid();
	(void)prctl(PR_SET_NAME, "tsman-hub");
	/* These sockets stay in the host's network namespace. */
	if (dns_prepare() < 0) {
		(void)fail(&why, "network", "name servers");
		goto failed;
	}
	if ((monitor > 0 ? engine_enter(plan, monitor, &why) : userns_enter(plan, &why)) < 0 ||
	    make_network(&why) < 0)
		goto failed;
	/* Changing ids made us undumpable, and then pasta could not open our namespaces. */
	if (prctl(PR_SET_DUMPABLE, 1) < 0 || chdir("/") < 0)
		goto failed;
	directory = open(net_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(text, sizeof(text), "%d %llu\n", (int)getpid(),
		       (unsigned long long)process_start_time(getpid()));
	if (dns_open(net_dir) < 0 || directory < 0 ||
	    write_small_file(directory, "hub", text, 0600) < 0) {
		(void)fail(&why, "network", "hub");
		goto failed;
	}
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null, fd);
	(void)write(ready, "+", 1);
	close(ready);
	hub_serve(net_dir, fifo);
failed:
	(void)dprintf(2, "%s %s: %s\n", why.step, why.subject, strerror(why.error));
	_exit(125);
}

static int make_hub(const struct plan *plan, const char *net_dir, pid_t monitor,
		    struct failure *why)
{
	AUTO_CLOSE int fifo = net_open(net_dir, "alive", O_RDONLY | O_NONBLOCK);
	int ready[2];
	char byte;
	pid_t pid;

	if (fifo < 0 || pipe2(ready, O_CLOEXEC) < 0)
		return fail(why, "network", "alive");
	pid = fork();
	if (pid == 0) {
		/* Only what it needs: a copy of the lock would keep everybody waiting. */
		if (descriptors_keep_two(fifo, ready[1]) < 0)
			_exit(125);
		become_hub(plan, net_dir, monitor, 3, 4);
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
	uplink_end(net_dir);
	if (pidfd >= 0 && sys_pidfd_send_signal(pidfd, SIGKILL) == 0)
		(void)poll(&polled, 1, 1000);
	return 0;
}

static int reach(struct hub *hub, const struct plan *plan, const char *net_dir, struct failure *why)
{
	/* ENXIO: nobody reads it. */
	hub->alive = net_open(net_dir, "alive", O_WRONLY | O_NONBLOCK);
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
		hub->alive = net_open(net_dir, "alive", O_WRONLY | O_NONBLOCK);
	return hub->alive < 0 ? fail(why, "network", "alive") : 0;
}

static int make_fifo(const char *net_dir, struct failure *why)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/alive", net_dir);
	return mkfifo(path, 0600) < 0 && errno != EEXIST ? fail(why, "network", path) : 0;
}

int hub_join(struct hub *hub, const struct plan *plan, const char *net_dir, struct failure *why)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (make_fifo(net_dir, why) < 0 || reach(hub, plan, net_dir, why) < 0)
		return -1;
	if (read_hub(hub, net_dir) < 0 || write(hub->alive, "+", 1) != 1)
		return fail_errno(why, "network", "hub", ESRCH);
	return 0;
}

int hub_lock(const char *net_dir, struct failure *why)
{
	int fd = net_open(net_dir, "lock", O_RDWR | O_CREAT);

	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		(void)fail(why, "network", net_dir);
		close_and_forget(&fd);
	}
	return fd;
}

static int make_early(const struct plan *plan, const char *net_dir, struct failure *why)
{
	struct hub hub = { .alive = -1 };
	AUTO_CLOSE int lock = hub_lock(net_dir, why);

	if (lock < 0 || make_fifo(net_dir, why) < 0)
		return -1;
	hub.alive = net_open(net_dir, "alive", O_WRONLY | O_NONBLOCK);
	if (hub.alive >= 0)
		return 0; /* there is one */
	if (make_hub(plan, net_dir, 0, why) < 0)
		return -1;
	hub.alive = net_open(net_dir, "alive", O_WRONLY | O_NONBLOCK);
	if (hub.alive < 0 || read_hub(&hub, net_dir) < 0)
		return fail_errno(why, "network", "hub", ESRCH);
	close_and_forget(&lock);
	return uplink_make(&hub, plan, net_dir, why);
}

int hub_main(const struct plan *plan)
{
	struct failure why = { 0 };

	if (make_early(plan, plan_find(plan, "net-dir")->argv[0], &why) == 0)
		return 0;
	/* Nobody waits for us: who needs the hub makes it himself, and says why he cannot. */
	return report_failure(plan, &why);
}
