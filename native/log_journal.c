/* One line is one entry, with the fields that conmon and Docker give it. What has no end
 * of line waits for it up to LINE_MAX_BYTES and goes with CONTAINER_PARTIAL_MESSAGE then.
 * The address is named in each datagram: a connected socket would not find a journal that
 * was restarted. */
#include "log_journal.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "log_fields.h"

#define LINE_MAX_BYTES 8192
/* A journal that takes nothing for so long is taken for dead: the container goes on. */
#define PATIENCE_SECONDS 2

static struct {
	int fd;
	struct sockaddr_un address;
	struct log_fields fields;
	bool is_dead; /* it did not take the last entry in time: the next one does not wait */
	uint64_t lost;
} journal = { .fd = -1 };

/* Of stdout and stderr. Apart, and without a value: no page of it before the first line. */
static struct {
	size_t used;
	char bytes[LINE_MAX_BYTES];
} lines[2];

int journal_open(const char *path, const struct plan *plan, struct failure *why)
{
	struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	int probe;

	if (strlen(path) >= sizeof journal.address.sun_path)
		return fail_errno(why, "journal", path, ENAMETOOLONG);
	journal.address.sun_family = AF_UNIX;
	strcpy(journal.address.sun_path, path);
	if (log_fields_journal(plan, &journal.fields, why) < 0)
		return -1;
	probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (probe < 0 || connect(probe, (struct sockaddr *)&journal.address, sizeof journal.address) < 0) {
		fail(why, "journal", path);
		if (probe >= 0)
			close(probe);
		return -1;
	}
	close(probe);
	journal.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (journal.fd < 0 ||
	    setsockopt(journal.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
		return fail(why, "journal", path);
	return 0;
}

static struct iovec part(const void *bytes, size_t size)
{
	return (struct iovec){ .iov_base = (void *)bytes, .iov_len = size };
}

static void send_line(int stream, bool is_partial)
{
	static const char partial[] = "CONTAINER_PARTIAL_MESSAGE=true\n";
	/* syslog(3): LOG_INFO and LOG_ERR, as conmon and Docker. */
	const char *priority = stream == 1 ? "\nPRIORITY=6\n" : "\nPRIORITY=3\n";
	size_t size = lines[stream - 1].used;
	struct iovec parts[] = {
		part("MESSAGE=", 8),
		part(lines[stream - 1].bytes, size),
		part(priority, strlen(priority)),
		part(journal.fields.bytes, journal.fields.size),
		part(partial, is_partial ? sizeof partial - 1 : 0),
	};
	struct msghdr message = {
		.msg_name = &journal.address,
		.msg_namelen = sizeof journal.address,
		.msg_iov = parts,
		.msg_iovlen = sizeof parts / sizeof parts[0],
	};
	ssize_t sent;

	do
		sent = sendmsg(journal.fd, &message, MSG_NOSIGNAL | (journal.is_dead ? MSG_DONTWAIT : 0));
	while (sent < 0 && errno == EINTR);
	journal.is_dead = sent < 0;
	if (sent < 0)
		journal.lost += size + (is_partial ? 0 : 1);
	lines[stream - 1].used = 0;
}

void journal_write(int stream, const char *bytes, size_t size)
{
	while (size > 0) {
		const char *newline = memchr(bytes, '\n', size);
		size_t length = newline != NULL ? (size_t)(newline - bytes) : size;
		size_t room = LINE_MAX_BYTES - lines[stream - 1].used;
		size_t taken = length < room ? length : room;

		memcpy(lines[stream - 1].bytes + lines[stream - 1].used, bytes, taken);
		lines[stream - 1].used += taken;
		bytes += taken;
		size -= taken;
		if (newline != NULL && taken == length) {
			send_line(stream, false);
			bytes++;
			size--;
		} else if (taken == room) {
			send_line(stream, true);
		}
	}
}

void journal_close(void)
{
	if (journal.fd < 0)
		return;
	for (int stream = 1; stream <= 2; stream++)
		if (lines[stream - 1].used > 0)
			send_line(stream, true);
	close(journal.fd);
	journal.fd = -1;
}

uint64_t journal_lost(void)
{
	return journal.lost;
}
