/*
 * pool.h - memory that lives until the command ends or its owner frees it whole.
 *
 * The launcher builds its view of a configuration once and throws it away
 * whole; single frees would only be places for mistakes.  Running out of memory
 * ends the process: what it had begun is undone through the lifeline (see
 * sandbox.h), as at any other sudden death.
 */
#ifndef REDOUBT_LAUNCHER_POOL_H
#define REDOUBT_LAUNCHER_POOL_H

#include <stdarg.h>
#include <stddef.h>

struct pool {
	struct pool_block *blocks;
};

void *pool_alloc(struct pool *p, size_t size); /* zeroed; never NULL */
void *pool_array(struct pool *p, size_t n, size_t size); /* checked product */
char *pool_strdup(struct pool *p, const char *s);
char *pool_printf(struct pool *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void pool_free(struct pool *p);
#define _cleanup_pool_ __attribute__((cleanup(pool_free)))

/* A growing list of pool memory: LIST_ADD(pool, list, value) where list has
 * members v, n and cap. */
void *pool_grow(struct pool *p, void *v, size_t n, size_t *cap, size_t size);
#define LIST_ADD(P, L, ...)                                                                       \
	do {                                                                                      \
		if ((L)->n == (L)->cap)                                                           \
			(L)->v = pool_grow((P), (L)->v, (L)->n, &(L)->cap, sizeof(*(L)->v));      \
		(L)->v[(L)->n++] = (__typeof__(*(L)->v)) __VA_ARGS__;                             \
	} while (0)

#endif
