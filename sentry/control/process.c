/*
 * process.c - a process that control starts and waits for: its descriptors or
 * terminal, its end.  Event thread, but for exit_woken.
 */
#include "control/process.h"

#include "abi/fcntl.h"
#include "fs/devpts/tty.h"
#include "fs/host/hostfile.h"
#include "libipc/fd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- its end ----------------------------------------------------------------- */
static void exit_woken(struct waiter *w, uint32_t events)
{
	event_active(((struct process *)w->arg)->ended_event, 0, 0);
}

static void tell_waiters(struct process *p)
{
	struct process_waiter *w;

	while ((w = TAILQ_FIRST(&p->waiters))) {
		TAILQ_REMOVE(&p->waiters, w, link);
		w->fn(w, p->status);
	}
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct process *p = arg;

	if (p->ended || !tg_exit_status(p->tg, &p->status))
		return;
	p->ended = true;
	waitq_del(&p->exit_waiter);
	tg_watch_exit(p->tg, NULL);
	tg_release(p->tg);
	tg_put(TAKE_PTR(p->tg));
	if (p->host) {
		hosttty_free(TAKE_PTR(p->host));
		tty_put(TAKE_PTR(p->tty));
	}
	if (p == p->c->init)
		p->c->state = CONTAINER_STOPPED;
	tell_waiters(p);
	if (p == p->c->init)
		control_end_if_over(p->c->k);
}

void process_wait(struct process *p, struct process_waiter *w)
{
	if (p->ended)
		w->fn(w, p->status);
	else
		TAILQ_INSERT_TAIL(&p->waiters, w, link);
}

void process_unwait(struct process *p, struct process_waiter *w)
{
	if (!p->ended)
		TAILQ_REMOVE(&p->waiters, w, link);
}

/* --- its descriptors ---------------------------------------------------------- */
static int install(struct fdtable *files, struct file *f, int fd)
{
	int ret = fd_install_at(files, fd, f, false, UINT64_MAX);

	return ret < 0 ? ret : 0;
}

/* Donated descriptors from `first` on; the guest's number is the index plus offset. */
static struct err *add_donated(struct process *p, struct fdtable *files, const struct boot_process *bp, const struct cred *cred, int *stdio,
			       unsigned n, unsigned first, unsigned offset)
{
	for (unsigned i = first; i < n; i++) {
		struct file *f;
		int ret = hostfile_new(p->c->k, TAKE_FD(stdio[i]), (uint32_t)bp->uid, (uint32_t)bp->gid, cred, &f);

		if (!ret)
			ret = install(files, f, (int)(i + offset));
		if (ret)
			return err_new(-ret, "donated descriptor %u", i);
	}
	return NULL;
}

/* The slave through the container's own /dev/pts, so that ttyname(3) finds it;
 * without one mounted, a nameless file. */
static int open_slave(struct process *p, const struct cred *cred, struct file **out)
{
	struct walk w = { .fs = p->c->fs, .cred = cred, .flags = WALK_FOLLOW };
	char name[32];

	snprintf(name, sizeof(name), "/dev/pts/%u", p->tty->index);
	if (!vfs_open(&w, name, LINUX_O_RDWR | LINUX_O_NOCTTY, 0, out))
		return 0;
	return tty_slave_file(p->tty, cred, LINUX_O_RDWR, out);
}

static struct err *add_terminal(struct process *p, struct fdtable *files, const struct boot_process *bp, const struct cred *cred, int *host)
{
	struct file *f;
	int ret = tty_new(p->c->k, (uint32_t)bp->uid, 5, &p->tty);

	if (ret)
		return err_new(-ret, "terminal");
	if (bp->rows || bp->columns)
		tty_set_winsize(p->tty, &(struct linux_winsize){ .ws_row = (uint16_t)bp->rows, .ws_col = (uint16_t)bp->columns });
	ret = hosttty_new(p->c->k, TAKE_FD(*host), p->tty, &p->host);
	if (ret)
		return err_new(-ret, "terminal's host side");
	ret = open_slave(p, cred, &f);
	if (ret)
		return err_new(-ret, "/dev/pts/%u", p->tty->index);
	for (int i = 0; i < 3 && !ret; i++) {
		file_get(f);
		ret = install(files, f, i);
	}
	file_put(f);
	return ret ? err_new(-ret, "terminal's descriptors") : NULL;
}

/* --- its birth ------------------------------------------------------------------ */
static void process_free(struct process *p)
{
	if (p->host)
		hosttty_free(p->host);
	if (p->tty)
		tty_put(p->tty);
	if (p->ended_event)
		event_free(p->ended_event);
	free(p);
}

static struct process *process_new(struct container *c)
{
	struct process *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->c = c;
	TAILQ_INIT(&p->waiters);
	waitq_init(&p->exit_wq);
	p->ended_event = event_new(c->k->loop, -1, 0, on_ended, p);
	if (p->ended_event)
		return p;
	free(p);
	return NULL;
}

/* The process as asked, with the user's name looked up. */
static struct err *resolve_user(struct container *c, struct boot_process *bp, uint64_t **groups)
{
	uint32_t uid, gid, *g = NULL;
	size_t n = 0;
	struct err *e;

	if (!bp->user.len)
		return NULL;
	e = userdb_lookup(c->fs, bp->user.p, &uid, &gid, &g, &n);
	if (e)
		return e;
	*groups = calloc(n ? n : 1, sizeof(**groups));
	if (!*groups) {
		free(g);
		return err_new(ENOMEM, "groups");
	}
	for (size_t i = 0; i < n; i++)
		(*groups)[i] = g[i];
	free(g);
	bp->uid = uid;
	bp->gid = gid;
	bp->groups = *groups;
	bp->n_groups = (uint32_t)n;
	return NULL;
}

/* A program that is not told where its home is finds it where its user's is, as under runc. */
static struct err *provide_home(struct container *c, struct boot_process *bp, struct msg_str **env, char **home)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < bp->n_env; i++)
		if (!strncmp(bp->env[i].p, "HOME=", 5) && bp->env[i].p[5])
			return NULL;
	*env = calloc(bp->n_env + 1, sizeof(**env));
	*home = userdb_home(c->fs, (uint32_t)bp->uid);
	if (!*env || !*home)
		return err_new(ENOMEM, "HOME");
	for (uint32_t i = 0; i < bp->n_env; i++)
		if (strcmp(bp->env[i].p, "HOME="))
			(*env)[n++] = bp->env[i];
	(*env)[n++] = msg_str(*home);
	bp->env = *env;
	bp->n_env = n;
	return NULL;
}

/* The terminal or the three, and behind those what else is passed in: from 3 on. */
static struct err *add_stdio(struct process *p, struct fdtable *files, const struct boot_process *bp, const struct cred *cred, int *stdio, unsigned n)
{
	struct err *e;

	if (!bp->terminal)
		return add_donated(p, files, bp, cred, stdio, n, 0, 0);
	if (!n)
		return err_new(EINVAL, "terminal: no descriptor was given");
	e = add_terminal(p, files, bp, cred, &stdio[0]);
	return e ? e : add_donated(p, files, bp, cred, stdio, n, 1, 2);
}

static struct err *load(struct process *p, const struct boot_process *bp, struct fdtable *files)
{
	struct fs_context *fs = fs_context_dup(p->c->fs);
	struct err *why = NULL;
	int ret;

	if (!fs)
		return err_new(ENOMEM, "process");
	fs->umask = (uint32_t)bp->umask;
	ret = task_create_init(p->c->k, p->c, bp, fs, files, p->c->proxy, &p->c->quota, &p->task, &why);
	fs_context_put(fs);
	if (ret)
		return why ? why : err_new(-ret, "exec %s", bp->args[0].p);
	why = attributes_apply(&p->c->attributes, bp, p->task);
	if (why) { /* it ends without having run */
		signal_send_group(p->task->tg, LINUX_SIGKILL, NULL);
		process_start(p);
	}
	return why;
}

struct err *process_create(struct container *c, const struct boot_process *asked, int *stdio, unsigned n_stdio, struct process **out)
{
	struct boot_process bp = *asked;
	uint64_t *groups = NULL;
	struct msg_str *env = NULL;
	char *home = NULL;
	struct process *p = process_new(c);
	struct fdtable *files = fdtable_new();
	struct cred *cred = cred_new();
	struct err *e = NULL;

	if (!p || !files || !cred)
		e = err_new(ENOMEM, "process");
	if (!e)
		e = resolve_user(c, &bp, &groups);
	if (!e)
		e = provide_home(c, &bp, &env, &home);
	if (!e)
		e = add_stdio(p, files, &bp, cred, stdio, n_stdio);
	if (!e)
		e = load(p, &bp, files);
	free(groups);
	free(env);
	free(home);
	if (cred)
		cred_put(cred);
	if (files)
		fdtable_put_table(files);
	if (e) {
		if (p)
			process_free(p);
		return e;
	}
	if (p->tty)
		tty_set_controlling(p->tty, p->task, true);
	p->tg = p->task->tg;
	ref_get(&p->tg->ref);
	p->pid = p->tg->own_tgid;
	p->exit_waiter = (struct waiter){ .mask = EVENT_ALL, .fn = exit_woken, .arg = p };
	waitq_add(&p->exit_wq, &p->exit_waiter);
	tg_watch_exit(p->tg, &p->exit_wq);
	LIST_INSERT_HEAD(&c->processes, p, link);
	*out = p;
	return NULL;
}

void processes_free(struct container *c)
{
	struct process *p;

	while ((p = LIST_FIRST(&c->processes))) {
		on_ended(-1, 0, p); /* it has, and its report may still be under way */
		LIST_REMOVE(p, link);
		process_free(p);
	}
	c->init = NULL;
}

void process_start(struct process *p)
{
	struct task *t = TAKE_PTR(p->task);

	if (!t)
		return;
	task_start(t);
	task_put(t);
}

int process_foreground_pgrp(struct process *p, pid_t *pgid)
{
	if (!p->tty)
		return -ENOTTY;
	tasks_lock(p->c->k);
	*pgid = p->tty->pgid;
	tasks_unlock(p->c->k);
	return *pgid ? 0 : -ENOTTY;
}
