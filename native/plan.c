/* Reading a plan: bytes become records, all checked before anything is done with one. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "numbers.h"
#include "plan_records.h"
#include "syscalls.h"

#define PLAN_MAX_BYTES (4U << 20)
#define PLAN_MAX_RECORDS 65536U

struct cursor {
	char *at;
	char *end;
};

/* The next NUL-terminated string, or NULL at the end or where the NUL is missing. */
static char *take_string(struct cursor *cursor)
{
	char *start = cursor->at;
	char *nul = memchr(start, '\0', (size_t)(cursor->end - start));

	if (nul == NULL)
		return NULL;
	cursor->at = nul + 1;
	return start;
}

static int refuse(struct failure *why, const char *subject)
{
	return fail_errno(why, "plan", subject, EBADMSG);
}

static size_t count_strings(const char *bytes, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += bytes[i] == '\0';
	return count;
}

static int allocate(struct plan *plan, struct failure *why)
{
	size_t strings = count_strings(plan->bytes, plan->size);
	size_t records = strings / 2 + 1;

	if (records > PLAN_MAX_RECORDS)
		records = PLAN_MAX_RECORDS;
	plan->records = calloc(records, sizeof(*plan->records));
	/* Every argv takes its arguments and a NULL; a record has at least two strings. */
	plan->arguments = calloc(strings + 1, sizeof(*plan->arguments));
	if (plan->records == NULL || plan->arguments == NULL)
		return fail(why, "plan", "memory");
	return 0;
}

static int take_record(struct plan *plan, struct cursor *cursor, char ***argument,
		       struct failure *why)
{
	char *name = take_string(cursor);
	char *count = name == NULL ? NULL : take_string(cursor);
	struct record *record = &plan->records[plan->count];
	uint64_t argc;

	if (count == NULL || !number_parse(count, 10, PLAN_MAX_BYTES, &argc))
		return refuse(why, name == NULL ? "end" : name);
	if (plan->count == PLAN_MAX_RECORDS - 1)
		return refuse(why, "too many records");
	record->name = name;
	record->argc = (size_t)argc;
	record->argv = *argument;
	for (uint64_t i = 0; i < argc; i++) {
		char *text = take_string(cursor);

		if (text == NULL)
			return refuse(why, name);
		*(*argument)++ = text;
	}
	*(*argument)++ = NULL;
	plan->count++;
	return 0;
}

static int check_record(const struct plan *plan, const struct record *record, struct failure *why)
{
	const struct record_rule *rule = plan_rule(record->name);

	if (rule == NULL || !plan_arguments_match(rule, record))
		return refuse(why, record->name);
	if (!rule->repeats && plan_find(plan, record->name) != record)
		return refuse(why, record->name);
	return 0;
}

static int parse_records(struct plan *plan, struct cursor *cursor, struct failure *why)
{
	char **argument = plan->arguments;

	for (;;) {
		const struct record *record = &plan->records[plan->count];

		if (take_record(plan, cursor, &argument, why) < 0)
			return -1;
		if (strcmp(record->name, "end") != 0) {
			if (check_record(plan, record, why) < 0)
				return -1;
			continue;
		}
		if (record->argc != 0 || cursor->at != cursor->end)
			return refuse(why, "end");
		plan->count--;
		return 0;
	}
}

int plan_parse(struct plan *plan, char *bytes, size_t size, struct failure *why)
{
	struct cursor cursor = { bytes, bytes + size };
	const char *magic;
	const char *version;

	*plan = (struct plan){ .bytes = bytes, .size = size, .fd = -1 };
	magic = take_string(&cursor);
	version = magic == NULL ? NULL : take_string(&cursor);
	if (version == NULL || strcmp(magic, "tsman-plan") != 0 || strcmp(version, "1") != 0)
		return refuse(why, "tsman-plan");
	if (allocate(plan, why) < 0)
		return -1;
	return parse_records(plan, &cursor, why);
}

static int read_whole(int fd, char *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, bytes + done, size - done, (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0) {
			errno = EBADMSG;
			return -1;
		}
		done += (size_t)got;
	}
	return 0;
}

int plan_read_fd(struct plan *plan, int fd, struct failure *why)
{
	struct stat status;
	char *bytes;
	size_t size;

	if (fstat(fd, &status) < 0)
		return fail(why, "plan", "fstat");
	if (status.st_size <= 0 || status.st_size > (off_t)PLAN_MAX_BYTES)
		return fail_errno(why, "plan", "size", EBADMSG);
	size = (size_t)status.st_size;
	bytes = calloc(1, size);
	if (bytes == NULL)
		return fail(why, "plan", "memory");
	if (read_whole(fd, bytes, size) < 0) {
		free(bytes);
		return fail(why, "plan", "read");
	}
	if (plan_parse(plan, bytes, size, why) < 0)
		return -1;
	plan->fd = fd;
	return 0;
}

int plan_read(struct plan *plan, const char *path, struct failure *why)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return fail(why, "plan", path);
	/* Somebody else's file, or a FIFO put in its place, is not a plan of ours. */
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid()) {
		close(fd);
		return fail_errno(why, "plan", path, EPERM);
	}
	if (plan_read_fd(plan, fd, why) < 0) {
		close(fd);
		return -1;
	}
	return 0;
}

void plan_free(struct plan *plan)
{
	free(plan->bytes);
	free(plan->records);
	free(plan->arguments);
	if (plan->fd >= 0)
		close(plan->fd);
	*plan = (struct plan){ .fd = -1 };
}

const struct record *plan_next(const struct plan *plan, const char *name,
			       const struct record *after)
{
	const struct record *record = after == NULL ? plan->records : after + 1;

	for (; record < plan->records + plan->count; record++)
		if (strcmp(record->name, name) == 0)
			return record;
	return NULL;
}

const struct record *plan_find(const struct plan *plan, const char *name)
{
	return plan_next(plan, name, NULL);
}

/* A box without these would run a program on the host's root or with the caller's powers. */
static const struct {
	unsigned int verbs;
	const char *name;
} required[] = {
	{ PLAN_BOX, "namespaces" },
	{ PLAN_BOX, "run-dir" },
	{ PLAN_BOX, "pivot" },
	{ PLAN_EXEC, "target" },
	{ PLAN_ATTACH, "run-dir" },
	{ PLAN_BOX | PLAN_EXEC, "capabilities" },
	{ PLAN_BOX | PLAN_UNSHARE | PLAN_FS | PLAN_NET, "userns" },
	{ PLAN_NET, "id" },
	{ PLAN_NET, "net-dir" },
	{ PLAN_BOX | PLAN_EXEC | PLAN_UNSHARE, "exec" },
};

int plan_check_verb(const struct plan *plan, enum plan_verb verb, struct failure *why)
{
	for (size_t i = 0; i < plan->count; i++)
		if ((plan_rule(plan->records[i].name)->verbs & (unsigned int)verb) == 0)
			return refuse(why, plan->records[i].name);
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
		if ((required[i].verbs & (unsigned int)verb) != 0 &&
		    plan_find(plan, required[i].name) == NULL)
			return refuse(why, required[i].name);
	if (plan_find(plan, "exec") != NULL &&
	    strcmp(plan->records[plan->count - 1].name, "exec") != 0)
		return refuse(why, "exec");
	return 0;
}
