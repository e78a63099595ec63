/*
 * aio.c - contexts of asynchronous input and output (see aio.h; fs/aio.c).
 *
 * The ring is program memory: its head is the program's to move, all else in it is
 * only written here, and what counts (tail, length) is kept outside.  A ring that the
 * program has unmapped or protected loses events, its own.
 */
#include "kernel/aio.h"

#include "abi/mman.h"
#include "kernel/task.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

struct aio_ctx {
	struct ref ref;
	LIST_ENTRY(aio_ctx) link; /* [contexts->mu] */
	struct kernel *k; /* [I] */
	struct mm *mm; /* [I] borrowed: whoever has a context runs there */
	uint64_t id, size; /* [I] the ring's place */
	unsigned asked; /* [I] requests, as counted for aio-max-nr */
	unsigned nr; /* [I] events the ring has room for */
	struct mutex mu; /* RANK_FILE */
	struct waitq wq;
	unsigned tail; /* [mu] */
	unsigned reserved; /* [mu] */
	bool dead; /* [mu] */
};

/* An address space's: mm_companion. */
struct contexts {
	struct mm_companion hook;
	struct mutex mu; /* RANK_LEAF */
	LIST_HEAD(, aio_ctx) list; /* [mu] each holds a reference */
};

void aio_put(struct aio_ctx *c)
{
	if (!ref_put(&c->ref))
		return;
	atomic_fetch_sub(&c->k->aio_nr, c->asked);
	waitq_destroy(&c->wq);
	mutex_destroy(&c->mu);
	free(c);
}

/* --- an address space's contexts ---------------------------------------------------- */

static void contexts_gone(struct mm_companion *hook)
{
	struct contexts *all = (struct contexts *)hook;
	struct aio_ctx *c;

	while ((c = LIST_FIRST(&all->list))) {
		LIST_REMOVE(c, link);
		aio_put(c);
	}
	mutex_destroy(&all->mu);
	free(all);
}

static struct contexts *contexts_of(struct mm *mm)
{
	struct mm_companion *was = mm_companion(mm);
	struct contexts *all;

	if (was)
		return (struct contexts *)was;
	all = calloc(1, sizeof(*all));
	if (!all)
		return NULL;
	all->hook.gone = contexts_gone;
	mutex_init(&all->mu, RANK_LEAF);
	LIST_INIT(&all->list);
	was = mm_companion_set(mm, &all->hook);
	if (was == &all->hook)
		return all;
	mutex_destroy(&all->mu);
	free(all);
	return (struct contexts *)was;
}

/* Borrowed; all->mu held. */
static struct aio_ctx *find_locked(struct contexts *all, uint64_t id)
{
	struct aio_ctx *c;

	LIST_FOREACH(c, &all->list, link)
		if (c->id == id)
			return c;
	return NULL;
}

struct aio_ctx *aio_find(struct task *t, uint64_t id)
{
	struct contexts *all = (struct contexts *)mm_companion(t->mm);
	struct aio_ctx *c;

	if (!all)
		return NULL;
	mutex_lock(&all->mu);
	c = find_locked(all, id);
	if (c)
		ref_get(&c->ref);
	mutex_unlock(&all->mu);
	return c;
}

/* --- the ring ------------------------------------------------------------------------- */

static uaddr event_at(const struct aio_ctx *c, unsigned i)
{
	return UADDR(c->id + sizeof(struct linux_aio_ring) + i * sizeof(struct linux_io_event));
}

/* Where the program (or aio_take) takes the next from. -EFAULT */
static int read_head(const struct aio_ctx *c, unsigned *head)
{
	uint32_t v;

	if (copy_from_user(c->mm, &v, UADDR(c->id + offsetof(struct linux_aio_ring, head)), sizeof(v)))
		return -EFAULT;
	*head = v % c->nr;
	return 0;
}

static int write_index(const struct aio_ctx *c, size_t field, uint32_t v)
{
	return copy_to_user(c->mm, UADDR(c->id + field), &v, sizeof(v));
}

static unsigned waiting(const struct aio_ctx *c, unsigned head)
{
	return (c->tail + c->nr - head) % c->nr;
}

int aio_reserve(struct aio_ctx *c)
{
	unsigned head;
	int r = 0;

	mutex_lock(&c->mu);
	if (c->dead || read_head(c, &head))
		r = -EINVAL;
	else if (waiting(c, head) + c->reserved >= c->nr - 1)
		r = -EAGAIN;
	else
		c->reserved++;
	mutex_unlock(&c->mu);
	return r;
}

void aio_unreserve(struct aio_ctx *c)
{
	mutex_lock(&c->mu);
	c->reserved--;
	mutex_unlock(&c->mu);
}

void aio_complete(struct aio_ctx *c, const struct linux_io_event *e)
{
	mutex_lock(&c->mu);
	c->reserved--;
	if (!c->dead && !copy_to_user(c->mm, event_at(c, c->tail), e, sizeof(*e))) {
		c->tail = (c->tail + 1) % c->nr;
		(void)write_index(c, offsetof(struct linux_aio_ring, tail), c->tail);
	}
	mutex_unlock(&c->mu);
	waitq_wake(&c->wq, EVENT_IN);
}

/* Moves events from the ring; c->mu held. How many, or -EFAULT. */
static int64_t take_some(struct aio_ctx *c, unsigned from, unsigned max, aio_put_fn *put, void *arg)
{
	struct linux_io_event e;
	unsigned head, n = 0;

	if (read_head(c, &head))
		return -EFAULT;
	while (from + n < max && head != c->tail) {
		if (copy_from_user(c->mm, &e, event_at(c, head), sizeof(e)) || put(arg, from + n, &e))
			break;
		head = (head + 1) % c->nr;
		n++;
	}
	if (!n)
		return head != c->tail && from < max ? -EFAULT : 0;
	return write_index(c, offsetof(struct linux_aio_ring, head), head) ? -EFAULT : (int64_t)n;
}

int64_t aio_take(struct aio_ctx *c, unsigned min, unsigned max, int64_t deadline, aio_put_fn *put, void *arg)
{
	struct waiter w;
	unsigned done = 0;
	int64_t r;
	int slept = 0;

	wait_begin(&w, &c->wq, EVENT_IN);
	for (;;) {
		mutex_lock(&c->mu);
		r = c->dead ? -EINVAL : take_some(c, done, max, put, arg);
		mutex_unlock(&c->mu);
		if (r < 0)
			break;
		done += (unsigned)r;
		if (done >= min || slept || !deadline)
			break;
		slept = wait_sleep(deadline);
	}
	wait_end(&w);
	if (done)
		return done;
	return r < 0 ? r : slept == -ETIMEDOUT ? 0 : slept;
}

/* --- setting up ---------------------------------------------------------------------------- */

/* Maps a ring for at least nr events and writes its beginning. */
static int map_ring(struct task *t, struct aio_ctx *c, unsigned nr)
{
	struct linux_aio_ring head = { .magic = LINUX_AIO_RING_MAGIC, .compat = 1, .header_length = sizeof(head) };
	struct mm_mmap m = { .prot = LINUX_PROT_READ | LINUX_PROT_WRITE, .flags = LINUX_MAP_SHARED, .max_prot = 3, .name = "/[aio] (deleted)" };
	int64_t r;

	m.len = PAGE_UP(sizeof(head) + (nr + 2) * sizeof(struct linux_io_event));
	m.obj = memobj_anon_new(&t->k->mm_env, m.len);
	if (!m.obj)
		return -ENOMEM;
	r = mm_mmap(t->mm, &m);
	memobj_put(m.obj);
	if (r < 0)
		return (int)r;
	c->id = (uint64_t)r;
	c->size = m.len;
	head.nr = c->nr = (unsigned)((m.len - sizeof(head)) / sizeof(struct linux_io_event));
	r = copy_to_user(t->mm, UADDR(c->id), &head, sizeof(head));
	if (r)
		mm_munmap(t->mm, c->id, c->size);
	return (int)r;
}

static struct aio_ctx *ctx_new(struct task *t, unsigned nr)
{
	struct aio_ctx *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	ref_init(&c->ref);
	c->k = t->k;
	c->mm = t->mm;
	c->asked = nr;
	mutex_init(&c->mu, RANK_FILE);
	waitq_init(&c->wq);
	return c;
}

int aio_setup(struct task *t, unsigned nr, uint64_t *id)
{
	unsigned room = nr < t->k->cpus * 4 ? t->k->cpus * 4 : nr;
	struct contexts *all = contexts_of(t->mm);
	struct aio_ctx *c;
	int r;

	if (nr > 0x10000000u / sizeof(struct linux_io_event))
		return -EINVAL;
	if (!all)
		return -ENOMEM;
	if (nr > LINUX_AIO_MAX_NR || atomic_fetch_add(&t->k->aio_nr, nr) > LINUX_AIO_MAX_NR - nr) {
		if (nr <= LINUX_AIO_MAX_NR)
			atomic_fetch_sub(&t->k->aio_nr, nr);
		return -EAGAIN;
	}
	c = ctx_new(t, nr);
	if (!c) {
		atomic_fetch_sub(&t->k->aio_nr, nr);
		return -ENOMEM;
	}
	r = map_ring(t, c, room * 2);
	if (r) {
		aio_put(c);
		return r;
	}
	*id = c->id;
	mutex_lock(&all->mu);
	LIST_INSERT_HEAD(&all->list, c, link);
	mutex_unlock(&all->mu);
	return 0;
}

int aio_destroy(struct task *t, uint64_t id)
{
	struct contexts *all = (struct contexts *)mm_companion(t->mm);
	struct aio_ctx *c;

	if (!all)
		return -EINVAL;
	mutex_lock(&all->mu);
	c = find_locked(all, id);
	if (c)
		LIST_REMOVE(c, link);
	mutex_unlock(&all->mu);
	if (!c)
		return -EINVAL;
	mutex_lock(&c->mu);
	c->dead = true;
	mutex_unlock(&c->mu);
	waitq_wake(&c->wq, EVENT_IN);
	mm_munmap(t->mm, c->id, c->size);
	aio_put(c);
	return 0;
}
