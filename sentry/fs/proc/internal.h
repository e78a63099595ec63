/*
 * internal.h - how the files of /proc are made.
 *
 * A directory is a table of entries (struct pentry), or lists and looks names
 * up itself.  A node (inode->priv) names what it is about by number (process,
 * thread, descriptor) together with the process's start time, never by pointer: a
 * held-open or cached node neither keeps a task alive nor shows another that
 * got its number.  Text files are made whole when they are read from the
 * beginning, by a show function.
 */
#ifndef SENTRY_FS_PROC_INTERNAL_H
#define SENTRY_FS_PROC_INTERNAL_H

#include "kernel/task.h"
#include "kernel/task_table.h"
#include "vfs/file.h"

#include <stdio.h>

struct proc_super;

/* Text being made. */
struct pbuf {
	char *p;
	size_t len, cap;
	bool failed;
};
void pprintf(struct pbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void pappend(struct pbuf *b, const void *data, size_t n);
void pspaces(struct pbuf *b, size_t n);
void phex(struct pbuf *b, uint64_t v); /* "%08lx" */
void pkilobytes(struct pbuf *b, const char *label, uint64_t kb); /* "%-16s%8lu kB\n" */

/* What a node is about; t and tg are new references held during the call, NULL for global files. */
struct pctx {
	struct kernel *k;
	struct pid_ns *ns; /* whose numbers this /proc shows: the mount's */
	const struct proc_super *super; /* the mount's: options.h; NULL: seen without a mount */
	struct thread_group *tg;
	struct task *t; /* the thread of /proc/PID/task/TID, or a living one of the process (NULL for a zombie) */
	const struct pnode *node;
	bool thread; /* below /proc/PID/task/TID */
};

/* What an open file tells of the changes of. */
struct pwatch {
	struct waitq *wq;
	const _Atomic unsigned *changes; /* how many there were */
	void (*put)(void *owner); /* the file is closed */
	void *owner; /* referenced: whose the others are */
};

enum pkind { P_FILE, P_DIR, P_LINK /* text */, P_MAGIC /* leads to a path */ };

struct pnode;
struct pentry {
	const char *name;
	enum pkind kind;
	uint32_t mode; /* permission bits */
	/* P_FILE */
	int (*show)(struct pctx *c, struct pbuf *b);
	ssize_t (*store)(struct pctx *c, char *text, size_t n); /* a whole write, NUL-terminated; bytes or -errno */
	const struct file_ops *ops; /* instead of show: special files */
	int (*watch)(struct pctx *c, struct pwatch *out); /* optional: poll tells that it has changed; 0 or -errno */
	/* P_DIR: a table, or the two functions */
	const struct pentry *table; /* ends with name NULL */
	int (*lookup)(struct pctx *c, const struct qstr *name, struct pnode *out); /* -ENOENT; fills entry, pid, tid, fd */
	/* The entry that comes at or after *pos (numbers of the directory's own): its name and node; advances *pos. False at the end */
	bool (*next)(struct pctx *c, int64_t *pos, char name[32], struct pnode *out);
	unsigned (*count)(struct pctx *c); /* subdirectories, for the link count; may be NULL */
	/* P_LINK */
	int (*link)(struct pctx *c, struct pbuf *b);
	/* P_MAGIC: new references */
	int (*follow)(struct pctx *c, struct mount **mnt, struct dentry **d);
	int (*may_follow)(struct pctx *c); /* of P_MAGIC, when it takes more than to look: 0 or -errno; may be NULL */
	unsigned flags; /* PE_* */
};
#define PE_PTRACE 1u /* only who may trace the process reads, follows or lists it */
#define PE_READER 2u /* shows what is the reader's: there must be a task that reads */
#define PE_SELF 4u /* a directory that the process itself may search and list, whoever it belongs to */
#define PE_LATE 8u /* with PE_PTRACE: who may not look is refused as it reads, not as it opens */
#define PE_USER_NS 32u /* a limit of the user namespace: written by who has CAP_SYS_RESOURCE there, whoever it is */
#define PE_NET 64u /* a setting of the reader's network: who may administer that is as root to it */
#define PE_EPERM 16u /* ... by EPERM */
#define PE_PIDS 64u /* of the root: there with subset=pid too */

struct pnode {
	const struct pentry *e;
	pid_t pid, tid; /* the kernel's own numbers; 0: global */
	int64_t start; /* tg->start_time */
	int fd; /* -1: none; else the node is looked up each time */
	uint64_t from, to; /* of map_files: addresses */
	uint32_t mode; /* permission bits of this node alone; 0: e->mode */
};

/* Fills c from the node; -ESRCH when the process is gone. Undo with pctx_end. */
int pctx_begin(struct pctx *c, const struct superblock *sb, const struct pnode *n);
/* The same without a mount: ns is whose numbers are shown. */
int pctx_begin_in(struct pctx *c, struct kernel *k, struct pid_ns *ns, const struct pnode *n);
void pctx_end(struct pctx *c);
struct net_stack;
struct socket_info;
struct net_stack *proc_net(struct pctx *c); /* the one that c is about: a new reference, or NULL */
int proc_each_socket(struct pctx *c, int (*fn)(const struct socket_info *i, void *arg), void *arg); /* of that one: net_each_socket */
struct time_ns *proc_reader_time(void); /* the time namespace of who reads; borrowed; NULL: the first one */
struct cred *pctx_cred(struct pctx *c); /* new reference; a zombie still has one. NULL: not about a process */
int proc_may_access(struct pctx *c); /* the current task may look into c->tg: 0 or -EACCES */
const struct pnode *pnode_of(const struct inode *i);
int proc_text_open(struct file *f); /* text.c */
int pnode_find(struct pctx *c, const struct qstr *name, struct pnode *out); /* in the directory c->node */
uint64_t pnode_ino(const struct pnode *n);
uint32_t pnode_mode(const struct pnode *n); /* type and permission bits */
/* Who what is no process's belongs to: root, of the reader's network's user namespace what is about that. */
void proc_setting_owner(struct kernel *k, const struct pentry *e, uint32_t *uid, uint32_t *gid);
void pnode_owner(struct pctx *c, uint32_t *uid, uint32_t *gid); /* who a process's files belong to */
/* The entries of the directory c->node from *pos on, which it advances. */
void pnode_list(struct pctx *c, int64_t *pos, struct dirent_sink *s);
/* The path that a magic link leads to, as seen from root; *text is malloc'ed. */
int pctx_link_text(struct pctx *c, const struct pentry *e, const struct path *root, char **text);

/* The files, by directory. */
extern const struct pentry proc_root_entry, proc_pid_entry, proc_tid_entry, proc_fd_link, proc_fdinfo_file;
extern const struct pentry proc_pid_table[], proc_tid_table[], proc_net_table[], proc_sys_table[], proc_sys_net_table[], proc_sysvipc_table[];

#define SHOW(f) int f(struct pctx *c, struct pbuf *b)
SHOW(show_mounts);
SHOW(show_mountinfo);
SHOW(show_mountstats);
int watch_mounts(struct pctx *c, struct pwatch *out);
SHOW(show_stat);
SHOW(show_status);
SHOW(show_statm);
SHOW(show_maps);
SHOW(show_smaps);
SHOW(show_smaps_rollup);
SHOW(show_limits);
SHOW(show_locks);
SHOW(show_syscall);
SHOW(show_timers);
SHOW(show_children);
SHOW(show_coredump_filter);
SHOW(show_timerslack);
SHOW(show_fdinfo);
SHOW(show_uid_map);
SHOW(show_gid_map);
SHOW(show_setgroups);
ssize_t store_uid_map(struct pctx *c, char *text, size_t n);
ssize_t store_gid_map(struct pctx *c, char *text, size_t n);
ssize_t store_setgroups(struct pctx *c, char *text, size_t n);
SHOW(show_timens_offsets);
ssize_t store_timens_offsets(struct pctx *c, char *text, size_t n);
SHOW(show_tcp);
SHOW(show_tcp6);
SHOW(show_raw);
SHOW(show_raw6);
SHOW(show_icmp);
SHOW(show_icmp6);
SHOW(show_netlink);
SHOW(show_netstat);
SHOW(show_snmp);
SHOW(show_sockstat);
SHOW(show_sockstat6);
SHOW(show_softnet);
SHOW(show_udp);
SHOW(show_udp6);
SHOW(show_unix);
ssize_t store_coredump_filter(struct pctx *c, char *text, size_t n);
ssize_t store_timerslack(struct pctx *c, char *text, size_t n);
bool proc_limit_permitted(unsigned mask, const struct cred *cr); /* of PE_USER_NS */
struct user_ns *proc_net_owner(struct kernel *k); /* of the reader's network; borrowed; NULL: the container's */
extern const struct pentry proc_sys_user_table[];
extern const struct file_ops proc_mem_ops, proc_pagemap_ops;
/* For one transfer: the memory of the process whose file f is, if the current task may look into it, until proc_mem_end();
 * NULL: it may not, or there is none. */
struct mm *proc_mem_begin(struct pctx *c, struct file *f);
void proc_mem_end(struct pctx *c, struct mm *mm);
int64_t proc_mem_llseek(struct file *f, int64_t off, int whence); /* positions are addresses, or come from such */
int map_files_lookup(struct pctx *c, const struct qstr *name, struct pnode *out);
bool map_files_next(struct pctx *c, int64_t *pos, char name[32], struct pnode *out);
int fd_lookup(struct pctx *c, const struct qstr *name, struct pnode *out);
bool fd_next(struct pctx *c, int64_t *pos, char name[32], struct pnode *out);
int fdinfo_lookup(struct pctx *c, const struct qstr *name, struct pnode *out);
bool fdinfo_next(struct pctx *c, int64_t *pos, char name[32], struct pnode *out);
int follow_cwd(struct pctx *c, struct mount **mnt, struct dentry **d);
int follow_root(struct pctx *c, struct mount **mnt, struct dentry **d);
int follow_exe(struct pctx *c, struct mount **mnt, struct dentry **d);
int follow_ns(struct pctx *c, struct mount **mnt, struct dentry **d); /* by its entry's name */
int fd_follow(struct pctx *c, struct mount **mnt, struct dentry **d);
bool parse_number(const struct qstr *q, int *out);

#endif
