/*
 * tuning.c - /proc/PID/{coredump_filter,timerslack_ns} and /proc/PID/task/TID/children.
 */
#include "fs/proc/internal.h"

#include "abi/capability.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* Linux: kstrtoull(). One newline may follow. */
static int number(const char *text, int base, uint64_t max, uint64_t *out)
{
	char *end;

	if (*text == '+')
		text++;
	if (!isxdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*out = strtoull(text, &end, base);
	if (*end == '\n')
		end++;
	return *end ? -EINVAL : errno || *out > max ? -ERANGE : 0;
}

SHOW(show_coredump_filter)
{
	struct mm *mm = c->t ? task_get_mm(c->t) : NULL;

	if (!mm)
		return 0;
	pprintf(b, "%08" PRIx32 "\n", mm_core_filter(mm));
	mm_put(mm);
	return 0;
}

ssize_t store_coredump_filter(struct pctx *c, char *text, size_t n)
{
	struct mm *mm;
	uint64_t v;
	int r = number(text, 0, UINT32_MAX, &v);

	if (r)
		return r;
	if (!c->t || !(mm = task_get_mm(c->t)))
		return -ESRCH;
	mm_set_core_filter(mm, (uint32_t)v);
	mm_put(mm);
	return (ssize_t)n;
}

/* Another process's is for who may give it priorities. */
static bool may_tune(struct pctx *c)
{
	struct task *me = task_current();

	return !me || me->tg == c->tg || cred_capable(me->cred, LINUX_CAP_SYS_NICE);
}

SHOW(show_timerslack)
{
	if (!c->t)
		return -ESRCH;
	if (!may_tune(c))
		return -EPERM;
	pprintf(b, "%" PRIu64 "\n", atomic_load(&c->t->timer_slack));
	return 0;
}

ssize_t store_timerslack(struct pctx *c, char *text, size_t n)
{
	uint64_t v;
	int r = number(text, 10, UINT64_MAX, &v);

	if (r)
		return r;
	if (!c->t)
		return -ESRCH;
	if (!may_tune(c))
		return -EPERM;
	atomic_store(&c->t->timer_slack, v ? v : TIMER_SLACK_DEFAULT);
	return (ssize_t)n;
}

/* --- children: those that this thread has made, the oldest first --------------------------- */
static bool is_of(struct pctx *c, const struct thread_group *child)
{
	struct task *t;

	TAILQ_FOREACH (t, &c->tg->tasks, tg_link)
		if (t->tid == child->made_by)
			return t == c->t;
	return c->t == TAILQ_FIRST(&c->tg->tasks); /* an orphan, or its maker has ended */
}

SHOW(show_children)
{
	struct thread_group *child;
	size_t n = 0, at = 0;
	pid_t *nr;

	tasks_lock(c->k);
	LIST_FOREACH(child, &c->tg->children, sibling)
		n++;
	nr = n ? calloc(n, sizeof(*nr)) : NULL;
	if (nr)
		LIST_FOREACH(child, &c->tg->children, sibling)
			nr[at++] = is_of(c, child) ? tg_nr(child, c->ns) : 0;
	tasks_unlock(c->k);
	while (at) /* the youngest is the first of the list */
		if (nr[--at])
			pprintf(b, "%d ", nr[at]);
	free(nr);
	return n && !nr ? -ENOMEM : 0;
}
