/* Strict numbers. strtoul() is not used: it takes blanks, signs, and prefixes (CVE-2026-30892). */
#include "numbers.h"

#include <string.h>

static unsigned int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (unsigned int)(digit - '0');
	if (digit >= 'a' && digit <= 'f')
		return (unsigned int)(digit - 'a') + 10;
	if (digit >= 'A' && digit <= 'F')
		return (unsigned int)(digit - 'A') + 10;
	return 255;
}

bool number_parse_bytes(const char *text, size_t length, unsigned int base, uint64_t maximum,
			uint64_t *value)
{
	uint64_t result = 0;

	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned int digit = digit_value(text[i]);

		if (digit >= base || digit > maximum || result > (maximum - digit) / base)
			return false;
		result = result * base + digit;
	}
	*value = result;
	return true;
}

bool number_parse(const char *text, unsigned int base, uint64_t maximum, uint64_t *value)
{
	return number_parse_bytes(text, strlen(text), base, maximum, value);
}

bool number_parse_signed(const char *text, int maximum, int *value)
{
	bool negative = text[0] == '-';
	uint64_t magnitude;

	if (!number_parse(text + negative, 10, (uint64_t)maximum, &magnitude))
		return false;
	*value = negative ? -(int)magnitude : (int)magnitude;
	return true;
}

uint64_t number_of(const char *text)
{
	return number_of_base(text, 10);
}

uint64_t number_of_base(const char *text, unsigned int base)
{
	uint64_t value = 0;

	(void)number_parse(text, base, UINT64_MAX, &value);
	return value;
}
