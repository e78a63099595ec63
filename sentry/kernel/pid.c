/*
 * pid.c - process numbers and pid namespaces (see pid.h): ordered trees, so that
 * /proc can list them.
 */
#include "kernel/pid.h"

#include "abi/capability.h"
#include "kernel/ns.h"
#include "kernel/task_table.h"
#include "vfs/user_ns.h"

#include <errno.h>
#include <stdlib.h>

static int number_cmp(const struct pid_number *a, const struct pid_number *b)
{
	return (a->nr > b->nr) - (a->nr < b->nr);
}
#define __unused __attribute__((unused)) /* libbsd's macro uses it */
RB_GENERATE_STATIC(pid_tree, pid_number, link, number_cmp)

/* --- namespaces ----------------------------------------------------------------- */

struct pid_ns *pid_ns_new(struct kernel *k, struct pid_ns *parent, struct user_ns *owner)
{
	struct pid_ns *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ref_init(&ns->ref);
	RB_INIT(&ns->pids);
	ns->k = k;
	ns->ino = ns_new_ino(k);
	user_ns_get(ns->owner = owner);
	if (parent) {
		pid_ns_get(parent);
		ns->parent = parent;
		ns->level = parent->level + 1;
	}
	return ns;
}

void pid_ns_get(struct pid_ns *ns)
{
	ref_get(&ns->ref);
}

void pid_ns_put(struct pid_ns *ns)
{
	while (ns && ref_put(&ns->ref)) {
		struct pid_ns *parent = ns->parent;

		user_ns_put(ns->owner);
		free(ns);
		ns = parent;
	}
}

bool pid_ns_is_below(const struct pid_ns *ns, const struct pid_ns *top)
{
	while (ns && ns->level > top->level)
		ns = ns->parent;
	return ns == top;
}

/* --- numbers ------------------------------------------------------------------------ */

pid_t pid_nr(const struct pid *p, const struct pid_ns *ns)
{
	return p && ns->level <= p->level && p->numbers[ns->level].ns == ns ? p->numbers[ns->level].nr : 0;
}

struct pid *pid_find_locked(const struct pid_ns *ns, pid_t nr)
{
	struct pid_number key = { .nr = nr }, *n = RB_FIND(pid_tree, (struct pid_tree *)(uintptr_t)&ns->pids, &key);

	return n ? n->of : NULL;
}

struct pid *pid_next_locked(const struct pid_ns *ns, pid_t after, pid_t *nr)
{
	struct pid_number key = { .nr = after + 1 }, *n = RB_NFIND(pid_tree, (struct pid_tree *)(uintptr_t)&ns->pids, &key);

	if (!n)
		return NULL;
	*nr = n->nr;
	return n->of;
}

static int take_number(struct pid_ns *ns, struct pid_number *n)
{
	for (int tries = 0; tries < PID_MAX; tries++) {
		n->nr = ns->last_pid + 1;
		if (n->nr >= PID_MAX)
			n->nr = PID_RESERVED;
		ns->last_pid = n->nr;
		if (!RB_INSERT(pid_tree, &ns->pids, n))
			return 0;
	}
	return -EAGAIN;
}

/* The very number that by wants. */
static int take_this(struct pid_ns *ns, struct pid_number *n, pid_t nr, const struct cred *by)
{
	if (nr < 1 || nr >= PID_MAX || (nr != 1 && !ns->init))
		return -EINVAL;
	if (!cred_capable_in(by, ns->owner, LINUX_CAP_CHECKPOINT_RESTORE) && !cred_capable_in(by, ns->owner, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	n->nr = nr;
	return RB_INSERT(pid_tree, &ns->pids, n) ? -EEXIST : 0;
}

/* Gives back the numbers of levels >= from. */
static void give_back(struct pid *p, unsigned from)
{
	for (unsigned l = from; l <= p->level; l++)
		RB_REMOVE(pid_tree, &p->numbers[l].ns->pids, &p->numbers[l]);
}

int pid_alloc_locked(struct pid_ns *ns, const struct pid_wanted *wanted, struct pid **out)
{
	struct task_table *tt = ns->k->tasks;
	struct pid *p;
	int r = 0;

	if (tt->n_tasks >= TASKS_MAX)
		return -EAGAIN;
	if (wanted && wanted->n > ns->level) /* not in the kernel's root namespace */
		return -EINVAL;
	if (ns->dying)
		return -ENOMEM;
	p = calloc(1, sizeof(*p) + (ns->level + 1) * sizeof(p->numbers[0]));
	if (!p)
		return -ENOMEM;
	ref_init(&p->ref);
	p->level = ns->level;
	for (struct pid_ns *at = ns; at; at = at->parent) {
		struct pid_number *n = &p->numbers[at->level];
		unsigned depth = ns->level - at->level;

		n->of = p;
		r = wanted && depth < wanted->n ? take_this(at, n, wanted->nr[depth], wanted->by) : take_number(at, n);
		if (r) {
			give_back(p, at->level + 1);
			pid_put(p);
			return r;
		}
		n->ns = at;
		pid_ns_get(at);
	}
	*out = p;
	return 0;
}

void pid_put(struct pid *p)
{
	if (!p || !ref_put(&p->ref))
		return;
	for (unsigned l = 0; l <= p->level; l++)
		pid_ns_put(p->numbers[l].ns);
	free(p);
}

void pid_drop_if_unused_locked(struct pid *p)
{
	if (p->task || p->tg || p->pgrp || p->session)
		return;
	give_back(p, 0);
	pid_put(p);
}
