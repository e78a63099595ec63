/*
 * tty_ioctl.c - what ioctl(2) does on either side of a terminal.  A table of
 * the commands; each handler works on the tty with program memory copied by
 * value first.
 */
#include "fs/devpts/devpts.h"
#include "fs/devpts/ldisc.h"

#include "abi/fs.h"
#include "kernel/task_table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int put_int(struct tty_call *c, int v)
{
	return copy_to_user(c->mm, c->arg, &v, sizeof(v));
}

static int get_int(struct tty_call *c, int *v)
{
	return copy_from_user(c->mm, v, c->arg, sizeof(*v));
}

static int do_gwinsz(struct tty_call *c)
{
	struct linux_winsize ws;

	mutex_lock(&c->t->mu);
	ws = c->t->winsize;
	mutex_unlock(&c->t->mu);
	return copy_to_user(c->mm, c->arg, &ws, sizeof(ws));
}

static int do_swinsz(struct tty_call *c)
{
	struct linux_winsize ws;

	if (copy_from_user(c->mm, &ws, c->arg, sizeof(ws)))
		return -EFAULT;
	tty_set_winsize(c->t, &ws);
	return 0;
}

static int do_sctty(struct tty_call *c)
{
	return tty_set_controlling(c->t, task_current(), c->raw == 1);
}

static int do_notty(struct tty_call *c)
{
	struct task *task = task_current();
	struct session *s;
	bool mine, leader;

	tasks_lock(c->t->k);
	s = task->tg->pgrp->session;
	mine = s->tty == c->t;
	leader = s->sid == task->tg->tgid;
	tasks_unlock(c->t->k);
	if (!mine)
		return -ENOTTY;
	if (leader)
		tty_disassociate(c->t->k, s);
	return 0;
}

/* As the caller counts; the task list lock is held. */
static pid_t number_of_pgrp(struct kernel *k, pid_t pgid)
{
	struct pgrp *g = pgrp_find_locked(k->root_pids, pgid);

	return g ? pgrp_nr(g, task_pid_ns(task_current())) : 0;
}

static int do_gpgrp(struct tty_call *c)
{
	struct tty *t = c->t;
	bool ok;
	pid_t pgid;

	tasks_lock(t->k);
	ok = c->master || task_current()->tg->pgrp->session->tty == t;
	pgid = number_of_pgrp(t->k, t->pgid);
	tasks_unlock(t->k);
	return ok ? put_int(c, pgid) : -ENOTTY;
}

static int do_spgrp(struct tty_call *c)
{
	struct tty *t = c->t;
	struct pgrp *g;
	int pgid, ret = tty_check_background(t, LINUX_SIGTTOU);

	if (ret)
		return ret;
	if (get_int(c, &pgid))
		return -EFAULT;
	if (pgid < 0)
		return -EINVAL;
	tasks_lock(t->k);
	g = pgrp_find_locked(task_pid_ns(task_current()), pgid);
	if (task_current()->tg->pgrp->session->tty != t)
		ret = -ENOTTY;
	else if (!g)
		ret = -ESRCH;
	else if (g->session != task_current()->tg->pgrp->session)
		ret = -EPERM;
	else
		t->pgid = g->pgid;
	tasks_unlock(t->k);
	return ret;
}

static int do_gsid(struct tty_call *c)
{
	struct session *s;
	bool ok;
	pid_t sid;

	tasks_lock(c->t->k);
	ok = c->t->sid && (c->master || task_current()->tg->pgrp->session->tty == c->t);
	s = ok ? session_find_locked(c->t->k->root_pids, c->t->sid) : NULL;
	sid = s ? session_nr(s, task_pid_ns(task_current())) : 0;
	tasks_unlock(c->t->k);
	return ok ? put_int(c, sid) : -ENOTTY;
}

static int do_outq(struct tty_call *c)
{
	int n;

	mutex_lock(&c->t->mu);
	n = (int)ring_used(&c->t->out);
	mutex_unlock(&c->t->mu);
	return put_int(c, c->master ? 0 : n);
}

static int do_fionread(struct tty_call *c)
{
	int n;

	mutex_lock(&c->t->mu);
	n = c->master ? (int)ring_used(&c->t->out) : (int)ldisc_available(c->t);
	mutex_unlock(&c->t->mu);
	return put_int(c, n);
}

static int do_flush(struct tty_call *c)
{
	if (c->raw > 2)
		return -EINVAL;
	mutex_lock(&c->t->mu);
	if (c->raw != 1)
		ldisc_flush_input(c->t);
	if (c->raw != 0)
		c->t->out.tail = c->t->out.head;
	mutex_unlock(&c->t->mu);
	waitq_wake(&c->t->master_wq, EVENT_OUT);
	waitq_wake(&c->t->slave_wq, EVENT_OUT);
	return 0;
}

static int do_xonc(struct tty_call *c)
{
	if (c->raw > 3)
		return -EINVAL;
	mutex_lock(&c->t->mu);
	if (c->raw < 2)
		c->t->stopped = c->raw == 0;
	mutex_unlock(&c->t->mu);
	waitq_wake(&c->t->master_wq, EVENT_IN);
	return 0;
}

static int do_break(struct tty_call *c)
{
	return c->master ? 0 : tty_drain(c->t);
}

static int do_sti(struct tty_call *c)
{
	/* As Linux 6.2 with dev.tty.legacy_tiocsti off. */
	return -EIO;
}

static int do_getd(struct tty_call *c)
{
	return put_int(c, 0);
}

static int do_exclusive(struct tty_call *c)
{
	mutex_lock(&c->t->mu);
	*(c->master ? &c->t->master_exclusive : &c->t->exclusive) = c->cmd == LINUX_TIOCEXCL;
	mutex_unlock(&c->t->mu);
	return 0;
}

static int do_gexcl(struct tty_call *c)
{
	int on;

	mutex_lock(&c->t->mu);
	on = c->master ? c->t->master_exclusive : c->t->exclusive;
	mutex_unlock(&c->t->mu);
	return put_int(c, on);
}

static int do_gptn(struct tty_call *c)
{
	return put_int(c, (int)c->t->index);
}

static int do_sptlck(struct tty_call *c)
{
	int v;

	if (get_int(c, &v))
		return -EFAULT;
	mutex_lock(&c->t->mu);
	c->t->locked = v;
	mutex_unlock(&c->t->mu);
	return 0;
}

static int do_gptlck(struct tty_call *c)
{
	return put_int(c, c->t->locked);
}

static int do_pkt(struct tty_call *c)
{
	int v;

	if (get_int(c, &v))
		return -EFAULT;
	mutex_lock(&c->t->mu);
	c->t->packet = v;
	c->t->packet_status = 0;
	mutex_unlock(&c->t->mu);
	return 0;
}

static int do_gpkt(struct tty_call *c)
{
	return put_int(c, c->t->packet);
}

/* The slave's name in the devpts that the master was opened through: ttyname(3)
 * must find it. */
static int peer_path(struct tty_call *c, struct path *out)
{
	struct dentry *d = c->f->path.dentry, *slave = NULL;
	struct path pts = { c->f->path.mnt, d->sb->root };
	char name[16];
	struct qstr q = { name, (uint32_t)snprintf(name, sizeof(name), "%u", c->t->index) };
	int ret;

	if (strcmp(d->sb->type->name, "devpts"))
		return -ENOENT;
	ret = dentry_lookup(pts.dentry, &q, &slave);
	if (ret)
		return ret;
	if (!slave->inode) {
		dentry_put(slave);
		return -ENOENT;
	}
	*out = (struct path){ pts.mnt, slave };
	path_get(out);
	dentry_put(slave);
	return 0;
}

static int do_ptpeer(struct tty_call *c)
{
	struct task *task = task_current();
	struct path p;
	struct file *f;
	int ret;

	if (c->t->locked)
		return -EIO;
	if (!peer_path(c, &p)) {
		ret = vfs_open_path(&p, (int)c->raw, task->cred, &f);
		path_put(&p);
	} else {
		ret = tty_slave_file(c->t, task->cred, (int)c->raw, &f);
	}
	if (ret)
		return ret;
	return fd_install(task->files, f, 0, c->raw & 02000000, rlimit_get(task, 7 /* NOFILE */));
}

#define BOTH 3
#define MASTER 1
static const struct {
	unsigned cmd, sides;
	int (*fn)(struct tty_call *c);
} commands[] = {
	{ LINUX_TCGETS, BOTH, tty_get_settings },
	{ LINUX_TCGETS2, BOTH, tty_get_settings },
	{ LINUX_TCGETA, BOTH, tty_get_settings },
	{ LINUX_TCSETS, BOTH, tty_set_settings },
	{ LINUX_TCSETSW, BOTH, tty_set_settings },
	{ LINUX_TCSETSF, BOTH, tty_set_settings },
	{ LINUX_TCSETS2, BOTH, tty_set_settings },
	{ LINUX_TCSETSW2, BOTH, tty_set_settings },
	{ LINUX_TCSETSF2, BOTH, tty_set_settings },
	{ LINUX_TCSETA, BOTH, tty_set_settings },
	{ LINUX_TCSETAW, BOTH, tty_set_settings },
	{ LINUX_TCSETAF, BOTH, tty_set_settings },
	{ LINUX_TIOCGLCKTRMIOS, BOTH, tty_get_locks },
	{ LINUX_TIOCSLCKTRMIOS, BOTH, tty_set_locks },
	{ LINUX_TCSBRK, BOTH, do_break },
	{ LINUX_TCSBRKP, BOTH, do_break },
	{ LINUX_TCXONC, BOTH, do_xonc },
	{ LINUX_TCFLSH, BOTH, do_flush },
	{ LINUX_TIOCEXCL, BOTH, do_exclusive },
	{ LINUX_TIOCNXCL, BOTH, do_exclusive },
	{ LINUX_TIOCGEXCL, BOTH, do_gexcl },
	{ LINUX_TIOCSCTTY, BOTH, do_sctty },
	{ LINUX_TIOCNOTTY, BOTH, do_notty },
	{ LINUX_TIOCGPGRP, BOTH, do_gpgrp },
	{ LINUX_TIOCSPGRP, BOTH, do_spgrp },
	{ LINUX_TIOCGSID, BOTH, do_gsid },
	{ LINUX_TIOCOUTQ, BOTH, do_outq },
	{ LINUX_TIOCSTI, BOTH, do_sti },
	{ LINUX_TIOCGWINSZ, BOTH, do_gwinsz },
	{ LINUX_TIOCSWINSZ, BOTH, do_swinsz },
	{ LINUX_FIONREAD, BOTH, do_fionread },
	{ LINUX_TIOCGETD, BOTH, do_getd },
	{ LINUX_TIOCGPTN, MASTER, do_gptn },
	{ LINUX_TIOCSPTLCK, MASTER, do_sptlck },
	{ LINUX_TIOCGPTLCK, MASTER, do_gptlck },
	{ LINUX_TIOCPKT, MASTER, do_pkt },
	{ LINUX_TIOCGPKT, MASTER, do_gpkt },
	{ LINUX_TIOCGPTPEER, MASTER, do_ptpeer },
};

int tty_ioctl(struct tty *t, bool master, struct file *f, struct mm *mm, unsigned cmd, uint64_t arg)
{
	struct tty_call c = { t, master, f, mm, UADDR(arg), arg, cmd };

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (commands[i].cmd == cmd && (commands[i].sides == BOTH || master))
			return commands[i].fn(&c);
	return -ENOIOCTLCMD;
}
