/* Waiting for exec's child without a terminal. */
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "exec.h"
#include "process.h"
#include "syscalls.h"

/* SIGTTOU and the like are about us, and SIGCHLD is the child itself. */
static int open_signals(const struct plan *plan)
{
	static const int own[] = { SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGPIPE, SIGURG,
				   SIGWINCH, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT };
	sigset_t set;

	if (plan_find(plan, "sig-proxy") == NULL)
		return -1;
	sigfillset(&set);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&set, own[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int exec_wait(const struct plan *plan, pid_t child, int pidfd, struct exec_streams *streams)
{
	AUTO_CLOSE int signals = open_signals(plan);
	struct signalfd_siginfo info;
	int status;

	while (!exec_streams_wait(streams, pidfd, signals))
		if (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
			(void)sys_pidfd_send_signal(pidfd, (int)info.ssi_signo);
	exec_streams_drain(streams);
	status = wait_for(child);
	return status < 0 ? 125 : exit_status(status);
}
