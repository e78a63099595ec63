/*
 * handle.c - handles: any number may come from the peer.  One thread.
 */
#include "handle.h"

#include <errno.h>
#include <stdlib.h>

#define HANDLES_FIRST 256u
#define INDEX_BITS 24
#define INDEX_MASK ((1u << INDEX_BITS) - 1)
#define GENERATION_BITS 27
#define GENERATION_MASK ((1u << GENERATION_BITS) - 1)

void handle_table_init(struct handle_table *t, uint32_t max, unsigned start)
{
	*t = (struct handle_table){ .max = max < INDEX_MASK ? max : INDEX_MASK, .start = start };
}

void handle_table_destroy(struct handle_table *t)
{
	free(t->entries);
	*t = (struct handle_table){ 0 };
}

static int grow(struct handle_table *t)
{
	uint32_t size = t->size ? t->size * 2 : HANDLES_FIRST;
	struct handle_entry *e;

	if (t->size >= t->max)
		return -ENFILE;
	if (size > t->max)
		size = t->max;
	e = reallocarray(t->entries, size, sizeof(*e));
	if (!e)
		return -ENOMEM;
	/* lowest index first */
	for (uint32_t i = size; i-- > t->size;) {
		e[i] = (struct handle_entry){ .next_free = t->first_free };
		t->first_free = i + 1;
	}
	t->entries = e;
	t->size = size;
	return 0;
}

int handle_new(struct handle_table *t, struct node *n, uint64_t *handle)
{
	struct handle_entry *e;
	int rc;

	if (!t->first_free && (rc = grow(t)))
		return rc;
	e = &t->entries[t->first_free - 1];
	*handle = ((uint64_t)t->start << GENERATION_BITS | e->generation) << INDEX_BITS | t->first_free;
	t->first_free = e->next_free;
	e->node = n;
	t->live++;
	return 0;
}

static struct handle_entry *lookup(const struct handle_table *t, uint64_t handle)
{
	uint64_t index = handle & INDEX_MASK;
	struct handle_entry *e;

	if (!index || index > t->size)
		return NULL;
	e = &t->entries[index - 1];
	return e->node && handle >> INDEX_BITS == ((uint64_t)t->start << GENERATION_BITS | e->generation) ? e : NULL;
}

struct node *handle_get(const struct handle_table *t, uint64_t handle)
{
	struct handle_entry *e = lookup(t, handle);

	return e ? e->node : NULL;
}

struct node *handle_take(struct handle_table *t, uint64_t handle)
{
	struct handle_entry *e = lookup(t, handle);
	struct node *n;

	if (!e)
		return NULL;
	n = e->node;
	e->node = NULL;
	e->generation = (e->generation + 1) & GENERATION_MASK;
	e->next_free = t->first_free;
	t->first_free = (uint32_t)(e - t->entries) + 1;
	t->live--;
	return n;
}
