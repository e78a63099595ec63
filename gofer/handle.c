/*
 * handle.c - handles: any number may come from the peer.  One thread.
 */
#include "handle.h"

#include <errno.h>
#include <stdlib.h>

#define HANDLES_FIRST 256u
#define GENERATION_MASK 0x7fffffffu

void handle_table_init(struct handle_table *t, uint32_t max)
{
	*t = (struct handle_table){ .max = max };
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
	*handle = (uint64_t)e->generation << 32 | t->first_free;
	t->first_free = e->next_free;
	e->node = n;
	t->live++;
	return 0;
}

static struct handle_entry *lookup(const struct handle_table *t, uint64_t handle)
{
	uint64_t index = handle & 0xffffffffu;
	struct handle_entry *e;

	if (!index || index > t->size)
		return NULL;
	e = &t->entries[index - 1];
	return e->node && e->generation == handle >> 32 ? e : NULL;
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
