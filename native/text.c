#include "text.h"

#include <string.h>

void text_add_bytes(struct text *text, const char *bytes, size_t size)
{
	size_t room = sizeof text->bytes - text->length;

	if (size > room)
		size = room;
	memcpy(text->bytes + text->length, bytes, size);
	text->length += size;
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_add_padded(struct text *text, uint64_t number, unsigned int width)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	while (at > 0 && sizeof digits - at < width)
		digits[--at] = '0';
	text_add_bytes(text, digits + at, sizeof digits - at);
}

void text_add_number(struct text *text, uint64_t number)
{
	text_add_padded(text, number, 1);
}

void text_add_time(struct text *text, const struct timespec *time)
{
	text_add_number(text, (uint64_t)time->tv_sec);
	text_add(text, ".");
	text_add_padded(text, (uint64_t)time->tv_nsec, 9);
}
