/* Starting the network process. See network_process.h.
 *
 * Main starts it, as the plain user outside the user namespace: pasta gives up
 * CAP_SYS_PTRACE first thing, so inside it could not open the namespaces of the
 * container process, which has more capabilities. Outside it can, as their
 * owner's user. They are named by the container's pid, so it notices their end
 * even if our monitor is killed. */
#include "network_process.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"
#include "process.h"
#include "syscalls.h"

extern char **environ;

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

static int spawn(struct network_process *network, char *const argv[], int output)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_adddup2(&actions, output, 2);
	/* Descriptors the caller wants in the container are not for the network process. */
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	posix_spawnattr_init(&attributes);
	/* JavaScript runtimes ignore SIGPIPE, and pasta refuses to start where it is ignored. */
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	error = posix_spawnp(&network->pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

int network_process_start(struct network_process *network, const struct plan *plan,
			  pid_t container, struct failure *why)
{
	char **argv;
	int output[2];
	int error;

	network->record = plan_find(plan, "network-process");
	if (network->record == NULL)
		return 0;
	argv = calloc(network->record->argc, sizeof(*argv));
	if (argv == NULL || pipe2(output, O_CLOEXEC | O_NONBLOCK) < 0) {
		free(argv);
		return fail(why, "network-process", "memory");
	}
	error = 0;
	for (size_t i = 1; i < network->record->argc; i++) {
		argv[i - 1] = fill(network->record->argv[i], "{netns}", container, "ns/net");
		argv[i - 1] = fill(argv[i - 1], "{userns}", container, "ns/user");
		error = argv[i - 1] == NULL ? ENOMEM : error;
	}
	if (error == 0)
		error = spawn(network, argv, output[1]);
	free(argv);
	close(output[1]);
	network->output = output[0];
	if (error != 0)
		return fail_errno(why, "network-process", network->record->argv[1], error);
	network->pidfd = sys_pidfd_open(network->pid);
	return network->pidfd < 0 ? fail(why, "network-process", "pidfd_open") : 0;
}

static int refuse(struct network_process *network, int status, struct failure *why)
{
	char said[FAILURE_TEXT];
	ssize_t length = read(network->output, said, sizeof(said) - 1);

	if (length <= 0)
		length = snprintf(said, sizeof(said), "%s: status %d", network->record->argv[1],
				  exit_status(status));
	while (length > 0 && said[length - 1] == '\n')
		length--;
	said[length] = '\0';
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
