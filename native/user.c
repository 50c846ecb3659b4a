/* Resolving a user. See user.h.
 *
 * The grammar is strict because a lenient one ran programs as the wrong user
 * (CVE-2026-30892): all digits is an id, anything else a name; "1000:", "-1",
 * "4294967295", blanks and control characters are refused. */
#include "user.h"

#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "syscalls.h"

#define FILE_LIMIT (4U << 20)
#define NAME_LIMIT 256

struct user_files {
	char *passwd;
	size_t passwd_size;
	char *group;
	size_t group_size;
};

/* No such file is an empty one; a FIFO, a device or a huge one is an error. */
static int read_file(int root, const char *path, char **bytes, size_t *size, struct failure *why)
{
	*size = 0;
	*bytes = inside_read_file(root, path, FILE_LIMIT, size);
	if (*bytes == NULL && (errno == ENOENT || errno == ENOTDIR))
		*bytes = calloc(1, 1);
	return *bytes == NULL ? fail(why, "user", path) : 0;
}

static int load(int root, struct user_files *files, struct failure *why)
{
	*files = (struct user_files){ 0 };
	if (read_file(root, "/etc/passwd", &files->passwd, &files->passwd_size, why) < 0)
		return -1;
	return read_file(root, "/etc/group", &files->group, &files->group_size, why);
}

static void unload(struct user_files *files)
{
	free(files->passwd);
	free(files->group);
}

static bool is_name(const char *text)
{
	if (*text == '-' || *text == '\0' || strlen(text) >= NAME_LIMIT)
		return false;
	for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++)
		if (*at <= ' ' || *at == 0x7f || strchr(":,/\\'\"", *at) != NULL)
			return false;
	return true;
}

/* A number or a name, as digits alone decide: an image cannot give "1000" to root. */
static int parse_key(const char *text, struct user_key *key, struct failure *why)
{
	if (strspn(text, "0123456789") == strlen(text)) {
		*key = (struct user_key){ 0 };
		if (user_id_parse(text, strlen(text), &key->id))
			return 0;
	} else if (is_name(text)) {
		*key = (struct user_key){ .name = text };
		return 0;
	}
	return fail_errno(why, "user", text, EINVAL);
}

static void set_home(struct identity *identity, struct text home)
{
	/* Only an absolute path without surprises is worth passing on. */
	if (home.length == 0 || home.length >= sizeof(identity->home) || home.start[0] != '/' ||
	    memchr(home.start, '\0', home.length) != NULL)
		return;
	memcpy(identity->home, home.start, home.length);
	identity->home[home.length] = '\0';
}

static int resolve_user(const struct user_files *files, const char *user, bool with_groups,
			struct identity *identity, struct failure *why)
{
	struct passwd_entry entry;
	struct user_key key = { 0 };

	if (*user != '\0' && parse_key(user, &key, why) < 0)
		return -1;
	if (!passwd_find(files->passwd, files->passwd_size, &key, &entry)) {
		if (key.name != NULL)
			return fail_errno(why, "user", user, ENOENT);
		identity->uid = key.id;
		return 0;
	}
	identity->uid = entry.uid;
	identity->gid = entry.gid;
	set_home(identity, entry.home);
	if (with_groups)
		identity->group_count = group_memberships(files->group, files->group_size,
							  entry.name, identity->groups, 0);
	return 0;
}

static int resolve_group(const struct user_files *files, const char *group, gid_t *gid,
			 struct failure *why)
{
	struct user_key key;

	if (parse_key(group, &key, why) < 0)
		return -1;
	if (key.name == NULL)
		*gid = key.id;
	else if (!group_find(files->group, files->group_size, &key, gid))
		return fail_errno(why, "group", group, ENOENT);
	return 0;
}

int user_resolve(int root, const char *spec, struct identity *identity, struct failure *why)
{
	char user[2 * NAME_LIMIT];
	char *group;
	struct user_files files;
	int result;

	memset(identity, 0, sizeof(*identity));
	if (strlen(spec) >= sizeof(user))
		return fail_errno(why, "user", spec, EINVAL);
	memcpy(user, spec, strlen(spec) + 1);
	group = strchr(user, ':');
	if (group != NULL)
		*group++ = '\0';
	if (group != NULL && *group == '\0') { /* "name:" is "name"; ":" is nobody */
		if (*user == '\0')
			return fail_errno(why, "user", spec, EINVAL);
		group = NULL;
	}
	result = load(root, &files, why);
	if (result == 0)
		result = resolve_user(&files, user, group == NULL, identity, why);
	if (result == 0 && group != NULL)
		result = resolve_group(&files, group, &identity->gid, why);
	unload(&files);
	return result;
}

int user_add_groups(int root, const struct record *record, struct identity *identity,
		    struct failure *why)
{
	struct user_files files;
	int result = load(root, &files, why);

	for (size_t i = 0; result == 0 && i < record->argc; i++) {
		if (identity->group_count == USER_MAX_GROUPS)
			result = fail_errno(why, "groups", record->argv[i], E2BIG);
		else
			result = resolve_group(&files, record->argv[i],
					       &identity->groups[identity->group_count], why);
		if (result == 0)
			identity->group_count++;
	}
	unload(&files);
	return result;
}
