/*
 * fdtable.c - descriptor tables.  The lock (RANK_FDTABLE) is held only to look up or
 * change an entry; files are flushed and put outside it.
 */
#include "vfs/idle.h"
#include "vfs/internal.h"

#include <stdlib.h>
#include <string.h>

#define FDS_MAX (1u << 20)

struct fdtable *fdtable_new(void)
{
	struct fdtable *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	ref_init(&t->ref);
	mutex_init(&t->mu, RANK_FDTABLE);
	t->size = 16;
	t->e = calloc(t->size, sizeof(*t->e));
	if (!t->e) {
		free(t);
		return NULL;
	}
	return t;
}

struct fdtable *fdtable_dup(struct fdtable *old)
{
	struct fdtable *t = fdtable_new();
	struct fd_entry *e;

	if (!t)
		return NULL;
	mutex_lock(&old->mu);
	e = calloc(old->size, sizeof(*e));
	if (e) {
		free(t->e);
		t->e = e;
		t->size = old->size;
		t->first_free = old->first_free;
		memcpy(e, old->e, old->size * sizeof(*e));
		for (unsigned i = 0; i < t->size; i++)
			if (e[i].file)
				file_get(e[i].file);
	}
	mutex_unlock(&old->mu);
	if (!e) {
		free(t->e);
		free(t);
		return NULL;
	}
	return t;
}

void fdtable_get_table(struct fdtable *t) { ref_get(&t->ref); }

bool fdtable_is_shared(const struct fdtable *t) { return ref_count(&t->ref) > 1; }

/* A descriptor is gone from the table. */
static void closed(struct fdtable *t, struct file *f, void *lock_owner)
{
	if (f->ops->flush)
		f->ops->flush(f);
	if (f->inode->locks)
		locks_release_owner(f->inode, lock_owner ? lock_owner : t);
	if (f->inode->watches)
		notify_closed_slow(f, t);
	file_put(f);
}

void fdtable_put_table(struct fdtable *t)
{
	if (!t || !ref_put(&t->ref))
		return;
	fdtable_idle_end(t);
	for (unsigned i = 0; i < t->size; i++)
		if (t->e[i].file)
			closed(t, t->e[i].file, NULL);
	mutex_destroy(&t->mu);
	free(t->e);
	free(t);
}

struct file *fd_get(struct fdtable *t, int fd)
{
	struct file *f = NULL;

	mutex_lock(&t->mu);
	if (fd >= 0 && (unsigned)fd < t->size && (f = t->e[fd].file))
		file_get(f);
	mutex_unlock(&t->mu);
	return f;
}

struct file *fd_get_io(struct fdtable *t, int fd)
{
	struct file *f = fd_get(t, fd);

	if (f && f->mode & FILE_PATH) {
		file_put(f);
		return NULL;
	}
	return f;
}

struct fd_loan fd_borrow(struct fdtable *t, int fd)
{
	struct fd_loan l = { 0 };

	/* others who come meanwhile only look, until our call has ended */
	if (atomic_load_explicit(&t->ref.n, memory_order_acquire) == 1) {
		if (fd >= 0 && (unsigned)fd < t->size)
			l.file = t->e[fd].file;
		return l;
	}
	l.file = fd_get(t, fd);
	l.referenced = l.file;
	return l;
}

static int grow(struct fdtable *t, unsigned need)
{
	unsigned n = t->size;
	struct fd_entry *e;

	while (n < need)
		n *= 2;
	e = reallocarray(t->e, n, sizeof(*e));
	if (!e)
		return -ENOMEM;
	memset(e + t->size, 0, (n - t->size) * sizeof(*e));
	t->e = e;
	t->size = n;
	return 0;
}

int fd_install(struct fdtable *t, struct file *f, int min, bool cloexec, uint64_t limit)
{
	unsigned fd;
	int r = 0;

	if (limit > FDS_MAX)
		limit = FDS_MAX;
	if (min < 0 || (uint64_t)min >= limit)
		return min ? -EINVAL : -EMFILE;
	mutex_lock(&t->mu);
	fd = (unsigned)min > t->first_free ? (unsigned)min : t->first_free;
	while (fd < t->size && t->e[fd].file)
		fd++;
	if (fd >= limit)
		r = -EMFILE;
	else if (fd >= t->size)
		r = grow(t, fd + 1);
	if (!r) {
		t->e[fd] = (struct fd_entry){ f, cloexec };
		if ((unsigned)min <= t->first_free)
			t->first_free = fd + 1;
		r = (int)fd;
	}
	mutex_unlock(&t->mu);
	return r;
}

int fd_install_at(struct fdtable *t, int fd, struct file *f, bool cloexec, uint64_t limit)
{
	struct file *old = NULL;
	int r = 0;

	if (fd < 0 || (uint64_t)fd >= (limit < FDS_MAX ? limit : FDS_MAX))
		return -EBADF;
	mutex_lock(&t->mu);
	if ((unsigned)fd >= t->size)
		r = grow(t, (unsigned)fd + 1);
	if (!r) {
		old = t->e[fd].file;
		idle_drop_locked(t, (unsigned)fd);
		t->e[fd] = (struct fd_entry){ f, cloexec };
	}
	mutex_unlock(&t->mu);
	if (old)
		closed(t, old, NULL);
	return r ? r : fd;
}

static struct file *take(struct fdtable *t, unsigned fd)
{
	struct file *f = t->e[fd].file;

	idle_drop_locked(t, fd);
	t->e[fd] = (struct fd_entry){ NULL, false };
	if (fd < t->first_free)
		t->first_free = fd;
	return f;
}

int fd_close_one(struct fdtable *t, int fd, void *lock_owner)
{
	struct file *f = NULL;

	mutex_lock(&t->mu);
	if (fd >= 0 && (unsigned)fd < t->size)
		f = take(t, (unsigned)fd);
	mutex_unlock(&t->mu);
	if (!f)
		return -EBADF;
	closed(t, f, lock_owner);
	return 0;
}

int fd_close_range(struct fdtable *t, unsigned first, unsigned last, bool cloexec_only)
{
	if (first > last)
		return -EINVAL;
	for (unsigned fd = first; fd <= last; fd++) {
		struct file *f = NULL;
		bool end;

		mutex_lock(&t->mu);
		end = fd >= t->size;
		if (!end && cloexec_only)
			t->e[fd].cloexec = t->e[fd].file;
		else if (!end)
			f = take(t, fd);
		mutex_unlock(&t->mu);
		if (end)
			break;
		if (f)
			closed(t, f, NULL);
	}
	return 0;
}

int fd_get_cloexec(struct fdtable *t, int fd)
{
	int r = -EBADF;

	mutex_lock(&t->mu);
	if (fd >= 0 && (unsigned)fd < t->size && t->e[fd].file)
		r = t->e[fd].cloexec;
	mutex_unlock(&t->mu);
	return r;
}

int fd_set_cloexec(struct fdtable *t, int fd, bool on)
{
	int r = -EBADF;

	mutex_lock(&t->mu);
	if (fd >= 0 && (unsigned)fd < t->size && t->e[fd].file) {
		t->e[fd].cloexec = on;
		r = 0;
	}
	mutex_unlock(&t->mu);
	return r;
}

void fdtable_exec(struct fdtable *t)
{
	for (unsigned fd = 0;; fd++) {
		struct file *f = NULL;
		bool end;

		mutex_lock(&t->mu);
		end = fd >= t->size;
		if (!end && t->e[fd].file && t->e[fd].cloexec)
			f = take(t, fd);
		mutex_unlock(&t->mu);
		if (end)
			return;
		if (f)
			closed(t, f, NULL);
	}
}

int fdtable_next(struct fdtable *t, int from)
{
	int r = -1;

	mutex_lock(&t->mu);
	for (unsigned fd = from < 0 ? 0 : (unsigned)from; fd < t->size; fd++)
		if (t->e[fd].file) {
			r = (int)fd;
			break;
		}
	mutex_unlock(&t->mu);
	return r;
}
