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

/* A proleptic Gregorian date from days since 1970 (Howard Hinnant, "chrono-compatible
 * low-level date algorithms", civil_from_days). */
void text_add_date(struct text *text, int64_t days)
{
	int64_t shifted = days + 719468;
	int64_t era = shifted / 146097;
	int64_t day_of_era = shifted - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
			       day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	int64_t day = day_of_year - (153 * month + 2) / 5 + 1;

	month = month < 10 ? month + 3 : month - 9;
	text_add_padded(text, (uint64_t)(year_of_era + era * 400 + (month <= 2)), 4);
	text_add(text, "-");
	text_add_padded(text, (uint64_t)month, 2);
	text_add(text, "-");
	text_add_padded(text, (uint64_t)day, 2);
}
