/*
 * slots.c - which slots of the shared file are in use. Any thread.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int st_slot_new(struct st_platform *p)
{
	int slot = -EAGAIN;

	mutex_lock(&p->slots_mu);
	for (unsigned i = 0; i < ST_MAX_SLOTS / 64; i++) {
		if (p->slots_used[i] == UINT64_MAX)
			continue;
		slot = (int)(i * 64) + __builtin_ctzll(~p->slots_used[i]);
		p->slots_used[i] |= UINT64_C(1) << (slot % 64);
		break;
	}
	mutex_unlock(&p->slots_mu);
	return slot;
}

void st_slot_free(struct st_platform *p, unsigned slot)
{
	/* What it held must not be seen by the next process. */
	if (fallocate(p->slots_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)slot * ST_SLOT_SIZE, ST_SLOT_SIZE))
		memset(p->slots + (size_t)slot * ST_SLOT_SIZE, 0, ST_SLOT_SIZE);
	mutex_lock(&p->slots_mu);
	p->slots_used[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
	mutex_unlock(&p->slots_mu);
}
