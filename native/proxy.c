#include "proxy.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "terminal.h"

static int signals = -1;
static bool forwarding;

/* SIGTTIN and SIGTTOU must stop us: they are how a background job waits for its
 * terminal. SIGPIPE and SIGURG are made by our own writing and by runtimes. Synchronous
 * faults of our own still kill us although blocked. */
static bool is_handled(int number)
{
	struct sigaction action;

	switch (number) {
	case SIGKILL: case SIGSTOP: case SIGTTIN: case SIGTTOU: case SIGPIPE: case SIGURG:
		return false;
	case SIGCHLD: case SIGWINCH: case SIGCONT:
		return true;
	default:
		/* nohup, or a shell's background job: what was ignored stays ignored. A
		 * blocked signal would reach the signalfd all the same. */
		return sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN;
	}
}

int proxy_open(const struct plan *plan)
{
	sigset_t set;

	forwarding = plan_find(plan, "sig-proxy") != NULL;
	sigemptyset(&set);
	for (int number = 1; number <= SIGRTMAX; number++)
		if (is_handled(number))
			sigaddset(&set, number);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals;
}

/* Let the signal have its default effect now. Returns when that does not end us. */
static void obey(int number)
{
	sigset_t one;

	terminal_restore();
	signal(number, SIG_DFL);
	raise(number);
	sigemptyset(&one);
	sigaddset(&one, number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	sigprocmask(SIG_BLOCK, &one, NULL);
}

enum proxy_verdict proxy_take(int *number)
{
	struct signalfd_siginfo info;

	*number = 0;
	if (read(signals, &info, sizeof info) != (ssize_t)sizeof info)
		return PROXY_NOTHING;
	*number = (int)info.ssi_signo;
	switch (*number) {
	case SIGWINCH:
		return PROXY_RESIZED;
	case SIGCHLD:
		return PROXY_CHILD;
	case SIGCONT:
		if (!forwarding)
			*number = 0;
		return PROXY_RESUMED;
	case SIGTSTP:
		/* ctrl-z typed at our own terminal is about this job; the container's
		 * process would as a rule ignore it. One sent by kill(1) is meant for it. */
		if (forwarding && info.ssi_code != SI_KERNEL)
			return PROXY_FORWARD;
		obey(SIGTSTP);
		*number = 0;
		return PROXY_RESUMED;
	default:
		if (forwarding)
			return PROXY_FORWARD;
		obey(*number);
		return PROXY_NOTHING;
	}
}
