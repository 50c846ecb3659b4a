/* Starting the network process. See network_process.h.
 *
 * Main starts it, as the plain user outside the user namespace: pasta gives up
 * CAP_SYS_PTRACE first thing, so inside it could not open the namespaces of the
 * container process, which has more capabilities. Outside it can, as their
 * owner's user. They are named by the container's pid, so it notices their end
 * even if our monitor is killed. */
#include "network_process.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "numbers.h"
#include "process.h"
#include "syscalls.h"

#define NETNS "netns"
#define SYSLOG_NOISE "Failed to send "

#define MAX_ARGUMENTS 512 /* fifty published ports take a hundred */

/* `argument` with the first `hole` replaced by the container's namespace file `ns`, in new
 * memory (never freed: main starts one such process and becomes the client). */
static char *fill(char *argument, const char *hole, pid_t container, const char *ns)
{
	char *at = argument == NULL ? NULL : strstr(argument, hole);
	char *result = NULL;
	char path[64];

	if (at == NULL)
		return argument;
	process_path(path, container, ns);
	if (asprintf(&result, "%.*s%s%s", (int)(at - argument), argument, path,
		     at + strlen(hole)) < 0)
		return NULL;
	return result;
}

/* Real root's pasta gives up the right to open another process's namespaces before it does
 * so: it finds the network namespace as a file, in a mount namespace that is only its own. */
static int pin_network_namespace(const char *pin, pid_t container)
{
	char path[64];
	int fd;

	process_path(path, container, "ns/net");
	fd = open(pin, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	close(fd);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return -1;
	return mount(path, pin, NULL, MS_BIND, NULL);
}

static _Noreturn void become(char *const argv[], int output, const char *pin, pid_t container)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	/* JavaScript runtimes ignore SIGPIPE, and pasta refuses to start where it is ignored. */
	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &action, NULL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
		_exit(125);
	if (pin != NULL && pin_network_namespace(pin, container) < 0) {
		(void)dprintf(2, "%s: %s", pin, strerror(errno));
		_exit(125);
	}
	/* Descriptors the caller wants in the container are not for the network process. */
	(void)sys_close_range(3, ~0U, 0);
	(void)execvp(argv[0], argv);
	_exit(errno == ENOENT ? 127 : 126);
}

/* The record's arguments, filled in. `pin`: where the network namespace is to be, or NULL. */
static int fill_arguments(char **argv, const struct record *record, const char *pin,
			  pid_t container)
{
	if (record->argc > MAX_ARGUMENTS) {
		errno = E2BIG;
		return -1;
	}
	for (size_t i = 1; i < record->argc; i++) {
		char *argument = record->argv[i];

		if (pin != NULL && strcmp(argument, "{netns}") == 0)
			argument = (char *)(uintptr_t)pin;
		argument = fill(argument, "{netns}", container, "ns/net");
		argv[i - 1] = fill(argument, "{userns}", container, "ns/user");
		if (argv[i - 1] == NULL)
			return -1;
	}
	return 0;
}

static int make_pin_path(const struct plan *plan, char **pin)
{
	*pin = NULL;
	if (strcmp(plan_find(plan, "userns")->argv[0], "none") != 0)
		return 0;
	return asprintf(pin, "%s/" NETNS, plan_find(plan, "run-dir")->argv[0]);
}

int network_process_start(struct network_process *network, const struct plan *plan,
			  pid_t container, struct failure *why)
{
	char *argv[MAX_ARGUMENTS] = { NULL }; /* ends with NULL: the record's first is the pid file */
	char *pin;
	int output[2];

	network->record = plan_find(plan, "network-process");
	if (network->record == NULL)
		return 0;
	if (make_pin_path(plan, &pin) < 0)
		return fail(why, "network-process", "memory");
	if (fill_arguments(argv, network->record, pin, container) < 0 ||
	    pipe2(output, O_CLOEXEC | O_NONBLOCK) < 0)
		return fail(why, "network-process", network->record->argv[1]);
	network->pid = fork();
	if (network->pid == 0)
		become(argv, output[1], pin, container);
	close(output[1]);
	network->output = output[0];
	if (network->pid < 0)
		return fail(why, "network-process", "fork");
	network->pidfd = sys_pidfd_open(network->pid);
	return network->pidfd < 0 ? fail(why, "network-process", "pidfd_open") : 0;
}

/* pasta logs where it can; that it could not is not why it failed. */
static void drop_syslog_noise(char *said)
{
	char *line = said;

	while (*line != '\0') {
		size_t length = strcspn(line, "\n");
		char *next = line + length + (line[length] == '\n');

		if (strncmp(line, SYSLOG_NOISE, strlen(SYSLOG_NOISE)) == 0 &&
		    memmem(line, length, "to syslog", 9) != NULL)
			memmove(line, next, strlen(next) + 1);
		else
			line = next;
	}
}

static int refuse(struct network_process *network, int status, struct failure *why)
{
	char said[2048];
	const char *program = network->record->argv[1];
	ssize_t length = read(network->output, said, sizeof(said) - 1);
	size_t size;

	said[length > 0 ? length : 0] = '\0';
	drop_syslog_noise(said);
	size = strlen(said);
	while (size > 0 && said[size - 1] == '\n')
		said[--size] = '\0';
	if (size > 0)
		return fail_errno(why, "network-process", said, EIO);
	if (exit_status(status) == 127 || exit_status(status) == 126)
		return fail_errno(why, "network-process", program,
				  exit_status(status) == 127 ? ENOENT : EACCES);
	(void)snprintf(said, sizeof(said), "%s: status %d", program, exit_status(status));
	return fail_errno(why, "network-process", said, EIO);
}

int network_process_ready(struct network_process *network, pid_t *daemon, struct failure *why)
{
	int status = wait_for(network->pid);
	char text[32];
	uint64_t pid;

	close_and_forget(&network->pidfd);
	if (status != 0)
		(void)refuse(network, status, why);
	else if (read_small_file(AT_FDCWD, network->record->argv[0], text, sizeof(text)) < 0 ||
		 !number_parse_bytes(text, strcspn(text, "\n"), 10, INT32_MAX, &pid) || pid < 2)
		(void)fail_errno(why, "network-process", network->record->argv[0], ESRCH);
	else
		*daemon = (pid_t)pid;
	close_and_forget(&network->output);
	return why->error == 0 ? 0 : -1;
}
