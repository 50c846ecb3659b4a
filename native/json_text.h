/* Bytes of any origin as the inside of a JSON string. */
#ifndef TSMAN_JSON_TEXT_H
#define TSMAN_JSON_TEXT_H

#include <stddef.h>

/* The most bytes one byte of input becomes: \u0000. */
#define JSON_GROWTH 6

/* A UTF-8 sequence whose rest has not come yet. */
struct json_text {
	unsigned char bytes[4];
	unsigned char have;
};

/* Append `size` bytes, escaped, to `out`; returns the bytes written, at most
 * JSON_GROWTH * (size + 1). What is not UTF-8 becomes U+FFFD, one for each maximal
 * broken part. An unfinished sequence at the end waits in `partial` for the next
 * call; size 0 says that none will come. */
size_t json_escape(struct json_text *partial, char *out, const char *bytes, size_t size);

#endif
