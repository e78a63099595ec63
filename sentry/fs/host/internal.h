/*
 * internal.h - what the files of the donated descriptors share.
 */
#ifndef SENTRY_FS_HOST_INTERNAL_H
#define SENTRY_FS_HOST_INTERNAL_H

#include "fs/host/hostfile.h"

struct hostfile { /* an inode's priv: what all opens of it share */
	int fd; /* [I] owned */
	int access; /* [I] O_RDONLY ...: what it was donated for */
	struct waitq wq;
	struct hostwatch *watch; /* NULL for regular files: always ready */
};

/* --- hostfile_io.c --- */
extern const struct file_ops host_file_ops;

#endif
