/* Restart policies: whether and when an ended container runs again.
 *
 * What the user wants is kept apart from what is: TypeScript writes "stopped" into
 * container-dir/wanted before it ends a container and removes the file before it starts
 * one; "policy WORD MAX" there takes the place of the plan's policy until then. The delays are Docker's (moby, restartmanager). */
#include "restart.h"

#include <stdlib.h>
#include <string.h>

#include "process.h"

#define FIRST_DELAY_MS 100
#define LONGEST_DELAY_MS 60000
#define STEADY_MS 10000 /* having run so long, it starts afresh */

/* container-dir/wanted, or "" when there is none. */
static void read_wanted(const struct monitor *monitor, char *text, size_t size)
{
	if (monitor->container_dir < 0 ||
	    read_small_file(monitor->container_dir, "wanted", text, size) < 0)
		text[0] = '\0';
}

bool restart_is_wanted(const struct monitor *monitor)
{
	char text[64];

	read_wanted(monitor, text, sizeof text);
	return strncmp(text, "stopped", 7) != 0;
}

static bool policy_allows(const struct monitor *monitor, const struct ending *ending)
{
	const struct record *policy = plan_find(monitor->plan, "restart");
	const char *word, *number;
	char changed[64];
	uint64_t most;

	if (policy == NULL)
		return false;
	word = policy->argv[0];
	number = policy->argv[1];
	read_wanted(monitor, changed, sizeof changed);
	if (strncmp(changed, "policy ", 7) == 0) {
		word = changed + 7;
		changed[7 + strcspn(word, " \n")] = '\0';
		number = word + strlen(word) + 1;
	}
	if (strcmp(word, "no") == 0)
		return false;
	if (strcmp(word, "always") == 0)
		return true;
	most = strtoull(number, NULL, 10);
	return ending->code != 0 && (most == 0 || monitor->restarts < most);
}

int64_t restart_delay(const struct monitor *monitor, const struct ending *ending, int64_t ran_ms,
		      bool forced)
{
	static int64_t delay;

	if (!(forced || policy_allows(monitor, ending)) || !restart_is_wanted(monitor))
		return -1;
	delay = ran_ms >= STEADY_MS || delay == 0 ? FIRST_DELAY_MS : delay * 2;
	if (delay > LONGEST_DELAY_MS)
		delay = LONGEST_DELAY_MS;
	return delay;
}
