/*
 * fileops.h - what the files of fileops share: fileops.c the choice of operations,
 * fileops_data.c what works on open files, fileops_names.c what works on names,
 * fileops_tell.c what is told of files.  Each operation prints its arguments and
 * answer(): nothing that differs from run to run.
 */
#ifndef TESTS_INTEGRATION_FILEOPS_H
#define TESTS_INTEGRATION_FILEOPS_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	FILES = 6, /* open ones */
	SET_TIME = 1000000000, /* and the seconds behind it: times that we set */
};

struct run {
	unsigned long long random;
	int fd[FILES];
	bool no_holes, no_access, no_tmpfile;
};
extern struct run run;

typedef void (*op_fn)(void);

unsigned rnd(unsigned n);
unsigned one_of(const unsigned *of, unsigned n);
#define ONE_OF(...) one_of((const unsigned[]){ __VA_ARGS__ }, sizeof((const unsigned[]){ __VA_ARGS__ }) / sizeof(unsigned))
const char *a_path(void);
unsigned sum_of(const void *data, size_t size);
void answer(long result);

/* fileops_tell.c */
void tell_stat(const struct stat *st);
void tell_tree(void);
void op_stat(void), op_fstat(void), op_list(void), op_access(void), op_readlink(void);

/* fileops_data.c */
void op_open(void), op_tmpfile(void), op_close(void), op_dup(void), op_append(void);
void op_write(void), op_pwrite(void), op_pwritev2(void), op_read(void), op_pread(void);
void op_lseek(void), op_hole(void), op_ftruncate(void), op_fallocate(void), op_mmap(void);
void op_copy_range(void), op_sendfile(void), op_fsync(void);
void op_fchmod(void), op_fchown(void), op_futimens(void);
int a_slot(void);

/* fileops_names.c */
void op_truncate(void), op_mkdir(void), op_rmdir(void), op_unlink(void), op_link(void), op_symlink(void), op_mknod(void);
void op_rename(void), op_renameat2(void), op_chmod(void), op_chown(void), op_utimensat(void), op_umask(void), op_user(void);
unsigned a_mode(void);
void some_times(struct timespec ts[2]);

#endif
