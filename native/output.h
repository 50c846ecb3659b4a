/* Handing bytes to a descriptor we share with others: it may be a pipe, a socket, a
 * terminal or a file, and its file description is the caller's too, so O_NONBLOCK
 * must never be set on it. */
#ifndef TSMAN_OUTPUT_H
#define TSMAN_OUTPUT_H

#include <stddef.h>
#include <sys/types.h>

enum output_kind { OUTPUT_FILE, OUTPUT_PIPE, OUTPUT_SOCKET, OUTPUT_TERMINAL };

struct output {
	int fd;
	enum output_kind kind;
};

void output_open(struct output *output, int fd);
/* Write some bytes without waiting long: returns how many, 0 when the reader must take
 * something first (wait for POLLOUT), or -1. */
ssize_t output_write(const struct output *output, const void *bytes, size_t size);
/* Write all, waiting as long as it takes. Returns 0 or -1. */
int output_write_all(const struct output *output, const void *bytes, size_t size);
/* It takes something now. */
int output_is_ready(const struct output *output);
/* Exit status for a client whose write failed with errno; words what is not "the
 * reader has gone". */
int output_failed(const struct output *output);

#endif
