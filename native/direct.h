/* Output that goes from pipe to pipe, past the client.
 *
 * A client whose output is a pipe hands it over with its hello. What the container writes is
 * then duplicated into it by tee(2), without a copy and without waking the client, before the
 * monitor reads it for the log. One pipe for each stream: a second such client gets frames.
 *
 * The client must never write there in between, or the order would be lost: once frames go to
 * it, for a pipe that broke, the pipe is not used again. */
#ifndef TSMAN_DIRECT_H
#define TSMAN_DIRECT_H

#include "loop.h"

/* What became of one look at a stream. */
enum direct_result {
	DIRECT_NONE, /* no pipe: read, and send it to all */
	DIRECT_WAITS, /* nothing to read, or the pipe is full */
	DIRECT_DONE, /* `size` bytes are in the pipe; read as many, and send them to the others */
};

void direct_start(struct loop *loop);
/* Take the `count` descriptors that came with a hello, in the order of `flags` (HANDS_STDOUT,
 * HANDS_STDERR); those that cannot be used are closed. */
void direct_take(struct loop *loop, int client, unsigned char flags, const int *fds, size_t count);
/* The client is gone, or its end has come: whoever reads the pipe waits for its last writer. */
void direct_release(struct loop *loop, int client);
/* Those whose reader has stopped hold up the container's next run. */
void direct_release_full(struct loop *loop);
enum direct_result direct_tee(struct loop *loop, const struct source *from, int stream, size_t *size);
/* The pipe of a stream can take more, or is broken. */
void direct_ready(struct loop *loop, int stream);

#endif
