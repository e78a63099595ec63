/*
 * cgroup.h - the cgroup2 file system: a container's control groups (kernel/cgroup.h) as directories.
 *
 * There is one instance for each container, made at the first mount; in a cgroup namespace mounting it shows what is
 * below the namespace's root.  Its directories are groups, made and removed by mkdir and rmdir, its files a table
 * (files.c): those of every group, and those of the controllers that the group above has enabled.  The container's own
 * group has the files of all controllers, and its limits are the engine's: programs may not write them, as in a cgroup
 * namespace under "nsdelegate".
 */
#ifndef SENTRY_FS_CGROUP_CGROUP_H
#define SENTRY_FS_CGROUP_CGROUP_H

#include "kernel/cgroup.h"
#include "vfs/file.h"

#include <stdio.h>

struct kernel;
struct task;

int cgroup_register(struct kernel *k);

/* From outside (outside.c): what t's programs would read of the container's own group, malloc'ed; -ENOENT, -ENOMEM. */
int cgroup_read(struct task *t, const char *name, char **text, size_t *n);
/* Sets what can be set, which is less than a kernel lets one set, and more than programs may.
 * -ENOENT, -EACCES: it can only be read; -EINVAL. */
int cgroup_write(struct task *t, const char *name, const char *value);

/* For CLONE_INTO_CGROUP: the group whose directory a descriptor of t's is, and that a child of t's may be put into;
 * a new reference. -EBADF, -EACCES, -ENODEV ... */
int cgroup_by_fd(struct task *t, int fd, struct cgroup **out);
/* The group whose directory it is, whoever may do what there: a new reference. -EBADF */
int cgroup_of_fd(struct task *t, int fd, struct cgroup **out);

/* --- inside the folder --------------------------------------------------------------------- */

struct cgroup_file {
	const char *name;
	unsigned controllers; /* one of these must be enabled; 0: always there */
	/* What t's programs see of g; no locks held.  NULL: the text */
	void (*show)(FILE *f, struct task *t, struct cgroup *g);
	const char *text;
	/* t writes it through f (text: without space at its ends).  NULL: it is only read. */
	int (*store)(struct file *f, struct task *t, struct cgroup *g, char *text);
	bool blind; /* it cannot be read */
	bool delegated; /* may be written in the container's own group */
	bool below; /* not in the container's own group */
	enum cgroup_told told; /* if polled: which changes wake its readers */
	bool polled;
};

extern const struct cgroup_file cgroup_files[]; /* files.c */
extern const size_t cgroup_n_files;

/* dir.c: an inode's */
struct cgroup_node {
	struct cgroup *g; /* [I] referenced */
	const struct cgroup_file *file; /* [I] NULL: the directory */
};
static inline const struct cgroup_node *cgroup_node(const struct inode *i) { return i->priv; }
bool cgroup_has_file(const struct cgroup_file *file, const struct cgroup *g, unsigned controllers);
/* The directory is dir, and its inode's mu is held. 0 or -ENOMEM (with some of them added) */
int cgroup_add_files(struct dentry *dir, struct cgroup *g, unsigned from, unsigned to); /* those of controllers that are new in to */
void cgroup_drop_files(struct dentry *dir, struct cgroup *g, unsigned from, unsigned to); /* ... that are not in to */

/* file.c: opens a file of a group. */
int cgroup_open(struct inode *i, struct file *f);

/* change.c: what is written. */
int cgroup_store_procs(struct file *f, struct task *t, struct cgroup *g, char *text);
int cgroup_store_threads(struct file *f, struct task *t, struct cgroup *g, char *text);
int cgroup_store_control(struct file *f, struct task *t, struct cgroup *g, char *text);
int cgroup_store_kill(struct file *f, struct task *t, struct cgroup *g, char *text);
int cgroup_store_freeze(struct file *f, struct task *t, struct cgroup *g, char *text);
/* limits.c */
int cgroup_read_int(const char *text, int *out); /* -EINVAL: it is none */
int cgroup_store_type(struct file *f, struct task *t, struct cgroup *g, char *text);
int cgroup_store_max_depth(struct file *f, struct task *t, struct cgroup *g, char *text);
int cgroup_store_max_descendants(struct file *f, struct task *t, struct cgroup *g, char *text);
int cgroup_store_pids_max(struct file *f, struct task *t, struct cgroup *g, char *text);
int cgroup_store_weight(struct file *f, struct task *t, struct cgroup *g, char *text);
/* Limits that are not enforced below the container: what means none is taken, all else -EOPNOTSUPP. */
int cgroup_store_no_limit(struct file *f, struct task *t, struct cgroup *g, char *text);
int cgroup_store_zero(struct file *f, struct task *t, struct cgroup *g, char *text);
int cgroup_store_cpu_max(struct file *f, struct task *t, struct cgroup *g, char *text);
int cgroup_store_swap_max(struct file *f, struct task *t, struct cgroup *g, char *text);
int cgroup_store_mems(struct file *f, struct task *t, struct cgroup *g, char *text);
int cgroup_store_all_cpus(struct file *f, struct task *t, struct cgroup *g, char *text);

#endif
