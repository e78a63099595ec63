/*
 * ipc_sem_op.c - semop(2): all operations of a call or none; sleeping calls are
 * completed, oldest first, by whoever changes a value; SEM_UNDO at a process's end.
 */
#include "kernel/ipc_sem.h"

#include <errno.h>
#include <stdlib.h>

/* --- trying ---------------------------------------------------------------------- */

static int step(struct sem_set *s, struct sem_wait *w, const struct linux_sembuf *op)
{
	struct sem *m = &s->sem[op->num];
	int adj;

	if (op->op == 0)
		return m->value ? 1 : 0;
	if (m->value + op->op < 0)
		return 1;
	if (m->value + op->op > IPC_SEMVMX)
		return -ERANGE;
	if (op->flg & LINUX_SEM_UNDO) {
		adj = w->undo->adj[op->num] - op->op;
		if (adj < -IPC_SEMVMX - 1 || adj > IPC_SEMVMX)
			return -ERANGE;
		w->undo->adj[op->num] = (int16_t)adj;
	}
	m->value += op->op;
	return 0;
}

static void unstep(struct sem_set *s, struct sem_wait *w, const struct linux_sembuf *op)
{
	s->sem[op->num].value -= op->op;
	if (op->op && op->flg & LINUX_SEM_UNDO)
		w->undo->adj[op->num] = (int16_t)(w->undo->adj[op->num] + op->op);
}

/* 0: all done; 1: it must wait (w->blocker says for what); -EAGAIN, -ERANGE: refused. Undone but for 0. */
static int try_locked(struct sem_set *s, struct sem_wait *w)
{
	size_t i;
	int r = 0;

	for (i = 0; i < w->n && !r; i++)
		r = step(s, w, &w->ops[i]);
	if (!r) {
		for (i = 0; i < w->n; i++)
			s->sem[w->ops[i].num].pid = w->t->tg->own_tgid;
		s->otime = ipc_time();
		return 0;
	}
	i--;
	w->blocker = &w->ops[i];
	if (r == 1 && w->ops[i].flg & LINUX_IPC_NOWAIT)
		r = -EAGAIN;
	while (i-- > 0)
		unstep(s, w, &w->ops[i]);
	return r;
}

static void complete_locked(struct sem_set *s, struct sem_wait *w, int result)
{
	TAILQ_REMOVE(&s->waits, w, link);
	w->result = result;
	w->done = true;
	sleeper_wake(&w->t->sleeper);
}

void sem_update_locked(struct sem_set *s)
{
	struct sem_wait *w = TAILQ_FIRST(&s->waits);

	while (w) {
		struct sem_wait *next = TAILQ_NEXT(w, link);
		int r = try_locked(s, w);

		if (r <= 0) {
			complete_locked(s, w, r);
			if (!r)
				next = TAILQ_FIRST(&s->waits); /* values changed again */
		}
		w = next;
	}
}

void ipc_sem_free(struct ipc_ns *ns, struct ipc_object *o)
{
	struct sem_set *s = (struct sem_set *)o;
	struct sem_undo *u;

	while ((u = LIST_FIRST(&s->undos))) {
		LIST_REMOVE(u, link);
		ns->n_undo--;
		free(u);
	}
	ns->n_sems -= s->n;
	free(s);
}

/* --- undo -------------------------------------------------------------------------- */

static struct sem_undo *undo_of_locked(struct ipc_ns *ns, struct sem_set *s, struct thread_group *tg)
{
	struct sem_undo *u;

	LIST_FOREACH(u, &s->undos, link)
		if (u->tg == tg)
			return u;
	u = calloc(1, sizeof(*u) + (size_t)s->n * sizeof(u->adj[0]));
	if (!u)
		return NULL;
	u->tg = tg;
	LIST_INSERT_HEAD(&s->undos, u, link);
	ns->n_undo++;
	return u;
}

void sem_undo_clear_locked(struct sem_set *s, int num)
{
	struct sem_undo *u;

	LIST_FOREACH(u, &s->undos, link)
		for (int i = num < 0 ? 0 : num; i < (num < 0 ? s->n : num + 1); i++)
			u->adj[i] = 0;
}

static void give_back_locked(struct sem_set *s, struct sem_undo *u)
{
	for (int i = 0; i < s->n; i++) {
		int v = s->sem[i].value + u->adj[i];

		if (!u->adj[i])
			continue;
		s->sem[i].value = v < 0 ? 0 : v > IPC_SEMVMX ? IPC_SEMVMX : v;
		s->sem[i].pid = u->tg->own_tgid;
	}
	s->otime = ipc_time();
	sem_update_locked(s);
}

void ipc_sem_undo_all(struct ipc_ns *ns, struct thread_group *tg)
{
	mutex_lock(&ns->mu);
	for (unsigned i = 0; i < ns->sem.n; i++) {
		struct sem_set *s = (struct sem_set *)ns->sem.slot[i];
		struct sem_undo *u, *next;

		for (u = s ? LIST_FIRST(&s->undos) : NULL; u; u = next) {
			next = LIST_NEXT(u, link);
			if (u->tg != tg)
				continue;
			LIST_REMOVE(u, link);
			ns->n_undo--;
			give_back_locked(s, u);
			free(u);
			break;
		}
	}
	mutex_unlock(&ns->mu);
}

bool ipc_sem_undoes(struct ipc_ns *ns, const struct thread_group *tg)
{
	bool found = false;

	mutex_lock(&ns->mu);
	for (unsigned i = 0; i < ns->sem.n && !found; i++) {
		const struct sem_set *s = (struct sem_set *)ns->sem.slot[i];
		const struct sem_undo *u;

		for (u = s ? LIST_FIRST(&s->undos) : NULL; u && !found; u = LIST_NEXT(u, link))
			found = u->tg == tg;
	}
	mutex_unlock(&ns->mu);
	return found;
}

/* --- the call ------------------------------------------------------------------------ */

static int prepare_locked(struct task *t, struct sem_set *s, struct sem_wait *w)
{
	bool alter = false, undo = false;
	int r;

	for (size_t i = 0; i < w->n; i++) {
		if (w->ops[i].num >= s->n)
			return -EFBIG;
		alter |= w->ops[i].op != 0;
		undo |= w->ops[i].op && w->ops[i].flg & LINUX_SEM_UNDO;
	}
	r = ipc_permission(t, &s->o, alter ? 0222 : 0444);
	if (!r && undo) {
		w->undo = undo_of_locked(ipc_of(t), s, t->tg);
		r = w->undo ? 0 : -ENOMEM;
	}
	return r;
}

/* ns->mu is let go while asleep. */
static int sleep_locked(struct ipc_ns *ns, struct sem_set *s, struct sem_wait *w, int64_t deadline)
{
	int r = 0;

	TAILQ_INSERT_TAIL(&s->waits, w, link);
	s->o.refs++;
	while (!w->done && !r) {
		mutex_unlock(&ns->mu);
		r = wait_sleep(deadline);
		mutex_lock(&ns->mu);
	}
	if (w->done)
		r = w->result;
	else
		TAILQ_REMOVE(&s->waits, w, link);
	ipc_put_locked(ns, &ns->sem, &s->o);
	return r == -ETIMEDOUT ? -EAGAIN : r == -ERESTARTSYS ? -EINTR : r;
}

static int op_locked(struct task *t, struct ipc_ns *ns, int id, struct sem_wait *w, int64_t deadline)
{
	struct ipc_object *o;
	struct sem_set *s;
	int r = ipc_find_locked(&ns->sem, id, &o);

	if (r)
		return r;
	s = (struct sem_set *)o;
	r = prepare_locked(t, s, w);
	r = r ? r : try_locked(s, w);
	if (!r)
		sem_update_locked(s);
	return r > 0 ? sleep_locked(ns, s, w, deadline) : r;
}

int ipc_sem_op(struct task *t, int id, const struct linux_sembuf *ops, size_t n, int64_t deadline)
{
	struct ipc_ns *ns = ipc_of(t);
	struct sem_wait w = { .t = t, .ops = ops, .n = n };
	int r;

	mutex_lock(&ns->mu);
	r = op_locked(t, ns, id, &w, deadline);
	mutex_unlock(&ns->mu);
	return r;
}
