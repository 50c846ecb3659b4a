/* Sealed re-execution. See seal.h.
 *
 * While our program runs inside a container's pid namespace, /proc/PID/exe
 * leads to our file, and a payload of "/proc/self/exe" (or "#!/proc/self/exe")
 * even starts it. Rootless, that file may belong to the very user who is root
 * in the container. So what enters a container is never the file itself: it is
 * a read-only mount that no directory tree holds, or a sealed copy. */
#include "seal.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "process.h"
#include "syscalls.h"

#define SELF "/proc/self/exe"
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

static bool is_own_file(int fd)
{
	struct stat own;
	struct stat other;

	return stat(SELF, &own) == 0 && fstat(fd, &other) == 0 && own.st_dev == other.st_dev &&
	       own.st_ino == other.st_ino;
}

static int clone_own_mount(void)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	char path[PATH_MAX];
	ssize_t length = readlink(SELF, path, sizeof(path) - 1);
	int fd;

	/* By name: the magic link leads into the mount namespace we came from,
	 * and a mount of another namespace cannot be cloned. */
	if (length < 0)
		return -1;
	path[length] = '\0';
	fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return -1;
	if (is_own_file(fd) &&
	    mount_setattr(fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int copy_all(int from, int to)
{
	struct stat status;
	off_t done = 0;

	if (fstat(from, &status) < 0)
		return -1;
	while (done < status.st_size) {
		ssize_t sent = sendfile(to, from, &done, (size_t)(status.st_size - done));

		if (sent <= 0)
			return -1;
	}
	return 0;
}

/* Neither owner nor root can change it afterwards, whichever way they come by the descriptor. */
static int sealed_copy(int from, unsigned int more, mode_t mode, struct failure *why)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int copy = memfd_create("tsman-helper", flags | more);

	if (copy < 0 && errno == EINVAL) /* before Linux 6.3 */
		copy = memfd_create("tsman-helper", flags);
	if (copy < 0)
		return fail(why, "seal", "memfd_create");
	if (copy_all(from, copy) < 0 || fchmod(copy, mode) < 0 ||
	    fcntl(copy, F_ADD_SEALS,
		  F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
		(void)fail(why, "seal", "copy");
		close(copy);
		return -1;
	}
	return copy;
}

int seal_by_copy(struct failure *why)
{
	AUTO_CLOSE int self = open(SELF, O_RDONLY | O_CLOEXEC);

	/* For everybody: in a user namespace that does not map us, nobody is its owner. */
	return self < 0 ? fail(why, "seal", SELF) : sealed_copy(self, MFD_EXEC, 0555, why);
}

int seal_content(int fd, struct failure *why)
{
	return sealed_copy(fd, 0, 0400, why);
}

int seal_by_mount(struct failure *why)
{
	int fd = clone_own_mount();

	return fd >= 0 ? fd : seal_by_copy(why);
}

int seal_execute(int sealed, const struct stage_descriptors *keep, struct failure *why)
{
	const int fds[] = { keep->plan, keep->sync, keep->filter };
	char name[] = "tsman-helper";
	char stage[] = STAGE_NAME;
	char none[] = "-";
	char numbers[5][24];
	char *argv[8] = { name, stage };
	char *envp[] = { NULL };

	for (size_t i = 0; i < 3; i++) {
		argv[2 + i] = fds[i] < 0 ? none : decimal((uint64_t)fds[i], numbers[i]);
		if (fds[i] >= 0 && fcntl(fds[i], F_SETFD, 0) < 0)
			return fail(why, "seal", "fcntl");
	}
	argv[5] = decimal(keep->rows, numbers[3]);
	argv[6] = decimal(keep->columns, numbers[4]);
	(void)sys_execveat(sealed, argv, envp);
	return fail(why, "seal", "execveat");
}
