/*
 * charge.h - whose the memory file's pages are: accounts, to one of which a page is charged
 * from its allocation until it is free again, whoever else comes to use it (as Linux's
 * memory cgroups do).  What is charged to nobody costs nothing here.
 *
 * Any thread.  A thread's allocations are charged to the account that it has named
 * last.  The owners are an array, committed by the host as touched, and atomic.
 */
#ifndef SENTRY_MM_CHARGE_H
#define SENTRY_MM_CHARGE_H

#include <stdbool.h>
#include <stdint.h>

#define CHARGE_NOBODY 0u
#define CHARGE_ACCOUNTS 256u /* that one among them */

struct memfile;
struct charges;

/* More is charged to the account than its line: called on any thread at each such allocation; may
 * take RANK_LEAF locks and wake sleepers. */
typedef void charge_told_fn(void *arg);

struct charges *charges_new(uint64_t pages); /* NULL: no memory */
/* told is called from now on, but not before charge_set_line.  -ENOSPC: all are in use. */
int charge_open(struct charges *c, charge_told_fn *told, void *arg, unsigned *id);
/* No thread names it any more.  What is still charged to it (files in memory that others see) is nobody's now. */
void charge_close(struct charges *c, unsigned id);
void charge_set_line(struct charges *c, unsigned id, uint64_t bytes);
void charge_refuse(struct charges *c, unsigned id, bool refuse); /* its allocations fail */
uint64_t charge_handed(const struct charges *c, unsigned id); /* bytes allocated: the host has committed at most so many */
uint64_t charge_used(const struct charges *c, unsigned id, const struct memfile *m); /* ... has committed; looks at each page */

void charge_to(unsigned id); /* the calling thread's allocations, from now on */

/* For the allocator.  Pages by number. */
bool charge_refused(const struct charges *c); /* the calling thread's allocation */
void charge_take(struct charges *c, uint64_t page, uint64_t n); /* ... is these */
void charge_drop(struct charges *c, uint64_t page, uint64_t n); /* they become free */

#endif
