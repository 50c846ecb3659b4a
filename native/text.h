/* Building small texts without stdio: the monitor stays resident, and printf would
 * bring tens of pages of code and locale data into its memory. */
#ifndef TSMAN_TEXT_H
#define TSMAN_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct text {
	char bytes[1024]; /* what does not fit is cut off: every text made here is far shorter */
	size_t length;
};

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const char *bytes, size_t size);
void text_add_number(struct text *text, uint64_t number);
/* At least `width` digits, filled with zeros: 7 as 007. */
void text_add_padded(struct text *text, uint64_t number, unsigned int width);
/* 2026-11-22, from days since 1970. */
void text_add_date(struct text *text, int64_t days);
/* UNIX.NANOS with nine digits of nanoseconds. */
void text_add_time(struct text *text, const struct timespec *time);

#endif
