/* The plan: records read whole and checked before anything happens. See README.md, "Plan". */
#ifndef TSMAN_PLAN_H
#define TSMAN_PLAN_H

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
};

/* Read and check the plan at `path`. Returns 0, or -1 with *why filled. */
int plan_read(struct plan *plan, const char *path, struct failure *why);
/* Parse bytes (kept, not copied). For plan_read and the fuzzer. */
int plan_parse(struct plan *plan, char *bytes, size_t size, struct failure *why);
void plan_free(struct plan *plan);

/* First record called `name`, or NULL. */
const struct record *plan_find(const struct plan *plan, const char *name);
/* Next record called `name` after `after` (NULL = from the start), or NULL. */
const struct record *plan_next(const struct plan *plan, const char *name,
			       const struct record *after);

#endif
