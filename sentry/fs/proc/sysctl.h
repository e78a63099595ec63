/*
 * sysctl.h - how the tables of /proc/sys are written; for sysctl.c and sysctl_net.c.
 */
#ifndef SENTRY_FS_PROC_SYSCTL_H
#define SENTRY_FS_PROC_SYSCTL_H

#include "fs/proc/internal.h"

/* A setting that is always the same. */
#define TEXT(fn, text)                                                                                                                               \
	static SHOW(fn)                                                                                                                              \
	{                                                                                                                                            \
		pprintf(b, "%s\n", text);                                                                                                            \
		return 0;                                                                                                                            \
	}

#define RO(n, f) { .name = n, .kind = P_FILE, .mode = 0444, .show = f }
#define RW(n, f, s) { .name = n, .kind = P_FILE, .mode = 0644, .show = f, .store = s }
#define DIR_(n, t) { .name = n, .kind = P_DIR, .mode = 0555, .table = t }
#define END_ { .name = NULL }

#endif
