/* What the monitor's parts share. See monitor.c for the theory of operation. */
#ifndef TSMAN_LOOP_H
#define TSMAN_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "monitor.h"

#define CLIENTS 64

/* Where an event came from; clients count from TAG_CLIENT. */
enum tag { TAG_SIGNALS, TAG_LISTENER, TAG_STDOUT, TAG_STDERR, TAG_STDIN, TAG_NETWORK, TAG_PROBE, TAG_DIRECT,
	   TAG_CLIENT = TAG_DIRECT + 2 };

/* A descriptor and what epoll watches on it. */
struct source {
	int fd; /* -1 = closed */
	uint32_t tag;
	uint32_t events; /* 0 = not in the epoll set: a hangup would wake us for ever */
	bool wide;       /* a pipe that was enlarged */
	size_t backlog;  /* output left from before the container's end */
};

/* The pipe that a client handed over, see direct.h. */
struct direct {
	struct source pipe;
	int client; /* whose */
	bool full;  /* and epoll says when it is not */
};

struct client {
	struct source socket;
	uint32_t sent;       /* bytes of the chunk already taken, while `owes` */
	uint32_t left;       /* payload of the incoming frame still to be read */
	unsigned char header[FRAME_HEADER];
	unsigned char have;  /* bytes of the header */
	unsigned char small[4]; /* payload of a control frame */
	unsigned char small_have;
	unsigned char wants; /* enum frame_wants */
	bool greeted;
	bool owes;           /* has not taken the whole chunk */
	bool stuck;          /* its input waits until the container reads */
};

struct loop {
	struct monitor *monitor;
	int epoll;
	struct source signals, listener, out, err, in; /* a terminal is `out` and `in` at once */
	bool terminal;
	int slave;             /* see streams_hold_slave; -1 = none */
	bool takes_input;      /* the container was started with its input open */
	bool input_ended;      /* by a client: so it is for the next run */
	bool ended;            /* its process has been reaped */
	bool resting;          /* and it will run again */
	int awaited;           /* the client whose hello holds back the output, or -1 */
	unsigned int owing;    /* clients that owe */
	unsigned int stuck;
	size_t chunk;          /* bytes in chunk_frame, its header included */
	struct direct direct[2]; /* of stdout, of stderr */
	struct client clients[CLIENTS];
};

/* The chunk of output that clients are taking: one for all of them, so that memory
 * does not grow with their number. Valid while `owing` > 0. */
extern unsigned char chunk_frame[FRAME_HEADER + FRAME_PAYLOAD];

/* Watch `source` for `events`, 0 = not at all. */
void source_want(struct loop *loop, struct source *source, uint32_t events);
void source_close(struct loop *loop, struct source *source);

/* CLOCK_MONOTONIC in milliseconds. */
int64_t now_ms(void);

/* To the container's first process, if it lives. */
void signal_container(int number);
/* Its stop signal, and SIGKILL after its time (the plan's `stop`); then it runs again or
 * stays ended, whatever its policy. */
void stop_container(bool and_restart);

/* Take the connections that wait. */
void accept_clients(struct loop *loop);
void clients_start(struct loop *loop);
/* Take a connection. `awaited`: no output is read before its hello. */
void client_add(struct loop *loop, int socket, bool awaited);
void client_event(struct loop *loop, struct client *client, uint32_t events);
/* Offer chunk_frame to every client that has one of the flags, or to all with 0; to all but
 * `served`, -1 = nobody is. */
void clients_offer(struct loop *loop, unsigned char wants, int served);
/* Those that have not taken the chunk hold up the container's next run. */
void clients_drop_owing(struct loop *loop);
/* The container can take input again. */
void clients_unstick(struct loop *loop);

/* With no slave open anywhere a pty's master reads as hung up for ever, though the
 * container may open /dev/console again: keep one open while it lives. */
bool streams_hold_slave(struct loop *loop);
enum read_result { READ_NOTHING, READ_WAITS, READ_CHUNK };
/* Read one chunk of output and hand it round. READ_WAITS: somebody has yet to take the last. */
enum read_result streams_read(struct loop *loop, struct source *source, int stream);
/* Nothing was written for a while: give back what a burst of output was given. */
void streams_rest(struct loop *loop);
/* The container's process has ended. What others that share its pipes (a pid namespace
 * of the host's) write from now on is not its output: they could go on for ever. */
void streams_mark_end(struct loop *loop);
/* After the end: everything the container wrote before it died is in the pipes. Read
 * and close them; true when all is read and taken. */
bool streams_drain(struct loop *loop);
/* Watch what can make progress now. */
void streams_watch(struct loop *loop);

/* Input for the container. Returns the bytes taken, 0 when it must wait. */
size_t container_input(struct loop *loop, const char *bytes, size_t size);
void container_input_ended(struct loop *loop);

#endif
