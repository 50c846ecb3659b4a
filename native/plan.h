/* The plan: records read whole and checked before anything happens. See README.md, "Plan". */
#ifndef TSMAN_PLAN_H
#define TSMAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"

struct record {
	const char *name;
	size_t argc;
	char **argv; /* argc strings, then NULL */
};

struct plan {
	char *bytes;
	size_t size;
	struct record *records;
	size_t count;
	char **arguments; /* backing store of every argv */
	int fd;           /* the plan file, kept for the re-executed container process; -1 = none */
};

enum plan_verb {
	PLAN_BOX = 1,
	PLAN_EXEC = 2,
	PLAN_ATTACH = 4,
	PLAN_UNSHARE = 8,
	PLAN_FS = 16,
	PLAN_NET = 32,
};
#define PLAN_ALL (PLAN_BOX | PLAN_EXEC | PLAN_ATTACH | PLAN_UNSHARE | PLAN_FS | \
		  PLAN_NET)

/* Read and check the plan at `path`. Returns 0, or -1 with *why filled. */
int plan_read(struct plan *plan, const char *path, struct failure *why);
/* The same from an open descriptor, which the plan then owns. */
int plan_read_fd(struct plan *plan, int fd, struct failure *why);
/* Parse bytes (kept, not copied). For plan_read and the fuzzer. */
int plan_parse(struct plan *plan, char *bytes, size_t size, struct failure *why);
/* Every record is one that the verb knows, and the ones it cannot do without are there. */
int plan_check_verb(const struct plan *plan, enum plan_verb verb, struct failure *why);
void plan_free(struct plan *plan);

/* First record called `name`, or NULL. */
const struct record *plan_find(const struct plan *plan, const char *name);
/* Next record called `name` after `after` (NULL = from the start), or NULL. */
const struct record *plan_next(const struct plan *plan, const char *name,
			       const struct record *after);

/* `word` is one of the comma-separated words in `list`. */
bool plan_list_has(const char *list, const char *word);

#endif
