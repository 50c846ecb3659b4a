/* Which addresses a container has in a network: the lowest that no lease has. See wire.h. */
#include <stdio.h>
#include <string.h>

#include "lease.h"
#include "syscalls.h"
#include "wire.h"

#define USED_MOST 4096
#define ALLOWED_TRIES 65536

struct used {
	const char *network;
	struct ip_address addresses[USED_MOST];
	size_t count;
};

static bool note_used(const struct lease *lease, void *context)
{
	struct used *used = context;
	const char *line = NULL;
	char text[64];

	if (!lease_says(lease->text, "network", used->network))
		return false;
	while ((line = lease_value(lease->text, "address", line, text, sizeof(text))) != NULL)
		if (used->count < USED_MOST && ip_parse(text, &used->addresses[used->count]))
			used->count++;
	return false;
}

static int compare(const struct ip_address *a, const struct ip_address *b)
{
	return a->family != b->family ? 1 : memcmp(a->bytes, b->bytes, ip_size(a));
}

static bool is_used(const struct used *used, const struct ip_address *address)
{
	for (size_t i = 0; i < used->count; i++)
		if (compare(&used->addresses[i], address) == 0)
			return true;
	return false;
}

/* net-subnet NET GATEWAY FIRST LAST [WANTED] */
static int choose_address(const struct used *used, const struct record *subnet,
			  struct ip_address *chosen, struct failure *why)
{
	struct ip_address net;
	struct ip_address gateway = { 0 };
	struct ip_address last;
	bool wanted = subnet->argc == 5 && subnet->argv[4][0] != '\0';

	if (!ip_parse(subnet->argv[0], &net) || !ip_parse(subnet->argv[2], chosen) ||
	    !ip_parse(subnet->argv[3], &last) || (wanted && !ip_parse(subnet->argv[4], chosen)))
		return fail_errno(why, "network", subnet->argv[0], EINVAL);
	(void)ip_parse(subnet->argv[1], &gateway);
	chosen->prefix = net.prefix;
	if (wanted)
		return is_used(used, chosen) ? fail_errno(why, "network", subnet->argv[4], EADDRINUSE)
					     : 0;
	for (size_t i = 0; i < ALLOWED_TRIES && compare(chosen, &last) <= 0; i++) {
		if (compare(chosen, &gateway) != 0 && !is_used(used, chosen))
			return 0;
		*chosen = ip_plus(chosen, 1);
	}
	return fail_errno(why, "network", subnet->argv[0], EADDRNOTAVAIL);
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
	unsigned int bytes[6];

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
		   &bytes[4], &bytes[5]) != 6)
		return false;
	for (size_t i = 0; i < 6; i++)
		mac[i] = (uint8_t)bytes[i];
	return true;
}

/* From the address, as Docker's: neighbours' caches stay right when an address has a new holder. */
static void choose_mac(const struct attachment *attachment, struct taken *taken)
{
	const uint8_t *tail = taken->count == 0 ? (const uint8_t *)taken->lease
						: taken->addresses[0].bytes +
						  ip_size(&taken->addresses[0]) - 4;

	if (parse_mac(attachment->mac, taken->mac))
		return;
	taken->mac[0] = 0x02;
	taken->mac[1] = 0x42;
	memcpy(taken->mac + 2, tail, 4);
}

int wire_choose(const struct wiring *wiring, const struct attachment *attachment,
		struct taken *taken, struct failure *why)
{
	static struct used used;
	unsigned int index = 0;

	used = (struct used){ .network = attachment->name };
	(void)leases_each(wiring->leases, note_used, &used);
	taken->first = used.count == 0;
	for (size_t i = 0; i < attachment->subnet_count; i++) {
		if (choose_address(&used, attachment->subnets[i], &taken->addresses[i], why) < 0)
			return -1;
		taken->count++;
	}
	do
		(void)snprintf(taken->lease, sizeof(taken->lease), "%s.%u", wiring->id, index++);
	while (faccessat(wiring->leases, taken->lease, F_OK, 0) == 0);
	(void)snprintf(taken->pair, sizeof(taken->pair), "v%.10s%u", wiring->id, (index - 1) % 1000);
	choose_mac(attachment, taken);
	return 0;
}
