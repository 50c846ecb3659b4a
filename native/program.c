/* The last step: terminal, environment, credentials, and execve. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/stat.h>

#include "descriptors.h"
#include "message.h"
#include "numbers.h"
#include "stage.h"
#include "syscalls.h"

static bool has_variable(char *const *environment, size_t count, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < count; i++)
		if (strncmp(environment[i], name, length) == 0 && environment[i][length] == '=')
			return true;
	return false;
}

static int add_default(char **environment, size_t *count, const char *name, const char *value)
{
	if (has_variable(environment, *count, name))
		return 0;
	if (asprintf(&environment[*count], "%s=%s", name, value) < 0)
		return -1;
	(*count)++;
	return 0;
}

static char **make_environment(struct stage *stage, struct failure *why)
{
	const struct plan *plan = stage->plan;
	char **environment = calloc(plan->count + 2, sizeof(*environment));
	const struct record *record = NULL;
	size_t count = 0;
	int result = 0;

	if (environment == NULL) {
		(void)fail(why, "env", "memory");
		return NULL;
	}
	while ((record = plan_next(plan, "env", record)) != NULL)
		environment[count++] = record->argv[0];
	if (stage->identity.home[0] != '\0')
		result = add_default(environment, &count, "HOME", stage->identity.home);
	while (result == 0 && (record = plan_next(plan, "default-env", record)) != NULL)
		result = add_default(environment, &count, record->argv[0], record->argv[1]);
	if (result == 0)
		return environment;
	(void)fail(why, "env", "memory");
	free(environment);
	return NULL;
}

static int take_terminal(struct stage *stage, struct failure *why)
{
	if (plan_find(stage->plan, "terminal") == NULL)
		return 0;
	if (terminal_open(stage, why) < 0)
		return -1;
	/* So that the program's user may open its own terminal again, as /dev/tty's target. */
	if (fchown(stage->terminal, stage->identity.uid, (gid_t)-1) < 0)
		return fail(why, "terminal", "owner");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(stage->terminal, fd) < 0)
			return fail(why, "terminal", "dup2");
	if (ioctl(0, TIOCSCTTY, 0) < 0)
		return fail(why, "terminal", "TIOCSCTTY");
	return 0;
}

/* What execve does not reset: ignored signals and the mask. */
static int reset_signals(struct failure *why)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigemptyset(&none);
	for (int number = 1; number < NSIG; number++)
		if (number != SIGKILL && number != SIGSTOP)
			(void)sigaction(number, &action, NULL);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? fail(why, "signals", "") : 0;
}

static int set_personality(const struct plan *plan, struct failure *why)
{
	const struct record *record = plan_find(plan, "personality");

	if (record != NULL && personality(number_of_base(record->argv[0], 16)) < 0)
		return fail(why, "personality", record->argv[0]);
	return 0;
}

static const char *search_path(char *const *environment)
{
	for (size_t i = 0; environment[i] != NULL; i++)
		if (strncmp(environment[i], "PATH=", 5) == 0)
			return environment[i] + 5;
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* As execvp(3), without its fallback to a shell for what is no program. */
static int execute(char *const *argv, char *const *environment, struct failure *why)
{
	const char *directory = search_path(environment);
	char path[PATH_MAX];
	int error = ENOENT;

	if (strchr(argv[0], '/') != NULL || argv[0][0] == '\0') {
		(void)execve(argv[0], argv, environment);
		return fail(why, "exec", argv[0]);
	}
	for (;; directory++) {
		int length = (int)strcspn(directory, ":");

		if (snprintf(path, sizeof(path), "%.*s%s%s", length, directory,
			     length > 0 ? "/" : "", argv[0]) < (int)sizeof(path)) {
			(void)execve(path, argv, environment);
			if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
				return fail(why, "exec", argv[0]);
			if (errno == EACCES)
				error = EACCES;
		}
		directory += length;
		if (*directory == '\0')
			return fail_errno(why, "exec", argv[0], error);
	}
}

int step_exec(struct stage *stage, const struct record *record, struct failure *why)
{
	char **environment = make_environment(stage, why);
	unsigned int first = 3 + descriptors_preserved(stage->plan);
	bool inside = stage->sync >= 0;

	if (environment == NULL)
		return -1;
	if (inside && !stage->pivoted) {
		(void)fail_errno(why, "plan", "pivot", EBADMSG);
		goto out;
	}
	if (take_terminal(stage, why) < 0)
		goto out;
	if (stage_await_network(stage, why) < 0)
		goto out;
	if (reset_signals(why) < 0 || set_personality(stage->plan, why) < 0)
		goto out;
	(void)umask(stage->umask);
	if (sys_close_range(first, ~0U, CLOSE_RANGE_CLOEXEC) < 0) {
		(void)fail(why, "close_range", "");
		goto out;
	}
	if (credentials_apply(stage, why) == 0)
		(void)execute(record->argv, environment, why);
out:
	free(environment);
	return -1;
}
