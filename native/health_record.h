/* What a health check leaves for others to read. */
#ifndef TSMAN_HEALTH_RECORD_H
#define TSMAN_HEALTH_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "monitor.h"

struct health_result {
	struct timespec start, end;
	int code;            /* -1 = it took too long */
	const char *output;
	size_t size;
};

/* A new run of the container: the log of the last one goes. */
void health_record_reset(const struct monitor *monitor);
/* run-dir/health: "status S\nstreak N\n". */
void health_record_status(const struct monitor *monitor, const char *status, unsigned int streak);
/* One more line of JSON in the plan's `health-log`. */
void health_record_result(const struct monitor *monitor, const struct health_result *result);

#endif
