/* The key sequence that leaves a container running. */
#ifndef TSMAN_DETACH_KEYS_H
#define TSMAN_DETACH_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "plan.h"

#define DETACH_KEYS_MAX 32

struct detach_keys {
	unsigned char keys[DETACH_KEYS_MAX];
	size_t count;   /* 0 = cannot be detached */
	size_t matched; /* typed so far and held back */
};

/* From the plan's `detach-keys`. */
void detach_keys_read(struct detach_keys *detach, const struct plan *plan);
/* Copy typed bytes to `out`, which must have room for size + DETACH_KEYS_MAX, holding
 * back what may be the beginning of the sequence, over several calls if need be.
 * Returns the bytes in out; *detached when the sequence is complete. */
size_t detach_keys_filter(struct detach_keys *detach, const unsigned char *in, size_t size,
			  unsigned char *out, bool *detached);

#endif
