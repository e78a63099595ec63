/*
 * tty.c - terminals: the table of them, their life, both sides' plain
 * operations, sessions and job control.
 */
#include "fs/devpts/ldisc.h"
#include "fs/devpts/tty.h"

#include "fs/devpts/devpts.h"

#include <errno.h>
#include <stdlib.h>

struct tty_table *tty_table_new(void)
{
	struct tty_table *tt = calloc(1, sizeof(*tt));

	if (tt)
		mutex_init(&tt->mu, RANK_LEAF);
	return tt;
}

/* --- life ------------------------------------------------------------------- */
static int index_alloc(struct tty_table *tt, struct tty *t)
{
	int ret = -ENOSPC;

	mutex_lock(&tt->mu);
	for (unsigned i = 0; i < TTY_MAX; i++) {
		if (tt->used[i / 64] >> i % 64 & 1)
			continue;
		tt->used[i / 64] |= UINT64_C(1) << i % 64;
		t->index = i;
		LIST_INSERT_HEAD(&tt->ttys, t, link);
		ret = 0;
		break;
	}
	mutex_unlock(&tt->mu);
	return ret;
}

int tty_new(struct kernel *k, uint32_t uid, uint32_t gid, struct tty **out)
{
	struct tty *t = calloc(1, sizeof(*t));
	int ret;

	if (!t)
		return -ENOMEM;
	ref_init(&t->ref);
	t->k = k;
	t->uid = uid;
	t->gid = gid;
	mutex_init(&t->mu, RANK_FILE);
	waitq_init(&t->slave_wq);
	waitq_init(&t->master_wq);
	ldisc_init(t);
	ret = index_alloc(k->ttys, t);
	if (ret) {
		free(t);
		return ret;
	}
	*out = t;
	return 0;
}

void tty_get(struct tty *t)
{
	ref_get(&t->ref);
}

void tty_put(struct tty *t)
{
	struct tty_table *tt = t->k->ttys;

	if (!ref_put(&t->ref))
		return;
	mutex_lock(&tt->mu);
	LIST_REMOVE(t, link);
	tt->used[t->index / 64] &= ~(UINT64_C(1) << t->index % 64);
	mutex_unlock(&tt->mu);
	waitq_destroy(&t->slave_wq);
	waitq_destroy(&t->master_wq);
	mutex_destroy(&t->mu);
	free(t);
}

struct tty *tty_by_index(struct kernel *k, unsigned index)
{
	struct tty *t, *found = NULL;

	mutex_lock(&k->ttys->mu);
	LIST_FOREACH (t, &k->ttys->ttys, link) {
		if (t->index != index)
			continue;
		if (ref_get_unless_zero(&t->ref))
			found = t;
		break;
	}
	mutex_unlock(&k->ttys->mu);
	return found;
}

int tty_for_each_index(struct kernel *k, unsigned from)
{
	struct tty_table *tt = k->ttys;
	int found = -1;

	mutex_lock(&tt->mu);
	for (unsigned i = from; i < TTY_MAX && found < 0; i++)
		if (tt->used[i / 64] >> i % 64 & 1)
			found = (int)i;
	mutex_unlock(&tt->mu);
	return found;
}

/* --- the master's side --------------------------------------------------------- */
static pid_t foreground(struct tty *t)
{
	pid_t pgid;

	tasks_lock(t->k);
	pgid = t->pgid;
	tasks_unlock(t->k);
	return pgid;
}

static void send_signals(struct tty *t, uint64_t signals)
{
	pid_t pgid = signals ? foreground(t) : 0;

	for (int s = 1; pgid && s <= LINUX_NSIG; s++)
		if (signals & SIGBIT(s))
			signal_send_pgrp(t->k, pgid, s, NULL);
}

size_t tty_master_write(struct tty *t, const uint8_t *b, size_t n)
{
	uint64_t signals = 0;
	bool readable, echoed;
	size_t taken;

	mutex_lock(&t->mu);
	taken = ldisc_input(t, b, n, &signals);
	readable = ldisc_readable(t);
	echoed = ring_used(&t->out);
	mutex_unlock(&t->mu);
	send_signals(t, signals);
	if (readable)
		waitq_wake(&t->slave_wq, EVENT_READABLE);
	if (echoed)
		waitq_wake(&t->master_wq, EVENT_READABLE);
	return taken;
}

size_t tty_master_read(struct tty *t, uint8_t *b, size_t n)
{
	size_t got = 0;

	mutex_lock(&t->mu);
	while (!t->stopped && got < n && ring_used(&t->out))
		b[got++] = t->out.b[t->out.tail++ & (TTY_BUF - 1)];
	mutex_unlock(&t->mu);
	if (got)
		waitq_wake(&t->slave_wq, EVENT_WRITABLE);
	return got;
}

void tty_master_hangup(struct tty *t)
{
	pid_t sid;

	mutex_lock(&t->mu);
	t->master_closed = true;
	mutex_unlock(&t->mu);
	tasks_lock(t->k);
	sid = t->sid;
	tasks_unlock(t->k);
	if (sid) {
		struct thread_group *leader = tg_find(t->k->root_pids, sid);

		if (leader) {
			signal_send_group(leader, LINUX_SIGHUP, NULL);
			signal_send_group(leader, LINUX_SIGCONT, NULL);
			tg_put(leader);
		}
		send_signals(t, SIGBIT(LINUX_SIGHUP) | SIGBIT(LINUX_SIGCONT));
	}
	waitq_wake(&t->slave_wq, EVENT_ALL);
	waitq_wake(&t->master_wq, EVENT_ALL);
}

void tty_set_winsize(struct tty *t, const struct linux_winsize *ws)
{
	bool changed;

	mutex_lock(&t->mu);
	changed = ws->ws_row != t->winsize.ws_row || ws->ws_col != t->winsize.ws_col || ws->ws_xpixel != t->winsize.ws_xpixel ||
		  ws->ws_ypixel != t->winsize.ws_ypixel;
	t->winsize = *ws;
	mutex_unlock(&t->mu);
	if (changed)
		send_signals(t, SIGBIT(LINUX_SIGWINCH));
}

/* --- sessions and job control ---------------------------------------------------- */
int tty_check_background(struct tty *t, int signo)
{
	struct task *task = task_current();
	pid_t pgid = task_pgid(task), fg;
	bool mine;

	tasks_lock(t->k);
	mine = task->tg->pgrp->session->tty == t;
	fg = t->pgid;
	tasks_unlock(t->k);
	if (!mine || !fg || fg == pgid)
		return 0;
	if (signal_is_ignored_or_blocked(task, signo))
		return signo == LINUX_SIGTTIN ? -EIO : 0;
	if (pgrp_is_orphaned(t->k, pgid))
		return -EIO;
	signal_send_pgrp(t->k, pgid, signo, NULL);
	return -ERESTARTSYS;
}

int tty_set_controlling(struct tty *t, struct task *task, bool steal)
{
	struct session *s;
	struct tty *dropped = NULL;
	int ret = 0;

	tasks_lock(t->k);
	s = task->tg->pgrp->session;
	if (s->tty == t && t->sid == s->sid)
		goto out;
	if (s->sid != task->tg->tgid || s->tty) {
		ret = -EPERM;
		goto out;
	}
	if (t->sid) {
		struct session *other;

		if (!steal || !cred_capable(task->cred, 21 /* CAP_SYS_ADMIN */)) {
			ret = -EPERM;
			goto out;
		}
		other = session_find_locked(t->k->root_pids, t->sid);
		if (other && other->tty == t) {
			other->tty = NULL;
			dropped = t;
		}
	}
	tty_get(t);
	s->tty = t;
	t->sid = s->sid;
	t->pgid = task->tg->pgrp->pgid;
out:
	tasks_unlock(t->k);
	if (dropped)
		tty_put(dropped);
	return ret;
}

void tty_disassociate(struct kernel *k, struct session *s)
{
	struct tty *t;
	pid_t pgid = 0;

	tasks_lock(k);
	t = s->tty;
	s->tty = NULL;
	if (t) {
		pgid = t->pgid;
		t->sid = 0;
		t->pgid = 0;
	}
	tasks_unlock(k);
	if (!t)
		return;
	if (pgid) {
		signal_send_pgrp(k, pgid, LINUX_SIGHUP, NULL);
		signal_send_pgrp(k, pgid, LINUX_SIGCONT, NULL);
	}
	tty_put(t);
}
