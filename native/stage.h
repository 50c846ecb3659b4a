/* The process that becomes the container's program: what its steps share. */
#ifndef TSMAN_STAGE_H
#define TSMAN_STAGE_H

#include <linux/filter.h>
#include <stdbool.h>

#include "failure.h"
#include "plan.h"
#include "user.h"

#define SECCOMP_MAX BPF_MAXINSNS

struct stage {
	const struct plan *plan;
	int sync;      /* messages with the monitor, or with exec's main; -1 = none */
	int root;      /* O_PATH on the container's root, before and after the pivot; -1 = not yet */
	int proc;      /* the host's procfs, verified; -1 in exec */
	int terminal;  /* the pty's slave, or -1 */
	unsigned short rows, columns; /* of the caller's terminal, 0 = it has none */
	bool pivoted;
	bool binds_devices; /* nodes cannot be made */
	bool has_network; /* its network process is ready */
	bool has_identity;
	struct identity identity;
	const char *masked; /* a directory already covered by the empty tmpfs */
	unsigned int umask; /* for the program */
	int filter_fd;      /* an already opened seccomp program, or -1 */
	struct sock_filter filter[SECCOMP_MAX];
	unsigned short filter_length;
};

typedef int step_function(struct stage *stage, const struct record *record, struct failure *why);

void stage_init(struct stage *stage, const struct plan *plan);
/* Carry out the steps before `exec`, if there is one. */
int stage_run_steps(struct stage *stage, struct failure *why);
/* Carry out every step of the plan. Returns only with a failure. */
int stage_run(struct stage *stage, struct failure *why);
/* Wait for the network process, if there is one. */
int stage_await_network(struct stage *stage, struct failure *why);
/* The re-executed process: argv after the verb. Never returns normally. */
int stage_main(int argc, char **argv);

/* rootfs.c */
step_function step_rootfs_overlay, step_rootfs_fuse, step_rootfs_bind, step_pivot;
/* overlays.c. Where the container process finds overlays that the monitor mounted (box_overlays.c): above
 * every descriptor of ours, below those of sources.c. */
#define OVERLAY_TREES 560
#define OVERLAY_MOST 40
bool is_overlay(const struct record *record);
int overlay_number(const struct plan *plan, const struct record *record);
/* A detached overlay of an `overlay` or `overlay-below` record. */
int overlay_make(const struct record *record, struct failure *why);
/* The container has another user namespace than the engine's. */
bool has_own_userns(const struct plan *plan);
step_function step_overlay;
/* rootfs.c */
/* Mount the overlay of a `rootfs-overlay` record, here and now, on top of "/". */
int mount_overlay_root(struct stage *stage, const struct record *record, struct failure *why);
/* A detached overlay of a record UPPER WORK FLAGS LOWER...; one layer alone is a read-only bind. */
int overlay_tree(const struct record *record, struct failure *why);
/* hooks.c */
step_function step_bundle_root, step_hook;
/* mounts.c */
step_function step_mount, step_bind, step_bind_inside, step_bind_below, step_mask, step_readonly;
/* volumes.c */
step_function step_copy_up, step_own_tree, step_owner;
/* devices.c */
step_function step_devices, step_device, step_console;
/* Open a pty inside the container unless `console` did; its master goes up `sync`. */
int terminal_open(struct stage *stage, struct failure *why);
/* files.c */
step_function step_mkdir, step_symlink, step_write;
/* system.c */
step_function step_sysctl, step_hostname, step_domainname, step_loopback, step_rlimit;
step_function step_oom_score_adj, step_umask;
/* credentials.c: from root of the user namespace to the plan's user and capabilities. */
int credentials_apply(struct stage *stage, struct failure *why);
/* filter.c: read the plan's `seccomp` file while its path still means the host's; load it. */
int filter_read(struct stage *stage, struct failure *why);
int filter_load(const struct stage *stage, struct failure *why);
/* working_directory.c */
int working_directory_make(struct stage *stage, struct failure *why);
int working_directory_enter(struct stage *stage, struct failure *why);
/* program.c: the environment, PATH, execve. Returns only with a failure. */
step_function step_exec;

#endif
