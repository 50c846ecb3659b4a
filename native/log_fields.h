/* What every entry of the log says besides the text: the plan's log-field records. */
#ifndef TSMAN_LOG_FIELDS_H
#define TSMAN_LOG_FIELDS_H

#include <stddef.h>

#include "failure.h"
#include "plan.h"

/* Together they must leave room for a record in one batch (log.c). */
#define LOG_FIELDS_MAX 16000

/* Bytes that stay for as long as the monitor lives; none: NULL and 0. */
struct log_fields {
	char *bytes;
	size_t size;
};

/* `,"attrs":{"NAME":"VALUE",…}` as Docker's json-file driver writes it. Returns 0 or -1. */
int log_fields_json(const struct plan *plan, struct log_fields *fields, struct failure *why);
/* The journal's native protocol: `NAME=VALUE` lines; a value with a newline takes the form
 * with a length (systemd, docs/JOURNAL_NATIVE_PROTOCOL.md). Returns 0 or -1. */
int log_fields_journal(const struct plan *plan, struct log_fields *fields, struct failure *why);

#endif
