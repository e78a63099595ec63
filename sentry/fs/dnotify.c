/*
 * dnotify.c - who is told of changes in directories by signals (see dnotify.h).
 *
 * A request belongs to an open file and to the descriptor table by which it was made, and
 * ends when that closes any descriptor of the file: it needs no reference.  Those of one
 * inode are in one bucket, and [mu] guards all of them.  The notifier runs on the thread that
 * changed something, perhaps with directory locks held; it only notes the signal.
 */
#include "fs/dnotify.h"

#include "abi/fcntl.h"
#include "kernel/sigio.h"
#include "kernel/task.h"
#include "vfs/file.h"
#include "vfs/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#define BUCKETS 64

struct request { /* all [mu] but [I] */
	LIST_ENTRY(request) link;
	struct file *file; /* [I] not referenced */
	const struct fdtable *owner; /* [I] only compared */
	uint32_t events; /* NOTIFY_* */
	int fd;
	bool again; /* it stays after the first */
};
LIST_HEAD(request_list, request);

struct dnotify {
	struct mutex mu; /* RANK_FILE */
	struct request_list buckets[BUCKETS]; /* [mu] */
};

static struct request_list *bucket_of(struct dnotify *d, const struct inode *i)
{
	return &d->buckets[((uintptr_t)i >> 6) % BUCKETS];
}

static struct dnotify *of_inode(const struct inode *i)
{
	return vfs_kernel(i->sb->vfs)->dnotify;
}

/* d->mu held. */
static void end(struct request *q)
{
	LIST_REMOVE(q, link);
	q->file->inode->watches--;
	free(q);
}

static void on_notify(struct inode *i, uint32_t event, const char *name, uint32_t cookie)
{
	struct dnotify *d = of_inode(i);
	struct request *q, *next;

	mutex_lock(&d->mu);
	for (q = LIST_FIRST(bucket_of(d, i)); q; q = next) {
		next = LIST_NEXT(q, link);
		if (q->file->inode != i || !(q->events & event))
			continue;
		sigio_message(q->file, q->fd);
		if (!q->again)
			end(q);
	}
	mutex_unlock(&d->mu);
}

void dnotify_remove(struct file *f, const struct fdtable *owner)
{
	struct dnotify *d = of_inode(f->inode);
	struct request *q, *next;

	mutex_lock(&d->mu);
	for (q = LIST_FIRST(bucket_of(d, f->inode)); q; q = next) {
		next = LIST_NEXT(q, link);
		if (q->file == f && (!owner || q->owner == owner))
			end(q);
	}
	mutex_unlock(&d->mu);
}

static uint32_t events_of(uint32_t arg)
{
	static const struct {
		uint32_t arg, events;
	} words[] = {
		{ LINUX_DN_ACCESS, NOTIFY_ACCESS },
		{ LINUX_DN_MODIFY, NOTIFY_MODIFY },
		{ LINUX_DN_CREATE, NOTIFY_CREATE | NOTIFY_MOVED_TO },
		{ LINUX_DN_DELETE, NOTIFY_DELETE | NOTIFY_MOVED_FROM },
		{ LINUX_DN_RENAME, NOTIFY_RENAME },
		{ LINUX_DN_ATTRIB, NOTIFY_ATTRIB },
	};
	uint32_t events = 0;

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (arg & words[i].arg)
			events |= words[i].events;
	return events;
}

/* d->mu held. */
static struct request *find(struct dnotify *d, const struct file *f, const struct fdtable *owner)
{
	struct request *q;

	LIST_FOREACH(q, bucket_of(d, f->inode), link)
		if (q->file == f && q->owner == owner)
			return q;
	return NULL;
}

int dnotify_add(struct task *t, struct file *f, int fd, uint32_t arg)
{
	struct dnotify *d = t->k->dnotify;
	struct request *q, *fresh;

	if (sigio_expect(t, f))
		return -ENOMEM;
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	mutex_lock(&d->mu);
	q = find(d, f, t->files);
	if (!q) {
		q = fresh;
		fresh = NULL;
		q->file = f;
		q->owner = t->files;
		LIST_INSERT_HEAD(bucket_of(d, f->inode), q, link);
		f->inode->watches++;
	}
	q->fd = fd;
	q->events |= events_of(arg);
	q->again |= (arg & LINUX_DN_MULTISHOT) != 0;
	mutex_unlock(&d->mu);
	free(fresh);
	return 0;
}

int dnotify_register(struct kernel *k)
{
	struct dnotify *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	mutex_init(&d->mu, RANK_FILE);
	for (unsigned i = 0; i < BUCKETS; i++)
		LIST_INIT(&d->buckets[i]);
	k->dnotify = d;
	vfs_add_notifier(k->vfs, (struct notifier){ .event = on_notify, .closed = dnotify_remove });
	return 0;
}
