/* Leases: who has which address in which network. A file for each, locked by the process that serves
 * the container: when that ends, however it ends, the lock goes, and the lease counts no more. */
#ifndef TSMAN_LEASE_H
#define TSMAN_LEASE_H

#include <stdbool.h>
#include <stddef.h>

#include "links.h"

#define LEASE_BYTES 4096

/* A live lease: its file's name and its lines, "word value\n" each. */
struct lease {
	const char *name;
	const char *text;
};

/* Open (make) the directory of leases below the directory of networks. Returns it or -1. */
int leases_open(const char *net_dir);
/* Call `visit` for every live lease until it returns true; remove dead ones. Returns whether it did. */
bool leases_each(int directory, bool (*visit)(const struct lease *lease, void *context),
		 void *context);
/* Write a lease, locked and then visible. Returns the descriptor that is the lease, or -1. */
int lease_take(int directory, const char *name, const char *text);

/* The next line `word value` after `after` (NULL = the first); its value is copied. NULL = none. */
const char *lease_value(const char *text, const char *word, const char *after, char *value,
			size_t size);
/* Some line says `word value`. */
bool lease_says(const char *text, const char *word, const char *value);
/* The first address, the first gateway of this family. */
bool lease_address(const char *text, int family, struct ip_address *address);
bool lease_gateway(const char *text, int family, struct ip_address *gateway);

#endif
