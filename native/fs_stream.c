#include "fs_stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define HEADER 8
/* Input holds one frame of the largest size and as much again, so that a read seldom moves bytes. */
#define INPUT_SIZE (2 * (FS_PAYLOAD_MAX + HEADER))
/* A reply is smaller than FS_PAYLOAD_MAX: a path, a link target and xattrs are each bounded. */
#define OUTPUT_SIZE (2 * FS_PAYLOAD_MAX)
#define OUTPUT_ENOUGH 65536

static uint8_t input[INPUT_SIZE];
static size_t input_start, input_end;
static uint8_t output[OUTPUT_SIZE];
static size_t output_used, reply_start;
static bool output_gone;

static uint64_t little_endian(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = size; i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

const uint8_t *fs_bytes(struct fs_reader *reader, size_t length)
{
	const uint8_t *bytes = reader->at;

	if (reader->bad || (size_t)(reader->end - reader->at) < length) {
		reader->bad = true;
		return NULL;
	}
	reader->at += length;
	return bytes;
}

uint32_t fs_u32(struct fs_reader *reader)
{
	const uint8_t *bytes = fs_bytes(reader, 4);

	return bytes == NULL ? 0 : (uint32_t)little_endian(bytes, 4);
}

uint64_t fs_u64(struct fs_reader *reader)
{
	const uint8_t *bytes = fs_bytes(reader, 8);

	return bytes == NULL ? 0 : little_endian(bytes, 8);
}

/* Have `wanted` bytes at input_start. 1, 0 at a clean end of input, or -1. */
static int fill(size_t wanted)
{
	while (input_end - input_start < wanted) {
		ssize_t n;

		if (input_start + wanted > INPUT_SIZE) {
			memmove(input, input + input_start, input_end - input_start);
			input_end -= input_start;
			input_start = 0;
		}
		n = read(STDIN_FILENO, input + input_end, INPUT_SIZE - input_end);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0 && input_end == input_start)
			return 0;
		if (n == 0) {
			errno = EPIPE;
			return -1;
		}
		input_end += (size_t)n;
	}
	return 1;
}

int fs_next(uint8_t *operation, struct fs_reader *payload)
{
	size_t length;
	int got;

	if (input_start == input_end)
		input_start = input_end = 0;
	/* Before we wait for more, the other side must see what we have to say. */
	if (input_end - input_start < HEADER && fs_flush() < 0)
		return -1;
	got = fill(HEADER);
	if (got <= 0)
		return got;
	length = (size_t)little_endian(input + input_start, 4);
	*operation = input[input_start + 4];
	if (length > FS_PAYLOAD_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (fill(HEADER + length) <= 0)
		return -1;
	payload->at = input + input_start + HEADER;
	payload->end = payload->at + length;
	payload->bad = false;
	input_start += HEADER + length;
	return 1;
}

int fs_flush(void)
{
	size_t done = 0;

	while (done < output_used && !output_gone) {
		ssize_t n = write(STDOUT_FILENO, output + done, output_used - done);

		if (n < 0 && errno != EINTR)
			output_gone = true;
		if (n > 0)
			done += (size_t)n;
	}
	output_used = 0;
	return output_gone ? -1 : 0;
}

static void put_little_endian(uint8_t *to, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++, value >>= 8)
		to[i] = (uint8_t)value;
}

uint8_t *fs_put_room(size_t size)
{
	/* The frame being built stays whole: begin made room for the largest one. */
	return output_used + size <= OUTPUT_SIZE ? output + output_used : NULL;
}

void fs_put_used(size_t size)
{
	output_used += size;
}

static void put_number(uint64_t value, size_t size)
{
	uint8_t *room = fs_put_room(size);

	if (room == NULL)
		return;
	put_little_endian(room, value, size);
	fs_put_used(size);
}

void fs_put_u32(uint32_t value)
{
	put_number(value, 4);
}

void fs_put_u64(uint64_t value)
{
	put_number(value, 8);
}

void fs_put_string(const void *bytes, size_t length)
{
	uint8_t *room = fs_put_room(length + 4);

	if (room == NULL)
		return;
	fs_put_u32((uint32_t)length);
	memcpy(room + 4, bytes, length);
	fs_put_used(length);
}

void fs_reply_begin(enum fs_reply type)
{
	if (output_used > OUTPUT_SIZE - FS_PAYLOAD_MAX)
		fs_flush();
	reply_start = output_used;
	fs_put_u32(0);
	fs_put_u32((uint32_t)type);
}

void fs_reply_end(void)
{
	put_little_endian(output + reply_start, output_used - reply_start - HEADER, 4);
	if (output_used > OUTPUT_ENOUGH)
		fs_flush();
}

void fs_reply_failure(uint64_t sequence, const struct failure *why)
{
	fs_reply_begin(FS_FAILED);
	fs_put_u64(sequence);
	fs_put_u32((uint32_t)why->error);
	fs_put_string(why->step, strlen(why->step));
	fs_put_string(why->subject, strlen(why->subject));
	fs_reply_end();
	fs_flush();
}
