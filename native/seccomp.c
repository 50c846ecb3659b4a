/* Compiling a flat rule list to a BPF program with libseccomp. See README.md, "Seccomp rules".
 *
 * Only this verb touches libseccomp: containers load the finished program. */
#include "seccomp.h"

#include <limits.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "numbers.h"
#include "report.h"
#include "syscalls.h"

#define MAX_TOKENS 32
#define MAX_ARGUMENTS 6

struct compiler {
	scmp_filter_ctx context;
	uint32_t default_action;
	struct failure *why;
};

static const struct {
	const char *name;
	uint32_t action;
} actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
};

static const struct {
	const char *name;
	enum scmp_compare operator;
} operators[] = {
	{ "SCMP_CMP_NE", SCMP_CMP_NE }, { "SCMP_CMP_LT", SCMP_CMP_LT },
	{ "SCMP_CMP_LE", SCMP_CMP_LE }, { "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE }, { "SCMP_CMP_GT", SCMP_CMP_GT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
};

static bool parse_action(const char *name, const char *error, uint32_t *action)
{
	uint64_t number;

	if (!number_parse(error, 10, 4095, &number))
		return false;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i].name, name) != 0)
			continue;
		*action = actions[i].action;
		return true;
	}
	if (strcmp(name, "SCMP_ACT_ERRNO") == 0)
		*action = SCMP_ACT_ERRNO((uint32_t)number);
	else if (strcmp(name, "SCMP_ACT_TRACE") == 0)
		*action = SCMP_ACT_TRACE((uint32_t)number);
	else
		return false;
	return true;
}

/* INDEX OPERATOR VALUE VALUETWO */
static bool parse_comparison(char *const *token, struct scmp_arg_cmp *comparison)
{
	uint64_t index;

	if (!number_parse(token[0], 10, 5, &index) ||
	    !number_parse(token[2], 10, UINT64_MAX, &comparison->datum_a) ||
	    !number_parse(token[3], 10, UINT64_MAX, &comparison->datum_b))
		return false;
	comparison->arg = (unsigned int)index;
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (strcmp(operators[i].name, token[1]) != 0)
			continue;
		comparison->op = operators[i].operator;
		return true;
	}
	return false;
}

static bool repeats_an_argument(const struct scmp_arg_cmp *comparisons, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		for (unsigned int j = 0; j < i; j++)
			if (comparisons[i].arg == comparisons[j].arg)
				return true;
	return false;
}

static int add(struct compiler *compiler, uint32_t action, int number,
	       const struct scmp_arg_cmp *comparisons, unsigned int count)
{
	int result = seccomp_rule_add_array(compiler->context, action, number, count, comparisons);

	/* The pseudo system calls of another architecture cannot be added to this one. */
	if (result < 0 && result != -EDOM && result != -EEXIST)
		return fail_errno(compiler->why, "seccomp", "rule", -result);
	return 0;
}

static int compile_rule(struct compiler *compiler, char *const *token, size_t count)
{
	struct scmp_arg_cmp comparisons[MAX_ARGUMENTS];
	unsigned int used = 0;
	uint32_t action;
	int number;

	if (count < 4 || (count - 4) % 4 != 0 || (count - 4) / 4 > MAX_ARGUMENTS ||
	    !parse_action(token[1], token[2], &action))
		return fail_errno(compiler->why, "seccomp", "rule", EBADMSG);
	for (size_t i = 4; i < count; i += 4)
		if (!parse_comparison(&token[i], &comparisons[used++]))
			return fail_errno(compiler->why, "seccomp", token[3], EBADMSG);
	number = seccomp_syscall_resolve_name(token[3]);
	/* A profile lists the calls of every kernel and machine; and a rule that says what
	 * happens anyway is an error to libseccomp. */
	if (number == __NR_SCMP_ERROR || action == compiler->default_action)
		return 0;
	if (!repeats_an_argument(comparisons, used))
		return add(compiler, action, number, comparisons, used);
	/* Comparisons of one argument are alternatives, as in every OCI runtime. */
	for (unsigned int i = 0; i < used; i++)
		if (add(compiler, action, number, &comparisons[i], 1) < 0)
			return -1;
	return 0;
}

static int compile_arch(struct compiler *compiler, const char *name)
{
	uint32_t arch;
	int result;
	char lower[32];
	size_t length = 0;

	if (strncmp(name, "SCMP_ARCH_", 10) == 0)
		name += 10;
	for (; name[length] != '\0' && length < sizeof(lower) - 1; length++)
		lower[length] = (char)(name[length] >= 'A' && name[length] <= 'Z'
				       ? name[length] + ('a' - 'A') : name[length]);
	lower[length] = '\0';
	arch = seccomp_arch_resolve_name(lower);
	if (arch == 0)
		return fail_errno(compiler->why, "seccomp", name, EINVAL);
	result = seccomp_arch_add(compiler->context, arch);
	if (result < 0 && result != -EEXIST)
		return fail_errno(compiler->why, "seccomp", name, -result);
	return 0;
}

static int compile_default(struct compiler *compiler, char *const *token, size_t count)
{
	if (count != 3 || compiler->context != NULL ||
	    !parse_action(token[1], token[2], &compiler->default_action))
		return fail_errno(compiler->why, "seccomp", "default", EBADMSG);
	compiler->context = seccomp_init(compiler->default_action);
	if (compiler->context == NULL)
		return fail_errno(compiler->why, "seccomp", "default", ENOMEM);
	/* A tree instead of a list of some four hundred comparisons for each call. */
	(void)seccomp_attr_set(compiler->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return 0;
}

static int compile_line(struct compiler *compiler, char *line)
{
	char *token[MAX_TOKENS];
	size_t count = 0;
	char *word;

	while ((word = strsep(&line, " \n")) != NULL) {
		if (*word == '\0')
			continue;
		if (count == MAX_TOKENS)
			return fail_errno(compiler->why, "seccomp", token[0], E2BIG);
		token[count++] = word;
	}
	if (count == 0)
		return 0;
	if (strcmp(token[0], "default") == 0)
		return compile_default(compiler, token, count);
	if (compiler->context == NULL)
		return fail_errno(compiler->why, "seccomp", token[0], EBADMSG);
	if (strcmp(token[0], "arch") == 0 && count == 2)
		return compile_arch(compiler, token[1]);
	if (strcmp(token[0], "rule") == 0)
		return compile_rule(compiler, token, count);
	return fail_errno(compiler->why, "seccomp", token[0], EBADMSG);
}

static int compile_file(struct compiler *compiler, const char *rules)
{
	FILE *file = fopen(rules, "re");
	char *line = NULL;
	size_t size = 0;
	int result = 0;

	if (file == NULL)
		return fail(compiler->why, "seccomp", rules);
	while (result == 0 && getline(&line, &size, file) >= 0)
		result = compile_line(compiler, line);
	if (result == 0 && (ferror(file) != 0 || compiler->context == NULL))
		result = fail_errno(compiler->why, "seccomp", rules, EBADMSG);
	free(line);
	(void)fclose(file);
	return result;
}

/* Aside and renamed: a container that starts meanwhile reads the old one or the new one. */
static int export(const struct compiler *compiler, const char *output)
{
	char aside[PATH_MAX];
	AUTO_CLOSE int fd = -1;
	int result;

	if (snprintf(aside, sizeof(aside), "%s.%d", output, (int)getpid()) >= (int)sizeof(aside))
		return fail_errno(compiler->why, "seccomp", output, ENAMETOOLONG);
	fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(compiler->why, "seccomp", aside);
	result = seccomp_export_bpf(compiler->context, fd);
	if (result < 0)
		(void)fail_errno(compiler->why, "seccomp", "export", -result);
	else if (rename(aside, output) < 0)
		result = fail(compiler->why, "seccomp", output);
	if (result < 0)
		(void)unlink(aside);
	return result;
}

int seccomp_main(const char *rules, const char *output)
{
	struct failure why = { 0 };
	struct compiler compiler = { .why = &why };
	int result = compile_file(&compiler, rules);

	if (result == 0)
		result = export(&compiler, output);
	if (compiler.context != NULL)
		seccomp_release(compiler.context);
	return result < 0 ? report_failure(NULL, &why) : 0;
}
