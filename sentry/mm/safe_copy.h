/*
 * safe_copy.h - single-word companions of safe_copy (mm/usercopy.h), for mm/
 * only.  p is aligned memory that may fault on the host.
 */
#ifndef SENTRY_MM_SAFE_COPY_H
#define SENTRY_MM_SAFE_COPY_H

#include <stddef.h>
#include <stdint.h>

size_t safe_load32(uint32_t *out, const uint32_t *p); /* 0, or (size_t)-1: fault */
size_t safe_cmpxchg32(uint32_t *p, uint32_t *expected, uint32_t desired); /* 0 done, 1 differs (*expected updated), (size_t)-1 fault */

#endif
