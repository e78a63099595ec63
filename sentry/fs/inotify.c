/*
 * inotify.c - watching files (inotify(7)).
 *
 * One registry for all watches of a vfs, so that a notification needs one lock and
 * one bucket.  [r->mu] RANK_FILE guards the
 * registry and every instance; the notifier runs on the thread that changed the
 * file, perhaps with directory locks held, and only queues events.  A watch
 * references its inode; one that ends in the notifier (its file is deleted) is
 * freed later, by the instance's next call.
 */
#include "fs/inotify.h"

#include "abi/fcntl.h"
#include "mm/usercopy.h"
#include "vfs/file.h"
#include "vfs/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define BUCKETS 64
#define MAX_EVENTS 16384u
#define MAX_WATCHES 65536u

struct watch_entry {
	LIST_ENTRY(watch_entry) bucket_link, link;
	struct inotify *in; /* [I] */
	struct inode *inode; /* [I] referenced */
	uint32_t mask;
	int wd; /* [I] */
};
LIST_HEAD(watch_list, watch_entry);

struct queued {
	STAILQ_ENTRY(queued) link;
	struct linux_inotify_event ev;
	char name[]; /* ev.len bytes */
};

struct registry {
	struct mutex mu; /* RANK_FILE */
	struct watch_list buckets[BUCKETS]; /* [mu] */
};

struct inotify { /* all [r->mu] */
	struct registry *r; /* [I] */
	struct waitq wq;
	struct watch_list watches, dead;
	STAILQ_HEAD(, queued) events;
	unsigned n_events, n_watches;
	uint32_t bytes;
	int next_wd;
};

static struct watch_list *bucket_of(struct registry *r, const struct inode *i)
{
	return &r->buckets[((uintptr_t)i >> 6) % BUCKETS];
}

/* --- queueing ----------------------------------------------------------------------- */

static struct queued *event_new(int wd, uint32_t mask, uint32_t cookie, const char *name)
{
	size_t n = name ? (strlen(name) + 16) & ~(size_t)15 : 0;
	struct queued *q = calloc(1, sizeof(*q) + n);

	if (!q)
		return NULL;
	q->ev = (struct linux_inotify_event){ wd, mask, cookie, n };
	if (name)
		memcpy(q->name, name, strlen(name));
	return q;
}

static bool same_event(const struct queued *a, const struct queued *b)
{
	return !memcmp(&a->ev, &b->ev, sizeof(a->ev)) && !memcmp(a->name, b->name, a->ev.len);
}

/* r->mu held. An event equal to the last one says nothing new. */
static void queue_event(struct inotify *in, int wd, uint32_t mask, uint32_t cookie, const char *name)
{
	struct queued *q, *last = STAILQ_LAST(&in->events, queued, link);

	if (in->n_events >= MAX_EVENTS) {
		if (last->ev.mask == LINUX_IN_Q_OVERFLOW)
			return;
		wd = -1;
		mask = LINUX_IN_Q_OVERFLOW;
		name = NULL;
	}
	q = event_new(wd, mask, cookie, name);
	if (!q || (last && same_event(last, q))) {
		free(q);
		return;
	}
	STAILQ_INSERT_TAIL(&in->events, q, link);
	in->n_events++;
	in->bytes += sizeof(q->ev) + q->ev.len;
	waitq_wake(&in->wq, EVENT_READABLE);
}

/* r->mu held. Takes the watch out. */
static void watch_unlink(struct watch_entry *w)
{
	LIST_REMOVE(w, bucket_link);
	LIST_REMOVE(w, link);
	w->in->n_watches--;
	w->inode->watches--;
}

static void watch_end(struct watch_entry *w)
{
	queue_event(w->in, w->wd, LINUX_IN_IGNORED, 0, NULL);
	watch_unlink(w);
	LIST_INSERT_HEAD(&w->in->dead, w, link);
}

static void on_notify(struct inode *i, uint32_t event, const char *name, uint32_t cookie)
{
	struct registry *r = vfs_notify_priv(i->sb->vfs);
	struct watch_entry *w, *next;

	mutex_lock(&r->mu);
	for (w = LIST_FIRST(bucket_of(r, i)); w; w = next) {
		next = LIST_NEXT(w, bucket_link);
		if (w->inode != i)
			continue;
		if (w->mask & event & (LINUX_IN_ALL_EVENTS | LINUX_IN_UNMOUNT)) {
			queue_event(w->in, w->wd, event, cookie, name);
			if (w->mask & LINUX_IN_ONESHOT) {
				watch_end(w);
				continue;
			}
		}
		if (!name && event & NOTIFY_DELETE_SELF)
			watch_end(w);
	}
	mutex_unlock(&r->mu);
}

/* Frees watches that ended; no locks held. */
static void reap(struct inotify *in)
{
	struct watch_list l = LIST_HEAD_INITIALIZER(l);
	struct watch_entry *w;

	mutex_lock(&in->r->mu);
	while ((w = LIST_FIRST(&in->dead))) {
		LIST_REMOVE(w, link);
		LIST_INSERT_HEAD(&l, w, link);
	}
	mutex_unlock(&in->r->mu);
	while ((w = LIST_FIRST(&l))) {
		LIST_REMOVE(w, link);
		inode_put(w->inode);
		free(w);
	}
}

/* --- the file ----------------------------------------------------------------------------- */

/* Hands out whole events; r->mu held. Bytes, -EINVAL (the first does not fit), -EFAULT. */
static ssize_t read_events(struct inotify *in, struct uio *u)
{
	struct queued *q;
	ssize_t done = 0;

	while ((q = STAILQ_FIRST(&in->events))) {
		size_t n = sizeof(q->ev) + q->ev.len;

		if (u->resid < n)
			return done ? done : -EINVAL;
		if (uio_copy_out(u, &q->ev, sizeof(q->ev)) != sizeof(q->ev) ||
			(q->ev.len && uio_copy_out(u, q->name, q->ev.len) != (ssize_t)q->ev.len))
			return done ? done : -EFAULT;
		STAILQ_REMOVE_HEAD(&in->events, link);
		in->n_events--;
		in->bytes -= n;
		free(q);
		done += n;
	}
	return done;
}

static ssize_t inotify_read(struct file *f, struct uio *u, int64_t *pos)
{
	struct inotify *in = f->priv;
	struct waiter w = { 0 };
	ssize_t r;

	reap(in);
	mutex_lock(&in->r->mu);
	while (!(r = read_events(in, u))) {
		int e;

		if (file_nonblock(f)) {
			r = -EAGAIN;
			break;
		}
		if (!w.q)
			wait_begin(&w, &in->wq, EVENT_READABLE);
		mutex_unlock(&in->r->mu);
		e = wait_sleep(WAIT_FOREVER);
		mutex_lock(&in->r->mu);
		if (e && !in->n_events) {
			r = e;
			break;
		}
	}
	mutex_unlock(&in->r->mu);
	wait_end(&w);
	return r;
}

static uint32_t inotify_poll(struct file *f)
{
	struct inotify *in = f->priv;
	uint32_t ev;

	mutex_lock(&in->r->mu);
	ev = in->n_events ? EVENT_READABLE : 0;
	mutex_unlock(&in->r->mu);
	return ev;
}

static int inotify_ioctl(struct file *f, struct mm *mm, unsigned cmd, uint64_t arg)
{
	struct inotify *in = f->priv;
	int32_t n;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&in->r->mu);
	n = (int32_t)in->bytes;
	mutex_unlock(&in->r->mu);
	return copy_to_user(mm, UADDR(arg), &n, sizeof(n));
}

static void inotify_release(struct file *f)
{
	struct inotify *in = f->priv;
	struct watch_entry *w;
	struct queued *q;

	mutex_lock(&in->r->mu);
	while ((w = LIST_FIRST(&in->watches))) {
		watch_unlink(w);
		LIST_INSERT_HEAD(&in->dead, w, link);
	}
	mutex_unlock(&in->r->mu);
	reap(in);
	while ((q = STAILQ_FIRST(&in->events))) {
		STAILQ_REMOVE_HEAD(&in->events, link);
		free(q);
	}
	waitq_destroy(&in->wq);
	free(in);
}

static const struct file_ops inotify_ops = {
	.read = inotify_read,
	.poll = inotify_poll,
	.ioctl = inotify_ioctl,
	.release = inotify_release,
};

int inotify_check(struct file *f)
{
	return f->ops == &inotify_ops ? 0 : -EINVAL;
}

/* --- watches -------------------------------------------------------------------------------- */

/* r->mu held */
static struct watch_entry *find(struct inotify *in, const struct inode *i)
{
	struct watch_entry *w;

	LIST_FOREACH(w, bucket_of(in->r, i), bucket_link)
		if (w->inode == i && w->in == in)
			return w;
	return NULL;
}

static int change(struct watch_entry *w, uint32_t mask)
{
	uint32_t keep = mask & ~(LINUX_IN_MASK_ADD | LINUX_IN_MASK_CREATE);

	if (mask & LINUX_IN_MASK_CREATE)
		return -EEXIST;
	w->mask = mask & LINUX_IN_MASK_ADD ? w->mask | keep : keep;
	return w->wd;
}

int inotify_add(struct file *f, struct inode *i, uint32_t mask)
{
	struct inotify *in = f->priv;
	struct watch_entry *w, *fresh;
	int r;

	if (inotify_check(f))
		return -EINVAL;
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	reap(in);
	mutex_lock(&in->r->mu);
	w = find(in, i);
	if (w) {
		r = change(w, mask);
	} else if (in->n_watches >= MAX_WATCHES) {
		r = -ENOSPC;
	} else {
		*fresh = (struct watch_entry){ .in = in, .inode = i, .mask = mask & ~LINUX_IN_MASK_ADD, .wd = in->next_wd++ };
		inode_get(i);
		i->watches++;
		LIST_INSERT_HEAD(bucket_of(in->r, i), fresh, bucket_link);
		LIST_INSERT_HEAD(&in->watches, fresh, link);
		in->n_watches++;
		r = fresh->wd;
		fresh = NULL;
	}
	mutex_unlock(&in->r->mu);
	free(fresh);
	return r;
}

int inotify_remove(struct file *f, int wd)
{
	struct inotify *in = f->priv;
	struct watch_entry *w;

	if (inotify_check(f))
		return -EINVAL;
	mutex_lock(&in->r->mu);
	LIST_FOREACH(w, &in->watches, link)
		if (w->wd == wd)
			break;
	if (w)
		watch_end(w);
	mutex_unlock(&in->r->mu);
	reap(in);
	return w ? 0 : -EINVAL;
}

int inotify_create(struct vfs *v, int flags, const struct cred *c, struct file **out)
{
	struct inotify *in = calloc(1, sizeof(*in));
	int r;

	if (!in)
		return -ENOMEM;
	in->r = vfs_notify_priv(v);
	in->next_wd = 1;
	waitq_init(&in->wq);
	LIST_INIT(&in->watches);
	LIST_INIT(&in->dead);
	STAILQ_INIT(&in->events);
	r = file_new_anon(v, &inotify_ops, "inotify", 0600, flags | LINUX_O_RDONLY, c, in, out);
	if (r) {
		free(in);
		return r;
	}
	(*out)->wq = &in->wq;
	(*out)->mode |= FILE_STREAM | FILE_ASYNC;
	return 0;
}

int inotify_register(struct vfs *v)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	mutex_init(&r->mu, RANK_FILE);
	for (unsigned i = 0; i < BUCKETS; i++)
		LIST_INIT(&r->buckets[i]);
	vfs_notify_priv_set(v, r);
	vfs_add_notifier(v, (struct notifier){ .event = on_notify });
	return 0;
}
