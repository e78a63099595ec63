/*
 * container.h - containers and the processes that control waits for.
 *
 * Everything here runs on the event thread; tasks only wake it (an exit queue
 * whose waiter activates an event).
 */
#ifndef SENTRY_CONTROL_CONTAINER_H
#define SENTRY_CONTROL_CONTAINER_H

#include "control/attributes.h"
#include "kernel/task.h"
#include "libipc/protocols.h"
#include "libipc/rpc.h"

struct gofer_conn;
struct hosttty;
struct nsproxy;
struct removing;
struct volume_use;

enum container_state { CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_STOPPED, CONTAINER_PAUSED };

/* Asks to be told of a process's end; belongs to the asker until fn is called. */
struct process_waiter {
	void (*fn)(struct process_waiter *w, int wait_status);
	void *arg;
	TAILQ_ENTRY(process_waiter) link;
};

/* A container's first process, or one that exec started. */
struct process {
	struct container *c;
	struct task *task; /* referenced until started */
	struct thread_group *tg; /* referenced until ended */
	pid_t pid; /* as its container counts */
	struct waitq exit_wq;
	struct waiter exit_waiter;
	struct event *ended_event;
	bool ended;
	int status; /* wait status */
	struct tty *tty; /* its terminal, referenced; NULL */
	struct hosttty *host; /* the terminal's host side */
	TAILQ_HEAD(, process_waiter) waiters;
	LIST_ENTRY(process) link;
};

struct container {
	struct kernel *k;
	char *id;
	enum container_state state;
	bool pausing; /* paused, but a task may still be in its program */
	struct mount_ns *ns;
	struct task_quota quota; /* its limits of tasks and memory */
	struct nsproxy *proxy; /* the other namespaces that its processes start in */
	struct fs_context *fs; /* what new processes start from */
	struct gofer_conn *gofer; /* shared with its gofer mounts */
	SLIST_HEAD(, volume_use) volumes;
	struct process *init;
	uint64_t cap_bounding;
	struct attributes attributes; /* of all its processes */
	LIST_HEAD(, process) processes;
	struct removing *removing; /* remove.c: its removal is under way */
	struct container *next; /* kernel's list */
};

/* Mounts everything, loads the program. Takes the descriptors (sets them to -1
 * in stdio) also on failure.  On failure nothing is left. */
struct err *container_create(struct kernel *k, const struct boot_spec *spec, int gofer_sock, int *stdio, unsigned n_stdio,
			     struct container **out) ERR_MUST_USE;
bool container_is_first(const struct container *c); /* the sandbox's: it lives as long */
struct oom_domain *container_memory(const struct container *c); /* its own, or the sandbox's */
struct container *container_find(struct kernel *k, const char *id);
struct err *container_start(struct container *c) ERR_MUST_USE;
/* Starts a process; *out stays valid as long as the container.  hook: in a created container. */
struct err *container_exec(struct container *c, const struct boot_process *p, bool hook, int *stdio, unsigned n_stdio, struct process **out) ERR_MUST_USE;
/* SIGKILL to all of it, whether started or not. */
void container_kill(struct container *c);
struct process *container_process(struct container *c, pid_t pid); /* pid 0: the first; NULL: none such was started by control */

void process_wait(struct process *p, struct process_waiter *w); /* may call w->fn at once */
void process_unwait(struct process *p, struct process_waiter *w);
int process_foreground_pgrp(struct process *p, pid_t *pgid); /* -ENOTTY */

/* remove.c: ends all its processes, forgets it, then answers call.  Not for the
 * sandbox's first container, which goes with the sandbox. */
void container_remove(struct container *c, struct rpc_call *call);
/* What is left of one that is in no list and has no process. */
void container_free(struct container *c);

/* volumes.c.  volume_find: a new reference to the file system that another mount of
 * the volume has made, or -ENOENT; volume_add: this one made it. */
int volume_find(struct container *c, const char *name, bool writable, struct superblock **out);
int volume_add(struct container *c, const char *name, struct superblock *sb);
void volumes_leave(struct container *c);

/* mounts.c: the container's mount namespace. */
struct err *container_mounts(struct container *c, const struct boot_spec *spec) ERR_MUST_USE;
/* One more, while it runs; not one that a gofer serves. */
struct err *container_mount(struct container *c, const struct control_mount *m) ERR_MUST_USE;
/* userdb.c: "NAME[:GROUP]" or numbers from the container's own /etc/passwd and /etc/group. */
char *userdb_home(struct fs_context *fs, uint32_t uid); /* "HOME=...", "/" for who is in no list; malloc'ed, NULL: no memory */
struct err *userdb_lookup(struct fs_context *fs, const char *user, uint32_t *uid, uint32_t *gid, uint32_t **groups, size_t *n_groups) ERR_MUST_USE;

/* pause.c: holds every task of the sandbox before it runs program code; answers
 * call once that is so. */
void container_pause(struct container *c, struct rpc_call *call);
struct err *container_resume(struct container *c) ERR_MUST_USE;

/* server.c: serves the control protocol on a connection. */
struct err *control_serve(struct kernel *k, int sock) ERR_MUST_USE;
/* Ends the sandbox when its first container has ended, or was never made, and no controld is there to let go of it. */
void control_end_if_over(struct kernel *k);

#endif
