/*
 * profile.c - control.profile: samples the threads' call chains at regular intervals and adds them up by
 * chain; or reports what lib/heap.c has recorded of allocations when the time is over.  Event thread: a
 * timer of its loop, which exists only while a profile is made.
 *
 * A thread counts as running when it has used processor time since the last sample and is not found
 * asleep; so a chain's share of the samples is its share of the time.
 */
#include "control/looking.h"

#include "kernel/kernel.h"
#include "lib/heap.h"
#include "lib/threads.h"
#include "lib/wait.h"
#include "libipc/fd.h"
#include "libipc/protocols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_US 9973 /* prime: does not beat with what programs do every 10 ms */
#define CHAINS_MAX 16384
#define BUCKETS 4096

enum { PROFILE_RUNNING, PROFILE_SLEEPING, PROFILE_MEMORY };

struct chain {
	SLIST_ENTRY(chain) link;
	uint64_t count;
	const char *thread; /* threads' names are literals */
	unsigned n_frames;
	uint64_t frames[];
};

struct profile {
	struct rpc_call *call;
	struct event *tick;
	int out;
	int64_t end; /* ns, CLOCK_MONOTONIC */
	unsigned kind, n_chains;
	uint64_t samplings, lost;
	SLIST_HEAD(, chain) buckets[BUCKETS];
};

static struct profile *current; /* one at a time */

static void profile_free(struct profile *p)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct chain *c;

		while ((c = SLIST_FIRST(&p->buckets[i]))) {
			SLIST_REMOVE_HEAD(&p->buckets[i], link);
			free(c);
		}
	}
	if (p->kind == PROFILE_MEMORY)
		heap_unwatch();
	if (p->tick)
		event_free(p->tick);
	fd_close(&p->out);
	free(p);
	current = NULL;
}

static unsigned bucket_of(const struct thread_sample *s)
{
	uint64_t h = (uint64_t)(uintptr_t)s->name;

	for (unsigned i = 0; i < s->n_frames; i++)
		h = (h ^ s->frames[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned)(h >> 32) % BUCKETS;
}

static struct chain *add_chain(struct profile *p, unsigned bucket, const char *thread, const uint64_t *frames, unsigned n)
{
	const size_t size = n * sizeof(frames[0]);
	struct chain *c = p->n_chains < CHAINS_MAX ? malloc(sizeof(*c) + size) : NULL;

	if (!c) {
		p->lost++;
		return NULL;
	}
	*c = (struct chain){ .count = 1, .thread = thread, .n_frames = n };
	memcpy(c->frames, frames, size);
	SLIST_INSERT_HEAD(&p->buckets[bucket], c, link);
	p->n_chains++;
	return c;
}

static void held(const uint64_t *frames, unsigned n, uint64_t bytes, void *arg)
{
	struct profile *p = arg;
	struct chain *c = add_chain(p, p->n_chains % BUCKETS, "memory", frames, n);

	if (c)
		c->count = bytes;
}

static void look_at_memory(struct profile *p)
{
	struct heap_totals t;

	heap_look(held, p, &t);
	p->samplings = t.allocations;
	p->lost += t.lost;
}

static void found(const struct thread_sample *s, void *arg)
{
	struct profile *p = arg;
	const size_t size = s->n_frames * sizeof(s->frames[0]);
	const unsigned b = bucket_of(s);
	struct chain *c;

	if (!s->answered || s->asleep != (p->kind == PROFILE_SLEEPING))
		return;
	SLIST_FOREACH (c, &p->buckets[b], link) {
		if (c->thread == s->name && c->n_frames == s->n_frames && !memcmp(c->frames, s->frames, size)) {
			c->count++;
			return;
		}
	}
	(void)add_chain(p, b, s->name, s->frames, s->n_frames);
}

static struct err *write_out(struct profile *p, uint64_t *length)
{
	struct control_profile_data d = { .interval_ns = p->kind == PROFILE_MEMORY ? 0 : INTERVAL_US * UINT64_C(1000), .samplings = p->samplings, .lost = p->lost };
	struct err *e;
	struct chain *c;

	if (!(d.chains = calloc(p->n_chains + 1, sizeof(*d.chains))))
		return err_new(ENOMEM, "profile");
	for (unsigned i = 0; i < BUCKETS; i++)
		SLIST_FOREACH (c, &p->buckets[i], link)
			d.chains[d.n_chains++] = (struct control_chain){ c->count, msg_str(c->thread), c->frames, c->n_frames };
	e = msg_answer_write(&control_profile_data_desc, &d, p->out, length);
	free(d.chains);
	return e;
}

/* Looks at the threads, and comes back; of memory nothing is to be seen before the end. */
static int look(struct profile *p)
{
	const int64_t left = p->end - now_monotonic();
	struct timeval when = { .tv_usec = INTERVAL_US };
	int ret = 0;

	if (p->kind == PROFILE_MEMORY)
		when = (struct timeval){ .tv_sec = left / 1000000000, .tv_usec = left % 1000000000 / 1000 + 1 };
	else if ((ret = threads_sample(&(struct thread_sampling){ .busy_only = p->kind == PROFILE_RUNNING, .found = found, .arg = p })) == 0)
		p->samplings++;
	return ret ? ret : event_add(p->tick, &when) ? -ENOMEM : 0;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct profile *p = arg;
	struct control_profile_reply r = { 0 };
	struct err *e = NULL;
	int ret;

	if (now_monotonic() < p->end) {
		if (!(ret = look(p)))
			return;
		e = err_new(-ret, "profile");
	}
	if (!e && p->kind == PROFILE_MEMORY)
		look_at_memory(p);
	if (!e)
		e = write_out(p, &r.length);
	if (e)
		rpc_fail(p->call, e);
	else
		rpc_reply(p->call, &r);
	profile_free(p);
}

static void cancelled(struct rpc_call *call, void *arg)
{
	rpc_fail(call, err_new(ECANCELED, "profile"));
	profile_free(arg);
}

void profile_begin(struct kernel *k, struct rpc_call *call, struct control_profile *request)
{
	struct profile *p = current ? NULL : calloc(1, sizeof(*p));
	int r;

	if (!p) {
		rpc_fail(call, current ? err_new(EBUSY, "profile: another is being made") : err_new(ENOMEM, "profile"));
		return;
	}
	if (request->kind == PROFILE_MEMORY && (r = heap_watch()) < 0) {
		free(p);
		rpc_fail(call, err_new(-r, "profile"));
		return;
	}
	current = p;
	*p = (struct profile){ .call = call, .out = TAKE_FD(request->out), .kind = (unsigned)request->kind };
	p->end = now_monotonic() + (int64_t)request->duration_ms * 1000000;
	p->tick = event_new(k->loop, -1, 0, on_tick, p);
	if (!p->tick || event_add(p->tick, &(struct timeval){ 0 })) {
		rpc_fail(call, err_new(ENOMEM, "profile"));
		profile_free(p);
		return;
	}
	rpc_on_cancel(call, cancelled, p);
}
