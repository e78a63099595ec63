/*
 * cgroup.h - the cgroup2 file system: the container's own control group, read-only, as its programs see it
 * (memory, processors, processes and their limits).
 */
#ifndef SENTRY_FS_CGROUP_CGROUP_H
#define SENTRY_FS_CGROUP_CGROUP_H

#include "fs/fixed.h"

struct kernel;
struct task;

int cgroup_register(struct kernel *k);

/* From outside (outside.c): what t's programs would read, malloc'ed; -ENOENT, -ENOMEM. */
int cgroup_read(struct task *t, const char *name, char **text, size_t *n);
/* Sets what can be set, which is less than a kernel lets one set, and more than programs may.
 * -ENOENT, -EACCES: it can only be read; -EINVAL. */
int cgroup_write(struct task *t, const char *name, const char *value);

/* files.c: the files there are.  Shown is the container of who reads. */
extern const struct fixed_file cgroup_files[];
extern const size_t cgroup_n_files;

#endif
