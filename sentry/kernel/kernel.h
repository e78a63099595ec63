/*
 * kernel.h - the one object from which all kernel state is reachable.
 */
#ifndef SENTRY_KERNEL_KERNEL_H
#define SENTRY_KERNEL_KERNEL_H

#include "lib/lock.h"
#include "mm/mm.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct platform;
struct task_table; /* kernel/: pids, sessions */
struct futex_table;
struct timer_queue;
struct vfs;
struct container; /* control/ */
struct net_stack;
struct oom;
struct klog;
struct tracer;
struct pid_ns;
struct dnotify;
struct sigio_queue;
struct mqueue_fs;
struct session;
struct superblock;
struct task;
struct tty_table;
struct tty;

struct kernel {
	struct platform *platform; /* [I] */
	bool no_patch; /* [I] system calls in program text are not patched */
	struct memfile *memfile; /* [I] */
	struct mm_env mm_env; /* [I] */
	struct vfs *vfs; /* [I] */
	struct event_base *loop; /* [I] the event thread's: host descriptors, control */
	struct task_table *tasks; /* [I] made by kernel_init */
	struct futex_table *futexes; /* [I] */
	struct timer_queue *timers; /* [I] */
	_Atomic unsigned aio_nr; /* /proc/sys/fs/aio-nr: requests reserved by io_setup (kernel/aio.c) */
	struct dnotify *dnotify; /* [I after boot] who is told of changes in directories (F_NOTIFY) */
	struct sigio_queue *sigios; /* [I] SIGIO and the like that are to be sent (F_SETOWN) */
	struct net_stack *net; /* [I] the containers' network namespace: net_init */
	struct net_stack *(*net_by_fd)(int fd); /* [I] the network namespace that a descriptor of the running task refers to: nsfs_register */
	struct superblock *nsfs; /* [I] namespaces as files: nsfs_register */
	/* POSIX message queues of an IPC namespace: [I] set by mqueue_register */
	struct mqueue_fs *(*mqueue_new)(struct kernel *k); /* NULL: no memory */
	void (*mqueue_free)(struct mqueue_fs *m);
	struct tty_table *ttys; /* [I] terminals: devpts_register */
	/* Set by fs/devpts: a session leader exits (called by its task, no locks held). May be NULL. */
	void (*session_exit)(struct kernel *k, struct session *s);
	void (*tty_put)(struct tty *t); /* set by fs/devpts: drops a session's reference */
	struct pid_ns *root_pids; /* [I] the root pid namespace, in which all tasks have a number; no program can see it */
	_Atomic uint64_t ns_made; /* how many namespaces were ever made: kernel/ns.h */
	unsigned cpus; /* [I] processors the guest sees */
	_Atomic bool affinity_set; /* some task may not run on all of them, or could not at some time */
	unsigned host_cpus; /* [I] processors the host lets it use at its begin */
	int64_t host_tick; /* [I] ns: the scheduler counts the time of who runs so often */
	uint64_t cpu_quota, cpu_period; /* [I] us; shown as cpu.max, enforced by the host; quota 0: none */
	uint64_t memory_host; /* [I] bytes the host has */
	uint64_t host_files; /* [I] descriptors that the sentry may have open */
	_Atomic uint64_t memory_total; /* bytes the guest sees: its limit, or the host's */
	struct cgroups *cgroups; /* [I] made by kernel_init */
	struct bpf_progs *bpf; /* [I] the same */
	struct oom *oom; /* [I] enforces the limit */
	struct klog *klog; /* [I] */
	int64_t boot_monotonic, boot_realtime; /* [I] ns */
	_Atomic bool strace; /* --strace: log every call; debug changes it */
	_Atomic bool traces_calls; /* a trace session has asked for system calls */
	struct tracer *tracer; /* [I] kernel/trace.h; made by kernel_init */
	struct mutex containers_mu; /* RANK_CONTROL */
	struct container *containers; /* [containers_mu] newest first */
	/* control/: of the event thread alone */
	LIST_HEAD(, volume) volumes;
	struct container *husks; /* deleted containers that zombies still point to */
	_Atomic bool shutting_down;
	/* boot: runs the system call in t->regs (syscalls/syscall.h's syscall_dispatch). Set before tasks run */
	int64_t (*dispatch)(struct task *t);
	/* boot: with strace, a task's thread is about to sleep in a call (syscalls/strace) */
	void (*strace_waits)(void);
};

/* Makes tasks, futexes, timers; the caller has filled platform, memfile,
 * mm_env, vfs, loop. 0 or -errno. */
int kernel_init(struct kernel *k);

#endif
