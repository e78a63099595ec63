/*
 * proc.h - the proc file system.
 */
#ifndef SENTRY_FS_PROC_PROC_H
#define SENTRY_FS_PROC_PROC_H

struct kernel;

int proc_register(struct kernel *k);

#endif
