/*
 * pool.c - see pool.h.
 */
#include "pool.h"

#include <err.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pool_block {
	struct pool_block *next;
	alignas(max_align_t) char data[];
};

void *pool_alloc(struct pool *p, size_t size)
{
	struct pool_block *b;
	size_t all;

	if (__builtin_add_overflow(size, sizeof(*b), &all) || !(b = calloc(1, all)))
		errx(1, "out of memory");
	b->next = p->blocks;
	p->blocks = b;
	return b->data;
}

void *pool_array(struct pool *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all))
		errx(1, "out of memory");
	return pool_alloc(p, all);
}

char *pool_strdup(struct pool *p, const char *s)
{
	size_t len = strlen(s) + 1;

	return memcpy(pool_alloc(p, len), s, len);
}

char *pool_printf(struct pool *p, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL, *copy;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		errx(1, "out of memory");
	copy = pool_strdup(p, text);
	free(text);
	return copy;
}

void *pool_grow(struct pool *p, void *v, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 8;
	void *w = pool_array(p, more, size);

	if (n)
		memcpy(w, v, n * size);
	*cap = more;
	return w;
}

void pool_free(struct pool *p)
{
	struct pool_block *b;

	while ((b = p->blocks)) {
		p->blocks = b->next;
		free(b);
	}
}
