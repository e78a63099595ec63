/*
 * cgroup.h - the file system cgroup2: the one control group that a container is, as
 * its programs read it (how much memory, how many processors and processes).
 */
#ifndef SENTRY_FS_CGROUP_CGROUP_H
#define SENTRY_FS_CGROUP_CGROUP_H

#include "fs/fixed.h"

struct kernel;

int cgroup_register(struct kernel *k);

/* files.c: the files there are.  Shown is the container of who reads. */
extern const struct fixed_file cgroup_files[];
extern const size_t cgroup_n_files;

#endif
