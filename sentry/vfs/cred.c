/*
 * cred.c - credentials: made, copied, counted.  Immutable once a task has them.
 */
#include "vfs/cred.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct cred *cred_new(void)
{
	struct cred *c = calloc(1, sizeof(*c));

	if (c)
		ref_init(&c->ref);
	return c;
}

struct cred *cred_dup(const struct cred *old)
{
	size_t counted = offsetof(struct cred, ref) + sizeof(old->ref);
	struct cred *c = malloc(sizeof(*c));

	if (!c)
		return NULL;
	/* all but old's count, which others are changing */
	memcpy((char *)c + counted, (const char *)old + counted, sizeof(*c) - counted);
	ref_init(&c->ref);
	if (!old->n_groups) {
		c->groups = NULL;
		return c;
	}
	c->groups = malloc(old->n_groups * sizeof(*c->groups));
	if (!c->groups) {
		free(c);
		return NULL;
	}
	memcpy(c->groups, old->groups, old->n_groups * sizeof(*c->groups));
	return c;
}

void cred_get(struct cred *c)
{
	ref_get(&c->ref);
}

void cred_put(struct cred *c)
{
	if (!c || !ref_put(&c->ref))
		return;
	free(c->groups);
	free(c);
}

bool cred_in_group(const struct cred *c, uint32_t gid)
{
	uint32_t lo = 0, hi = c->n_groups;

	if (c->fsgid == gid)
		return true;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (c->groups[mid] == gid)
			return true;
		if (c->groups[mid] < gid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}
