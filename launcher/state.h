/*
 * state.h - what is kept of each container between commands: ROOT/ID/ with
 *
 *   state.json    struct state; replaced whole by rename or exchange, never changed in place
 *   control.sock  controld's socket, mode 0600
 *   network       what was taken from a network namespace and is to be given back (network_record.c)
 *   user.sock     for a moment: slirp4netns's (network_user.c)
 *   lock          flock'ed by the command that is making or deleting the container, by `do` while it runs
 *
 * The directory has mode 0700 and must belong to us: whoever can write there can
 * name processes for `delete` to kill.  A pid is stored with its start time, so
 * a number that has come to mean another process is never touched.
 */
#ifndef REDOUBT_LAUNCHER_STATE_H
#define REDOUBT_LAUNCHER_STATE_H

#include "json_read.h"

#include <sys/types.h>

#define STATE_RECORD "state.json"
#define STATE_SOCKET "control.sock"
#define STATE_NETWORK "network"
#define STATE_USER_NETWORK "user.sock"

struct proc_id {
	uint64_t pid; /* 0: none */
	uint64_t start; /* clock ticks since boot, as /proc/PID/stat counts */
};

struct state {
	const char *id, *bundle, *created; /* created: RFC 3339 */
	const char *phase; /* "creating" until the sentry has the container ready, then "created" */
	uint64_t owner;
	bool terminal;
	bool transient; /* no container to be deleted: its launcher does that, and holds the lock until then (sweep.h) */
	const char *sandbox; /* id of the container in whose sandbox it is; NULL: its own */
	/* NULL or pid 0: not known.  In another's sandbox `sentry` is the stand-in: what
	 * engines know the container by, and what lives as long as its program. */
	struct proc_id *controld, *sentry, *gofer, *guard; /* guard: guard.h */
	struct jmap annotations;
	uint64_t adopt_fd; /* the sentry's descriptor by which another controld comes to it; 0: none */
	const char *served; /* served.h; NULL: its gofer is not to be replaced */
	uint64_t gofers; /* how many it has had */
	const char *rootfs;
	const char *hooks; /* the configuration's, as JSON; NULL: none */
	struct jmap cgroup; /* see cgroup.h */
	const char *network; /* network.h: whether interfaces are looked for at start; NULL: no */
	const char *scope; /* systemd's unit that it is; NULL: none */
};

struct state_dir {
	const char *path; /* ROOT/ID */
	int root_fd, fd, lock; /* O_PATH or directory descriptors; lock -1: not held */
	int sandbox_fd; /* where the control socket is, when it is in another's sandbox; -1 */
	const char *id;
};
#define STATE_DIR_NONE { .root_fd = -1, .fd = -1, .lock = -1, .sandbox_fd = -1 }

/* /run/redoubt, or below $XDG_RUNTIME_DIR for others than root. */
const char *state_default_root(struct pool *p);
/* 1-255 of A-Z a-z 0-9 _ + . -, not beginning with a dot or '-'. */
struct err *state_check_id(const char *id) ERR_MUST_USE;

/* Makes ROOT/ID and holds its lock; EEXIST when the id is taken. */
struct err *state_create(const char *root, const char *id, struct pool *p, struct state_dir *out) ERR_MUST_USE;
/* ENOENT when there is no such container. */
struct err *state_open(const char *root, const char *id, struct pool *p, struct state_dir *out) ERR_MUST_USE;
/* EBUSY unless wait. */
struct err *state_lock(struct state_dir *d, bool wait) ERR_MUST_USE;
/* False: its maker has not come as far, or never will. */
bool state_has_record(const struct state_dir *d);
/* Since it was opened: by another command. */
bool state_was_removed(const struct state_dir *d);
/* Whether another command holds its lock. */
bool state_being_made(const struct state_dir *d);
void state_close(struct state_dir *d);
#define _cleanup_state_ __attribute__((cleanup(state_close)))
/* Takes everything of the container out of the file system; idempotent. */
struct err *state_remove(struct state_dir *d) ERR_MUST_USE;

struct err *state_write(const struct state_dir *d, const struct state *s) ERR_MUST_USE;
struct err *state_read(const struct state_dir *d, struct pool *p, struct state *out) ERR_MUST_USE;
/* For one in another's sandbox: that one's control socket is d's from now on.  Gone: it has none. */
struct err *state_enter_sandbox(struct state_dir *d, const char *sandbox) ERR_MUST_USE;

/* state_json.c.  The state as the specification has it, for hooks and for state and list. */
json_t *state_json(const struct state *s, const char *status, uint64_t pid);
/* A user's name on this host, or the number. */
const char *owner_name(uint64_t uid, struct pool *p);

/* The ids found in root, sorted. */
struct state_ids {
	const char **v;
	size_t n, cap;
};
struct err *state_list(const char *root, struct pool *p, struct state_ids *out) ERR_MUST_USE;

/* A pid's identity now; start 0 if there is no such process. */
struct proc_id proc_identify(pid_t pid);
/* A pidfd of exactly that process, or -1 if it has gone (also when a zombie). */
int proc_open(const struct proc_id *p);

#endif
