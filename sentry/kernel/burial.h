/*
 * burial.h - what is left of small processes that have ended: their pages, and the stub
 * that maps them.  Taking these apart takes the host longer than anything else at a
 * process's end, and nobody can tell whether it is done; so its parent is told first,
 * and it is done on another processor, if there is one: the parent mostly goes on where
 * the process has ended.
 *
 * And what ended processes have left to those that begin: pages of the memory file, some of
 * which are held back from the host as long as they are needed again soon.
 */
#ifndef SENTRY_KERNEL_BURIAL_H
#define SENTRY_KERNEL_BURIAL_H

#include "lib/lock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define BURIAL_LARGEST (UINT64_C(4) << 20) /* bytes of memory: more is to be free when the process has ended */
#define BURIALS_MOST 4u /* that wait */

struct memfile;
struct mm;
struct burials {
	struct mutex mu; /* RANK_LEAF */
	pthread_cond_t more; /* [mu] n is not 0 */
	struct mm *waiting[BURIALS_MOST]; /* [mu] the oldest first */
	unsigned n; /* [mu] */
	int from; /* [mu] the processor where one ended last */
	bool digs; /* [mu] the thread runs */
	struct memfile *holds; /* [mu] of which more than usual is held back; NULL: of none */
};

void burials_init(struct burials *b);
void burial(struct burials *b, struct mm *mm); /* mm_put_begin was true. No locks held */
/* A process ends, and will leave pages of m: another may need them soon. No locks held */
void burial_leaves(struct burials *b, struct memfile *m);

#endif
