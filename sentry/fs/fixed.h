/*
 * fixed.h - file systems whose names never change: directories, and files that can only be
 * read, of a text that is constant or made at each read.  They are made at mount, but for what lies in a
 * struct fixed_dir: that is made when it is looked up, for there may be much of it.
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

/* A directory made as it is looked at, of what `arg` says (which processor). */
struct fixed_entry {
	char name[32];
	const struct fixed_dir *dir; /* it is a directory: this one, of arg */
	unsigned arg;
};
struct fixed_dir {
	bool (*entry)(struct kernel *k, unsigned arg, unsigned i, struct fixed_entry *out); /* its i-th name; false: there is none */
	char *(*text)(struct kernel *k, unsigned arg, unsigned i); /* of a file; malloc'ed, NULL: no memory */
};

struct fixed_file {
	const char *path; /* below the root; directories on the way are made */
	const struct fixed_dir *dir; /* it is a directory of that kind */
	unsigned arg;
	void (*show)(FILE *f, struct task *t); /* makes the text; t: who reads */
	const char *text; /* instead: it; copied.  Neither: a directory */
};

/* False: no memory. */
bool fixed_add(struct dentry *root, const struct fixed_file *f);

int fixed_mount(struct vfs *v, const struct fs_type *type, const struct fs_context_args *a, struct superblock **out);

#endif
