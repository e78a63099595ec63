/*
 * ipc_sem.c - semaphore sets: semget(2) and semctl(2).  semop(2) is ipc_sem_op.c.
 */
#include "kernel/ipc_sem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SEMS_MAX (1 << 22) /* in all sets: the sentry's memory, not a limit that Linux shows */

static int fits(const struct ipc_object *o, uint64_t n)
{
	return (uint64_t)((const struct sem_set *)o)->n < n ? -EINVAL : 0;
}

static int make(struct task *t, uint64_t n, struct ipc_object **out)
{
	struct ipc_ns *ns = ipc_of(t);
	struct sem_set *s;

	if (!n)
		return -EINVAL;
	if (n > (uint64_t)(SEMS_MAX - ns->n_sems) || n + (uint64_t)ns->n_sems > ipc_limit(ns, IPC_SEMMNS))
		return -ENOSPC;
	s = calloc(1, sizeof(*s) + n * sizeof(s->sem[0]));
	if (!s)
		return -ENOMEM;
	s->n = (int)n;
	s->ctime = ipc_time();
	TAILQ_INIT(&s->waits);
	LIST_INIT(&s->undos);
	ns->n_sems += (int)n;
	*out = &s->o;
	return 0;
}

int ipc_sem_get(struct task *t, int32_t key, int n, int flags)
{
	const struct ipc_get g = { .key = key, .flags = flags, .check = fits, .make = make, .arg = (uint64_t)n };

	if (n < 0 || (uint64_t)n > ipc_limit(ipc_of(t), IPC_SEMMSL))
		return -EINVAL;
	return ipc_get(t, &ipc_of(t)->sem, &g);
}

int ipc_sem_stat(struct task *t, int id, enum ipc_by by, struct linux_semid_ds *out)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	mutex_lock(&ns->mu);
	r = ipc_find_by_locked(t, &ns->sem, id, by, &o);
	if (!r) {
		struct sem_set *s = (struct sem_set *)o;

		*out = (struct linux_semid_ds){ .otime = s->otime, .ctime = s->ctime, .nsems = (uint64_t)s->n };
		ipc_stat_locked(t, o, &out->perm);
		r = by == IPC_BY_ID ? 0 : o->id;
	}
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_sem_set(struct task *t, int id, const struct linux_ipc_perm *p)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	mutex_lock(&ns->mu);
	r = ipc_find_owned_locked(t, &ns->sem, id, &o);
	r = r ? r : ipc_set_locked(t, o, p);
	if (!r)
		((struct sem_set *)o)->ctime = ipc_time();
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_sem_remove(struct task *t, int id)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	mutex_lock(&ns->mu);
	r = ipc_find_owned_locked(t, &ns->sem, id, &o);
	if (!r) {
		struct sem_set *s = (struct sem_set *)o;
		struct sem_wait *w;

		while ((w = TAILQ_FIRST(&s->waits))) {
			TAILQ_REMOVE(&s->waits, w, link);
			w->result = -EIDRM;
			w->done = true;
			sleeper_wake(&w->t->sleeper);
		}
		ipc_remove_locked(ns, &ns->sem, o);
	}
	mutex_unlock(&ns->mu);
	return r;
}

static int count_waits(const struct sem_set *s, int num, bool for_zero)
{
	const struct sem_wait *w;
	int n = 0;

	TAILQ_FOREACH(w, &s->waits, link)
		n += w->blocker->num == num && (w->blocker->op == 0) == for_zero;
	return n;
}

static int query_locked(const struct sem_set *s, int num, int cmd)
{
	switch (cmd) {
	case LINUX_GETVAL:
		return s->sem[num].value;
	case LINUX_GETPID:
		return s->sem[num].pid;
	case LINUX_GETNCNT:
		return count_waits(s, num, false);
	case LINUX_GETZCNT:
		return count_waits(s, num, true);
	default:
		return -EINVAL;
	}
}

int ipc_sem_query(struct task *t, int id, int num, int cmd)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	mutex_lock(&ns->mu);
	r = ipc_find_locked(&ns->sem, id, &o);
	r = r ? r : ipc_permission(t, o, 0444);
	if (!r && (num < 0 || num >= ((struct sem_set *)o)->n))
		r = -EINVAL;
	r = r ? r : query_locked((struct sem_set *)o, num, cmd);
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_sem_setval(struct task *t, int id, int num, int value)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	if (value < 0 || value > IPC_SEMVMX)
		return -ERANGE;
	mutex_lock(&ns->mu);
	r = ipc_find_locked(&ns->sem, id, &o);
	if (!r && (num < 0 || num >= ((struct sem_set *)o)->n))
		r = -EINVAL;
	r = r ? r : ipc_permission(t, o, 0222);
	if (!r) {
		struct sem_set *s = (struct sem_set *)o;

		sem_undo_clear_locked(s, num);
		s->sem[num] = (struct sem){ .value = value, .pid = t->tg->own_tgid };
		s->ctime = ipc_time();
		sem_update_locked(s);
	}
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_sem_count(struct task *t, int id, bool alter)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	mutex_lock(&ns->mu);
	r = ipc_find_locked(&ns->sem, id, &o);
	r = r ? r : ipc_permission(t, o, alter ? 0222 : 0444);
	r = r ? r : ((struct sem_set *)o)->n;
	mutex_unlock(&ns->mu);
	return r;
}

/* The set that ipc_sem_count told of; it may have gone meanwhile. */
static int find_again_locked(struct ipc_ns *ns, int id, size_t n, struct sem_set **out)
{
	struct ipc_object *o;
	int r = ipc_find_locked(&ns->sem, id, &o);

	if (r || (size_t)((struct sem_set *)o)->n != n)
		return -EIDRM;
	*out = (struct sem_set *)o;
	return 0;
}

int ipc_sem_getall(struct task *t, int id, uint16_t *out, size_t n)
{
	struct ipc_ns *ns = ipc_of(t);
	struct sem_set *s;
	int r;

	mutex_lock(&ns->mu);
	r = find_again_locked(ns, id, n, &s);
	for (size_t i = 0; !r && i < n; i++)
		out[i] = (uint16_t)s->sem[i].value;
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_sem_setall(struct task *t, int id, const uint16_t *values, size_t n)
{
	struct ipc_ns *ns = ipc_of(t);
	struct sem_set *s;
	int r;

	for (size_t i = 0; i < n; i++)
		if (values[i] > IPC_SEMVMX)
			return -ERANGE;
	mutex_lock(&ns->mu);
	r = find_again_locked(ns, id, n, &s);
	if (!r) {
		for (size_t i = 0; i < n; i++)
			s->sem[i] = (struct sem){ .value = values[i], .pid = t->tg->own_tgid };
		sem_undo_clear_locked(s, -1);
		s->ctime = ipc_time();
		sem_update_locked(s);
	}
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_sem_info(struct task *t, int *sets, int *sems)
{
	struct ipc_ns *ns = ipc_of(t);
	int r;

	mutex_lock(&ns->mu);
	*sets = (int)ns->sem.in_use;
	*sems = ns->n_sems;
	r = ipc_max_slot_locked(&ns->sem);
	mutex_unlock(&ns->mu);
	return r;
}
