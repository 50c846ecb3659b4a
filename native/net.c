/* The verb net. See net.h.
 *
 * It is started where pasta would be, by main and as the plain user, when the container's
 * namespaces exist and before its program runs. It takes the published ports on the host, finds or
 * makes the hub, and as root of the engine's user namespace makes the interfaces. Then it goes to
 * the background: it is the lease of the container's addresses and forwards its ports. */
#include "net.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "forward.h"
#include "hub.h"
#include "lease.h"
#include "numbers.h"
#include "process.h"
#include "report.h"
#include "syscalls.h"
#include "uplink.h"
#include "userns.h"

struct places {
	const char *pid_file; /* "" = leave when done */
	const char *netns;
	const char *userns; /* of the container: /proc/PID/ns/user names it */
};

/* The records that belong to the `network` record at `at`. */
static struct attachment read_attachment(const struct plan *plan, const struct record *at)
{
	const struct record *end = plan->records + plan->count;
	struct attachment attachment = {
		.name = at->argv[0], .bridge = at->argv[1],
		.internal = strcmp(at->argv[2], "internal") == 0,
		.mtu = (uint32_t)number_of(at->argv[3]), .dns = strcmp(at->argv[4], "dns") == 0,
		.interface = "", .mac = "", .first = at + 1,
	};

	for (at++; at < end && strncmp(at->name, "net-", 4) == 0; at++) {
		if (strcmp(at->name, "net-subnet") == 0 && attachment.subnet_count < SUBNETS)
			attachment.subnets[attachment.subnet_count++] = at;
		if (strcmp(at->name, "net-interface") == 0) {
			attachment.interface = at->argv[0];
			attachment.mac = at->argv[1];
		}
	}
	attachment.end = at;
	return attachment;
}

/* The container's first process is the child of its monitor, whose end is the container's. */
pid_t network_monitor(const char *userns)
{
	char path[64];
	char text[512];
	const char *at;

	if (strncmp(userns, "/proc/", 6) != 0)
		return -1;
	process_path(path, (pid_t)strtol(userns + 6, NULL, 10), "stat");
	if (read_small_file(AT_FDCWD, path, text, sizeof(text)) < 0)
		return -1;
	at = strrchr(text, ')');
	if (at == NULL || strlen(at) < 5)
		return -1;
	return (pid_t)strtol(at + 4, NULL, 10);
}

static int enter_shared(struct wiring *wiring, const struct hub *hub, const struct plan *plan,
			struct failure *why)
{
	char path[64];

	if (engine_enter(plan, hub->monitor, why) < 0)
		return -1;
	process_path(path, hub->pid, "ns/net");
	wiring->shared = open(path, O_RDONLY | O_CLOEXEC);
	if (wiring->shared < 0 || setns(wiring->shared, CLONE_NEWNET) < 0)
		return fail(why, "network", "hub");
	return 0;
}

static int attach_all(struct wiring *wiring, const struct plan *plan, struct failure *why)
{
	const struct record *record = NULL;

	if (plan_find(plan, "renew") != NULL && wire_clear(wiring, why) < 0)
		return -1;
	while ((record = plan_next(plan, "network", record)) != NULL) {
		struct attachment attachment = read_attachment(plan, record);

		/* The lease's descriptor stays open as long as we live. */
		if (wire_network(wiring, &attachment, why) < 0)
			return -1;
	}
	record = NULL;
	while ((record = plan_next(plan, "detach-network", record)) != NULL)
		if (unwire_network(wiring, record->argv[0], why) < 0)
			return -1;
	return 0;
}

static _Noreturn void stay(const char *net_dir, const char *id, int monitor, int alive)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	(void)prctl(PR_SET_NAME, "tsman-net");
	(void)prctl(PR_SET_DUMPABLE, 1);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)chdir("/");
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(null, fd);
	forward_serve(net_dir, id, monitor, alive);
}

static int leave(const char *pid_file, const char *net_dir, const char *id, int monitor, int alive,
		 struct failure *why)
{
	char text[32];
	pid_t pid;

	if (pid_file[0] == '\0')
		return 0;
	pid = fork();
	if (pid == 0)
		stay(net_dir, id, monitor, alive);
	(void)snprintf(text, sizeof(text), "%d\n", (int)pid);
	if (pid < 0 || write_small_file(AT_FDCWD, pid_file, text, 0600) < 0)
		return fail(why, "network", pid_file);
	return 0;
}

static int run(const struct plan *plan, const struct places *places, struct failure *why)
{
	const char *net_dir = plan_find(plan, "net-dir")->argv[0];
	struct wiring wiring = { .id = plan_find(plan, "id")->argv[0] };
	struct hub hub = { .alive = -1, .monitor = network_monitor(places->userns) };
	int monitor = hub.monitor > 1 ? sys_pidfd_open(hub.monitor) : -1;
	struct uplink uplink;
	char pin[4096];
	int lock;

	if (monitor < 0)
		return fail_errno(why, "network", places->userns, ESRCH);
	wiring.hosts = plan_find(plan, "hosts");
	if (forward_open(plan, why) < 0)
		return -1;
	/* Where network_process.c put real root's: the hub would keep it for ever. */
	if (plan_find(plan, "run-dir") != NULL) {
		(void)snprintf(pin, sizeof(pin), "%s/netns", plan_find(plan, "run-dir")->argv[0]);
		(void)umount2(pin, MNT_DETACH);
	}
	wiring.container = open(places->netns, O_RDONLY | O_CLOEXEC);
	wiring.leases = leases_open(net_dir);
	if (wiring.container < 0 || wiring.leases < 0)
		return fail(why, "network", wiring.leases < 0 ? net_dir : places->netns);
	lock = hub_lock(net_dir, why);
	/* The up-link is made by the plain user, while we make the interfaces. */
	if (lock < 0 || hub_join(&hub, plan, net_dir, why) < 0 ||
	    uplink_begin(&uplink, &hub, plan, net_dir, why) < 0 ||
	    enter_shared(&wiring, &hub, plan, why) < 0 || attach_all(&wiring, plan, why) < 0)
		return -1;
	close(lock);
	if (uplink_await(&uplink, why) < 0)
		return -1;
	if (forward_is_needed())
		return forward_enter(wiring.shared, wiring.container, why) < 0
			       ? -1
			       : leave(places->pid_file, net_dir, wiring.id, monitor, hub.alive, why);
	/* Ours would keep the container's namespace, and with it the interface, after its end. */
	close(wiring.container);
	close(wiring.shared);
	return leave(places->pid_file, net_dir, wiring.id, monitor, hub.alive, why);
}

int net_main(const struct plan *plan, char *const *places)
{
	const struct places where = { places[0], places[1], places[2] };
	struct failure why = { 0 };

	if (run(plan, &where, &why) == 0)
		return 0;
	/* In a box our standard error is what the box reports. */
	return report_failure(plan, &why);
}
