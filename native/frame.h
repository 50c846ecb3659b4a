/* The attach stream's frames. See README.md, "Attach stream". */
#ifndef TSMAN_FRAME_H
#define TSMAN_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER 8
#define FRAME_PAYLOAD 262144
#define FRAME_INPUT 65536 /* the most that a client puts in one frame */

enum frame_type {
	FRAME_STDIN = 0,
	FRAME_STDOUT = 1,
	FRAME_STDERR = 2,
	FRAME_RESIZE = 16,
	FRAME_SIGNAL = 17,
	FRAME_HELLO = 18,
	FRAME_END = 19,
	FRAME_TERMINAL = 20,
};

/* The flags of a hello. */
enum frame_wants {
	WANTS_STDIN = 1,
	WANTS_STDOUT = 2,
	WANTS_STDERR = 4,
	HANDS_STDOUT = 16, /* its stdout is a pipe and comes along (SCM_RIGHTS, unix(7)) */
	HANDS_STDERR = 32,
};

static inline void frame_header(unsigned char *header, enum frame_type type, size_t size)
{
	header[0] = (unsigned char)type;
	header[1] = header[2] = header[3] = 0;
	header[4] = (unsigned char)(size >> 24);
	header[5] = (unsigned char)(size >> 16);
	header[6] = (unsigned char)(size >> 8);
	header[7] = (unsigned char)size;
}

static inline uint32_t frame_size(const unsigned char *header)
{
	return (uint32_t)header[4] << 24 | (uint32_t)header[5] << 16 |
	       (uint32_t)header[6] << 8 | (uint32_t)header[7];
}

/* A header may be followed: known padding, and a payload that fits. */
static inline int frame_is_sane(const unsigned char *header)
{
	return header[1] == 0 && header[2] == 0 && header[3] == 0 &&
	       frame_size(header) <= FRAME_PAYLOAD;
}

#endif
