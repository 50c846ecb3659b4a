/* Names in the shared network namespace: containers' from the leases, others' from name servers. */
#ifndef TSMAN_DNS_H
#define TSMAN_DNS_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

#include "links.h"

#define DNS_PACKET 4096
#define DNS_QUESTION 1024 /* at most; the answer is built where the question was */
#define DNS_PATIENCE_S 5

/* A question, in a buffer of DNS_PACKET bytes, and who asks it. */
struct dns_question {
	uint8_t *packet;
	size_t size;
	struct ip_address asker;
};

/* The size of the answer that now is in the packet; 0 = not ours to answer: `upstream` is asked, or
 * with "" one of the host's servers; -1 = no question. */
ssize_t dns_answer(const char *net_dir, const struct dns_question *question, char upstream[64]);
/* That nobody could be asked, in place of the question. */
size_t dns_failure(const struct dns_question *question);

/* In the host's network namespace, before it is left: what its servers will be asked through. */
int dns_prepare(void);
/* In the shared one: listen. */
int dns_open(const char *net_dir);
/* Descriptors to poll; returns how many. */
size_t dns_polled(struct pollfd *polled, size_t most);
/* `polled` as dns_polled filled it and poll(2) after it. Whether something is being waited for. */
void dns_serve(const struct pollfd *polled, size_t count);

/* Whom to ask: `upstream`, or one of the host's servers as its file names them now. */
bool dns_server(const char *upstream, struct ip_address *server);
/* The same of streams; dns_stream.c. */
int dns_stream_prepare(void);
int dns_stream_open(const char *net_dir);
size_t dns_stream_polled(struct pollfd *polled, size_t most);
void dns_stream_serve(const struct pollfd *polled, size_t count);

#endif
