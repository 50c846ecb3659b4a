/* run-dir/attach.sock: its name, its making, its use. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "attach.h"
#include "frame.h"
#include "monitor.h"
#include "syscalls.h"
#include "text.h"

#define BACKLOG 64

static const char socket_name[] = "attach.sock";

/* sun_path holds 108 bytes and a run directory's path may be longer: name the
 * directory by our descriptor. */
static void socket_address(struct sockaddr_un *address, int run_dir)
{
	struct text path = { .length = 0 };

	text_add(&path, "/proc/self/fd/");
	text_add_number(&path, (uint64_t)run_dir);
	text_add(&path, "/");
	text_add_bytes(&path, socket_name, sizeof socket_name);
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path, path.bytes, path.length);
}

int monitor_listen(int run_dir, struct failure *why)
{
	struct sockaddr_un address;
	int fd;

	socket_address(&address, run_dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(why, "attach-socket", "socket");
	unlinkat(run_dir, socket_name, 0);
	/* On an unbound socket fchmod decides the mode that bind gives to the name. */
	if (fchmod(fd, 0600) < 0 || bind(fd, (const void *)&address, sizeof address) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		fail(why, "attach-socket", socket_name);
		close(fd);
		return -1;
	}
	return fd;
}

int attach_connect(const struct plan *plan, struct failure *why)
{
	const struct record *record = plan_find(plan, "run-dir");
	struct sockaddr_un address;
	const char *directory = record != NULL ? record->argv[0] : "";
	AUTO_CLOSE int at = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (at < 0)
		return fail(why, "attach", directory);
	socket_address(&address, at);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (const void *)&address, sizeof address) == 0)
		return fd;
	fail(why, "attach", socket_name);
	if (fd >= 0)
		close(fd);
	return -1;
}

void attach_send_signal(const struct plan *plan, int number)
{
	unsigned char frames[2 * (FRAME_HEADER + 1)];
	struct failure why = { .error = 0 };
	AUTO_CLOSE int fd = attach_connect(plan, &why);

	frame_header(frames, FRAME_HELLO, 1);
	frames[FRAME_HEADER] = 0;
	frame_header(frames + FRAME_HEADER + 1, FRAME_SIGNAL, 1);
	frames[sizeof frames - 1] = (unsigned char)number;
	/* Without a connection the container is about to end, or its monitor is gone. */
	if (fd >= 0 && send(fd, frames, sizeof frames, MSG_NOSIGNAL) < 0)
		return;
}
