/* The journald log driver: entries in systemd's native protocol, one datagram each. */
#ifndef TSMAN_LOG_JOURNAL_H
#define TSMAN_LOG_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "plan.h"

/* Connects to the journal's socket, so that one that is not there fails the start. */
int journal_open(const char *path, const struct plan *plan, struct failure *why);
void journal_write(int stream, const char *bytes, size_t size);
/* Sends what has no end of line yet. */
void journal_close(void);
/* Bytes the journal did not take. */
uint64_t journal_lost(void);

#endif
