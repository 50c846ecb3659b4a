/* Lines of passwd and group files, which an attacker may have written. */
#ifndef TSMAN_USER_FILE_H
#define TSMAN_USER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define USER_MAX_GROUPS 1024

struct text {
	const char *start;
	size_t length;
};

struct passwd_entry {
	uid_t uid;
	gid_t gid;
	struct text name;
	struct text home;
};

/* What to look for: a name, or (name NULL) an id. */
struct user_key {
	const char *name;
	uint32_t id;
};

bool passwd_find(const char *bytes, size_t size, const struct user_key *key,
		 struct passwd_entry *entry);
bool group_find(const char *bytes, size_t size, const struct user_key *key, gid_t *gid);
/* Add the groups that list `member` to gids. Returns the new count; never above USER_MAX_GROUPS. */
size_t group_memberships(const char *bytes, size_t size, struct text member, gid_t *gids,
			 size_t count);
/* A decimal id that is not the "no change" of setresuid(2). */
bool user_id_parse(const char *text, size_t length, uint32_t *id);

#endif
