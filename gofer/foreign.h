/*
 * foreign.h - file systems that are not served though they are mounted in a
 * tree: those through which the host's kernel is asked and controlled.
 */
#ifndef REDOUBT_GOFER_FOREIGN_H
#define REDOUBT_GOFER_FOREIGN_H

#include <stdbool.h>
#include <stdint.h>


#define FOREIGN_KNOWN 16u

/* Devices asked about before. */
struct foreign_cache {
	struct {
		uint64_t dev;
		bool known, foreign;
	} entries[FOREIGN_KNOWN];
	unsigned next;
};

/* Is what lies under name in the open directory dir, on device dev, on such a
 * file system?  1, 0 or a negative errno. */
int foreign_check(struct foreign_cache *k, int dir, const char *name, uint64_t dev);

#endif
