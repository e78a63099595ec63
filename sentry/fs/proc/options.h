/*
 * options.h - what a mount of /proc hides.
 */
#ifndef SENTRY_FS_PROC_OPTIONS_H
#define SENTRY_FS_PROC_OPTIONS_H

#include "fs/proc/internal.h"

/* hidepid=: from whom may not trace a process, and is not in the group gid */
#define PROC_HIDE_NOTHING 0u
#define PROC_HIDE_CONTENTS 1u /* what is in its directory */
#define PROC_HIDE_OTHERS 2u /* that there is such a process */
#define PROC_HIDE_UNTRACEABLE 4u /* ... from the group too, and by name */

struct proc_super { /* a mount's */
	struct pid_ns *ns; /* [I] whose numbers it shows; owned */
	_Atomic uint32_t hide, gid; /* gid: the kernel's number */
	_Atomic bool pids_only;
};

int proc_super_init(struct superblock *sb, struct pid_ns *ns, const struct fs_context_args *a); /* -EINVAL: an option that is none */
void proc_super_kill(struct superblock *sb);
int proc_option(const struct fs_context_args *a, const char *key, char *value); /* fs_type.option */
int proc_remount(struct superblock *sb, unsigned flags, const char *options);
int proc_show_options(struct superblock *sb, char *buf, size_t size);

/* Does the mount show the current task what hidepid=least hides of c's process? */
bool proc_shows(struct pctx *c, uint32_t least);
bool proc_shows_node(const struct pctx *dir, const struct pnode *n, uint32_t least); /* the same of a node in dir */
bool proc_shows_entry(const struct pctx *dir, const struct pentry *e); /* of dir's table */
/* May the current task use /proc/PID (other inodes: yes): 0, -EPERM, -ENOENT (hidden), -ESRCH. */
int proc_dir_permitted(const struct inode *i, uint32_t least);

#endif
