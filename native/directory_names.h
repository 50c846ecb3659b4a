/* What is in a directory, by name. */
#ifndef TSMAN_DIRECTORY_NAMES_H
#define TSMAN_DIRECTORY_NAMES_H

#include <stddef.h>

struct directory_names {
	char **list; /* sorted */
	size_t count;
	char *text; /* the names, one after the other */
	size_t used, room;
};

/* Fill zeros with all names but "." and ".."; -1 with errno, and then too they are to be freed. */
int directory_names_read(int directory, struct directory_names *names);
void directory_names_free(struct directory_names *names);

#endif
