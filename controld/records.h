/*
 * records.h - how the guest's processes ended: the container's first (pid 0)
 * and those started by exec.
 *
 * Pure bookkeeping on controld's one thread.  At most RECORDS_MAX are kept;
 * the oldest that has ended goes first.
 */
#ifndef REDOUBT_CONTROLD_RECORDS_H
#define REDOUBT_CONTROLD_RECORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define RECORDS_MAX 4096

/* Somebody who waits for a record's end; embedded in the waiter's own struct. */
struct record_waiter {
	LIST_ENTRY(record_waiter) entry;
};

struct record {
	TAILQ_ENTRY(record) entry; /* oldest first */
	uint32_t pid;
	bool ended;
	uint16_t status; /* as wait(2) gives it, once ended */
	bool for_memory; /* programs of its container had been killed for want of memory by then */
	uint32_t stand_in; /* host pid of the process that stands for it, 0: none */
	LIST_HEAD(, record_waiter) waiters;
};

struct records {
	TAILQ_HEAD(record_list, record) list;
	unsigned n;
};

void records_init(struct records *r);
void records_free(struct records *r); /* no waiters may be left */

/* NULL: out of memory, or RECORDS_MAX processes live.  A pid that is known
 * already has been used again inside: the old record goes, if it has ended. */
struct record *records_add(struct records *r, uint32_t pid);
struct record *records_find(struct records *r, uint32_t pid);

/* Marks the end and hands each waiter, removed, to fn. */
void record_end(struct record *rec, uint16_t status, void (*fn)(struct record_waiter *w, uint16_t status));
void record_wait(struct record *rec, struct record_waiter *w); /* rec has not ended */
void record_unwait(struct record_waiter *w);
/* Ends all that have not ended. */
void records_end_all(struct records *r, uint16_t status, void (*fn)(struct record_waiter *w, uint16_t status));

#endif
