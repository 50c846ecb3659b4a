/* Random passwd and group files, and random user specifications. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_memberships(const char *bytes, size_t size, struct text member)
{
	static gid_t gids[USER_MAX_GROUPS];
	size_t count = group_memberships(bytes, size, member, gids, 0);

	if (count > USER_MAX_GROUPS)
		abort();
	for (size_t i = 0; i < count; i++)
		if (gids[i] == (gid_t)-1)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct passwd_entry entry;
	struct user_key key = { .name = "web" };
	char *bytes = malloc(size + 1);
	gid_t gid;
	uint32_t id;

	memcpy(bytes, data, size);
	bytes[size] = '\0';
	for (int turn = 0; turn < 2; turn++) {
		if (passwd_find(bytes, size, &key, &entry)) {
			if (entry.uid == (uid_t)-1 || entry.gid == (gid_t)-1)
				abort();
			check_memberships(bytes, size, entry.name);
		}
		if (group_find(bytes, size, &key, &gid) && gid == (gid_t)-1)
			abort();
		key = (struct user_key){ .id = 1000 };
	}
	if (user_id_parse(bytes, size, &id) && id == UINT32_MAX)
		abort();
	free(bytes);
	return 0;
}
