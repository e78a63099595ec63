/*
 * seccomp_notify.c - see seccomp_notify.h.  A notification lies on the stack of the thread that waits for its answer, and
 * is in its listener's list as long as it waits.  Descriptors that the answerer gives are put into the table by that
 * thread itself.  Source: seccomp_unotify(2), linux/kernel/seccomp.c.
 */
#include "kernel/seccomp_notify.h"

#include "abi/fcntl.h"
#include "abi/resource.h"
#include "kernel/task_table.h"
#include "mm/mm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A descriptor that is to be put into a notification's task's table. */
struct gift {
	struct file *file; /* [I] the giver's */
	int newfd; /* [I] -1: any */
	bool cloexec, answers; /* [I] answers: its number is the call's result */
	bool taken, done; /* [mu] in this order; the giver waits for the second after the first */
	int r; /* [mu] the number, or -errno */
	TAILQ_ENTRY(gift) link; /* [mu] while not taken */
};

#define LOOK_NS INT64_C(1000000)

struct notice {
	uint64_t id; /* [I] */
	struct task *t; /* [I] */
	struct linux_seccomp_data data; /* [I] */
	enum { ASKED, RECEIVED, ANSWERED } state; /* [mu] */
	struct linux_seccomp_notif_resp answer; /* [mu] */
	TAILQ_HEAD(, gift) gifts; /* [mu] */
	TAILQ_ENTRY(notice) link; /* [mu] */
};

struct listener {
	struct ref ref;
	bool killable; /* [I] */
	struct mutex mu; /* RANK_FILE */
	TAILQ_HEAD(, notice) notices; /* [mu] in the order they were made */
	uint64_t last_id; /* [mu] */
	bool closed; /* [mu] nobody can answer any more */
	_Atomic bool orphaned;
	struct waitq wq; /* EVENT_IN: one was asked; EVENT_OUT: one was received; EVENT_HUP */
	struct waitq answers; /* EVENT_OUT: for those who wait */
	struct waitq gifts; /* EVENT_OUT: for those who give */
};

void listener_put(struct listener *l)
{
	if (!l || !ref_put(&l->ref))
		return;
	waitq_destroy(&l->wq);
	waitq_destroy(&l->answers);
	waitq_destroy(&l->gifts);
	mutex_destroy(&l->mu);
	free(l);
}

void listener_orphan(struct listener *l)
{
	atomic_store(&l->orphaned, true);
	waitq_wake(&l->wq, EVENT_HUP);
}

/* --- who asks ------------------------------------------------------------------------------- */

static bool dying(struct task *t)
{
	bool r;

	tasks_lock(t->k);
	r = t->tg->exiting || t->leaving || (t->tg->exec_task && t->tg->exec_task != t);
	tasks_unlock(t->k);
	return r;
}

static int put_gift(struct task *t, const struct gift *g)
{
	uint64_t limit = rlimit_get(t, LINUX_RLIMIT_NOFILE);
	int r;

	file_get(g->file);
	r = g->newfd < 0 ? fd_install(t->files, g->file, 0, g->cloexec, limit) : fd_install_at(t->files, g->newfd, g->file, g->cloexec, limit);
	if (r < 0)
		file_put(g->file);
	return r;
}

/* l->mu is held, and given up in between. */
static void take_gifts(struct listener *l, struct task *t, struct notice *n)
{
	struct gift *g;

	while ((g = TAILQ_FIRST(&n->gifts))) {
		int r;

		TAILQ_REMOVE(&n->gifts, g, link);
		g->taken = true;
		mutex_unlock(&l->mu);
		r = put_gift(t, g);
		mutex_lock(&l->mu);
		g->r = r;
		g->done = true;
		if (g->answers) {
			n->state = r < 0 ? RECEIVED : ANSWERED;
			n->answer = (struct linux_seccomp_notif_resp){ .id = n->id, .val = r };
		}
		waitq_wake(&l->gifts, EVENT_OUT);
	}
}

/* l->mu is held. 0: something may have happened; -ERESTARTSYS */
static int sleep_on(struct listener *l, struct task *t, const struct notice *n)
{
	bool firm = l->killable && n->state == RECEIVED;
	int r;

	mutex_unlock(&l->mu);
	if (!firm)
		r = wait_sleep(WAIT_FOREVER);
	else if (!(r = dying(t) ? -ERESTARTSYS : 0))
		(void)wait_sleep_uninterruptible(WAIT_FOREVER);
	mutex_lock(&l->mu);
	if (r && !firm && l->killable && n->state == RECEIVED) /* meanwhile: the next time only its end counts */
		r = 0;
	return r;
}

static void refuse_gifts(struct listener *l, struct notice *n)
{
	struct gift *g;

	while ((g = TAILQ_FIRST(&n->gifts))) {
		TAILQ_REMOVE(&n->gifts, g, link);
		g->r = -ESRCH;
		g->taken = g->done = true;
	}
	waitq_wake(&l->gifts, EVENT_OUT);
}

bool listener_ask(struct listener *l, struct task *t, const struct linux_seccomp_data *d, int64_t *ret)
{
	struct notice n = { .t = t, .data = *d, .state = ASKED };
	struct waiter w;
	int r = 0;

	TAILQ_INIT(&n.gifts);
	wait_begin(&w, &l->answers, EVENT_OUT);
	mutex_lock(&l->mu);
	n.id = ++l->last_id;
	TAILQ_INSERT_TAIL(&l->notices, &n, link);
	waitq_wake(&l->wq, EVENT_READABLE);
	while (!l->closed && n.state != ANSWERED && !r) {
		r = sleep_on(l, t, &n);
		if (!r || n.state == ANSWERED)
			take_gifts(l, t, &n);
	}
	if (n.state == ANSWERED)
		r = 0;
	else if (l->closed)
		r = -ENOSYS;
	refuse_gifts(l, &n);
	TAILQ_REMOVE(&l->notices, &n, link);
	mutex_unlock(&l->mu);
	wait_end(&w);
	if (!r && n.answer.flags & LINUX_SECCOMP_USER_NOTIF_FLAG_CONTINUE)
		return true;
	*ret = r ? r : n.answer.error ? n.answer.error : n.answer.val;
	return false;
}

/* --- who answers ------------------------------------------------------------------------------ */

static struct notice *find_locked(struct listener *l, uint64_t id)
{
	struct notice *n;

	TAILQ_FOREACH(n, &l->notices, link)
		if (n->id == id)
			break;
	return n;
}

static struct notice *first_locked(struct listener *l, int state)
{
	struct notice *n;

	TAILQ_FOREACH(n, &l->notices, link)
		if ((int)n->state == state)
			break;
	return n;
}

static int await_one(struct listener *l, struct notice **n)
{
	struct waiter w;
	int r = 0;

	wait_begin(&w, &l->wq, EVENT_IN | EVENT_HUP);
	mutex_lock(&l->mu);
	while (!(*n = first_locked(l, ASKED)) && !atomic_load(&l->orphaned) && !r) {
		mutex_unlock(&l->mu);
		r = wait_sleep(WAIT_FOREVER);
		mutex_lock(&l->mu);
	}
	wait_end(&w);
	return *n ? 0 : r ? r : -ENOENT; /* l->mu stays held */
}

static int receive(struct listener *l, struct mm *mm, uaddr to)
{
	static const struct linux_seccomp_notif zero;
	struct linux_seccomp_notif out, was;
	struct notice *n;
	int r;

	if (copy_from_user(mm, &was, to, sizeof(was)))
		return -EFAULT;
	if (memcmp(&was, &zero, sizeof(was)))
		return -EINVAL;
	r = await_one(l, &n);
	if (!r) {
		n->state = RECEIVED;
		out = (struct linux_seccomp_notif){ .id = n->id, .data = n->data };
		tasks_lock(n->t->k);
		out.pid = (uint32_t)pid_nr(n->t->pid, task_pid_ns(task_current()));
		tasks_unlock(n->t->k);
		waitq_wake(&l->wq, EVENT_WRITABLE);
	}
	mutex_unlock(&l->mu);
	if (r || !copy_to_user(mm, to, &out, sizeof(out)))
		return r;
	/* as if it had not been received */
	mutex_lock(&l->mu);
	n = find_locked(l, out.id);
	if (n && n->state == RECEIVED) {
		n->state = ASKED;
		waitq_wake(&l->wq, EVENT_READABLE);
	}
	mutex_unlock(&l->mu);
	return -EFAULT;
}

static int answer(struct listener *l, struct mm *mm, uaddr from)
{
	struct linux_seccomp_notif_resp a;
	struct notice *n;
	int r = 0;

	if (copy_from_user(mm, &a, from, sizeof(a)))
		return -EFAULT;
	if (a.flags & ~LINUX_SECCOMP_USER_NOTIF_FLAG_CONTINUE || (a.flags && (a.error || a.val)))
		return -EINVAL;
	mutex_lock(&l->mu);
	n = find_locked(l, a.id);
	if (!n) {
		r = -ENOENT;
	} else if (n->state != RECEIVED) {
		r = -EINPROGRESS;
	} else {
		n->state = ANSWERED;
		n->answer = a;
		waitq_wake(&l->answers, EVENT_OUT);
	}
	mutex_unlock(&l->mu);
	return r;
}

static int is_valid(struct listener *l, struct mm *mm, uaddr from)
{
	const struct notice *n;
	uint64_t id;
	int r;

	if (copy_from_user(mm, &id, from, sizeof(id)))
		return -EFAULT;
	mutex_lock(&l->mu);
	n = find_locked(l, id);
	r = n && n->state == RECEIVED ? 0 : -ENOENT;
	mutex_unlock(&l->mu);
	return r;
}

/* Until its task has taken it. */
static int hand_over(struct listener *l, uint64_t id, struct gift *g)
{
	struct notice *n;
	struct waiter w;
	int r = 0;

	wait_begin(&w, &l->gifts, EVENT_OUT);
	mutex_lock(&l->mu);
	n = find_locked(l, id);
	if (!n)
		r = -ENOENT;
	else if (n->state != RECEIVED)
		r = -EINPROGRESS;
	else if (g->answers && !TAILQ_EMPTY(&n->gifts))
		r = -EBUSY;
	if (!r) {
		if (g->answers)
			n->state = ANSWERED;
		TAILQ_INSERT_TAIL(&n->gifts, g, link);
		waitq_wake(&l->answers, EVENT_OUT);
	}
	while (!r && !g->done) {
		mutex_unlock(&l->mu);
		r = wait_sleep(WAIT_FOREVER);
		mutex_lock(&l->mu);
		if (r && !g->taken) { /* interrupted: taken back; n is there as long as it has gifts */
			TAILQ_REMOVE(&n->gifts, g, link);
			if (g->answers) /* what somebody else has answered meanwhile stays so */
				n->state = RECEIVED;
		} else if (r) { /* too late for that: it will not take long */
			mutex_unlock(&l->mu);
			(void)wait_sleep_uninterruptible(now_monotonic() + LOOK_NS);
			mutex_lock(&l->mu);
			r = 0;
		}
	}
	if (!r)
		r = g->r;
	mutex_unlock(&l->mu);
	wait_end(&w);
	return r;
}

static int give(struct listener *l, struct mm *mm, unsigned size, uaddr from)
{
	struct linux_seccomp_notif_addfd a = { 0 };
	struct gift g = { 0 };
	uint8_t extra;
	int r;

	if (size < sizeof(a) || size >= PAGE_SIZE)
		return -EINVAL;
	if (copy_from_user(mm, &a, from, sizeof(a)))
		return -EFAULT;
	for (unsigned off = sizeof(a); off < size; off++) {
		if (copy_from_user(mm, &extra, uaddr_add(from, off), 1))
			return -EFAULT;
		if (extra) /* of a later version */
			return -E2BIG;
	}
	if (a.flags & ~(LINUX_SECCOMP_ADDFD_FLAG_SETFD | LINUX_SECCOMP_ADDFD_FLAG_SEND) || a.newfd_flags & ~(uint32_t)LINUX_O_CLOEXEC ||
		(a.newfd && !(a.flags & LINUX_SECCOMP_ADDFD_FLAG_SETFD)))
		return -EINVAL;
	g.file = fd_get(task_current()->files, (int)a.srcfd);
	if (!g.file)
		return -EBADF;
	g.newfd = a.flags & LINUX_SECCOMP_ADDFD_FLAG_SETFD ? (int)a.newfd : -1;
	g.cloexec = a.newfd_flags;
	g.answers = a.flags & LINUX_SECCOMP_ADDFD_FLAG_SEND;
	r = a.flags & LINUX_SECCOMP_ADDFD_FLAG_SETFD && a.newfd > INT32_MAX ? -EBADF : hand_over(l, a.id, &g);
	file_put(g.file);
	return r;
}

static int set_flags(uint64_t flags)
{
	return flags & ~(uint64_t)LINUX_SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP ? -EINVAL : 0; /* a hint for a scheduler */
}

static int listener_ioctl(struct file *f, struct mm *mm, unsigned cmd, uint64_t arg)
{
	struct listener *l = f->priv;

	switch (cmd) {
	case LINUX_SECCOMP_IOCTL_NOTIF_RECV:
		return receive(l, mm, UADDR(arg));
	case LINUX_SECCOMP_IOCTL_NOTIF_SEND:
		return answer(l, mm, UADDR(arg));
	case LINUX_SECCOMP_IOCTL_NOTIF_ID_VALID:
	case LINUX_SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR:
		return is_valid(l, mm, UADDR(arg));
	case LINUX_SECCOMP_IOCTL_NOTIF_SET_FLAGS:
		return set_flags(arg);
	default:
		return (cmd & 0xffff) == LINUX_SECCOMP_IOCTL_NOTIF_ADDFD ? give(l, mm, cmd >> 16 & 0x3fff, UADDR(arg)) : -EINVAL;
	}
}

static uint32_t listener_poll(struct file *f)
{
	struct listener *l = f->priv;
	uint32_t r = atomic_load(&l->orphaned) ? EVENT_HUP : 0;

	mutex_lock(&l->mu);
	if (first_locked(l, ASKED))
		r |= EVENT_READABLE;
	if (first_locked(l, RECEIVED))
		r |= EVENT_WRITABLE;
	mutex_unlock(&l->mu);
	return r;
}

static void listener_release(struct file *f)
{
	struct listener *l = f->priv;

	mutex_lock(&l->mu);
	l->closed = true;
	waitq_wake(&l->answers, EVENT_OUT);
	mutex_unlock(&l->mu);
	listener_put(l);
}

static const struct file_ops listener_ops = { .ioctl = listener_ioctl, .poll = listener_poll, .release = listener_release };

struct listener *listener_new(struct task *t, bool killable, struct file **out)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	ref_init(&l->ref);
	l->killable = killable;
	mutex_init(&l->mu, RANK_FILE);
	TAILQ_INIT(&l->notices);
	waitq_init(&l->wq);
	waitq_init(&l->answers);
	waitq_init(&l->gifts);
	if (file_new_anon(t->k->vfs, &listener_ops, "seccomp notify", 0600, LINUX_O_RDWR, t->cred, l, out)) {
		listener_put(l);
		return NULL;
	}
	(*out)->wq = &l->wq;
	ref_get(&l->ref); /* the file's */
	return l;
}
