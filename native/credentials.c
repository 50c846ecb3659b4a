/* From root of the user namespace to the plan's user: the order is the whole point.
 *
 *   1. bounding set          needs CAP_SETPCAP, so before anything is given up
 *   2. groups, gid, uid      needs CAP_SETGID, CAP_SETUID; PR_SET_KEEPCAPS carries the rest over
 *   3. seccomp without no-new-privileges    needs CAP_SYS_ADMIN, so before 5
 *   4. working directory     as the user, with the user's groups, before seccomp's rules in 7
 *   5. final capabilities
 *   6. parent-death signal   the kernel clears it on every change of 2 and 5
 *   7. no_new_privs, then seccomp
 */
#include <linux/capability.h>
#include <linux/prctl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "groups.h"
#include "numbers.h"
#include "stage.h"
#include "syscalls.h"

struct sets {
	uint64_t effective;
	uint64_t permitted;
	uint64_t inheritable;
};

static int set_capabilities(const struct sets *sets, struct failure *why)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (unsigned int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(sets->effective >> (32 * i));
		data[i].permitted = (uint32_t)(sets->permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(sets->inheritable >> (32 * i));
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return fail(why, "capset", "");
	return 0;
}

static int get_permitted(uint64_t *permitted, struct failure *why)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return fail(why, "capget", "");
	*permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

static int drop_bounding(uint64_t keep, struct failure *why)
{
	for (unsigned int capability = 0; capability < 64; capability++) {
		if ((keep >> capability & 1) != 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
			/* Past the last capability this kernel knows. */
			if (errno == EINVAL && capability > CAP_AUDIT_READ)
				return 0;
			return fail(why, "bounding set", "");
		}
	}
	return 0;
}

static int set_ids(struct stage *stage, struct failure *why)
{
	const struct identity *identity = &stage->identity;

	if (plan_find(stage->plan, "keep-groups") == NULL &&
	    groups_set(identity->groups, identity->group_count, why) < 0)
		return -1;
	if (setresgid(identity->gid, identity->gid, identity->gid) < 0)
		return fail(why, "setresgid", "");
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return fail(why, "prctl", "keepcaps");
	if (setresuid(identity->uid, identity->uid, identity->uid) < 0)
		return fail(why, "setresuid", "");
	return 0;
}

static int raise_ambient(uint64_t ambient, struct failure *why)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return fail(why, "ambient set", "clear");
	for (unsigned int capability = 0; capability < 64; capability++)
		if ((ambient >> capability & 1) != 0 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0)
			return fail(why, "ambient set", "raise");
	return 0;
}

/* What the plan gives, as far as we have it ourselves: a bit this kernel lacks is no reason to
 * fail, and nothing is gained by asking for more. */
static int final_capabilities(struct stage *stage, const struct record *record, uint64_t permitted,
			      struct failure *why)
{
	uint64_t ambient = number_of_base(record->argv[3], 16) & permitted;
	struct sets sets = {
		.effective = number_of_base(record->argv[1], 16) & permitted,
		.inheritable = number_of_base(record->argv[2], 16) & permitted,
	};

	if (stage->identity.uid != 0)
		sets.effective = ambient;
	sets.permitted = sets.effective;
	if (set_capabilities(&sets, why) < 0)
		return -1;
	return raise_ambient(ambient, why);
}

/* Die with the monitor; and if it died before we asked, its end of the socket is closed. */
static int die_with_monitor(struct stage *stage, struct failure *why)
{
	char byte;

	if (plan_find(stage->plan, "target") != NULL || stage->sync < 0)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return fail(why, "prctl", "pdeathsig");
	if (recv(stage->sync, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		return fail_errno(why, "monitor", "ended", ECHILD);
	return 0;
}

static int change_ids(struct stage *stage, const struct record *capabilities,
		      struct failure *why)
{
	struct sets full = { 0 };

	if (get_permitted(&full.permitted, why) < 0)
		return -1;
	if (capabilities != NULL &&
	    drop_bounding(number_of_base(capabilities->argv[0], 16), why) < 0)
		return -1;
	if (set_ids(stage, why) < 0)
		return -1;
	/* Leaving uid 0 emptied the effective set; the next steps still need it. */
	full.effective = full.permitted;
	if (stage->identity.uid != 0 && capabilities != NULL && set_capabilities(&full, why) < 0)
		return -1;
	if (plan_find(stage->plan, "no-new-privileges") == NULL && filter_load(stage, why) < 0)
		return -1;
	if (working_directory_enter(stage, why) < 0)
		return -1;
	if (capabilities == NULL)
		return 0;
	return final_capabilities(stage, capabilities, full.permitted, why);
}

int credentials_apply(struct stage *stage, struct failure *why)
{
	const struct record *capabilities = plan_find(stage->plan, "capabilities");

	if (stage->has_identity || capabilities != NULL) {
		if (change_ids(stage, capabilities, why) < 0)
			return -1;
	} else if (working_directory_enter(stage, why) < 0) {
		return -1;
	}
	if (die_with_monitor(stage, why) < 0)
		return -1;
	if (plan_find(stage->plan, "no-new-privileges") == NULL)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(why, "no-new-privileges", "");
	return filter_load(stage, why);
}
