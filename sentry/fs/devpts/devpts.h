/*
 * devpts.h - internals of the terminals' file system and devices.
 */
#ifndef SENTRY_FS_DEVPTS_DEVPTS_H
#define SENTRY_FS_DEVPTS_DEVPTS_H

#include "fs/devpts/tty.h"

struct tty_table {
	struct mutex mu; /* RANK_LEAF */
	uint64_t used[TTY_MAX / 64]; /* [mu] */
	LIST_HEAD(, tty) ttys; /* [mu] */
};
struct tty_table *tty_table_new(void);
int tty_for_each_index(struct kernel *k, unsigned from); /* the next used number, or -1 */

int ptmx_open(struct inode *i, struct file *f); /* /dev/ptmx: a new terminal's master */
int tty_dev_open(struct inode *i, struct file *f); /* /dev/tty */
int console_open(struct inode *i, struct file *f); /* /dev/console */
int pts_dev_open(struct inode *i, struct file *f); /* char devices 136:N */

/* An ioctl on either side. */
struct tty_call {
	struct tty *t;
	bool master;
	struct file *f;
	struct mm *mm;
	uaddr arg;
	uint64_t raw;
	unsigned cmd;
};
/* tty_settings.c: TCGETS and TCSETS and their kin; the settings that may not be changed. -errno. */
int tty_get_settings(struct tty_call *c);
int tty_set_settings(struct tty_call *c);
int tty_get_locks(struct tty_call *c);
int tty_set_locks(struct tty_call *c);
int tty_drain(struct tty *t); /* waits until the other side has read all output */

#endif
