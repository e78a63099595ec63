/*
 * pipe_blocked.c - writers that wait for room in a pipe.
 *
 * A reader takes less at a time, as a rule, than a writer that fills the pipe has left:
 * were the writer woken whenever there is room, both would do nothing but wake each
 * other.  So the reader takes the next part from the writer's memory itself, as if the
 * writer had run at once, and wakes it when nothing is left, or when that cannot be read.
 *
 * The waiting writer is asleep in its call: its memory stays, and its struct is its own
 * again as soon as it holds p->mu and has taken it out of the queue.  [p->mu] throughout.
 */
#include "fs/pipe_impl.h"
#include "mm/usercopy.h"

void pipe_blocked_begin(struct pipe *p, struct pipe_blocked *b)
{
	if (!b->u)
		return;
	TAILQ_INSERT_TAIL(&p->blocked, b, link);
	b->waits = true;
}

void pipe_blocked_end(struct pipe *p, struct pipe_blocked *b)
{
	if (!b->waits)
		return;
	TAILQ_REMOVE(&p->blocked, b, link);
	b->waits = false;
}

bool pipe_blocked_take(struct pipe *p, bool *woken)
{
	struct pipe_blocked *b;
	bool any = false;

	*woken = false;
	while ((b = TAILQ_FIRST(&p->blocked)) && pipe_has_room(p, b->u->resid)) {
		ssize_t r = pipe_write_some(p, b->u, false);

		if (r > 0) {
			b->taken += r;
			any = true;
		}
		if (r <= 0 || !b->u->resid) { /* an error is for itself to find */
			pipe_blocked_end(p, b);
			*woken = true;
		}
	}
	return any;
}
