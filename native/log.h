/* The container's log: k8s-file, json-file, journald or none. Opened by monitor_open_log. */
#ifndef TSMAN_LOG_H
#define TSMAN_LOG_H

#include <stddef.h>
#include <stdint.h>

/* Append what came from stream 1 (stdout) or 2 (stderr). Never fails: what a full disk
 * does not take is dropped and counted. Uses scratch. */
void log_write(int stream, const char *bytes, size_t size);
/* Write what is still held back and close the file. */
void log_close(void);
/* Bytes of the log that could not be written. */
uint64_t log_lost(void);

#endif
