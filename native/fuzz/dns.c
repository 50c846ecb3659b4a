/* Random questions to the name server, as containers may send them: with leases to answer from. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dns.h"
#include "lease.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[] = "/tmp/tsman-fuzz-dns-XXXXXX";

static void forget(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -r %s", directory);
	(void)!system(command);
}

/* Enough of one name for more answers than fit, and one that is too long for an answer's. */
static void make_leases(void)
{
	int leases = mkdtemp(directory) == NULL ? -1 : leases_open(directory);
	char text[LEASE_BYTES];
	char name[32];

	for (int i = 0; i < 40 && leases >= 0; i++) {
		(void)snprintf(name, sizeof(name), "lease.%d", i);
		(void)snprintf(text, sizeof(text),
			       "network one\nid %d\ndns yes\ninternal no\naddress 10.89.0.%d/24\n"
			       "address fd00::%d/64\nname web\nname x%0200d\n",
			       i, i + 2, i + 2, i);
		if (lease_take(leases, name, text) < 0)
			abort();
	}
	if (leases < 0)
		abort();
	(void)atexit(forget);
}

/* A question for `web`, for an address, or what comes. */
static size_t begin(uint8_t packet[DNS_QUESTION], size_t kind)
{
	static const uint8_t head[12] = { 1, 2, 1, 0, 0, 1 };
	static const char *const names[] = { "", "\3web", "\3web\3dns\6podman",
					     "\0012\0010\00289\00210\7in-addr\4arpa" };
	const char *name = names[kind % 4];

	if (kind % 8 >= 4)
		return 0;
	memcpy(packet, head, sizeof(head));
	memcpy(packet + sizeof(head), name, strlen(name));
	return sizeof(head) + strlen(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool made;
	/* On the heap, so that the sanitizer sees one byte too many. */
	uint8_t *packet = calloc(1, DNS_PACKET);
	struct dns_question question = { .packet = packet, .asker = { .family = AF_INET } };
	size_t first = begin(packet, size);
	char upstream[64];
	ssize_t answered;

	if (!made)
		make_leases();
	made = true;
	if (size > DNS_QUESTION - first)
		size = DNS_QUESTION - first;
	memcpy(packet + first, data, size);
	question.size = first + size;
	(void)inet_pton(AF_INET, "10.89.0.2", question.asker.bytes);
	answered = dns_answer(directory, &question, upstream);
	if (answered > DNS_PACKET || (answered > 0 && answered < 12))
		abort();
	/* What is passed on and fails is answered, too. */
	if (answered == 0 && dns_failure(&question) > DNS_PACKET)
		abort();
	free(packet);
	return 0;
}
