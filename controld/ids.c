/*
 * ids.c - see ids.h.
 */
#include "ids.h"

#include <stdlib.h>
#include <string.h>

bool ids_set(struct ids *m, const struct control_id_range *v, uint32_t n)
{
	struct control_id_range *copy;

	for (uint32_t i = 0; i < n; i++) {
		/* each at most UINT32_MAX: no sum overflows */
		if (v[i].inside + v[i].size > (uint64_t)UINT32_MAX + 1 || v[i].outside + v[i].size > (uint64_t)UINT32_MAX + 1)
			return false;
	}
	if (!(copy = calloc(n + 1, sizeof(*copy))))
		return false;
	if (n)
		memcpy(copy, v, n * sizeof(*copy));
	*m = (struct ids){ copy, n };
	return true;
}

void ids_free(struct ids *m)
{
	free(m->v);
	*m = (struct ids){ 0 };
}

uint32_t ids_to_host(const struct ids *m, uint64_t id)
{
	for (uint32_t i = 0; i < m->n; i++) {
		if (id >= m->v[i].inside && id - m->v[i].inside < m->v[i].size)
			return (uint32_t)(m->v[i].outside + (id - m->v[i].inside));
	}
	return m->n ? IDS_NOBODY : (uint32_t)id;
}

bool ids_from_host(const struct ids *m, uint32_t host, uint64_t *id)
{
	for (uint32_t i = 0; i < m->n; i++) {
		if (host >= m->v[i].outside && host - m->v[i].outside < m->v[i].size) {
			*id = m->v[i].inside + (host - m->v[i].outside);
			return true;
		}
	}
	*id = host;
	return !m->n;
}
