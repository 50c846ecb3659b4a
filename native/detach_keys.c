#include "detach_keys.h"

#include <string.h>

static unsigned int nibble(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (unsigned int)(digit - '0');
	return ((unsigned int)digit | 0x20u) - 'a' + 10;
}

void detach_keys_read(struct detach_keys *detach, const struct plan *plan)
{
	const struct record *record = plan_find(plan, "detach-keys");
	const char *hex = record != NULL ? record->argv[0] : "";

	*detach = (struct detach_keys){ .count = 0 };
	while (hex[0] != '\0' && hex[1] != '\0' && detach->count < DETACH_KEYS_MAX) {
		detach->keys[detach->count++] = (unsigned char)(nibble(hex[0]) << 4 | nibble(hex[1]));
		hex += 2;
	}
}

/* `key` does not go on with what is held back. Find the longest end of it that is again
 * a beginning of the sequence (ctrl-p ctrl-p ctrl-p ctrl-q with the keys p p q); what
 * comes before that end is given out. */
static size_t fall_back(struct detach_keys *detach, unsigned char key, unsigned char *out)
{
	size_t given = 0;

	while (detach->matched > 0 && detach->keys[detach->matched] != key) {
		size_t keep = detach->matched - 1;

		while (keep > 0 && memcmp(detach->keys, detach->keys + detach->matched - keep, keep) != 0)
			keep--;
		memcpy(out + given, detach->keys, detach->matched - keep);
		given += detach->matched - keep;
		detach->matched = keep;
	}
	return given;
}

size_t detach_keys_filter(struct detach_keys *detach, const unsigned char *in, size_t size,
			  unsigned char *out, bool *detached)
{
	size_t length = 0;

	*detached = false;
	if (detach->count == 0) {
		memcpy(out, in, size);
		return size;
	}
	for (size_t i = 0; i < size; i++) {
		length += fall_back(detach, in[i], out + length);
		if (detach->keys[detach->matched] != in[i]) {
			out[length++] = in[i];
			continue;
		}
		if (++detach->matched == detach->count) {
			*detached = true;
			return length;
		}
	}
	return length;
}
