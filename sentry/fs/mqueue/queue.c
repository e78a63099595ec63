/*
 * queue.c - messages of a POSIX queue: sending, receiving, notification.
 * Program memory is touched without the queue's lock.
 */
#include "abi/time.h"
#include "fs/mqueue/internal.h"
#include "net/socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mq *mq_new(int64_t max, int64_t size)
{
	struct mq *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	mutex_init(&q->mu, RANK_FILE);
	waitq_init(&q->wq);
	TAILQ_INIT(&q->msgs);
	q->max = max;
	q->size = size;
	return q;
}

void mq_free(struct mq *q)
{
	struct mq_msg *m;

	while ((m = TAILQ_FIRST(&q->msgs))) {
		TAILQ_REMOVE(&q->msgs, m, link);
		free(m);
	}
	if (q->notice.sock)
		socket_put(q->notice.sock);
	waitq_destroy(&q->wq);
	mutex_destroy(&q->mu);
	free(q);
}

bool mqueue_is(const struct file *f)
{
	return f->ops == &mq_file_ops;
}

static struct mq *mq_of(const struct file *f)
{
	return f->inode->priv;
}

/* --- waiting -------------------------------------------------------------------------- */

/* q->mu is let go meanwhile. */
static int sleep_locked(struct mq *q, struct file *f, struct waiter *w, uint32_t event, int64_t deadline)
{
	int r;

	if (file_nonblock(f))
		return -EAGAIN;
	if (!w->q)
		wait_begin(w, &q->wq, event);
	mutex_unlock(&q->mu);
	r = wait_sleep(deadline);
	mutex_lock(&q->mu);
	return r;
}

/* --- sending ----------------------------------------------------------------------------- */

static void insert_locked(struct mq *q, struct mq_msg *m)
{
	struct mq_msg *before;

	/* from the end: messages of equal priority stay in order */
	TAILQ_FOREACH_REVERSE(before, &q->msgs, mq_msgs, link)
		if (before->prio >= m->prio)
			break;
	if (before)
		TAILQ_INSERT_AFTER(&q->msgs, before, m, link);
	else
		TAILQ_INSERT_HEAD(&q->msgs, m, link);
	q->n++;
	q->bytes += m->len;
}

/* Tells a process that its registration has ended: a message came (woken), or it was taken back. */
static void tell(struct task *t, struct mq_notice *n, int what)
{
	struct linux_siginfo info = { .signo = n->signo, .code = LINUX_SI_MESGQ };
	struct thread_group *tg;

	if (n->sock) {
		n->cookie[LINUX_NOTIFY_COOKIE_LEN - 1] = (uint8_t)what;
		(void)netlink_tell(n->sock, n->cookie, sizeof(n->cookie)); /* no memory: as lost as a signal would be */
		socket_put(n->sock);
		return;
	}
	if (!n->pid || n->how != LINUX_SIGEV_SIGNAL || what != LINUX_NOTIFY_WOKENUP)
		return;
	info.rt.pid = t->tg->own_tgid;
	info.rt.uid = t->cred->ruid;
	info.rt.value = n->value;
	tg = tg_find(t->k->root_pids, n->pid);
	if (!tg)
		return;
	signal_send_group(tg, n->signo, &info);
	tg_put(tg);
}

static int put_message(struct task *t, struct file *f, struct mq *q, struct mq_msg *m, int64_t deadline)
{
	struct mq_notice told = { .pid = 0 };
	struct waiter w = { .q = NULL };
	int r = 0;

	mutex_lock(&q->mu);
	while (!r && q->n >= q->max)
		r = sleep_locked(q, f, &w, EVENT_OUT, deadline);
	if (q->n < q->max) {
		r = 0;
		if (!q->n && !q->receivers) { /* the first message, and nobody waits for it */
			told = q->notice;
			q->notice = (struct mq_notice){ .pid = 0 };
		}
		insert_locked(q, m);
	}
	mutex_unlock(&q->mu);
	wait_end(&w);
	if (r)
		return r;
	waitq_wake(&q->wq, EVENT_READABLE);
	tell(t, &told, LINUX_NOTIFY_WOKENUP);
	return 0;
}

int mqueue_send(struct task *t, struct file *f, uaddr text, uint64_t len, uint32_t prio, int64_t deadline)
{
	struct mq *q = mq_of(f);
	struct mq_msg *m;
	int r;

	if (len > (uint64_t)q->size)
		return -EMSGSIZE;
	m = malloc(sizeof(*m) + len);
	if (!m)
		return -ENOMEM;
	m->prio = prio;
	m->len = len;
	r = copy_from_user(t->mm, m->text, text, len);
	r = r ? r : put_message(t, f, q, m, deadline);
	if (r)
		free(m);
	else
		inode_touch(f->inode, ATTR_MTIME | ATTR_CTIME);
	return r;
}

/* --- receiving -------------------------------------------------------------------------------- */

static int take_message(struct file *f, struct mq *q, struct mq_msg **out, int64_t deadline)
{
	struct waiter w = { .q = NULL };
	struct mq_msg *m;
	int r = 0;

	mutex_lock(&q->mu);
	q->receivers++;
	while (!(m = TAILQ_FIRST(&q->msgs)) && !r)
		r = sleep_locked(q, f, &w, EVENT_IN, deadline);
	q->receivers--;
	if (m) {
		r = 0;
		TAILQ_REMOVE(&q->msgs, m, link);
		q->n--;
		q->bytes -= m->len;
	}
	mutex_unlock(&q->mu);
	wait_end(&w);
	if (m)
		waitq_wake(&q->wq, EVENT_WRITABLE);
	*out = m;
	return r;
}

ssize_t mqueue_receive(struct task *t, struct file *f, uaddr text, uint64_t size, uint32_t *prio, int64_t deadline)
{
	struct mq *q = mq_of(f);
	struct mq_msg *m;
	ssize_t r;

	if (size < (uint64_t)q->size)
		return -EMSGSIZE;
	r = take_message(f, q, &m, deadline);
	if (r)
		return r;
	*prio = m->prio;
	r = copy_to_user(t->mm, text, m->text, m->len) ? -EFAULT : (ssize_t)m->len;
	free(m);
	inode_touch(f->inode, ATTR_ATIME | ATTR_CTIME);
	return r;
}

/* --- notification, attributes ---------------------------------------------------------------------- */

int mqueue_notify(struct task *t, struct file *f, const struct linux_sigevent *e, struct socket *sock, const uint8_t *cookie)
{
	struct mq_notice removed = { .pid = 0 };
	struct mq *q = mq_of(f);
	int r = 0;

	mutex_lock(&q->mu);
	if (!e) {
		if (q->notice.pid == t->tg->tgid) {
			removed = q->notice;
			q->notice = (struct mq_notice){ .pid = 0 };
		}
	} else if (q->notice.pid) {
		r = -EBUSY;
	} else {
		q->notice = (struct mq_notice){ .pid = t->tg->tgid, .how = e->notify, .signo = e->signo, .value = e->value, .sock = sock };
		if (sock) {
			socket_get(sock);
			memcpy(q->notice.cookie, cookie, sizeof(q->notice.cookie));
		}
	}
	mutex_unlock(&q->mu);
	tell(t, &removed, LINUX_NOTIFY_REMOVED);
	return r;
}

void mqueue_getattr(struct file *f, struct linux_mq_attr *out)
{
	struct mq *q = mq_of(f);

	mutex_lock(&q->mu);
	*out = (struct linux_mq_attr){ .flags = f->flags & LINUX_O_NONBLOCK, .maxmsg = q->max, .msgsize = q->size, .curmsgs = q->n };
	mutex_unlock(&q->mu);
}

/* --- the open file -------------------------------------------------------------------------------------- */

static ssize_t mq_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct mq *q = mq_of(f);
	char line[128];
	int n;

	mutex_lock(&q->mu);
	n = snprintf(line, sizeof(line), "QSIZE:%-10llu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", (unsigned long long)q->bytes,
		q->notice.pid ? q->notice.how : 0, q->notice.pid && q->notice.how == LINUX_SIGEV_SIGNAL ? q->notice.signo : 0, q->notice.pid);
	mutex_unlock(&q->mu);
	if (*pos >= n)
		return 0;
	n = (int)uio_copy_out(u, line + *pos, (size_t)(n - *pos));
	if (n > 0)
		*pos += n;
	return n;
}

static uint32_t mq_poll(struct file *f)
{
	struct mq *q = mq_of(f);
	uint32_t ev = 0;

	mutex_lock(&q->mu);
	if (q->n)
		ev |= EVENT_READABLE;
	if (q->n < q->max)
		ev |= EVENT_WRITABLE;
	mutex_unlock(&q->mu);
	return ev;
}

/* A process that closes a descriptor of it is told no more. */
static void mq_flush(struct file *f)
{
	struct task *t = task_current();

	if (t)
		mqueue_notify(t, f, NULL, NULL, NULL);
}

const struct file_ops mq_file_ops = { .read = mq_read, .poll = mq_poll, .flush = mq_flush };
