/*
 * tables.h - the rows of /proc's tables (struct pentry).
 */
#ifndef SENTRY_FS_PROC_TABLES_H
#define SENTRY_FS_PROC_TABLES_H

#include "fs/proc/internal.h"

#define RO(n, f) { .name = n, .kind = P_FILE, .mode = 0444, .show = f }
#define RW(n, f, s) { .name = n, .kind = P_FILE, .mode = 0644, .show = f, .store = s }
#define DIR_(n, t) { .name = n, .kind = P_DIR, .mode = 0555, .table = t }
#define END_ { .name = NULL }

#endif
