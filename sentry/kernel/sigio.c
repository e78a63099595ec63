/*
 * sigio.c - signal-driven input and output (see sigio.h; fcntl(2), fs/fcntl.c).
 *
 * A file gets a struct sigio when somebody sets its owner, signal or O_ASYNC; it
 * goes with the file.  With O_ASYNC, and on a socket with an owner (who is told of urgent data
 * in any case), it waits on the file's queue: on_event runs on whichever thread wakes that,
 * with the queue's lock held, and only notes what happened.
 */
#include "kernel/sigio.h"

#include "abi/fcntl.h"
#include "abi/fs.h"
#include "kernel/task_table.h"

#include <errno.h>
#include <stdlib.h>

struct sigio {
	struct file_watch hook; /* f->owner */
	struct kernel *k; /* [I] */
	struct file *f; /* [I] it lives as long */
	struct waiter w; /* on f->wq while somebody may be told; [mu] to set and clear */
	struct mutex mu; /* RANK_FILE */
	_Atomic bool async; /* [mu to write] O_ASYNC is set */
	/* the rest under k->sigios->mu */
	STAILQ_ENTRY(sigio) link;
	uint32_t due; /* bits of REASONS; not 0, or the next is not: it is in the queue */
	unsigned messages; /* that are to be told, each by a signal of its own */
	struct pid *pid; /* referenced; NULL: nobody */
	int type; /* LINUX_F_OWNER_* */
	uint32_t ruid, euid; /* of the one who set the owner */
	int signo; /* 0: SIGIO without a word of the file */
	int fd; /* where O_ASYNC was set, or F_NOTIFY asked for */
};

/* Why: si_code and si_band, as poll's bits (linux/signal.h, band_table). */
static const struct reason {
	uint32_t event;
	int code;
	int64_t band;
} reasons[] = {
	{ EVENT_IN, 1, EVENT_READABLE },
	{ EVENT_OUT, 2, EVENT_WRITABLE | EVENT_WRBAND },
	{ EVENT_ERR, 4, EVENT_ERR },
	{ EVENT_PRI, 5, EVENT_PRI | EVENT_RDBAND },
	{ EVENT_HUP, 6, EVENT_HUP | EVENT_ERR },
};
#define N_REASONS (sizeof(reasons) / sizeof(reasons[0]))
static const struct reason message = { 0, 3, EVENT_READABLE | 0x400 /* POLLMSG */ };

struct sigio_queue *sigio_queue_new(void)
{
	struct sigio_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	mutex_init(&q->mu, RANK_LEAF);
	STAILQ_INIT(&q->due);
	return q;
}

/* --- noting ------------------------------------------------------------------------ */

/* What of a wake-up this open file's owner is told. */
static uint32_t told(const struct sigio *s, uint32_t events)
{
	const struct file *f = s->f;
	uint32_t say = 0;

	if (!s->async)
		return events == EVENT_ALL ? 0 : events & EVENT_URG;
	if (events & EVENT_HUP && LINUX_S_ISSOCK(f->inode->mode))
		return EVENT_HUP;
	if (f->mode & FILE_READ)
		say |= events & (EVENT_IN | EVENT_PRI | EVENT_URG);
	if (f->mode & FILE_WRITE)
		say |= events & EVENT_OUT;
	return events == EVENT_ALL ? say & ~(EVENT_PRI | EVENT_URG) : say;
}

/* q->mu held; s gets something due. */
static void enqueue(struct sigio_queue *q, struct sigio *s)
{
	if (!s->due && !s->messages)
		STAILQ_INSERT_TAIL(&q->due, s, link);
	atomic_store(&q->any, true);
}

static void on_event(struct waiter *w, uint32_t events)
{
	struct sigio *s = w->arg;
	struct sigio_queue *q = s->k->sigios;
	uint32_t say = told(s, events);

	if (!say)
		return;
	mutex_lock(&q->mu);
	enqueue(q, s);
	s->due |= say;
	mutex_unlock(&q->mu);
}

void sigio_message(struct file *f, int fd)
{
	struct sigio *s = (struct sigio *)atomic_load(&f->owner);
	struct sigio_queue *q = s->k->sigios;

	mutex_lock(&q->mu);
	enqueue(q, s);
	s->messages++;
	s->fd = fd;
	mutex_unlock(&q->mu);
}

/* q->mu held. */
static void forget_due(struct sigio_queue *q, struct sigio *s)
{
	if (!s->due && !s->messages)
		return;
	s->due = 0;
	s->messages = 0;
	STAILQ_REMOVE(&q->due, s, sigio, link);
	atomic_store(&q->any, !STAILQ_EMPTY(&q->due));
}

/* --- sending ------------------------------------------------------------------------- */

/* One notice, taken out of the queue: the file may be gone by now. */
struct notice {
	struct pid *pid; /* referenced */
	uint32_t due, ruid, euid;
	unsigned messages;
	int type, signo, fd;
};

static bool may_signal(const struct notice *n, struct thread_group *tg)
{
	const struct task *t = tg->leader ? tg->leader : TAILQ_FIRST(&tg->tasks);
	const struct cred *c = t ? t->cred : NULL;

	if (!c)
		return false;
	return !n->euid || n->euid == c->suid || n->euid == c->ruid || n->ruid == c->suid || n->ruid == c->ruid;
}

/* why NULL: there is urgent data. */
static void send_one(const struct notice *n, struct thread_group *tg, struct task *to, const struct reason *why)
{
	struct linux_siginfo info = { .signo = n->signo };

	if (!may_signal(n, tg))
		return;
	if (!why) {
		(void)signal_send_locked(tg, to, LINUX_SIGURG, NULL, 0);
		return;
	}
	info.code = why->code;
	/* signals whose codes mean something else say SI_SIGIO */
	if ((SIG_SYNCHRONOUS | SIGBIT(LINUX_SIGCHLD)) & SIGBIT(n->signo ? n->signo : LINUX_SIGIO))
		info.code = LINUX_SI_SIGIO;
	info.poll.band = why->band;
	info.poll.fd = n->fd;
	/* a full queue loses which file it was, not that there is one */
	if (!n->signo || signal_send_locked(tg, to, n->signo, &info, 0) == -EAGAIN)
		(void)signal_send_locked(tg, to, LINUX_SIGIO, NULL, 0);
}

static void send_reason(const struct notice *n, const struct reason *why)
{
	struct thread_group *tg;

	switch (n->type) {
	case LINUX_F_OWNER_TID:
		if (n->pid->task)
			send_one(n, n->pid->task->tg, n->pid->task, why);
		break;
	case LINUX_F_OWNER_PID:
		if (n->pid->tg)
			send_one(n, n->pid->tg, NULL, why);
		break;
	default:
		if (n->pid->pgrp)
			LIST_FOREACH(tg, &n->pid->pgrp->members, pgrp_link)
				send_one(n, tg, NULL, why);
		break;
	}
}

static bool next_notice(struct sigio_queue *q, struct notice *n)
{
	struct sigio *s;

	mutex_lock(&q->mu);
	while ((s = STAILQ_FIRST(&q->due)) && !s->pid)
		forget_due(q, s);
	if (s) {
		*n = (struct notice){ s->pid, s->due, s->ruid, s->euid, s->messages, s->type, s->signo, s->fd };
		ref_get(&s->pid->ref);
		forget_due(q, s);
	}
	mutex_unlock(&q->mu);
	return s;
}

void sigio_send_due(struct kernel *k)
{
	struct notice n;

	while (next_notice(k->sigios, &n)) {
		tasks_lock(k);
		if (n.due & EVENT_URG)
			send_reason(&n, NULL);
		for (size_t i = 0; i < N_REASONS; i++)
			if (n.due & reasons[i].event)
				send_reason(&n, &reasons[i]);
		while (n.messages--)
			send_reason(&n, &message);
		tasks_unlock(k);
		pid_put(n.pid);
	}
}

/* --- a file's ---------------------------------------------------------------------------- */

static void sigio_gone(struct file *f)
{
	struct sigio *s = (struct sigio *)atomic_load(&f->owner);
	struct sigio_queue *q = s->k->sigios;

	waitq_del(&s->w);
	mutex_lock(&q->mu);
	forget_due(q, s);
	mutex_unlock(&q->mu);
	pid_put(s->pid);
	mutex_destroy(&s->mu);
	atomic_store(&f->owner, NULL);
	free(s);
}

/* The file's, made now if it has none. NULL: no memory. */
static struct sigio *sigio_of(struct kernel *k, struct file *f)
{
	struct file_watch *old = atomic_load(&f->owner);
	struct sigio *s;

	if (old)
		return (struct sigio *)old;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->hook.gone = sigio_gone;
	s->k = k;
	s->f = f;
	mutex_init(&s->mu, RANK_FILE);
	if (atomic_compare_exchange_strong(&f->owner, &old, &s->hook))
		return s;
	mutex_destroy(&s->mu);
	free(s);
	return (struct sigio *)old;
}

/* Waits on the file's queue or no longer, as it is now. */
static void update_hook(struct sigio *s)
{
	bool want;

	mutex_lock(&s->mu);
	want = s->async || (s->pid && LINUX_S_ISSOCK(s->f->inode->mode));
	if (want && !s->w.q && s->f->wq) {
		s->w = (struct waiter){ .mask = EVENT_ALL, .fn = on_event, .arg = s };
		waitq_add(s->f->wq, &s->w);
	} else if (!want) {
		waitq_del(&s->w);
	}
	mutex_unlock(&s->mu);
}

/* Whether the number's bearer is what type says; [T] */
static bool is_of_type(const struct pid *p, int type)
{
	return type == LINUX_F_OWNER_PGRP ? p->pgrp != NULL : type == LINUX_F_OWNER_PID ? p->tg != NULL : p->task != NULL;
}

static void replace_owner(struct task *t, struct sigio *s, struct pid *p, int type)
{
	struct sigio_queue *q = s->k->sigios;
	struct pid *old;

	mutex_lock(&q->mu);
	old = s->pid;
	s->pid = p;
	s->type = type;
	s->ruid = t->cred->ruid;
	s->euid = t->cred->euid;
	mutex_unlock(&q->mu);
	pid_put(old);
	update_hook(s);
}

int sigio_set_owner(struct task *t, struct file *f, const struct linux_f_owner_ex *x)
{
	struct sigio *s = sigio_of(t->k, f);
	struct pid *p = NULL;

	if (!s)
		return -ENOMEM;
	if (x->pid) {
		tasks_lock(t->k);
		p = pid_find_locked(task_pid_ns(t), x->pid);
		if (p && is_of_type(p, x->type))
			ref_get(&p->ref);
		else
			p = NULL;
		tasks_unlock(t->k);
		if (!p)
			return -ESRCH;
	}
	replace_owner(t, s, p, x->type);
	return 0;
}

void sigio_get_owner(struct task *t, struct file *f, struct linux_f_owner_ex *x)
{
	struct sigio *s = (struct sigio *)atomic_load(&f->owner);
	struct pid *p;

	*x = (struct linux_f_owner_ex){ LINUX_F_OWNER_TID, 0 };
	if (!s)
		return;
	mutex_lock(&t->k->sigios->mu);
	p = s->pid;
	x->type = s->type;
	if (p)
		ref_get(&p->ref);
	mutex_unlock(&t->k->sigios->mu);
	tasks_lock(t->k);
	x->pid = p && is_of_type(p, x->type) ? pid_nr(p, task_pid_ns(t)) : 0;
	tasks_unlock(t->k);
	pid_put(p);
}

int sigio_set_signal(struct kernel *k, struct file *f, int signo)
{
	struct sigio *s = sigio_of(k, f);

	if (signo < 0 || signo > LINUX_NSIG)
		return -EINVAL;
	if (!s)
		return -ENOMEM;
	mutex_lock(&s->k->sigios->mu);
	s->signo = signo;
	mutex_unlock(&s->k->sigios->mu);
	return 0;
}

int sigio_get_signal(struct file *f)
{
	const struct sigio *s = (struct sigio *)atomic_load(&f->owner);

	return s ? s->signo : 0;
}

/* When nobody has said whom to tell. */
static void default_owner(struct task *t, struct sigio *s)
{
	ref_get(&t->tg->pid->ref);
	replace_owner(t, s, t->tg->pid, LINUX_F_OWNER_PID);
}

int sigio_enable(struct task *t, struct file *f, int fd, bool on)
{
	struct sigio *s = sigio_of(t->k, f);

	if (!s)
		return -ENOMEM;
	if (on && !s->pid && LINUX_S_ISCHR(f->inode->mode))
		default_owner(t, s);
	mutex_lock(&t->k->sigios->mu);
	s->fd = fd;
	mutex_unlock(&t->k->sigios->mu);
	s->async = on;
	update_hook(s);
	return 0;
}

int sigio_expect(struct task *t, struct file *f)
{
	struct sigio *s = sigio_of(t->k, f);

	if (!s)
		return -ENOMEM;
	if (!s->pid)
		default_owner(t, s);
	return 0;
}
