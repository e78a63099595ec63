/*
 * pidfd.c - a descriptor that names a process: readable once it has ended.  It
 * keeps the thread group's structure, not its number: a number used again is
 * another process.
 */
#include "fs/pidfd.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "kernel/task_table.h"

#include <stdio.h>

static uint32_t pidfd_poll(struct file *f)
{
	struct thread_group *tg = f->priv;
	bool ended;

	tasks_lock(tg->k);
	ended = tg->zombie;
	tasks_unlock(tg->k);
	return ended ? EVENT_READABLE : 0;
}

static int pidfd_show(struct file *f, char *buf, size_t size)
{
	struct thread_group *tg = f->priv;
	struct task *viewer = task_current();
	const struct pid *p = NULL;
	pid_t pid = -1;
	int n;

	tasks_lock(tg->k);
	if (!tg->released && viewer) {
		pid = tg_nr(tg, task_pid_ns(viewer));
		p = pid > 0 ? tg->pid : NULL;
	}
	n = snprintf(buf, size, "Pid:\t%d\nNSpid:\t%d", pid, pid);
	for (unsigned l = p ? task_pid_ns(viewer)->level + 1 : 1; p && l <= p->level && (size_t)n < size; l++)
		n += snprintf(buf + n, size - (size_t)n, "\t%d", p->numbers[l].nr);
	tasks_unlock(tg->k);
	if ((size_t)n < size)
		n += snprintf(buf + n, size - (size_t)n, "\n");
	return n;
}

static void pidfd_release(struct file *f)
{
	tg_put(f->priv);
}

static const struct file_ops pidfd_ops = {
	.poll = pidfd_poll,
	.show_fdinfo = pidfd_show,
	.release = pidfd_release,
};

int pidfd_file_new(struct kernel *k, struct thread_group *tg, const struct cred *c, int flags, struct file **out)
{
	int r;

	ref_get(&tg->ref);
	r = file_new_anon(k->vfs, &pidfd_ops, "[pidfd]", 0600, LINUX_O_RDWR | flags, c, tg, out);
	if (r)
		tg_put(tg);
	else
		(*out)->wq = &tg->end_wq;
	return r;
}

struct thread_group *pidfd_group(struct file *f)
{
	return f->ops == &pidfd_ops ? f->priv : NULL;
}
