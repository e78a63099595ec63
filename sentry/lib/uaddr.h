/*
 * uaddr.h - an address in the program's memory.  Its own struct type, so that
 * no C code can dereference it by mistake; only mm/ copies (mm/usercopy.h).
 */
#ifndef SENTRY_LIB_UADDR_H
#define SENTRY_LIB_UADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	uint64_t v;
} uaddr;

#define UADDR(x) ((uaddr){ (uint64_t)(x) })
#define UADDR_NULL UADDR(0)
static inline uaddr uaddr_add(uaddr a, uint64_t n) { return UADDR(a.v + n); }

#define PAGE_SIZE 4096ul
#define PAGE_SHIFT 12
#define PAGE_DOWN(x) ((x) & ~(PAGE_SIZE - 1))
#define PAGE_UP(x) (((x) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))

/* Program addresses are below this.  [TASK_SIZE, 0x7ffffffff000) belongs to the stub. */
#define TASK_SIZE 0x7fff00000000ul

#endif
