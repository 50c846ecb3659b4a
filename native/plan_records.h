/* Which records exist, for which verbs, with which arguments. Private to plan.c. */
#ifndef TSMAN_PLAN_RECORDS_H
#define TSMAN_PLAN_RECORDS_H

#include <stdbool.h>

#include "plan.h"

struct record_rule {
	const char *name;
	unsigned int verbs; /* PLAN_BOX | … */
	bool repeats;
	/* One letter for each argument:
	 *   s any string   p not empty       n 32-bit number  N 64-bit number
	 *   i signed       x 64-bit hex      o octal mode     b hex bytes
	 *   l rlimit value e NAME=VALUE      w one of words   k comma list of words
	 * then ? = the rest is optional, * = more strings, + = at least one more. */
	const char *arguments;
	const char *words; /* comma-separated, for w and k */
};

const struct record_rule *plan_rule(const char *name);
/* The arguments of `record` are what `rule` says. */
bool plan_arguments_match(const struct record_rule *rule, const struct record *record);

#endif
