/*
 * attr.h - attributes of files, from the host's form to the protocol's and back.
 */
#ifndef REDOUBT_GOFER_ATTR_H
#define REDOUBT_GOFER_ATTR_H

#include "libipc/protocols.h"

#include <sys/stat.h>

void attr_from_statx(const struct statx *sx, struct gofer_attr *a);

/* ns since the epoch, INT64_MIN: now (UTIME_NOW). */
struct timespec attr_timespec(int64_t ns);

/* Makes owner and mode of something just created exact.  fd: of the file,
 * O_PATH or real; sx: what it is now, renewed when something changed.
 * uid, gid 0xffffffff: as it is. */
int attr_own(int fd, struct statx *sx, uint64_t mode, uint64_t uid, uint64_t gid);

/* Sets permission bits.  fd may be O_PATH.  type: S_IFMT bits; links have no
 * mode to set (-EOPNOTSUPP). */
int attr_chmod(int fd, uint32_t type, uint64_t mode);

/* Before confinement: finds out what the host's kernel has. */
void attr_probe(void);
bool attr_have_fchmodat2(void);

#endif
