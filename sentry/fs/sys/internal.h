/*
 * internal.h - what the files of sysfs share.
 */
#ifndef SENTRY_FS_SYS_INTERNAL_H
#define SENTRY_FS_SYS_INTERNAL_H

#include "fs/fixed.h"

#include <stdbool.h>
#include <stdint.h>

#define CPU_MASK_MAX (8192 / 4 + 8192 / 32 + 2) /* all that kernel_max promises */

/* cpu.c: processors first ... last of n as a mask: hexadecimal, a comma between words of 32, as wide as all of them are. */
void sys_put_mask(char out[CPU_MASK_MAX], unsigned first, unsigned last, unsigned n);
/* As a list: "0-3". */
void sys_put_range(char out[32], unsigned n);
extern const struct fixed_dir sys_cpu_dir; /* cpuN, of N */

/* cache.c: cpuN/cache, of N.  It has none if CPUID tells of none. */
extern const struct fixed_dir sys_cache_dir;

#endif
