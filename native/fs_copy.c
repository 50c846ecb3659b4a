/* Copying an unpacked layer for another id map. */
#include <string.h>
#include <sys/stat.h>

#include "copy_tree.h"
#include "fs_agent.h"
#include "syscalls.h"
#include "tree_entries.h"

#define REDIRECT_MAX 256

/* count, then for each range: the id in the layer, the id in the copy, how many. */
static int read_shift(struct id_shift *shift, struct fs_reader *request, struct failure *why)
{
	uint32_t count = fs_u32(request);

	if (request->bad || count > ID_SHIFT_RANGES)
		return fail_errno(why, "protocol", "id ranges", EBADMSG);
	for (shift->count = 0; shift->count < count; shift->count++) {
		shift->range[shift->count].from = fs_u32(request);
		shift->range[shift->count].to = fs_u32(request);
		shift->range[shift->count].size = fs_u32(request);
	}
	return request->bad ? fail_errno(why, "protocol", "id ranges", EBADMSG) : 0;
}

static int read_redirect(char redirect[REDIRECT_MAX], struct fs_reader *request, struct failure *why)
{
	uint32_t length = fs_u32(request);
	const uint8_t *bytes = fs_bytes(request, length);

	if (bytes == NULL || length >= REDIRECT_MAX || memchr(bytes, 0, length) != NULL)
		return fail_errno(why, "protocol", "redirect", EBADMSG);
	memcpy(redirect, bytes, length);
	redirect[length] = '\0';
	return 0;
}

static int open_source(struct fs_agent *agent, const struct fs_path *path)
{
	int parent = fs_parent(agent, path, false, &agent->failure);
	int fd = parent < 0 ? -1 : openat(parent, path->name, OPEN_DIRECTORY);

	return fd < 0 && agent->failure.error == 0 ? fs_fail(agent, "copy", path) : fd;
}

int fs_copy_layer(struct fs_agent *agent, struct fs_reader *request)
{
	static struct id_shift uids, gids;
	char redirect[REDIRECT_MAX];
	const struct copy_options options = { &uids, &gids, true, redirect };
	int parent;

	if (fs_path_read(&agent->path, request, &agent->failure) < 0 ||
	    fs_path_read(&agent->other, request, &agent->failure) < 0 ||
	    read_redirect(redirect, request, &agent->failure) < 0 ||
	    read_shift(&uids, request, &agent->failure) < 0 ||
	    read_shift(&gids, request, &agent->failure) < 0)
		return -1;
	AUTO_CLOSE int from = open_source(agent, &agent->path);
	if (from < 0)
		return -1;
	parent = fs_parent(agent, &agent->other, true, &agent->failure);
	if (parent < 0)
		return -1;
	if (mkdirat(parent, agent->other.name, 0700) < 0)
		return fs_fail(agent, "copy", &agent->other);
	AUTO_CLOSE int to = openat(parent, agent->other.name, OPEN_DIRECTORY);
	if (to < 0)
		return fs_fail(agent, "copy", &agent->other);
	return copy_tree(from, to, &options, &agent->failure);
}
