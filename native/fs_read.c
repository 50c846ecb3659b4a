/* Sending a regular file's content, without its holes. */
#include <errno.h>

#include "fs_agent.h"
#include "syscalls.h"

#define CHUNK (256u << 10)

static int send_range(int fd, uint64_t *at, uint64_t end)
{
	while (*at < end) {
		uint8_t *room;
		ssize_t n;
		size_t size = end - *at < CHUNK ? (size_t)(end - *at) : CHUNK;

		fs_reply_begin(FS_DATA);
		fs_put_u64(*at);
		room = fs_put_room(size);
		if (room == NULL)
			return -1;
		do
			n = pread(fd, room, size, (off_t)*at);
		while (n < 0 && errno == EINTR);
		if (n > 0)
			fs_put_used((size_t)n);
		fs_reply_end(); /* an empty one when the file shrank: harmless */
		if (n <= 0)
			return n < 0 ? -1 : 0;
		*at += (uint64_t)n;
	}
	return 0;
}

static int send_file(int fd, uint64_t at, uint64_t end)
{
	while (at < end) {
		off_t data = lseek(fd, (off_t)at, SEEK_DATA);
		off_t hole;
		uint64_t stop;

		if (data < 0 && errno == ENXIO)
			return 0;
		if (data < 0) { /* a file system without holes */
			data = (off_t)at;
			hole = (off_t)end;
		} else {
			hole = lseek(fd, data, SEEK_HOLE);
		}
		stop = hole < 0 || (uint64_t)hole > end ? end : (uint64_t)hole;
		at = (uint64_t)data;
		if (at >= end)
			return 0;
		if (send_range(fd, &at, stop) < 0)
			return -1;
		if (at < stop)
			return 0;
	}
	return 0;
}

int fs_read(struct fs_agent *agent, struct fs_reader *request, struct failure *why)
{
	struct fs_path *path = &agent->path;
	uint64_t offset, length;
	struct stat now;
	int parent;

	if (fs_path_read(path, request, why) < 0)
		return -1;
	offset = fs_u64(request);
	length = fs_u64(request);
	if (request->bad || path->length == 0)
		return fail_errno(why, "read", path->bytes, path->length == 0 ? EISDIR : EBADMSG);
	parent = fs_parent(agent, path, false, why);
	if (parent < 0)
		return -1;
	/* O_NONBLOCK: a fifo in the file's place must not hang us. */
	AUTO_CLOSE int fd = openat(parent, path->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &now) < 0)
		return fail(why, "read", path->bytes);
	if (!S_ISREG(now.st_mode))
		return fail_errno(why, "read", path->bytes, S_ISDIR(now.st_mode) ? EISDIR : EINVAL);
	if (offset > (uint64_t)now.st_size)
		offset = (uint64_t)now.st_size;
	if (length > (uint64_t)now.st_size - offset)
		length = (uint64_t)now.st_size - offset;
	if (send_file(fd, offset, offset + length) < 0)
		return fail(why, "read", path->bytes);
	fs_reply_begin(FS_END);
	fs_put_u64(agent->sequence);
	fs_put_u64((uint64_t)now.st_size);
	fs_put_u64(0);
	fs_reply_end();
	return 0;
}
