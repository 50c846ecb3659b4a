/* Containers' names: a DNS question is answered from the leases. RFC 1035.
 *
 * A container is asked for by name, short id or alias; an answer is given only inside the networks
 * that the asker is in. The leases are read anew for each question: what `start` has said is up
 * resolves, and what is dead does not. */
#include "dns.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lease.h"
#include "process.h"
#include "syscalls.h"

#define HEADER 12
#define NETWORKS 16
#define ANSWERS 32
#define TYPE_A 1
#define TYPE_PTR 12
#define TYPE_AAAA 28
#define SERVFAIL 2
#define NXDOMAIN 3
#define IS_ANSWER 0x80

struct search {
	struct ip_address asker;
	char networks[NETWORKS][64];
	size_t network_count;
	char upstream[64]; /* a network's own server */
	bool internal;     /* in no network that leads out */
	char name[256];
	struct ip_address wanted; /* PTR */
	struct ip_address found[ANSWERS];
	size_t found_count;
	char found_name[256];
	bool exists;
};

static bool same(const struct ip_address *a, const struct ip_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, ip_size(a)) == 0;
}

static bool has_address(const struct lease *lease, const struct ip_address *address)
{
	struct ip_address own;

	return lease_address(lease->text, address->family, &own) && same(&own, address);
}

static bool find_networks(const struct lease *lease, void *context)
{
	struct search *search = context;
	const char *line = NULL;

	if (!has_address(lease, &search->asker) || search->network_count == NETWORKS)
		return false;
	if (lease_says(lease->text, "dns", "yes") &&
	    lease_value(lease->text, "network", NULL, search->networks[search->network_count],
			64) != NULL)
		search->network_count++;
	if (!lease_says(lease->text, "internal", "yes"))
		search->internal = false;
	/* The last one: `network update` adds lines. "-" = the host's servers. */
	while ((line = lease_value(lease->text, "upstream", line, search->upstream,
				   sizeof(search->upstream))) != NULL)
		;
	return false;
}

static bool shares_network(const struct search *search, const struct lease *lease)
{
	for (size_t i = 0; i < search->network_count; i++)
		if (lease_says(lease->text, "network", search->networks[i]))
			return true;
	return false;
}

static bool find_name(const struct lease *lease, void *context)
{
	struct search *search = context;
	struct ip_address address;

	if (!shares_network(search, lease) || !lease_says(lease->text, "name", search->name))
		return false;
	search->exists = true;
	if (search->found_count < ANSWERS &&
	    lease_address(lease->text, search->wanted.family, &address))
		search->found[search->found_count++] = address;
	return false;
}

static bool find_address(const struct lease *lease, void *context)
{
	struct search *search = context;

	if (!shares_network(search, lease) || !has_address(lease, &search->wanted))
		return false;
	return lease_value(lease->text, "name", NULL, search->found_name,
			   sizeof(search->found_name)) != NULL;
}

/* The question's name as text; returns its end in the packet, or 0 when it is no proper question. */
static size_t read_name(const uint8_t *packet, size_t size, char name[256])
{
	size_t at = HEADER;
	size_t length = 0;

	while (at < size && packet[at] != 0) {
		size_t label = packet[at++];

		if (label > 63 || at + label >= size || length + label + 1 >= 256)
			return 0;
		memcpy(name + length, packet + at, label);
		length += label;
		name[length++] = '.';
		at += label;
	}
	name[length > 0 ? length - 1 : 0] = '\0';
	return at + 5 <= size ? at + 1 : 0;
}

static void strip(char *name, const char *suffix)
{
	size_t length = strlen(name);
	size_t cut = strlen(suffix);

	if (length > cut && strcasecmp(name + length - cut, suffix) == 0)
		name[length - cut] = '\0';
}

/* 4.3.2.1.in-addr.arpa and its like of IPv6. */
static bool parse_reverse(const char *name, struct ip_address *address)
{
	unsigned int a, b, c, d;
	int end = 0;

	memset(address, 0, sizeof(*address));
	if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &d, &c, &b, &a, &end) == 4 && end > 0) {
		*address = (struct ip_address){ AF_INET, { (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d }, 32 };
		return true;
	}
	if (strlen(name) != 72 || strcasecmp(name + 64, "ip6.arpa") != 0)
		return false;
	*address = (struct ip_address){ .family = AF_INET6, .prefix = 128 };
	for (unsigned int i = 0; i < 32; i++) {
		unsigned int digit;

		if (sscanf(name + 2 * i, "%1x.", &digit) != 1)
			return false;
		address->bytes[15 - i / 2] |= (uint8_t)(digit << (4 * (i % 2)));
	}
	return true;
}

static size_t begin_answer(uint8_t *packet, size_t question_end, unsigned int code, size_t answers)
{
	packet[2] = (uint8_t)(0x84 | (packet[2] & 1)); /* a response, authoritative, RD as asked */
	packet[3] = (uint8_t)(0x80 | code);            /* recursion available */
	memset(packet + 4, 0, 8);
	packet[5] = 1;
	packet[7] = (uint8_t)answers;
	return question_end;
}

static size_t add_record(uint8_t *packet, size_t at, unsigned int type, const void *data, size_t size)
{
	const uint8_t head[12] = { 0xc0, HEADER, 0, (uint8_t)type, 0, 1, 0, 0, 0, 0,
				   (uint8_t)(size >> 8), (uint8_t)size };

	memcpy(packet + at, head, sizeof(head));
	memcpy(packet + at + sizeof(head), data, size);
	return at + sizeof(head) + size;
}

/* "web" as a name on the wire. */
static size_t encode_name(const char *name, uint8_t encoded[258])
{
	size_t length = 0;

	while (*name != '\0') {
		size_t label = strcspn(name, ".");

		if (label == 0 || label > 63 || length + label + 2 > 257)
			return 0;
		encoded[length++] = (uint8_t)label;
		memcpy(encoded + length, name, label);
		length += label;
		name += label + (name[label] == '.');
	}
	encoded[length++] = 0;
	return length;
}

/* Answer from the leases. Returns the answer's size, 0 = not ours to answer. */
static size_t answer_from_leases(uint8_t *packet, size_t question_end, unsigned int type,
				 struct search *search, int leases)
{
	uint8_t encoded[258];
	size_t length;
	size_t at;

	/* On the default network there are no names. */
	if (search->network_count == 0)
		return 0;
	if (parse_reverse(search->name, &search->wanted)) {
		if (type != TYPE_PTR || !leases_each(leases, find_address, search))
			return 0;
		length = encode_name(search->found_name, encoded);
		at = begin_answer(packet, question_end, 0, 1);
		return add_record(packet, at, TYPE_PTR, encoded, length);
	}
	search->wanted.family = type == TYPE_A ? AF_INET : type == TYPE_AAAA ? AF_INET6 : 0;
	strip(search->name, ".dns.podman");
	(void)leases_each(leases, find_name, search);
	/* A name without a dot can only be a container's. */
	if (!search->exists)
		return strchr(search->name, '.') != NULL
			       ? 0
			       : begin_answer(packet, question_end, NXDOMAIN, 0);
	at = begin_answer(packet, question_end, 0, search->found_count);
	for (size_t i = 0; i < search->found_count; i++)
		at = add_record(packet, at, type, search->found[i].bytes, ip_size(&search->found[i]));
	return at;
}

ssize_t dns_answer(const char *net_dir, const struct dns_question *question, char upstream[64])
{
	struct search search = { .internal = true, .asker = question->asker };
	uint8_t *packet = question->packet;
	size_t end = question->size < HEADER ? 0 : read_name(packet, question->size, search.name);
	size_t answered;
	int leases;

	/* One question, and no answer to something. */
	if (end == 0 || (packet[2] & IS_ANSWER) != 0 || packet[4] != 0 || packet[5] != 1)
		return -1;
	leases = leases_open(net_dir);
	(void)leases_each(leases, find_networks, &search);
	answered = answer_from_leases(packet, end + 4, packet[end + 1], &search, leases);
	close_descriptor(&leases);
	if (answered == 0 && search.internal)
		answered = begin_answer(packet, end + 4, NXDOMAIN, 0);
	(void)snprintf(upstream, 64, "%s", strcmp(search.upstream, "-") == 0 ? "" : search.upstream);
	return (ssize_t)answered;
}

size_t dns_failure(const struct dns_question *question)
{
	char name[256];
	size_t end = read_name(question->packet, question->size, name);

	return begin_answer(question->packet, end + 4, SERVFAIL, 0);
}
