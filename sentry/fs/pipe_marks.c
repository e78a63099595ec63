/*
 * pipe_marks.c - boundaries in a pipe's bytes, for packet mode (O_DIRECT, pipe(2)): a
 * read takes one packet at most, and what does not fit is lost.  There are none
 * in a pipe that was never written to in that mode.  [p->mu] throughout.
 */
#include "fs/pipe_impl.h"

#include <stdlib.h>

struct pipe_mark {
	STAILQ_ENTRY(pipe_mark) link;
	uint32_t len;
	bool packet; /* else bytes of a stream */
};

static struct pipe_mark *append(struct pipe *p, uint32_t len, bool packet)
{
	struct pipe_mark *m = malloc(sizeof(*m));

	if (!m)
		return NULL;
	*m = (struct pipe_mark){ .len = len, .packet = packet };
	STAILQ_INSERT_TAIL(&p->marks, m, link);
	p->n_marks++;
	return m;
}

static void drop_first(struct pipe *p)
{
	struct pipe_mark *m = STAILQ_FIRST(&p->marks);

	STAILQ_REMOVE_HEAD(&p->marks, link);
	p->n_marks--;
	free(m);
}

bool pipe_marks_add(struct pipe *p, uint32_t before, uint32_t len, bool packet)
{
	struct pipe_mark *last = STAILQ_LAST(&p->marks, pipe_mark, link);

	if (!last && !packet)
		return true;
	if (last && !packet && !last->packet) {
		last->len += len;
		return true;
	}
	if (!last && before && !append(p, before, false))
		return false;
	return append(p, len, packet);
}

uint32_t pipe_marks_limit(const struct pipe *p, bool *packet)
{
	const struct pipe_mark *m = STAILQ_FIRST(&p->marks);

	*packet = m && m->packet;
	return m ? m->len : p->ring.len;
}

void pipe_marks_taken(struct pipe *p, uint32_t n)
{
	struct pipe_mark *m = STAILQ_FIRST(&p->marks);

	if (!m)
		return;
	m->len -= n < m->len ? n : m->len;
	if (!m->len)
		drop_first(p);
}

void pipe_marks_put_back(struct pipe *p, uint32_t n)
{
	struct pipe_mark *m = STAILQ_FIRST(&p->marks), *own;

	if (!m)
		return;
	own = malloc(sizeof(*own));
	if (!own) { /* better in another packet than lost */
		m->len += n;
		return;
	}
	*own = (struct pipe_mark){ .len = n };
	STAILQ_INSERT_HEAD(&p->marks, own, link);
	p->n_marks++;
}

void pipe_marks_free(struct pipe *p)
{
	while (!STAILQ_EMPTY(&p->marks))
		drop_first(p);
}
