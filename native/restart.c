/* Restart policies: whether and when an ended container runs again.
 *
 * What the user wants is kept apart from what is: TypeScript writes "stopped" into
 * container-dir/wanted before it ends a container and removes the file before it starts
 * one. The delays are Docker's (moby, restartmanager). */
#include "restart.h"

#include <string.h>

#include "numbers.h"
#include "process.h"

#define FIRST_DELAY_MS 100
#define LONGEST_DELAY_MS 60000
#define STEADY_MS 10000 /* having run so long, it starts afresh */

bool restart_is_wanted(const struct monitor *monitor)
{
	char text[32];

	if (monitor->container_dir < 0 ||
	    read_small_file(monitor->container_dir, "wanted", text, sizeof text) < 0)
		return true;
	return strncmp(text, "stopped", 7) != 0;
}

static bool policy_allows(const struct monitor *monitor, const struct ending *ending)
{
	const struct record *policy = plan_find(monitor->plan, "restart");
	uint64_t most;

	if (policy == NULL)
		return false;
	if (strcmp(policy->argv[0], "always") == 0)
		return true;
	most = number_of(policy->argv[1]);
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
