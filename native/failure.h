/* One failure: which step, on what, and errno. See README.md, "Report". */
#ifndef TSMAN_FAILURE_H
#define TSMAN_FAILURE_H

#define FAILURE_TEXT 512

struct failure {
	char step[32];
	char subject[FAILURE_TEXT];
	int error; /* errno; 0 = no failure */
};

/* Fill *why from errno and return -1. Async-signal-safe; the first failure wins. */
int fail(struct failure *why, const char *step, const char *subject);
/* The same with an explicit errno. */
int fail_errno(struct failure *why, const char *step, const char *subject, int error);

#endif
