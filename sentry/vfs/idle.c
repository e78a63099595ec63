/*
 * idle.c - records of which descriptors have nothing to read: idle.h.
 *
 * A table has the records of one address space, the first that wanted them, and a
 * watch for each descriptor that one was made for: a waiter on its file's queue,
 * which whoever tells that queue calls.  A watch goes when its descriptor does,
 * and so before the table lets go of the file.  Bounded by the platform's records.
 */
#include "vfs/idle.h"

#include "platform/platform.h"
#include "vfs/internal.h"

#include <stdlib.h>

struct idle_watch {
	struct waiter w;
	_Atomic uint16_t *record;
};

struct fd_idle {
	struct platform_records records; /* [I] */
	struct idle_watch *watch[]; /* [t->mu] */
};

/* On the thread that tells the queue. */
static void withdraw(struct waiter *w, uint32_t events)
{
	struct idle_watch *i = w->arg;

	if (atomic_load(i->record))
		atomic_store(i->record, 0);
}

static struct fd_idle *idle_new(struct platform_ctx *c)
{
	struct platform_records records;
	struct fd_idle *idle;

	if (!platform_records_get(c, &records))
		return NULL;
	idle = calloc(1, sizeof(*idle) + records.n * sizeof(idle->watch[0]));
	if (idle)
		idle->records = records;
	else
		platform_records_put(&records);
	return idle;
}

bool fdtable_idle_begin(struct fdtable *t, struct platform_ctx *c)
{
	struct fd_idle *idle;

	mutex_lock(&t->mu);
	if (!t->idle)
		t->idle = idle_new(c);
	idle = t->idle;
	mutex_unlock(&t->mu);
	return idle && platform_records_use(c, &idle->records);
}

static struct idle_watch *watch_new(struct file *f, _Atomic uint16_t *record)
{
	struct idle_watch *i = malloc(sizeof(*i));

	if (!i)
		return NULL;
	*i = (struct idle_watch){ .w = { .mask = EVENT_ALL, .early = true, .fn = withdraw, .arg = i }, .record = record };
	waitq_add(f->wq, &i->w);
	return i;
}

static bool note_locked(struct fdtable *t, unsigned fd, struct file *f, uint32_t events)
{
	struct fd_idle *idle = t->idle;

	if (!idle || fd >= idle->records.n || fd >= t->size || t->e[fd].file != f)
		return false;
	if (!idle->watch[fd])
		idle->watch[fd] = watch_new(f, &idle->records.at[fd]);
	if (!idle->watch[fd])
		return false;
	atomic_fetch_or(&idle->records.at[fd], (uint16_t)events);
	return true;
}

bool file_may_idle(const struct file *f, uint32_t events)
{
	return f->mode & FILE_TOUCHES && !(events & ~(IDLE_EVENTS | PLATFORM_EMPTY_SET));
}

bool fdtable_idle_note(struct fdtable *t, int fd, struct file *f, uint32_t events)
{
	bool done;

	if (fd < 0 || !file_may_idle(f, events))
		return false;
	mutex_lock(&t->mu);
	done = note_locked(t, (unsigned)fd, f, events);
	mutex_unlock(&t->mu);
	return done;
}

void fdtable_idle_not(struct fdtable *t, int fd)
{
	mutex_lock(&t->mu);
	if (t->idle && fd >= 0 && (unsigned)fd < t->idle->records.n)
		atomic_store(&t->idle->records.at[fd], 0);
	mutex_unlock(&t->mu);
}

void idle_drop_locked(struct fdtable *t, unsigned fd)
{
	struct fd_idle *idle = t->idle;

	if (!idle || fd >= idle->records.n || !idle->watch[fd])
		return;
	atomic_store(&idle->records.at[fd], 0);
	waitq_del(&idle->watch[fd]->w);
	free(idle->watch[fd]);
	idle->watch[fd] = NULL;
}

void fdtable_idle_end(struct fdtable *t)
{
	struct fd_idle *idle;

	mutex_lock(&t->mu);
	for (unsigned fd = 0; t->idle && fd < t->size; fd++)
		idle_drop_locked(t, fd);
	idle = t->idle;
	t->idle = NULL;
	mutex_unlock(&t->mu);
	if (!idle)
		return;
	platform_records_put(&idle->records);
	free(idle);
}
