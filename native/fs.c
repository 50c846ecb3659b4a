/* The verb `fs`, the rootfs agent: carries out a stream of file operations below one directory.
 *
 * JavaScript has no *at() calls and no right to files of subordinate ids; this process has both, and
 * nothing else: it lives in the engine's user namespace, has the pinned directory open, and resolves
 * every path below it (fs_path.c). Changing operations are not answered; the first failure is
 * reported when it happens, the rest of the stream is then read and ignored. */
#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs_agent.h"
#include "numbers.h"
#include "syscalls.h"
#include "userns.h"

#define EXIT_FAILED 125
#define SYNC_TO_DISK 1u
#define PIPE_SIZE (1 << 20)

enum operation {
	OP_MKDIR = 1, OP_FILE, OP_DATA, OP_SYMLINK, OP_HARDLINK, OP_WHITEOUT, OP_OPAQUE, OP_NODE,
	OP_SET, OP_REMOVE, OP_RENAME, OP_WALK, OP_READ, OP_USAGE, OP_SYNC,
	OP_EXCHANGE, OP_COPY_LAYER,
};

static void reply_ok(const struct fs_agent *agent)
{
	fs_reply_begin(FS_OK);
	fs_put_u64(agent->sequence);
	fs_put_u64(agent->devices_skipped);
	fs_put_u64(agent->owners_squashed);
	fs_put_u64(agent->xattrs_dropped);
	fs_put_u64(agent->acls_dropped);
	fs_reply_end();
}

static int synchronize(struct fs_agent *agent, struct fs_reader *request)
{
	uint32_t flags = fs_u32(request);

	if (request->bad)
		return fail_errno(&agent->failure, "protocol", "sync", EBADMSG);
	if (fs_set_times(agent) < 0)
		return -1;
	if (flags & SYNC_TO_DISK && syncfs(agent->pin) < 0)
		return fail(&agent->failure, "syncfs", "/");
	/* Between barriers somebody else may change the tree. */
	fs_forget();
	reply_ok(agent);
	return 0;
}

static int change(struct fs_agent *agent, uint8_t operation, struct fs_reader *request)
{
	switch (operation) {
	case OP_MKDIR: return fs_mkdir(agent, request);
	case OP_FILE: return fs_file(agent, request);
	case OP_DATA: return fs_data(agent, request);
	case OP_SYMLINK: return fs_symlink(agent, request);
	case OP_HARDLINK: return fs_hardlink(agent, request);
	case OP_WHITEOUT: return fs_whiteout(agent, request);
	case OP_OPAQUE: return fs_opaque(agent, request);
	case OP_NODE: return fs_node(agent, request);
	case OP_SET: return fs_set(agent, request);
	case OP_REMOVE: return fs_remove(agent, request);
	case OP_RENAME: return fs_rename(agent, request, 0);
	case OP_EXCHANGE: return fs_rename(agent, request, RENAME_EXCHANGE);
	case OP_COPY_LAYER: return fs_copy_layer(agent, request);
	case OP_SYNC: return synchronize(agent, request);
	default: return fail_errno(&agent->failure, "protocol", "operation", EOPNOTSUPP);
	}
}

static void answer(struct fs_agent *agent, uint8_t operation, struct fs_reader *request)
{
	struct failure why = { .error = 0 };
	int result;

	if (operation == OP_READ)
		result = fs_read(agent, request, &why);
	else
		result = fs_walk(agent, request, operation == OP_USAGE, &why);
	if (result < 0)
		fs_reply_failure(agent->sequence, &why);
}

static void serve_one(struct fs_agent *agent, uint8_t operation, struct fs_reader *request)
{
	bool failed = agent->failure.error != 0;

	agent->sequence++;
	if (!failed && operation != OP_DATA && fs_finish_file(agent) < 0) {
		fs_reply_failure(agent->sequence, &agent->failure);
		failed = true;
	}
	if (operation == OP_WALK || operation == OP_READ || operation == OP_USAGE) {
		answer(agent, operation, request);
		return;
	}
	/* A sync after a failure is answered with it, so that nobody waits for an ok. */
	if (failed && operation == OP_SYNC)
		fs_reply_failure(agent->sequence, &agent->failure);
	if (failed)
		return;
	if (change(agent, operation, request) < 0)
		fs_reply_failure(agent->sequence, &agent->failure);
}

static int read_map(const struct plan *plan, const char *name, struct fs_id_map *map,
		    struct failure *why)
{
	for (const struct record *line = plan_next(plan, name, NULL); line != NULL;
	     line = plan_next(plan, name, line)) {
		if (map->count == FS_ID_RANGES)
			return fail_errno(why, "plan", name, EINVAL);
		map->range[map->count].first = (uint32_t)number_of(line->argv[0]);
		map->range[map->count].size = (uint32_t)number_of(line->argv[2]);
		map->count++;
	}
	return 0;
}

static int set_up(struct fs_agent *agent, const struct plan *plan, struct failure *why)
{
	const struct record *userns = plan_find(plan, "userns");

	agent->mapped = userns != NULL && strcmp(userns->argv[0], "map") == 0;
	if (read_map(plan, "uid-map", &agent->uids, why) < 0 ||
	    read_map(plan, "gid-map", &agent->gids, why) < 0)
		return -1;
	agent->squash = agent->uids.count == 1 && agent->uids.range[0].size == 1;
	if (userns_enter(plan, why) < 0)
		return -1;
	return fs_pin(plan, &agent->pin, why);
}

int fs_main(const struct plan *plan)
{
	/* Without a value: 130 kB of the file would be mapped into every monitor. */
	static struct fs_agent agent;
	struct fs_reader request;
	uint8_t operation;
	int got;

	agent.pin = agent.file = -1;
	signal(SIGPIPE, SIG_IGN);
	umask(0);
	if (set_up(&agent, plan, &agent.failure) < 0) {
		fs_reply_failure(0, &agent.failure);
		return EXIT_FAILED;
	}
	/* Larger pipes let the two sides run in parallel; on a socket this fails and does not matter. */
	fcntl(STDIN_FILENO, F_SETPIPE_SZ, PIPE_SIZE);
	fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_SIZE);
	fs_reply_begin(FS_READY);
	fs_reply_end();
	while ((got = fs_next(&operation, &request)) > 0)
		serve_one(&agent, operation, &request);
	fs_forget();
	if (got < 0)
		fail(&agent.failure, "protocol", "stdin");
	return agent.failure.error == 0 ? 0 : EXIT_FAILED;
}
