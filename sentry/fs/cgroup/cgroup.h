/*
 * cgroup.h - the file system cgroup2: the one control group that a container is, as
 * its programs read it (how much memory, how many processors and processes).
 */
#ifndef SENTRY_FS_CGROUP_CGROUP_H
#define SENTRY_FS_CGROUP_CGROUP_H

#include <stddef.h>
#include <stdio.h>

struct kernel;
struct task;

int cgroup_register(struct kernel *k);

/* files.c: the files there are. */
struct cgroup_file {
	const char *name;
	void (*show)(FILE *f, struct task *t); /* t: who reads; its container is what is shown */
	const char *text; /* instead: one that never changes */
};
extern const struct cgroup_file cgroup_files[];
extern const size_t cgroup_n_files;

#endif
