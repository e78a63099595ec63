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
int pts_open_tty(struct tty *t, struct file *f); /* fills an opening slave file */
int tty_dev_open(struct inode *i, struct file *f); /* /dev/tty */
int console_open(struct inode *i, struct file *f); /* /dev/console */
int pts_dev_open(struct inode *i, struct file *f); /* char devices 136:N */

#endif
