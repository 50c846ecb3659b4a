/* tsman-helper init [-s] -- CMD...
 *
 * Process 1 of a container whose program was not written to be one. It starts the
 * program as a child in a process group of its own, hands it the terminal, passes on
 * every signal it gets, and reaps whatever is orphaned inside. When the child ends so
 * does the container, with the child's status. Its model is tini.
 *
 * -s makes it reap without being process 1 (a shared pid namespace). */
#include "init.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

static int complain(const char *what, const char *subject)
{
	dprintf(2, "Error: init: %s %s: %s\n", what, subject, strerror(errno));
	return 125;
}

/* Every signal waits for sigwaitinfo. A fault of our own kills us although blocked.
 * Blocked SIGTTIN and SIGTTOU also let us write messages and give the terminal away
 * while we are in its background. */
static void hold_signals(sigset_t *inherited)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, inherited);
}

static int run_program(char **argv, const sigset_t *inherited)
{
	int error;

	/* Its own group, so that a signal typed at the terminal reaches its children but
	 * not us, who would send it a second time. */
	if (setpgid(0, 0) < 0)
		return complain("setpgid", argv[0]);
	/* ENOTTY, ENXIO: no terminal. EPERM: not our controlling one. */
	if (tcsetpgrp(0, getpgrp()) < 0 && errno != ENOTTY && errno != ENXIO && errno != EPERM &&
	    errno != EBADF && errno != EINVAL && errno != EIO)
		return complain("tcsetpgrp", argv[0]);
	sigprocmask(SIG_SETMASK, inherited, NULL);
	execvp(argv[0], argv);
	error = errno;
	complain("exec", argv[0]);
	return error == ENOENT ? 127 : 126;
}

/* Reap everything that is dead. Returns true, and the status, when the child was among it. */
static bool reap(pid_t child, int *status)
{
	bool ended = false;
	int one;
	pid_t pid;

	while ((pid = waitpid(-1, &one, WNOHANG)) > 0) {
		if (pid != child)
			continue;
		*status = exit_status(one);
		ended = true;
	}
	return ended;
}

static int serve(pid_t child)
{
	sigset_t set;
	int status = 0;

	sigprocmask(SIG_SETMASK, NULL, &set);
	for (;;) {
		int number = sigwaitinfo(&set, NULL);

		if (number == SIGCHLD) {
			if (reap(child, &status))
				return status;
		} else if (number > 0) {
			kill(child, number); /* ESRCH: it is a zombie, SIGCHLD is next */
		}
	}
}

int init_main(int argc, char **argv)
{
	sigset_t inherited;
	int at = 1;
	pid_t child;

	if (at < argc && strcmp(argv[at], "-s") == 0) {
		if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
			return complain("prctl", "PR_SET_CHILD_SUBREAPER");
		at++;
	}
	if (at < argc && strcmp(argv[at], "--") == 0)
		at++;
	if (at >= argc) {
		dprintf(2, "Error: init: no command\n");
		return 125;
	}
	hold_signals(&inherited);
	child = fork();
	if (child < 0)
		return complain("fork", argv[at]);
	if (child == 0)
		_exit(run_program(argv + at, &inherited));
	return serve(child);
}
