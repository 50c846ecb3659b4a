/* Frames of the fs stream: reading requests from stdin, writing replies to stdout. */
#ifndef TSMAN_FS_STREAM_H
#define TSMAN_FS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

#define FS_PAYLOAD_MAX (1u << 20)

enum fs_reply {
	FS_READY = 1,
	FS_OK = 2,
	FS_FAILED = 3,
	FS_ENTRY = 4,
	FS_DATA = 5,
	FS_END = 6,
};

/* A request being read; also any part of one. `bad` once something was missing. */
struct fs_reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

uint32_t fs_u32(struct fs_reader *reader);
uint64_t fs_u64(struct fs_reader *reader);
/* `length` bytes, or NULL (and bad) when there are fewer. */
const uint8_t *fs_bytes(struct fs_reader *reader, size_t length);

/* The next request. 1, 0 at the end of input, or -1. The payload is valid until the next call. */
int fs_next(uint8_t *operation, struct fs_reader *payload);

/* One reply is built between begin and end; nothing is written before end or a flush. */
void fs_reply_begin(enum fs_reply type);
void fs_put_u32(uint32_t value);
void fs_put_u64(uint64_t value);
/* Length, then the bytes. */
void fs_put_string(const void *bytes, size_t length);
/* Room for up to `size` raw bytes, and how many of them were used. */
uint8_t *fs_put_room(size_t size);
void fs_put_used(size_t size);
void fs_reply_end(void);
/* Write out what is buffered. -1 when the other side has gone. */
int fs_flush(void);
void fs_reply_failure(uint64_t sequence, const struct failure *why);

#endif
