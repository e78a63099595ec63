/*
 * signal_queue.c - pending signals and dispositions: no tasks, no locks (the
 * caller holds the task list lock).
 */
#include "kernel/signal.h"

#include "kernel/task_table.h"
#include "kernel/user_count.h"

#include <stdlib.h>
#include <string.h>

void sigpending_init(struct sigpending *p, struct task_table *tt)
{
	p->set = 0;
	p->tt = tt;
	TAILQ_INIT(&p->q);
}

void sigqueue_free(struct sigpending *p, struct sigqueue *q)
{
	if (q->owned) {
		q->queued = false;
		return;
	}
	if (q->user) {
		q->user->queued--;
		user_count_settle(q->user);
	}
	free(q);
}

void sigpending_destroy(struct sigpending *p)
{
	sigpending_flush(p, ~UINT64_C(0));
}

void sigpending_push(struct sigpending *p, int signo, struct sigqueue *q)
{
	p->set |= SIGBIT(signo);
	if (!q)
		return;
	q->queued = true;
	TAILQ_INSERT_TAIL(&p->q, q, link);
}

int sigpending_first(uint64_t pending, uint64_t blocked)
{
	uint64_t ready = pending & ~blocked;

	/* faults of the instruction come before what others sent */
	if (ready & SIG_SYNCHRONOUS)
		ready &= SIG_SYNCHRONOUS;
	return ready ? __builtin_ctzll(ready) + 1 : 0;
}

void sigpending_take(struct sigpending *p, int signo, struct linux_siginfo *info)
{
	struct sigqueue *q, *first = NULL;
	bool more = false;

	TAILQ_FOREACH(q, &p->q, link) {
		if (q->info.signo != signo)
			continue;
		if (first) {
			more = true;
			break;
		}
		first = q;
	}
	if (!more)
		p->set &= ~SIGBIT(signo);
	if (!first) {
		*info = (struct linux_siginfo){ .signo = signo, .code = LINUX_SI_USER };
		return;
	}
	*info = first->info;
	TAILQ_REMOVE(&p->q, first, link);
	sigqueue_free(p, first);
}

void sigpending_flush(struct sigpending *p, uint64_t set)
{
	struct sigqueue *q, *next;

	if (!(p->set & set))
		return;
	p->set &= ~set;
	for (q = TAILQ_FIRST(&p->q); q; q = next) {
		next = TAILQ_NEXT(q, link);
		if (!(set & SIGBIT(q->info.signo)))
			continue;
		TAILQ_REMOVE(&p->q, q, link);
		sigqueue_free(p, q);
	}
}

struct sigqueue *sigqueue_new(struct task_table *tt, uint32_t uid, uint64_t limit, bool forced)
{
	struct user_count *u = user_count_get(tt, uid);
	struct sigqueue *q = NULL;

	if (!u)
		return NULL;
	if (forced || u->queued < limit)
		q = calloc(1, sizeof(*q));
	if (q) {
		q->user = u;
		u->queued++;
	} else {
		user_count_settle(u);
	}
	return q;
}

struct sighand *sighand_new(const struct sighand *copy_of)
{
	struct sighand *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	if (copy_of)
		memcpy(h->action, copy_of->action, sizeof(h->action));
	ref_init(&h->ref);
	return h;
}

void sighand_put(struct sighand *h)
{
	if (h && ref_put(&h->ref))
		free(h);
}

struct linux_sigaction *sighand_action(struct sighand *h, int signo)
{
	return &h->action[signo - 1];
}

bool sighand_ignores(const struct sighand *h, int signo)
{
	uint64_t handler = h->action[signo - 1].handler;

	return handler == LINUX_SIG_IGN || (handler == LINUX_SIG_DFL && signal_default_ignores(signo));
}
