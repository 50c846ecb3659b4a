/* Numbers as the plan, /proc and passwd write them: strict, no signs, no blanks. */
#ifndef TSMAN_NUMBERS_H
#define TSMAN_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The whole of `text` is a number in `base` (8, 10 or 16, no prefix) not above `maximum`. */
bool number_parse(const char *text, unsigned int base, uint64_t maximum, uint64_t *value);
/* The same for `length` bytes that need no terminator. */
bool number_parse_bytes(const char *text, size_t length, unsigned int base, uint64_t maximum,
			uint64_t *value);
/* Decimal with an optional minus, between -maximum and maximum. */
bool number_parse_signed(const char *text, int maximum, int *value);

/* For arguments that plan_parse has already checked; 0 for anything else. */
uint64_t number_of(const char *text);
uint64_t number_of_base(const char *text, unsigned int base);

#endif
