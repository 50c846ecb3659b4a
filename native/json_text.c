#include "json_text.h"

#include <stdbool.h>
#include <string.h>

static const char replacement[] = "\\ufffd";

/* Length of the sequence that `lead` begins; 0 when no sequence begins so (Unicode 15, table 3-7). */
static unsigned int sequence_length(unsigned char lead)
{
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

/* May `byte` follow what is held? The second byte is what rules out overlong forms,
 * surrogates and anything above U+10FFFF. */
static bool continues(const struct json_text *held, unsigned char byte)
{
	unsigned char low = 0x80, high = 0xbf;

	if (held->have == 1) {
		switch (held->bytes[0]) {
		case 0xe0: low = 0xa0; break;
		case 0xed: high = 0x9f; break;
		case 0xf0: low = 0x90; break;
		case 0xf4: high = 0x8f; break;
		default: break;
		}
	}
	return byte >= low && byte <= high;
}

static size_t put_replacement(char *out)
{
	memcpy(out, replacement, sizeof replacement - 1);
	return sizeof replacement - 1;
}

static size_t escape_ascii(char *out, unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";
	char letter = 0;

	switch (byte) {
	case '"': case '\\': letter = (char)byte; break;
	case '\n': letter = 'n'; break;
	case '\r': letter = 'r'; break;
	case '\t': letter = 't'; break;
	default: break;
	}
	if (letter != 0) {
		out[0] = '\\';
		out[1] = letter;
		return 2;
	}
	memcpy(out, "\\u00", 4);
	out[4] = hex[byte >> 4];
	out[5] = hex[byte & 15];
	return 6;
}

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* One byte that is not plain ASCII, or that follows an unfinished sequence. */
static size_t escape_byte(struct json_text *held, char *out, unsigned char byte)
{
	size_t length = 0;

	if (held->have > 0 && continues(held, byte)) {
		held->bytes[held->have++] = byte;
		if (held->have < sequence_length(held->bytes[0]))
			return 0;
		length = held->have;
		memcpy(out, held->bytes, length);
		held->have = 0;
		return length;
	}
	if (held->have > 0) {
		length = put_replacement(out);
		held->have = 0;
	}
	if (is_plain(byte)) {
		out[length++] = (char)byte;
	} else if (byte < 0x80) {
		length += escape_ascii(out + length, byte);
	} else if (sequence_length(byte) > 0) {
		held->bytes[0] = byte;
		held->have = 1;
	} else {
		length += put_replacement(out + length);
	}
	return length;
}

size_t json_escape(struct json_text *partial, char *out, const char *bytes, size_t size)
{
	size_t length = 0, at = 0;

	if (size == 0 && partial->have > 0) {
		partial->have = 0;
		return put_replacement(out);
	}
	while (at < size) {
		size_t run = at;

		if (partial->have == 0)
			while (run < size && is_plain((unsigned char)bytes[run]))
				run++;
		if (run > at) {
			memcpy(out + length, bytes + at, run - at);
			length += run - at;
			at = run;
		} else {
			length += escape_byte(partial, out + length, (unsigned char)bytes[at++]);
		}
	}
	return length;
}
