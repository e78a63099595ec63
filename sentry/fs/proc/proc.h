/*
 * proc.h - the proc file system.
 */
#ifndef SENTRY_FS_PROC_PROC_H
#define SENTRY_FS_PROC_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dirent_sink;
struct file;
struct kernel;
struct path;
struct pid_ns;
struct thread_group;

int proc_register(struct kernel *k);
/* The process whose directory /proc/PID is open as f (a pidfd of old): new reference, NULL: it is not one, *gone: it has ended. */
struct thread_group *proc_dir_group(struct file *f, bool *gone);

/* dump.c: what a program that may look at everything would read in tg's directory, numbers as ns counts
 * them, paths as seen from root; *text is malloc'ed. 0 or -errno (a zombie has next to nothing). */
int proc_dump(struct thread_group *tg, struct pid_ns *ns, const struct path *root, const char *name, char **text, size_t *len);
/* The first descriptor from *fd on. */
int proc_dump_fd(struct thread_group *tg, struct pid_ns *ns, const struct path *root, int *fd, uint32_t *mode, char **text);

/* look.c: /proc as ns counts, by path ("12/status", "": itself), for who may look at everything and
 * is no program: control.proc_look and its like.  0 or -errno. */
struct proc_attr {
	uint64_t ino;
	uint32_t mode, nlink, uid, gid;
};
int proc_look(struct kernel *k, struct pid_ns *ns, const char *path, struct proc_attr *out);
int proc_list(struct kernel *k, struct pid_ns *ns, const char *path, int64_t *pos, struct dirent_sink *s);
/* A file's content, or where a link leads, as seen from root; *text is malloc'ed, NULL if empty. */
int proc_text(struct kernel *k, struct pid_ns *ns, const struct path *root, const char *path, char **text, size_t *len);

#endif
