/* Device nodes, the links of /dev, and the container's terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "inside.h"
#include "message.h"
#include "mount_tree.h"
#include "numbers.h"
#include "stage.h"
#include "syscalls.h"

/* Real root gives the container a node of its own: the mode and owner of a bound one would be the
 * host's. False where that is not possible, as in every user namespace. */
static bool make_node(struct stage *stage, const struct stat *status, const char *name)
{
	const char *base;
	AUTO_CLOSE int parent = stage->binds_devices ? -1 : inside_open_parent(stage->root, name, &base);
	struct statvfs file_system;

	if (parent < 0 || fstatvfs(parent, &file_system) < 0 || (file_system.f_flag & ST_NODEV) != 0)
		return false;
	if (mknodat(parent, base, status->st_mode, status->st_rdev) < 0) {
		stage->binds_devices = errno == EPERM;
		return false;
	}
	return fchownat(parent, base, status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A user namespace may not make device nodes: there the host's are bound, checked to be devices. */
static int place_node(struct stage *stage, const char *source, const char *name,
		      struct failure *why)
{
	AUTO_CLOSE int tree = -1;
	AUTO_CLOSE int destination = -1;
	struct stat status;

	if (stage->pivoted)
		return fail_errno(why, "device", source, EXDEV);
	tree = open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || fstat(tree, &status) < 0)
		return fail(why, "device", source);
	if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode))
		return fail_errno(why, "device", source, ENODEV);
	if (make_node(stage, &status, name))
		return 0;
	destination = inside_make_file(stage->root, name);
	if (destination < 0)
		return fail(why, "device", name);
	return mount_attach(tree, destination, name, why);
}

static int link_in_dev(int dev, const char *target, const char *name, struct failure *why)
{
	/* An image may bring its own link or file of that name. */
	if (symlinkat(target, dev, name) < 0 && errno != EEXIST)
		return fail(why, "devices", name);
	return 0;
}

int step_devices(struct stage *stage, const struct record *record, struct failure *why)
{
	static const char *const nodes[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
					     "/dev/urandom", "/dev/tty" };
	static const char *const links[][2] = {
		{ "/proc/self/fd", "fd" },	 { "/proc/self/fd/0", "stdin" },
		{ "/proc/self/fd/1", "stdout" }, { "/proc/self/fd/2", "stderr" },
		{ "pts/ptmx", "ptmx" },		 { "/proc/kcore", "core" },
	};
	AUTO_CLOSE int dev = inside_make_directory(stage->root, "/dev", 0755);

	(void)record;
	if (dev < 0)
		return fail(why, "devices", "/dev");
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		if (place_node(stage, nodes[i], nodes[i], why) < 0)
			return -1;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (link_in_dev(dev, links[i][0], links[i][1], why) < 0)
			return -1;
	return 0;
}

int step_device(struct stage *stage, const struct record *record, struct failure *why)
{
	return place_node(stage, record->argv[0], record->argv[1], why);
}

/* The multiplexer of the container's own devpts, so that ttyname(3) and /dev/pts agree in there. */
static int open_multiplexer(const struct stage *stage)
{
	int flags = O_RDWR | O_NOCTTY;
	int master = inside_open(stage->root, "/dev/pts/ptmx", flags, 0);

	if (master < 0 && (errno == ENOENT || errno == EACCES))
		master = inside_open(stage->root, "/dev/ptmx", flags, 0);
	return master;
}

static int set_size(const struct stage *stage, int master)
{
	const struct record *record = plan_find(stage->plan, "terminal");
	struct winsize size = {
		.ws_row = (unsigned short)number_of(record->argv[0]),
		.ws_col = (unsigned short)number_of(record->argv[1]),
	};

	/* 0 0: as the caller's, from the start; its changes follow when it attaches. */
	if (size.ws_row == 0 && size.ws_col == 0)
		size = (struct winsize){ .ws_row = stage->rows, .ws_col = stage->columns };
	return size.ws_row == 0 && size.ws_col == 0 ? 0 : ioctl(master, TIOCSWINSZ, &size);
}

/* What the kernel gives as a pty's peer is on a devpts; an image that planted another device
 * as ptmx ends here (CVE-2025-52565). */
static int open_slave(int master)
{
	struct statfs file_system;
	int unlocked = 0;
	int slave;

	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return -1;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -1;
	if (fstatfs(slave, &file_system) == 0 && file_system.f_type == DEVPTS_SUPER_MAGIC)
		return slave;
	close(slave);
	errno = ENOTTY;
	return -1;
}

int terminal_open(struct stage *stage, struct failure *why)
{
	struct message message = { .kind = MESSAGE_TERMINAL };
	AUTO_CLOSE int master = -1;

	if (stage->terminal >= 0)
		return 0;
	master = open_multiplexer(stage);
	if (master < 0)
		return fail(why, "terminal", "/dev/pts/ptmx");
	stage->terminal = open_slave(master);
	if (stage->terminal < 0 || set_size(stage, master) < 0)
		return fail(why, "terminal", "pty");
	if (message_send(stage->sync, &message, master) < 0)
		return fail(why, "terminal", "send");
	return 0;
}

int step_console(struct stage *stage, const struct record *record, struct failure *why)
{
	AUTO_CLOSE int tree = -1;
	AUTO_CLOSE int destination = -1;

	(void)record;
	if (plan_find(stage->plan, "terminal") == NULL)
		return fail_errno(why, "console", "terminal", EBADMSG);
	if (terminal_open(stage, why) < 0)
		return -1;
	tree = open_tree(stage->terminal, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return fail(why, "console", "pty");
	destination = inside_make_file(stage->root, "/dev/console");
	if (destination < 0)
		return fail(why, "console", "/dev/console");
	return mount_attach(tree, destination, "/dev/console", why);
}
