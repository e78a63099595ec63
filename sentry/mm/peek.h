/*
 * peek.h - a host file's bytes read through a mapping that is kept.
 */
#ifndef SENTRY_MM_PEEK_H
#define SENTRY_MM_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memobj;
struct mm;
struct pma;

/* One an address space; all zero at first. [mm->mu] */
struct peek {
	struct memobj *obj; /* owned: fd stays this file's while it is held */
	uint8_t *map; /* NULL: none */
	uint64_t off; /* of map in the file */
	int fd;
	int want_fd; /* what was read lately without being mapped */
	uint64_t want_off;
	unsigned wanted;
};

/* Reads n bytes at addr of the host file record p.  False: not this way.  *gone
 * (NULL before) is to be put after mm->mu is let go. [mm->mu] */
bool peek_copy(struct mm *mm, const struct pma *p, uint64_t addr, void *buf, size_t n, struct memobj **gone);
/* The end of the address space. Returns what is to be put, or NULL. [mm->mu] */
struct memobj *peek_end(struct mm *mm);

#endif
