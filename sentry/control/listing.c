/*
 * listing.c - gathers the processes of a container.  Event thread; takes the
 * task list lock for each group, and program memory (the command line) without it.
 */
#include "control/listing.h"

#include "fs/devpts/tty.h"
#include "kernel/ns.h"
#include "kernel/task_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void command_line(struct thread_group *tg, char *buf, size_t size)
{
	struct task *t = tg_any_task(tg);
	struct mm *mm = t ? task_get_mm(t) : NULL;
	struct mm_layout l;
	size_t n = 0;

	if (mm) {
		mm_get_layout(mm, &l);
		n = l.arg_end > l.arg_start ? l.arg_end - l.arg_start : 0;
		n = n < size ? n : size - 1;
		n = copy_from_user_partial(mm, buf, UADDR(l.arg_start), n);
		if (l.exe)
			file_put(l.exe);
		mm_put(mm);
	}
	while (n && !buf[n - 1])
		n--;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)buf[i] < 0x20)
			buf[i] = ' ';
	buf[n] = 0;
	if (!n && t)
		snprintf(buf, size, "[%s]", t->comm);
	if (t)
		task_put(t);
}

static void add_row(struct listing *l, struct thread_group *tg, const struct pid_ns *ns)
{
	struct control_process *r = &l->rows[l->n];
	char *command = l->text[l->n][0], *tty = l->text[l->n][1];
	struct usage_sum u;
	struct task *t;

	command_line(tg, command, sizeof(l->text[0][0]));
	strcpy(tty, "?");
	tasks_lock(tg->k);
	tg_usage_locked(tg, &u);
	*r = (struct control_process){
		.pid = (uint64_t)tg_nr(tg, ns),
		.ppid = tg->parent ? (uint64_t)tg_nr(tg->parent, ns) : 0,
		.pgid = (uint64_t)pgrp_nr(tg->pgrp, ns),
		.sid = (uint64_t)session_nr(tg->pgrp->session, ns),
		.threads = tg->n_live,
		.cpu_ns = (uint64_t)(u.utime + u.stime),
		.start = tg->start_realtime,
		.state = { tg->zombie ? "Z" : tg->stopped ? "T" : "S", 1 },
	};
	if (tg->pgrp->session->tty)
		snprintf(tty, sizeof(l->text[0][1]), "pts/%u", tg->pgrp->session->tty->index);
	TAILQ_FOREACH (t, &tg->tasks, tg_link) {
		r->uid = t->cred ? t->cred->euid : 0;
		if (t->state == 'R')
			r->state.p = "R";
	}
	tasks_unlock(tg->k);
	r->command = msg_str(command);
	r->tty = msg_str(tty);
	l->n++;
}

void listing_make(struct listing *l, struct container *c, pid_t after)
{
	const struct pid_ns *ns = c->proxy->pid_for_children;
	struct thread_group *tg;

	l->n = 0;
	l->more = false;
	while ((tg = tg_next(ns, after, &after))) {
		if (tg->container == c) {
			if (l->n == LISTING_MAX) {
				l->more = true;
				tg_put(tg);
				return;
			}
			add_row(l, tg, ns);
		}
		tg_put(tg);
	}
}

void listing_usage(struct container *c, uint64_t *cpu_ns, uint64_t *tasks)
{
	struct thread_group *tg;
	pid_t after = 0;

	*cpu_ns = *tasks = 0;
	while ((tg = tg_next(c->proxy->pid_for_children, after, &after))) {
		struct usage_sum u;

		if (tg->container != c) {
			tg_put(tg);
			continue;
		}
		tasks_lock(c->k);
		tg_usage_locked(tg, &u);
		*cpu_ns += (uint64_t)(u.utime + u.stime);
		*tasks += tg->n_live;
		tasks_unlock(c->k);
		tg_put(tg);
	}
}
