/*
 * pool.c - stub processes made in advance, so that fork and exec need not wait
 * for the host to make one.
 *
 * A thread of its own, the maker, keeps some ready.  It starts with the second
 * address space: most sandboxes that have two will have more.  Each time somebody
 * finds none ready it keeps one more from then on, up to POOL_MAX.  With nothing
 * to do it sleeps.
 */
#include "platform/systrap/systrap.h"

#include "lib/threads.h"

#include <errno.h>

#define POOL_FIRST 2
#define POOL_MAX 4
#define MAKER_STACK (64 * 1024)

static struct st_as *make(struct st_platform *p)
{
	struct st_as *as = st_as_alloc(p);
	int r;

	if (!as)
		return NULL;
	mutex_lock(&as->mu);
	st_place_zygote(p);
	r = st_as_start_locked(as);
	if (!r)
		r = st_thread_prepare_locked(as);
	if (r)
		st_as_kill_locked(as);
	mutex_unlock(&as->mu);
	if (!r)
		return as;
	st_as_put(as);
	return NULL;
}

static void *maker(void *arg)
{
	struct st_platform *p = arg;

	thread_enter("stubs to come");
	mutex_lock(&p->pool_mu);
	for (;;) {
		struct st_as *as;

		if (p->n_ready >= p->want) {
			pthread_cond_wait(&p->pool_wanted, &p->pool_mu.m);
			continue;
		}
		mutex_unlock(&p->pool_mu);
		as = make(p);
		st_place_keep_off(p); /* before it sleeps: it is woken elsewhere then */
		mutex_lock(&p->pool_mu);
		if (as) {
			SLIST_INSERT_HEAD(&p->ready, as, ready_link);
			p->n_ready++;
		} else { /* no processes are left: until somebody asks again */
			pthread_cond_wait(&p->pool_wanted, &p->pool_mu.m);
		}
	}
	return NULL;
}

/* One that has not died meanwhile. */
static struct st_as *take_locked(struct st_platform *p)
{
	struct st_as *as;

	while ((as = SLIST_FIRST(&p->ready))) {
		SLIST_REMOVE_HEAD(&p->ready, ready_link);
		p->n_ready--;
		if (!atomic_load(&as->dead))
			break;
		st_as_put(as);
	}
	return as;
}

struct st_as *st_pool_take(struct st_platform *p)
{
	struct st_as *as;

	st_place_mark(p);
	mutex_lock(&p->pool_mu);
	as = take_locked(p);
	if (!as && p->asked && p->want < POOL_MAX)
		p->want += p->want ? 1 : POOL_FIRST;
	if (p->asked && !p->making)
		p->making = !thread_start(MAKER_STACK, maker, p);
	p->asked = true;
	if (p->making && p->n_ready < p->want)
		pthread_cond_signal(&p->pool_wanted);
	mutex_unlock(&p->pool_mu);
	return as;
}
