/* The container's log.
 *
 * One read from the container becomes one batch of whole records in `scratch`, one
 * timestamp, and as a rule one write. A record never straddles two batches, so what
 * a failed write left is cut at its last whole line. Times are formatted by hand:
 * localtime and strftime would drag the time zone and the locale into a process that
 * lives as long as the container. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "json_text.h"
#include "log_fields.h"
#include "log_journal.h"
#include "monitor.h"
#include "scratch.h"
#include "text.h"

/* The longest text of one record. Escaped as JSON it grows six-fold at most,
 * which with its frame must fit in scratch. */
#define PIECE 8192
#define RECORD_MAX (JSON_GROWTH * (PIECE + 1) + 256)

_Static_assert(RECORD_MAX + LOG_FIELDS_MAX <= SCRATCH_SIZE, "a record must fit in one batch");

enum format { FORMAT_NONE, FORMAT_K8S, FORMAT_JSON, FORMAT_JOURNAL };

static struct {
	enum format format;
	int fd;
	uint64_t size;         /* bytes in the file, all of them whole records */
	uint64_t limit;        /* rotate from this size on; 0 = never */
	unsigned int files;    /* kept, the current one included */
	uint64_t lost;
	size_t used;           /* bytes of scratch waiting to be written */
	long offset_seconds;   /* local time minus UTC, read once at the start */
	struct text stamp;     /* time of the current batch */
	struct json_text partial[2]; /* a character cut in two by a read, per stream */
	struct log_fields fields;    /* of each record in JSON */
	char path[PATH_MAX];
} file = { .fd = -1 };

static int open_file(int flags)
{
	return open(file.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | flags,
		    0600);
}

static int open_existing(struct failure *why)
{
	struct stat status;
	time_t now = time(NULL);
	struct tm local;

	/* O_NONBLOCK only for the open: a FIFO without a reader must not hang the start. */
	file.fd = open_file(O_NONBLOCK);
	if (file.fd < 0)
		return fail(why, "log", file.path);
	if (fstat(file.fd, &status) < 0)
		return fail(why, "log", file.path);
	if (!S_ISREG(status.st_mode))
		return fail_errno(why, "log", file.path, EINVAL);
	file.size = (uint64_t)status.st_size;
	if (file.format == FORMAT_K8S && localtime_r(&now, &local) != NULL)
		file.offset_seconds = local.tm_gmtoff;
	return 0;
}

int monitor_open_log(const struct plan *plan, struct failure *why)
{
	const struct record *record = plan_find(plan, "log");

	if (record == NULL || strcmp(record->argv[0], "none") == 0)
		return 0;
	if (strcmp(record->argv[0], "k8s-file") == 0)
		file.format = FORMAT_K8S;
	else if (strcmp(record->argv[0], "json-file") == 0)
		file.format = FORMAT_JSON;
	else if (strcmp(record->argv[0], "journald") == 0)
		file.format = FORMAT_JOURNAL;
	else
		return fail_errno(why, "log", record->argv[0], EINVAL);
	if (file.format == FORMAT_JOURNAL)
		return journal_open(record->argv[1], plan, why);
	if (file.format == FORMAT_JSON && log_fields_json(plan, &file.fields, why) < 0)
		return -1;
	if (strlen(record->argv[1]) >= sizeof file.path - 16) /* room for .NUMBER */
		return fail_errno(why, "log", record->argv[1], ENAMETOOLONG);
	strcpy(file.path, record->argv[1]);
	file.limit = strtoull(record->argv[2], NULL, 10);
	file.files = (unsigned int)strtoul(record->argv[3], NULL, 10);
	return open_existing(why);
}

/* PATH.(N-2) -> PATH.(N-1), …, PATH -> PATH.1. The new file is another inode even when
 * only one is kept, so that a follower of the old one sees that it has ended. */
static void rotate(void)
{
	char from[PATH_MAX], to[PATH_MAX];
	int fd;

	for (unsigned int n = file.files > 0 ? file.files - 1 : 0; n > 0; n--) {
		struct text suffix = { .length = 0 };
		size_t length = strlen(file.path);

		memcpy(from, file.path, length + 1);
		memcpy(to, file.path, length + 1);
		text_add(&suffix, ".");
		text_add_number(&suffix, n);
		memcpy(to + length, suffix.bytes, suffix.length);
		to[length + suffix.length] = '\0';
		if (n > 1) {
			suffix.length = 1;
			text_add_number(&suffix, n - 1);
			memcpy(from + length, suffix.bytes, suffix.length);
			from[length + suffix.length] = '\0';
		}
		rename(from, to); /* ENOENT until that many files exist */
	}
	if (file.files <= 1)
		unlink(file.path);
	fd = open_file(0);
	if (fd < 0)
		return; /* keep writing to the old file; tried again at the next record */
	close(file.fd);
	file.fd = fd;
	file.size = 0;
}

/* A full disk, a quota, a dead disk: the container goes on. Of the batch the whole records
 * among the first `done` bytes stay. */
static void cut(size_t done)
{
	const char *end = done > 0 ? memrchr(scratch, '\n', done) : NULL;
	size_t whole = end != NULL ? (size_t)(end - scratch) + 1 : 0;

	if (done > whole && ftruncate(file.fd, (off_t)(file.size + whole)) < 0)
		whole = done;
	file.size += whole;
	file.lost += file.used - whole;
	file.used = 0;
}

static void flush(void)
{
	size_t done = 0;

	while (done < file.used) {
		ssize_t n = write(file.fd, scratch + done, file.used - done);

		if (n > 0) {
			done += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			cut(done);
			return;
		}
	}
	file.size += file.used;
	file.used = 0;
}

/* 2026-11-22T03:00:00.123456789, then Z or +00:00. */
static void stamp_batch(void)
{
	struct timespec now;
	uint64_t minutes;
	int64_t local;

	clock_gettime(CLOCK_REALTIME, &now);
	local = now.tv_sec + file.offset_seconds;
	file.stamp.length = 0;
	text_add_date(&file.stamp, local / 86400);
	text_add(&file.stamp, "T");
	text_add_padded(&file.stamp, (uint64_t)(local % 86400 / 3600), 2);
	text_add(&file.stamp, ":");
	text_add_padded(&file.stamp, (uint64_t)(local % 3600 / 60), 2);
	text_add(&file.stamp, ":");
	text_add_padded(&file.stamp, (uint64_t)(local % 60), 2);
	text_add(&file.stamp, ".");
	text_add_padded(&file.stamp, (uint64_t)now.tv_nsec, 9);
	if (file.format == FORMAT_JSON) {
		text_add(&file.stamp, "Z");
		return;
	}
	minutes = (uint64_t)labs(file.offset_seconds) / 60;
	text_add(&file.stamp, file.offset_seconds < 0 ? "-" : "+");
	text_add_padded(&file.stamp, minutes / 60, 2);
	text_add(&file.stamp, ":");
	text_add_padded(&file.stamp, minutes % 60, 2);
}

static void put(const char *bytes, size_t size)
{
	memcpy(scratch + file.used, bytes, size);
	file.used += size;
}

static void k8s_record(int stream, const char *bytes, size_t size)
{
	bool whole = bytes[size - 1] == '\n';

	put(file.stamp.bytes, file.stamp.length);
	put(stream == 1 ? " stdout " : " stderr ", 8);
	put(whole ? "F " : "P ", 2);
	put(bytes, size);
	if (!whole)
		put("\n", 1);
}

static void json_record(int stream, const char *bytes, size_t size)
{
	static const char head[] = "{\"log\":\"";
	static const char middle[2][24] = { "\",\"stream\":\"stdout\"", "\",\"stream\":\"stderr\"" };

	put(head, sizeof head - 1);
	file.used += json_escape(&file.partial[stream - 1], scratch + file.used, bytes, size);
	put(middle[stream - 1], strlen(middle[stream - 1]));
	if (file.fields.size > 0)
		put(file.fields.bytes, file.fields.size);
	put(",\"time\":\"", 9);
	put(file.stamp.bytes, file.stamp.length);
	put("\"}\n", 3);
}

static void write_record(int stream, const char *bytes, size_t size)
{
	size_t room = (file.format == FORMAT_JSON ? JSON_GROWTH * (size + 1) : size) + 256 +
		      file.fields.size;

	if (file.limit != 0 && file.size + file.used >= file.limit) {
		flush();
		if (file.size >= file.limit) /* not so when the disk was full */
			rotate();
	}
	if (file.used + room > SCRATCH_SIZE)
		flush();
	if (file.format == FORMAT_JSON)
		json_record(stream, bytes, size);
	else
		k8s_record(stream, bytes, size);
}

void log_write(int stream, const char *bytes, size_t size)
{
	if (file.format == FORMAT_JOURNAL) {
		journal_write(stream, bytes, size);
		return;
	}
	if (file.format == FORMAT_NONE || file.fd < 0 || size == 0)
		return;
	stamp_batch();
	while (size > 0) {
		size_t piece = size < PIECE ? size : PIECE;
		const char *newline = memchr(bytes, '\n', piece);

		if (newline != NULL)
			piece = (size_t)(newline - bytes) + 1;
		write_record(stream, bytes, piece);
		bytes += piece;
		size -= piece;
	}
	flush();
}

void log_close(void)
{
	if (file.format == FORMAT_JOURNAL)
		journal_close();
	if (file.fd < 0)
		return;
	for (int stream = 1; stream <= 2; stream++) {
		if (file.partial[stream - 1].have == 0)
			continue;
		stamp_batch();
		write_record(stream, "", 0); /* a lone first half becomes U+FFFD */
		flush();
	}
	close(file.fd);
	file.fd = -1;
}

uint64_t log_lost(void)
{
	return file.lost + journal_lost();
}
