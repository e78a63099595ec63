/*
 * sysctl.h - how the tables of /proc/sys are written; for sysctl.c and sysctl_net.c.
 */
#ifndef SENTRY_FS_PROC_SYSCTL_H
#define SENTRY_FS_PROC_SYSCTL_H

#include "fs/proc/tables.h"

/* A setting that is always the same. */
#define TEXT(fn, text)                                                                                                                               \
	static SHOW(fn)                                                                                                                              \
	{                                                                                                                                            \
		pprintf(b, "%s\n", text);                                                                                                            \
		return 0;                                                                                                                            \
	}

#endif
