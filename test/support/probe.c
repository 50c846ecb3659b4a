/* The program that tests run inside containers: it answers from inside, so that most tests need no
 * distribution's image. Static; in the image it is /bin/probe. Answers go to stdout, one per line. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "attacks.h"

extern char **environ;
static volatile sig_atomic_t caught;

static int fail(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	return 1;
}

static int copy(int from)
{
	char buffer[65536];
	ssize_t count;

	while ((count = read(from, buffer, sizeof(buffer))) > 0)
		for (ssize_t done = 0, once; done < count; done += once)
			if ((once = write(STDOUT_FILENO, buffer + done, (size_t)(count - done))) < 0)
				return fail("write");
	return count < 0 ? fail("read") : 0;
}

/* cat [FILE...]: without a file, stdin */
static int cat(char **args)
{
	if (!*args)
		return copy(STDIN_FILENO);
	for (; *args; args++) {
		int fd = open(*args, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || copy(fd))
			return fail(*args);
		close(fd);
	}
	return 0;
}

/* id: "uid euid gid egid groups..." */
static int id(char **args)
{
	gid_t groups[256];
	int count = getgroups(256, groups);

	(void)args;
	printf("%u %u %u %u", getuid(), geteuid(), getgid(), getegid());
	for (int i = 0; i < count; i++)
		printf(" %u", groups[i]);
	puts("");
	return 0;
}

static int env(char **args)
{
	(void)args;
	for (char **entry = environ; *entry; entry++)
		puts(*entry);
	return 0;
}

/* args ...: each in brackets on its line */
static int args(char **words)
{
	for (; *words; words++)
		printf("[%s]\n", *words);
	return 0;
}

static int echo(char **words)
{
	for (; *words; words++)
		printf("%s%s", *words, words[1] ? " " : "");
	puts("");
	return 0;
}

/* stderr WORD...: the same on stderr */
static int echo_stderr(char **words)
{
	for (; *words; words++)
		fprintf(stderr, "%s%s", *words, words[1] ? " " : "\n");
	return 0;
}

/* isatty: of 0, 1 and 2 */
static int is_terminal(char **words)
{
	(void)words;
	printf("%d %d %d\n", isatty(0), isatty(1), isatty(2));
	return 0;
}

/* size: rows and columns of the terminal */
static int size(char **words)
{
	struct winsize window;

	(void)words;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &window) < 0)
		return fail("TIOCGWINSZ");
	printf("%u %u\n", window.ws_row, window.ws_col);
	return 0;
}

/* sleep [SECONDS]: without a number, until killed */
static int sleep_for(char **words)
{
	if (*words)
		return (int)sleep((unsigned)atoi(*words));
	for (;;)
		pause();
}

static int exit_with(char **words)
{
	return *words ? atoi(*words) : 0;
}

/* kill SIGNAL: ends itself by it; as PID 1 by the default action's lack it goes on and returns 1 */
static int kill_self(char **words)
{
	raise(*words ? atoi(*words) : SIGTERM);
	return 1;
}

static void on_signal(int number)
{
	caught = number;
}

/* signal: "ready", then the number of each caught signal; TERM (15) ends it with exit code 0 */
static int report_signals(char **words)
{
	struct sigaction action = { .sa_handler = on_signal };

	(void)words;
	for (int number = 1; number < NSIG; number++)
		sigaction(number, &action, NULL);
	puts("ready");
	for (;;) {
		sigset_t all, none;

		sigfillset(&all);
		sigemptyset(&none);
		sigprocmask(SIG_BLOCK, &all, NULL);
		while (!caught)
			sigsuspend(&none);
		printf("%d\n", (int)caught);
		if (caught == SIGTERM)
			return 0;
		caught = 0;
	}
}

/* fds: open descriptors and what they are */
static int fds(char **words)
{
	DIR *directory = opendir("/proc/self/fd");

	(void)words;
	if (!directory)
		return fail("/proc/self/fd");
	for (struct dirent *entry; (entry = readdir(directory));) {
		char target[4096];
		ssize_t length;

		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory))
			continue;
		length = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);
		printf("%s %.*s\n", entry->d_name, length < 0 ? 0 : (int)length, target);
	}
	closedir(directory);
	return 0;
}

/* keyring: which session keyring it has, by its number */
static int keyring(char **words)
{
	long id = syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3 /* the session's */, 0);

	(void)words;
	return id < 0 ? fail("keyctl") : printf("%ld\n", id) < 0;
}

/* chmod MODE FILE...: goes on after a failure */
static int change_mode(char **words)
{
	int failed = 0;

	for (char **word = words + 1; *word; word++)
		if (chmod(*word, (mode_t)strtol(words[0], NULL, 8)) < 0)
			failed = fail(*word);
	return failed;
}

/* ls DIR: names, unsorted, with type, mode, owner */
static int list(char **words)
{
	DIR *directory = opendir(*words ? *words : ".");

	if (!directory)
		return fail(*words ? *words : ".");
	for (struct dirent *entry; (entry = readdir(directory));) {
		struct stat stat;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (fstatat(dirfd(directory), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) < 0)
			return fail(entry->d_name);
		printf("%06o %u %u %lld %s\n", stat.st_mode, stat.st_uid, stat.st_gid,
		       (long long)stat.st_size, entry->d_name);
	}
	closedir(directory);
	return 0;
}

/* write FILE TEXT: replaces the file */
static int write_file(char **words)
{
	int fd = words[0] && words[1] ? open(words[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;

	if (fd < 0 || write(fd, words[1], strlen(words[1])) < 0 || close(fd) < 0)
		return fail(words[0] ? words[0] : "write FILE TEXT");
	return 0;
}

/* chown UID GID FILE */
static int change_owner(char **words)
{
	if (!words[0] || !words[1] || !words[2] ||
	    lchown(words[2], (uid_t)atoi(words[0]), (gid_t)atoi(words[1])) < 0)
		return fail("chown");
	return 0;
}

/* status FIELD...: lines of /proc/self/status, e.g. CapEff NoNewPrivs Seccomp */
static int status(char **words)
{
	char line[512];
	FILE *file = fopen("/proc/self/status", "re");

	if (!file)
		return fail("/proc/self/status");
	while (fgets(line, sizeof(line), file))
		for (char **word = words; *word; word++)
			if (!strncmp(line, *word, strlen(*word)) && line[strlen(*word)] == ':')
				fputs(line, stdout);
	fclose(file);
	return 0;
}

static int mounts(char **words)
{
	(void)words;
	return cat((char *[]){ "/proc/self/mountinfo", NULL });
}

static int caps(char **words)
{
	(void)words;
	return status((char *[]){ "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", NULL });
}

/* hostname, cwd, pid */
static int where(char **words)
{
	char directory[4096];
	struct utsname names;

	(void)words;
	if (uname(&names) < 0 || !getcwd(directory, sizeof(directory)))
		return fail("getcwd");
	printf("%s %s %d\n", names.nodename, directory, getpid());
	return 0;
}

/* flood BYTES: that many bytes, in lines of 64 */
static int flood(char **words)
{
	char line[64];
	long long left = *words ? atoll(*words) : 0;

	memset(line, 'x', sizeof(line));
	line[63] = '\n';
	for (; left > 0; left -= 64)
		if (fwrite(line, left < 64 ? (size_t)left : 64, 1, stdout) != 1)
			return fail("write");
	return 0;
}

/* tick MILLISECONDS COUNT: a numbered line each */
static int tick(char **words)
{
	long pause_ms = words[0] ? atol(words[0]) : 100;
	long count = words[0] && words[1] ? atol(words[1]) : 1L << 30;
	struct timespec interval = { pause_ms / 1000, pause_ms % 1000 * 1000000 };

	for (long i = 1; i <= count; i++) {
		printf("%ld\n", i);
		nanosleep(&interval, NULL);
	}
	return 0;
}

/* swap A B: exchanges two names, until killed */
static int swap(char **words)
{
	puts("swapping");
	for (;;)
		if (syscall(SYS_renameat2, AT_FDCWD, words[0], AT_FDCWD, words[1], 2 /* EXCHANGE */) < 0)
			return fail(words[0]);
}

static const struct {
	const char *name;
	int (*run)(char **args);
} COMMANDS[] = {
	{ "args", args }, { "caps", caps }, { "cat", cat }, { "chmod", change_mode }, { "chown", change_owner }, { "echo", echo },
	{ "env", env }, { "exit", exit_with }, { "fds", fds }, { "flood", flood }, { "id", id },
	{ "isatty", is_terminal }, { "keyring", keyring }, { "kill", kill_self }, { "ls", list }, { "mounts", mounts },
	{ "signal", report_signals }, { "size", size }, { "sleep", sleep_for }, { "socket", attack_socket },
	{ "socket32", attack_socket32 }, { "spy", attack_spy }, { "status", status },
	{ "stderr", echo_stderr }, { "swap", swap }, { "tick", tick }, { "where", where }, { "write", write_file },
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 1 && i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
		if (!strcmp(argv[1], COMMANDS[i].name))
			return COMMANDS[i].run(argv + 2);
	fprintf(stderr, "probe: unknown: %s\n", argc > 1 ? argv[1] : "");
	return 2;
}
