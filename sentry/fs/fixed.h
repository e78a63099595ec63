/*
 * fixed.h - file systems whose names are all made at mount: directories, and files
 * that can only be read, of a text that is constant or made at each read.
 */
#ifndef SENTRY_FS_FIXED_H
#define SENTRY_FS_FIXED_H

#include "vfs/vfs.h"

#include <stdio.h>

struct kernel;
struct task;

struct fixed_fs {
	struct fs_type type; /* its mount is fixed_mount */
	uint64_t magic; /* as statfs(2) tells it */
	uint64_t file_size; /* that every file says it has, whatever it holds */
	bool (*fill)(struct kernel *k, struct dentry *root); /* adds everything; false: no memory */
};

struct fixed_file {
	const char *path; /* below the root; directories on the way are made */
	void (*show)(FILE *f, struct task *t); /* makes the text; t: who reads */
	const char *text; /* instead: it; copied.  Neither: a directory */
};

/* False: no memory. */
bool fixed_add(struct dentry *root, const struct fixed_file *f);

int fixed_mount(struct vfs *v, const struct fs_type *type, const struct fs_context_args *a, struct superblock **out);

#endif
