/*
 * ids.h - translates user and group ids between the container's and the host's: a process of the host
 * that looks at the container's files (view.h) uses the host's.  Pure functions.
 */
#ifndef REDOUBT_CONTROLD_IDS_H
#define REDOUBT_CONTROLD_IDS_H

#include "libipc/protocols.h"

#include <stdbool.h>

#define IDS_NOBODY 65534 /* what an id is shown as that has no number */

struct ids {
	struct control_id_range *v; /* owned; n 0: they are the same */
	uint32_t n;
};

/* A copy of the list.  False: out of memory, or a range goes beyond what there is. */
bool ids_set(struct ids *m, const struct control_id_range *v, uint32_t n);
void ids_free(struct ids *m);
uint32_t ids_to_host(const struct ids *m, uint64_t id);
bool ids_from_host(const struct ids *m, uint32_t host, uint64_t *id); /* false: the container has no such */

#endif
