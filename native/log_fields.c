#include "log_fields.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"

static void append(struct log_fields *fields, const void *bytes, size_t size)
{
	memcpy(fields->bytes + fields->size, bytes, size);
	fields->size += size;
}

/* The most that all records can become: each byte escaped, each record framed. */
static size_t most_bytes(const struct plan *plan)
{
	size_t bytes = 64;

	for (const struct record *record = plan_next(plan, "log-field", NULL); record != NULL;
	     record = plan_next(plan, "log-field", record))
		bytes += JSON_GROWTH * (strlen(record->argv[0]) + strlen(record->argv[1]) + 2) + 16;
	return bytes;
}

static int allocate(const struct plan *plan, struct log_fields *fields, struct failure *why)
{
	fields->size = 0;
	fields->bytes = malloc(most_bytes(plan));
	if (fields->bytes == NULL)
		return fail(why, "log", "fields");
	return 0;
}

static int check_size(const struct log_fields *fields, struct failure *why)
{
	if (fields->size > LOG_FIELDS_MAX)
		return fail_errno(why, "log", "tag, labels and variables", E2BIG);
	return 0;
}

static void append_json(struct log_fields *fields, const char *text)
{
	struct json_text partial = { .have = 0 };

	append(fields, "\"", 1);
	fields->size += json_escape(&partial, fields->bytes + fields->size, text, strlen(text));
	fields->size += json_escape(&partial, fields->bytes + fields->size, "", 0);
	append(fields, "\"", 1);
}

int log_fields_json(const struct plan *plan, struct log_fields *fields, struct failure *why)
{
	const struct record *record = plan_next(plan, "log-field", NULL);

	if (record == NULL)
		return 0;
	if (allocate(plan, fields, why) < 0)
		return -1;
	append(fields, ",\"attrs\":{", 10);
	for (; record != NULL; record = plan_next(plan, "log-field", record)) {
		if (fields->bytes[fields->size - 1] != '{')
			append(fields, ",", 1);
		append_json(fields, record->argv[0]);
		append(fields, ":", 1);
		append_json(fields, record->argv[1]);
	}
	append(fields, "}", 1);
	return check_size(fields, why);
}

int log_fields_journal(const struct plan *plan, struct log_fields *fields, struct failure *why)
{
	if (allocate(plan, fields, why) < 0)
		return -1;
	for (const struct record *record = plan_next(plan, "log-field", NULL); record != NULL;
	     record = plan_next(plan, "log-field", record)) {
		const char *value = record->argv[1];
		uint64_t length = htole64(strlen(value));

		append(fields, record->argv[0], strlen(record->argv[0]));
		if (strchr(value, '\n') == NULL) {
			append(fields, "=", 1);
		} else {
			append(fields, "\n", 1);
			append(fields, &length, sizeof length);
		}
		append(fields, value, strlen(value));
		append(fields, "\n", 1);
	}
	return check_size(fields, why);
}
