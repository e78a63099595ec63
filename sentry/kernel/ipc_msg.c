/*
 * ipc_msg.c - System V message queues.  A sender waits for room, a receiver for
 * a message of its type; both on the queue's wait queue.
 */
#include "abi/capability.h"
#include "kernel/ipc_impl.h"
#include "mm/usercopy.h"

#include <errno.h>
#include <stdlib.h>

#define ALL_BYTES (UINT64_C(64) << 20) /* in all queues: the sentry's memory */

struct msg {
	TAILQ_ENTRY(msg) link;
	int64_t type;
	uint64_t len;
	char text[];
};

struct msgq {
	struct ipc_object o;
	TAILQ_HEAD(, msg) msgs;
	uint64_t bytes, max_bytes;
	unsigned n;
	int64_t stime, rtime, ctime;
	int32_t spid, rpid;
	struct waitq wq; /* EVENT_IN: a message; EVENT_OUT: room; both: removed */
};

static void drop_locked(struct ipc_ns *ns, struct msgq *q, struct msg *m)
{
	TAILQ_REMOVE(&q->msgs, m, link);
	q->bytes -= m->len;
	q->n--;
	ns->msg_bytes -= m->len;
	ns->n_msgs--;
}

void ipc_msg_free(struct ipc_ns *ns, struct ipc_object *o)
{
	struct msgq *q = (struct msgq *)o;
	struct msg *m;

	while ((m = TAILQ_FIRST(&q->msgs))) {
		drop_locked(ns, q, m);
		free(m);
	}
	waitq_destroy(&q->wq);
	free(q);
}

static int make(struct task *t, uint64_t unused, struct ipc_object **out)
{
	struct msgq *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	TAILQ_INIT(&q->msgs);
	waitq_init(&q->wq);
	q->max_bytes = ipc_limit(ipc_of(t), IPC_MSGMNB);
	q->ctime = ipc_time();
	*out = &q->o;
	return 0;
}

int ipc_msg_get(struct task *t, int32_t key, int flags)
{
	const struct ipc_get g = { .key = key, .flags = flags, .make = make };

	return ipc_get(t, &ipc_of(t)->msg, &g);
}

/* Finds and keeps a queue, with a waiter on it. ns->mu held afterwards also on error. */
static int enter(struct task *t, int id, struct msgq **out)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	mutex_lock(&ns->mu);
	r = ipc_find_locked(&ns->msg, id, &o);
	if (r)
		return r;
	o->refs++;
	*out = (struct msgq *)o;
	return 0;
}

/* Sleeps until the queue changed: 0, or the error that ends the call. */
static int sleep_locked(struct ipc_ns *ns, struct msgq *q, struct waiter *w, uint32_t event)
{
	int r;

	if (!w->q)
		wait_begin(w, &q->wq, event);
	mutex_unlock(&ns->mu);
	r = wait_sleep(WAIT_FOREVER);
	mutex_lock(&ns->mu);
	return r ? -ERESTARTNOHAND : 0;
}

static void leave(struct ipc_ns *ns, struct msgq *q, struct waiter *w)
{
	if (w->q)
		wait_end(w);
	ipc_put_locked(ns, &ns->msg, &q->o);
}

/* --- sending ------------------------------------------------------------------------ */

/* The message is the queue's after 0. */
static int send_locked(struct task *t, struct msgq *q, struct msg *m, int flags, struct waiter *w)
{
	struct ipc_ns *ns = ipc_of(t);
	int r;

	for (;;) {
		if (q->o.removed)
			return -EIDRM;
		r = ipc_permission(t, &q->o, 0222);
		if (r)
			return r;
		if (q->bytes + m->len <= q->max_bytes && q->n + 1 <= q->max_bytes)
			break;
		if (flags & LINUX_IPC_NOWAIT)
			return -EAGAIN;
		r = sleep_locked(ns, q, w, EVENT_OUT);
		if (r)
			return r;
	}
	if (ns->msg_bytes + m->len > ALL_BYTES)
		return -ENOMEM;
	TAILQ_INSERT_TAIL(&q->msgs, m, link);
	q->bytes += m->len;
	q->n++;
	ns->msg_bytes += m->len;
	ns->n_msgs++;
	q->stime = ipc_time();
	q->spid = t->tg->own_tgid;
	waitq_wake(&q->wq, EVENT_IN);
	return 0;
}

int ipc_msg_send(struct task *t, int id, int64_t type, uaddr text, uint64_t len, int flags)
{
	struct ipc_ns *ns = ipc_of(t);
	struct waiter w = { .q = NULL };
	struct msgq *q;
	struct msg *m;
	int r;

	if (len > ipc_limit(ns, IPC_MSGMAX) || id < 0 || type < 1)
		return -EINVAL;
	m = malloc(sizeof(*m) + len);
	if (!m)
		return -ENOMEM;
	m->type = type;
	m->len = len;
	if (copy_from_user(t->mm, m->text, text, len)) {
		free(m);
		return -EFAULT;
	}
	r = enter(t, id, &q);
	if (!r) {
		r = send_locked(t, q, m, flags, &w);
		leave(ns, q, &w);
	}
	mutex_unlock(&ns->mu);
	if (r)
		free(m);
	return r;
}

/* --- receiving ------------------------------------------------------------------------ */

/* The first that fits; type < 0: the first of the lowest type up to -type. MSG_COPY: type is an index. */
static struct msg *choose_locked(struct msgq *q, int64_t type, int flags)
{
	struct msg *m, *best = NULL;
	int64_t index = 0, limit = type == INT64_MIN ? INT64_MAX : -type;

	TAILQ_FOREACH(m, &q->msgs, link) {
		if (flags & LINUX_MSG_COPY) {
			if (index++ == type)
				return m;
		} else if (type == 0) {
			return m;
		} else if (type > 0) {
			if ((m->type == type) == !(flags & LINUX_MSG_EXCEPT))
				return m;
		} else if (m->type <= limit && (!best || m->type < best->type)) {
			best = m;
		}
	}
	return best;
}

static struct msg *copy_of(const struct msg *m)
{
	struct msg *c = malloc(sizeof(*c) + m->len);

	if (!c)
		return NULL;
	c->type = m->type;
	c->len = m->len;
	for (uint64_t i = 0; i < m->len; i++)
		c->text[i] = m->text[i];
	return c;
}

static int recv_locked(struct task *t, struct msgq *q, uint64_t size, int64_t type, int flags, struct waiter *w, struct msg **out)
{
	struct ipc_ns *ns = ipc_of(t);
	struct msg *m;
	int r;

	for (;;) {
		if (q->o.removed)
			return -EIDRM;
		r = ipc_permission(t, &q->o, 0444);
		if (r)
			return r;
		m = choose_locked(q, type, flags);
		if (m)
			break;
		if (flags & LINUX_IPC_NOWAIT)
			return -ENOMSG;
		r = sleep_locked(ns, q, w, EVENT_IN);
		if (r)
			return r;
	}
	if (m->len > size && !(flags & LINUX_MSG_NOERROR))
		return -E2BIG;
	if (flags & LINUX_MSG_COPY) {
		*out = copy_of(m);
		return *out ? 0 : -ENOMEM;
	}
	drop_locked(ns, q, m);
	q->rtime = ipc_time();
	q->rpid = t->tg->own_tgid;
	waitq_wake(&q->wq, EVENT_OUT);
	*out = m;
	return 0;
}

ssize_t ipc_msg_recv(struct task *t, int id, uaddr buf, uint64_t size, int64_t type, int flags)
{
	struct ipc_ns *ns = ipc_of(t);
	struct waiter w = { .q = NULL };
	struct msg *m = NULL;
	struct msgq *q;
	ssize_t r;

	if (id < 0 || (int64_t)size < 0)
		return -EINVAL;
	if (flags & LINUX_MSG_COPY && (flags & LINUX_MSG_EXCEPT || !(flags & LINUX_IPC_NOWAIT)))
		return -EINVAL;
	r = enter(t, id, &q);
	if (!r) {
		r = recv_locked(t, q, size, type, flags, &w, &m);
		leave(ns, q, &w);
	}
	mutex_unlock(&ns->mu);
	if (r)
		return r;
	if (size > m->len)
		size = m->len;
	if (copy_to_user(t->mm, buf, &m->type, sizeof(m->type)) || copy_to_user(t->mm, uaddr_add(buf, sizeof(m->type)), m->text, size))
		r = -EFAULT;
	else
		r = (ssize_t)size;
	free(m);
	return r;
}

/* --- msgctl ------------------------------------------------------------------------- */

int ipc_msg_stat(struct task *t, int id, enum ipc_by by, struct linux_msqid_ds *out)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	mutex_lock(&ns->mu);
	r = ipc_find_by_locked(t, &ns->msg, id, by, &o);
	if (!r) {
		struct msgq *q = (struct msgq *)o;

		*out = (struct linux_msqid_ds){ .stime = q->stime, .rtime = q->rtime, .ctime = q->ctime, .cbytes = q->bytes, .qnum = q->n,
			.qbytes = q->max_bytes, .lspid = q->spid, .lrpid = q->rpid };
		ipc_stat_locked(t, o, &out->perm);
		r = by == IPC_BY_ID ? 0 : o->id;
	}
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_msg_set(struct task *t, int id, const struct linux_ipc_perm *p, uint64_t qbytes)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	mutex_lock(&ns->mu);
	r = ipc_find_owned_locked(t, &ns->msg, id, &o);
	if (!r && qbytes > ipc_limit(ns, IPC_MSGMNB) && !ns_capable(t, LINUX_CAP_SYS_RESOURCE))
		r = -EPERM;
	r = r ? r : ipc_set_locked(t, o, p);
	if (!r) {
		struct msgq *q = (struct msgq *)o;

		q->max_bytes = qbytes;
		q->ctime = ipc_time();
		waitq_wake(&q->wq, EVENT_IN | EVENT_OUT); /* permission or room may have changed */
	}
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_msg_remove(struct task *t, int id)
{
	struct ipc_ns *ns = ipc_of(t);
	struct ipc_object *o;
	int r;

	mutex_lock(&ns->mu);
	r = ipc_find_owned_locked(t, &ns->msg, id, &o);
	if (!r) {
		waitq_wake(&((struct msgq *)o)->wq, EVENT_IN | EVENT_OUT);
		ipc_remove_locked(ns, &ns->msg, o);
	}
	mutex_unlock(&ns->mu);
	return r;
}

int ipc_msg_info(struct task *t, int *queues, int *messages, int *bytes)
{
	struct ipc_ns *ns = ipc_of(t);
	int r;

	mutex_lock(&ns->mu);
	*queues = (int)ns->msg.in_use;
	*messages = (int)ns->n_msgs;
	*bytes = (int)ns->msg_bytes;
	r = ipc_max_slot_locked(&ns->msg);
	mutex_unlock(&ns->mu);
	return r;
}
