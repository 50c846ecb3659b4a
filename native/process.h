/* Facts about other processes, and files of /proc read without stdio. */
#ifndef TSMAN_PROCESS_H
#define TSMAN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "failure.h"

/* Read a small file below `directory` into text, NUL-terminated. Returns its length or -1. */
ssize_t read_small_file(int directory, const char *path, char *text, size_t size);
/* Replace a small file's content, made with `mode` if missing. Returns 0 or -1 with errno. */
int write_small_file(int directory, const char *path, const char *text, mode_t mode);

/* Field 22 of /proc/PID/stat; 0 when there is no such process. */
uint64_t process_start_time(pid_t pid);
/* A pidfd for the process that has this start time (0 = do not check), or -1 with errno ESRCH. */
int process_open(pid_t pid, uint64_t start_time);
/* "PATHPID/REST" of /proc. Never truncates: every piece is bounded by the caller. */
void process_path(char path[64], pid_t pid, const char *rest);
/* Decimal into text, which holds 24 bytes. */
char *decimal(uint64_t number, char text[24]);

/* CLONE_NEW* of a namespace's name in the plan, and its name in /proc/PID/ns. 0 = unknown. */
int namespace_flag(const char *kind);
const char *namespace_file(const char *kind);

/* Exit status for a shell: 128+N for a signal. `status` as waitpid(2) gives it. */
int exit_status(int status);
/* waitpid that survives signals. */
int wait_for(pid_t pid);

#endif
