/* The signals that the monitor takes. */
#include <sys/signalfd.h>

#include "monitor.h"

void monitor_block_signals(sigset_t *set)
{
	static const int numbers[] = { SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1 };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		sigaddset(set, numbers[i]);
	sigprocmask(SIG_BLOCK, set, NULL);
}

int monitor_open_signals(void)
{
	sigset_t set;

	monitor_block_signals(&set);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a log beyond the file size limit is a full disk, not our death */
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
