/*
 * slots.c - which slots of the shared file are in use. Any thread.
 *
 * To take away a slot's memory interrupts every processor that the sentry runs on.  So a
 * few that are free keep it, as zeros, for the next process, which needs it at once; of
 * the others as many as may be are given back together.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

int st_slot_new(struct st_platform *p)
{
	int slot = -EAGAIN;

	mutex_lock(&p->slots_mu);
	if (p->n_warm) {
		slot = p->warm[--p->n_warm];
		mutex_unlock(&p->slots_mu);
		return slot;
	}
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

/* Kept for the next process.  False: there are enough such. */
static bool keep_warm(struct st_platform *p, unsigned slot, size_t used)
{
	bool keep;

	mutex_lock(&p->slots_mu);
	keep = p->n_warm + p->n_warming < ST_WARM_SLOTS;
	p->n_warming += keep;
	mutex_unlock(&p->slots_mu);
	if (!keep)
		return false;
	memset(p->slots + (size_t)slot * ST_SLOT_SIZE, 0, used);
	mutex_lock(&p->slots_mu);
	p->n_warming--;
	p->warm[p->n_warm++] = (uint16_t)slot;
	mutex_unlock(&p->slots_mu);
	return true;
}

static void punch(struct st_platform *p, unsigned slot, unsigned n)
{
	off_t at = (off_t)slot * ST_SLOT_SIZE, len = (off_t)n * ST_SLOT_SIZE;

	if (fallocate(p->slots_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, len))
		memset(p->slots + at, 0, (size_t)len);
}

static int by_number(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void give_back(struct st_platform *p, uint16_t *slots, unsigned n)
{
	qsort(slots, n, sizeof(*slots), by_number);
	for (unsigned i = 0, run; i < n; i += run) {
		for (run = 1; i + run < n && slots[i + run] == slots[i] + run;)
			run++;
		punch(p, slots[i], run);
	}
	mutex_lock(&p->slots_mu);
	for (unsigned i = 0; i < n; i++)
		p->slots_used[slots[i] / 64] &= ~(UINT64_C(1) << (slots[i] % 64));
	mutex_unlock(&p->slots_mu);
}

void st_slot_free(struct st_platform *p, unsigned slot, size_t used)
{
	uint16_t old[ST_OLD_SLOTS];
	unsigned n = 0;

	/* What it held must not be seen by the next process. */
	if (keep_warm(p, slot, used))
		return;
	mutex_lock(&p->slots_mu);
	p->old[p->n_old++] = (uint16_t)slot;
	if (p->n_old == ST_OLD_SLOTS) {
		memcpy(old, p->old, sizeof(old));
		n = p->n_old;
		p->n_old = 0;
	}
	mutex_unlock(&p->slots_mu);
	if (n)
		give_back(p, old, n);
}
