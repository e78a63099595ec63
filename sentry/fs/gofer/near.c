/*
 * near.c - tells the gofer on which processor it is waited for.
 *
 * A program that asks the gofer again and again (stat, create, unlink in a tree that the host may change)
 * waits for each answer.  On one processor that takes two switches; on two it takes two interrupts, each of
 * which costs several times as much, and to look on for the answer instead would take the processor that the
 * program's stub looks on at.  So when some requests on end came from one processor, close to each other, the
 * gofer is told to run there (place.c does the same with a stub), and when they no longer do, to run where the
 * host likes again: held there it might wait behind another program while a processor is idle beside.  What
 * is asked ahead is to be made ready meanwhile, and not there.
 *
 * Any thread, with any locks; takes none.  What two threads tell at the same time may come in the wrong order, or be
 * told for nothing: it is a hint, and the next pause or move ends it.
 */
#include "fs/gofer/internal.h"
#include "lib/wait.h"

#include <sched.h>

#define CLOSE_NS 1000000 /* to the request before: what a program does meanwhile, and its answer */
#define PAUSE_NS 3000000 /* after that, requests are no longer waited for there */
#define SURE 3 /* close requests from one processor that tell of more */
#define SURE_AHEAD 32 /* the same after one that was not waited for */

static void tell(struct gofer_conn *c, unsigned cpu, bool leave)
{
	const struct gofer_near event = { .cpu = cpu, .leave = leave };

	(void)!rpc_client_call_errno(c->client, gofer_near_id, &gofer_near_desc, &event, NULL, NULL, NULL);
}

static void leave(struct gofer_conn *c)
{
	unsigned held = atomic_exchange_explicit(&c->near.held, 0, memory_order_relaxed);

	if (held)
		tell(c, held - 1, true);
}

static void hold(struct gofer_conn *c, unsigned cpu)
{
	atomic_store_explicit(&c->near.held, cpu + 1, memory_order_relaxed);
	tell(c, cpu, false);
}

void gofer_near_ask(struct gofer_conn *c)
{
	struct gnear *n = &c->near;
	int64_t now = now_monotonic(), gap = now - atomic_exchange_explicit(&n->asked, now, memory_order_relaxed);
	int cpu = sched_getcpu();
	bool same = cpu == atomic_exchange_explicit(&n->cpu, cpu, memory_order_relaxed);
	unsigned held = atomic_load_explicit(&n->held, memory_order_relaxed);
	int n_close;

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return;
	if (gap < CLOSE_NS && held == (unsigned)cpu + 1)
		return;
	if (held && (gap > PAUSE_NS || (gap > CLOSE_NS && held != (unsigned)cpu + 1)))
		leave(c);
	n_close = gap < CLOSE_NS && same ? atomic_fetch_add_explicit(&n->close, 1, memory_order_relaxed) + 1 : 0;
	if (n_close >= SURE)
		hold(c, (unsigned)cpu);
	if (n_close >= SURE || (!n_close && atomic_load_explicit(&n->close, memory_order_relaxed) > 0))
		atomic_store_explicit(&n->close, 0, memory_order_relaxed);
}

void gofer_near_ahead(struct gofer_conn *c)
{
	atomic_store_explicit(&c->near.close, SURE - SURE_AHEAD, memory_order_relaxed);
	leave(c);
}
