/*
 * huge.h - a second view of the memory file, through which the host commits huge pages.
 *
 * What is touched through the file's other mappings, the sentry's and the stubs', is committed in
 * small pages, as little as can be; a block that is going to be used whole is committed
 * here, in one fault and one page, which the stub then maps as one.  The host does that for
 * a file of confine_memory(), unless its administrator forbids it
 * (/sys/kernel/mm/transparent_hugepage/shmem_enabled: deny) or it has no such page just now.
 */
#ifndef SENTRY_MM_HUGE_H
#define SENTRY_MM_HUGE_H

#include <stdbool.h>
#include <stdint.h>

#define HUGE_SIZE (UINT64_C(2) << 20)

/* Before the policy is sealed.  NULL: the host knows no huge pages. */
uint8_t *huge_view(int fd, uint64_t size);
/* The block at off, a multiple of its size, of which nothing is there yet, is committed; false: not, or not whole. */
bool huge_commit(int fd, uint8_t *view, uint64_t off);

#endif
