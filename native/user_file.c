/* passwd(5) and group(5) without NSS: nothing found in a container is ever loaded or run
 * (CVE-2019-14271). Lines that do not parse are skipped. See user_file.h. */
#include "user_file.h"

#include <string.h>

#include "numbers.h"

#define MAX_FIELDS 7

bool user_id_parse(const char *text, size_t length, uint32_t *id)
{
	uint64_t number;

	/* 4294967295 is (uid_t)-1, which setresuid(2) takes as "leave it" (CVE-2026-30892). */
	if (!number_parse_bytes(text, length, 10, UINT32_MAX - 1, &number))
		return false;
	*id = (uint32_t)number;
	return true;
}

/* Split a line at colons; the last field takes the rest. Returns how many there are. */
static size_t split(struct text line, struct text fields[MAX_FIELDS], size_t wanted)
{
	size_t count = 0;

	while (count < wanted) {
		const char *colon = line.length == 0
					    ? NULL : memchr(line.start, ':', line.length);

		if (colon == NULL || count == wanted - 1) {
			fields[count++] = line;
			return count;
		}
		fields[count].start = line.start;
		fields[count++].length = (size_t)(colon - line.start);
		line.length -= (size_t)(colon + 1 - line.start);
		line.start = colon + 1;
	}
	return count;
}

/* The next line of [*at, end), without its newline. */
static bool next_line(const char **at, const char *end, struct text *line)
{
	const char *newline;

	if (*at >= end)
		return false;
	newline = memchr(*at, '\n', (size_t)(end - *at));
	line->start = *at;
	line->length = (size_t)((newline == NULL ? end : newline) - *at);
	*at = newline == NULL ? end : newline + 1;
	return true;
}

static bool text_is(struct text text, const char *other, size_t length)
{
	return text.length == length && memcmp(text.start, other, length) == 0;
}

static bool key_matches(const struct user_key *key, struct text name, uint32_t id)
{
	if (key->name == NULL)
		return key->id == id;
	return text_is(name, key->name, strlen(key->name));
}

bool passwd_find(const char *bytes, size_t size, const struct user_key *key,
		 struct passwd_entry *entry)
{
	const char *at = bytes;
	struct text line;
	struct text fields[MAX_FIELDS];
	uint32_t uid;
	uint32_t gid;

	while (next_line(&at, bytes + size, &line)) {
		if (split(line, fields, 7) < 6 || fields[0].length == 0 ||
		    !user_id_parse(fields[2].start, fields[2].length, &uid) ||
		    !user_id_parse(fields[3].start, fields[3].length, &gid) ||
		    !key_matches(key, fields[0], uid))
			continue;
		*entry = (struct passwd_entry){ uid, gid, fields[0], fields[5] };
		return true;
	}
	return false;
}

bool group_find(const char *bytes, size_t size, const struct user_key *key, gid_t *gid)
{
	const char *at = bytes;
	struct text line;
	struct text fields[MAX_FIELDS];
	uint32_t id;

	while (next_line(&at, bytes + size, &line)) {
		if (split(line, fields, 4) < 3 || fields[0].length == 0 ||
		    !user_id_parse(fields[2].start, fields[2].length, &id) ||
		    !key_matches(key, fields[0], id))
			continue;
		*gid = id;
		return true;
	}
	return false;
}

static bool lists_member(struct text members, struct text member)
{
	while (members.length > 0) {
		const char *comma = memchr(members.start, ',', members.length);
		size_t length = comma == NULL ? members.length : (size_t)(comma - members.start);

		if (text_is(member, members.start, length))
			return true;
		if (comma == NULL)
			return false;
		members.start += length + 1;
		members.length -= length + 1;
	}
	return false;
}

size_t group_memberships(const char *bytes, size_t size, struct text member, gid_t *gids,
			 size_t count)
{
	const char *at = bytes;
	struct text line;
	struct text fields[MAX_FIELDS];
	uint32_t id;

	while (count < USER_MAX_GROUPS && next_line(&at, bytes + size, &line))
		if (split(line, fields, 4) == 4 &&
		    user_id_parse(fields[2].start, fields[2].length, &id) &&
		    lists_member(fields[3], member))
			gids[count++] = id;
	return count;
}
