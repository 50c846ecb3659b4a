/* Random plans: parse, check for every verb, read all arguments. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum plan_verb verbs[] = { PLAN_BOX, PLAN_EXEC, PLAN_ATTACH, PLAN_UNSHARE,
						PLAN_FS, PLAN_NET };
	static const char magic[] = "tsman-plan\0001";
	struct plan plan = { .fd = -1 };
	struct failure why = { 0 };
	/* Half of the inputs get past the first line for nothing. */
	size_t prefix = size % 2 == 0 ? sizeof(magic) : 0;
	char *bytes = malloc(prefix + size + 1);
	size_t total = 0;

	memcpy(bytes, magic, prefix);
	memcpy(bytes + prefix, data, size);
	if (plan_parse(&plan, bytes, prefix + size, &why) == 0) {
		for (size_t i = 0; i < plan.count; i++)
			for (size_t j = 0; j < plan.records[i].argc; j++)
				total += strlen(plan.records[i].argv[j]);
		for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
			why.error = 0;
			(void)plan_check_verb(&plan, verbs[i], &why);
		}
		if (total > size)
			abort();
	} else if (why.error == 0) {
		abort();
	}
	plan_free(&plan);
	return 0;
}
