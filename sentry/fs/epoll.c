/*
 * epoll.c - event sets: control and waiting (epoll(7), fs/eventpoll.c).  See
 * epoll_impl.h for the locks.  Runs on tasks' threads; on_event runs on whichever
 * thread wakes the watched file's queue.
 */
#include "abi/fcntl.h"
#include "fs/epoll_impl.h"

#include "mm/usercopy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FLAG_BITS (LINUX_EPOLLEXCLUSIVE | LINUX_EPOLLWAKEUP | LINUX_EPOLLONESHOT | LINUX_EPOLLET)
#define READY_EVENTS (EVENT_IN | EVENT_RDNORM)

static int epitem_cmp(const struct epitem *a, const struct epitem *b)
{
	if (a->file != b->file)
		return (uintptr_t)a->file < (uintptr_t)b->file ? -1 : 1;
	return a->fd < b->fd ? -1 : a->fd > b->fd;
}
RB_GENERATE(eptree, epitem, tree, epitem_cmp)

void epoll_put(struct epoll *ep)
{
	if (!ref_put(&ep->ref))
		return;
	waitq_destroy(&ep->wq);
	mutex_destroy(&ep->ready_mu);
	mutex_destroy(&ep->mu);
	free(ep);
}

/* --- the ready list ------------------------------------------------------------ */

static bool ready_add(struct epoll *ep, struct epitem *it, bool front)
{
	bool added;

	mutex_lock(&ep->ready_mu);
	added = !it->ready;
	if (added) {
		it->ready = true;
		if (front)
			TAILQ_INSERT_HEAD(&ep->ready, it, ready_link);
		else
			TAILQ_INSERT_TAIL(&ep->ready, it, ready_link);
		atomic_fetch_add(&ep->n_ready, 1);
	}
	mutex_unlock(&ep->ready_mu);
	return added;
}

static void ready_remove(struct epoll *ep, struct epitem *it)
{
	mutex_lock(&ep->ready_mu);
	if (it->ready) {
		it->ready = false;
		TAILQ_REMOVE(&ep->ready, it, ready_link);
		atomic_fetch_sub(&ep->n_ready, 1);
	}
	mutex_unlock(&ep->ready_mu);
}

static struct epitem *ready_pop(struct epoll *ep)
{
	struct epitem *it;

	mutex_lock(&ep->ready_mu);
	it = TAILQ_FIRST(&ep->ready);
	if (it) {
		it->ready = false;
		TAILQ_REMOVE(&ep->ready, it, ready_link);
		atomic_fetch_sub(&ep->n_ready, 1);
	}
	mutex_unlock(&ep->ready_mu);
	return it;
}

/* A watched file's queue is woken: its lock is held. */
static void on_event(struct waiter *w, uint32_t events)
{
	struct epitem *it = w->arg;

	if (ready_add(it->ep, it, false) || (w->mask & LINUX_EPOLLET))
		waitq_wake_one(&it->ep->wq, READY_EVENTS);
}

/* ep->mu held */
static uint32_t item_poll(struct epitem *it)
{
	if (!ref_count(&it->file->ref))
		return 0; /* on its way out */
	return file_poll(it->file) & it->events & ~FLAG_BITS;
}

/* --- control --------------------------------------------------------------------- */

void epitem_remove(struct epitem *it)
{
	struct epoll *ep = it->ep;

	waitq_del(&it->w);
	ready_remove(ep, it);
	mutex_lock(&it->watch->mu);
	LIST_REMOVE(it, watch_link);
	mutex_unlock(&it->watch->mu);
	RB_REMOVE(eptree, &ep->items, it);
	free(it);
}

/* Registers for the item's events anew, and notes what is ready now. */
static void item_arm(struct epitem *it)
{
	waitq_del(&it->w);
	it->w = (struct waiter){
		.mask = it->events,
		.exclusive = it->events & LINUX_EPOLLEXCLUSIVE,
		.fn = on_event,
		.arg = it,
	};
	if (it->file->wq)
		waitq_add(it->file->wq, &it->w);
	if (item_poll(it) && ready_add(it->ep, it, false))
		waitq_wake_one(&it->ep->wq, READY_EVENTS);
}

static int item_add(struct epoll *ep, struct epitem *key, struct file *f)
{
	struct watch *w = watch_get(f);
	struct epitem *it = malloc(sizeof(*it));

	if (!it || !w) {
		free(it);
		return -ENOMEM;
	}
	*it = *key;
	it->ep = ep;
	it->watch = w;
	it->w = (struct waiter){ 0 };
	ref_get(&ep->ref);
	RB_INSERT(eptree, &ep->items, it);
	mutex_lock(&w->mu);
	LIST_INSERT_HEAD(&w->items, it, watch_link);
	mutex_unlock(&w->mu);
	item_arm(it);
	return 0;
}

static int item_modify(struct epitem *it, const struct epitem *key)
{
	if ((it->events | key->events) & LINUX_EPOLLEXCLUSIVE)
		return -EINVAL;
	it->events = key->events;
	it->data = key->data;
	item_arm(it);
	return 0;
}

static int control_locked(struct epoll *ep, int op, struct epitem *key, struct file *f)
{
	struct epitem *it;
	int r;

	mutex_lock_nested(&ep->mu);
	it = RB_FIND(eptree, &ep->items, key);
	if (op == LINUX_EPOLL_CTL_ADD)
		r = it ? -EEXIST : item_add(ep, key, f);
	else if (!it)
		r = -ENOENT;
	else
		r = op == LINUX_EPOLL_CTL_MOD ? item_modify(it, key) : 0;
	if (it && op == LINUX_EPOLL_CTL_DEL)
		epitem_remove(it);
	else
		it = NULL;
	mutex_unlock(&ep->mu);
	if (it)
		epoll_put(ep);
	return r;
}

#define EXCLUSIVE_OK (EVENT_IN | EVENT_OUT | EVENT_ERR | EVENT_HUP | LINUX_EPOLLWAKEUP | LINUX_EPOLLET | LINUX_EPOLLEXCLUSIVE)

int epoll_control(struct file *epf, int op, int fd, struct file *f, const struct linux_epoll_event *ev)
{
	struct epitem key = { .file = f, .fd = fd };
	/* what is in a set that is in none itself is nobody else's matter */
	bool inner_set = f->ops == &epoll_file_ops, nest = op == LINUX_EPOLL_CTL_ADD && (inner_set || atomic_load(&epf->epoll_items));
	int r = 0;

	if (!f->ops->poll && !f->wq)
		return -EPERM; /* regular files and directories */
	if (epf->ops != &epoll_file_ops || epf == f)
		return -EINVAL;
	if (op != LINUX_EPOLL_CTL_ADD && op != LINUX_EPOLL_CTL_MOD && op != LINUX_EPOLL_CTL_DEL)
		return -EINVAL;
	if (op != LINUX_EPOLL_CTL_DEL) {
		if ((ev->events & LINUX_EPOLLEXCLUSIVE) && (op == LINUX_EPOLL_CTL_MOD || inner_set || (ev->events & ~EXCLUSIVE_OK)))
			return -EINVAL;
		key.events = ev->events | EVENT_ERR | EVENT_HUP;
		key.data = ev->data;
	}
	if (nest) {
		nest_lock();
		r = inner_set ? nest_check(epf->priv, f->priv) : 0;
	}
	if (!r)
		r = control_locked(epf->priv, op, &key, f);
	if (!r && nest && (r = ways_check(f)))
		control_locked(epf->priv, LINUX_EPOLL_CTL_DEL, &key, f);
	if (nest)
		nest_unlock();
	return r;
}

/* --- waiting ----------------------------------------------------------------------- */

typedef int put_fn(void *arg, unsigned i, const struct linux_epoll_event *ev);

/* Hands out what is ready: each entry of the list is asked once. Count, or put's error. */
static int send_events(struct epoll *ep, unsigned max, put_fn *put, void *arg)
{
	unsigned left, n = 0;
	int r = 0;

	mutex_lock_nested(&ep->mu);
	for (left = atomic_load(&ep->n_ready); left && n < max; left--) {
		struct epitem *it = ready_pop(ep);
		struct linux_epoll_event ev;

		if (!it)
			break;
		ev.events = item_poll(it);
		ev.data = it->data;
		if (!ev.events)
			continue;
		r = put(arg, n, &ev);
		if (r) {
			ready_add(ep, it, true);
			break;
		}
		n++;
		if (it->events & LINUX_EPOLLONESHOT)
			it->events &= FLAG_BITS;
		else if (!(it->events & LINUX_EPOLLET))
			ready_add(ep, it, false);
	}
	mutex_unlock(&ep->mu);
	/* what is left is for another waiter */
	if (atomic_load(&ep->n_ready))
		waitq_wake_one(&ep->wq, READY_EVENTS);
	return n ? (int)n : r;
}

static void wake_sleeping(struct waiter *w, uint32_t events)
{
	sleeper_wake(w->arg);
}

int epoll_wait_events(struct file *epf, unsigned max, int64_t deadline, put_fn *put, void *arg)
{
	struct epoll *ep = epf->priv;
	struct waiter w = { .mask = READY_EVENTS, .exclusive = true, .fn = wake_sleeping, .arg = sleeper_current() };
	int r, slept = 0;

	if (epf->ops != &epoll_file_ops)
		return -EINVAL;
	for (;;) {
		r = atomic_load(&ep->n_ready) ? send_events(ep, max, put, arg) : 0;
		if (r || slept || deadline == 0)
			break;
		if (!w.q) {
			waitq_add(&ep->wq, &w);
			continue;
		}
		slept = wait_sleep(deadline);
	}
	if (w.q) {
		waitq_del(&w);
		/* a wake-up meant for one may have come to this one as it left */
		if (atomic_load(&ep->n_ready))
			waitq_wake_one(&ep->wq, READY_EVENTS);
	}
	if (r)
		return r;
	return slept && slept != -ETIMEDOUT ? -EINTR : 0;
}

/* --- the set as a file ---------------------------------------------------------------- */

static uint32_t epoll_poll(struct file *f)
{
	struct epoll *ep = f->priv;
	uint32_t ev = 0;

	if (!atomic_load(&ep->n_ready))
		return 0;
	mutex_lock_nested(&ep->mu);
	for (unsigned left = atomic_load(&ep->n_ready); left && !ev; left--) {
		struct epitem *it = ready_pop(ep);

		if (!it)
			break;
		if (item_poll(it)) {
			ready_add(ep, it, true);
			ev = READY_EVENTS;
		}
	}
	mutex_unlock(&ep->mu);
	return ev;
}

static int epoll_show(struct file *f, char *buf, size_t size)
{
	struct epoll *ep = f->priv;
	struct epitem *it;
	size_t n = 0;

	mutex_lock_nested(&ep->mu);
	RB_FOREACH(it, eptree, &ep->items)
	{
		int k = snprintf(buf + n, size - n, "tfd: %8d events: %8x data: %16llx\n", it->fd, it->events, (unsigned long long)it->data);

		if (k < 0 || (size_t)k >= size - n)
			break;
		n += k;
	}
	mutex_unlock(&ep->mu);
	return (int)n;
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->priv;
	struct epitem *it;
	unsigned n = 0;

	mutex_lock_nested(&ep->mu);
	while ((it = RB_MIN(eptree, &ep->items))) {
		epitem_remove(it);
		n++;
	}
	mutex_unlock(&ep->mu);
	while (n--)
		epoll_put(ep);
	epoll_put(ep);
}

const struct file_ops epoll_file_ops = {
	.poll = epoll_poll,
	.show_fdinfo = epoll_show,
	.release = epoll_release,
};

int epoll_create_file(struct vfs *v, const struct cred *c, struct file **out)
{
	struct epoll *ep = calloc(1, sizeof(*ep));
	int r;

	if (!ep)
		return -ENOMEM;
	ref_init(&ep->ref);
	mutex_init(&ep->mu, RANK_EPOLL);
	mutex_init(&ep->ready_mu, RANK_LEAF);
	RB_INIT(&ep->items);
	TAILQ_INIT(&ep->ready);
	waitq_init(&ep->wq);
	r = file_new_anon(v, &epoll_file_ops, "[eventpoll]", 0600, LINUX_O_RDWR, c, ep, out);
	if (r) {
		epoll_put(ep);
		return r;
	}
	ep->file = *out;
	(*out)->wq = &ep->wq;
	(*out)->mode |= FILE_STREAM | FILE_TOUCHES; /* known to be ready when its queue is woken, not before */
	return 0;
}
