/*
 * huge.h - a second view of the memory file, through which the host commits huge pages.
 *
 * What is touched through the file's other mappings, the sentry's and the stubs', is committed in
 * small pages, as little as can be; a block that is going to be used whole is committed
 * here, in one fault and one page, which the stub then maps as one.  Whether the host does
 * that for files in memory is its administrator's choice
 * (/sys/kernel/mm/transparent_hugepage/shmem_enabled: advise and more), and is tried at boot.
 */
#ifndef SENTRY_MM_HUGE_H
#define SENTRY_MM_HUGE_H

#include <stdbool.h>
#include <stdint.h>

#define HUGE_SIZE (UINT64_C(2) << 20)

/* Before the policy is sealed.  NULL: the host has no huge pages for us.  Uses the file's first two blocks, and leaves them empty. */
uint8_t *huge_view(int fd, uint64_t size);
/* The block at off, a multiple of its size, is committed; false: not, or not whole. */
bool huge_commit(uint8_t *view, uint64_t off);

#endif
