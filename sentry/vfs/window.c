/*
 * window.c - see window.h.
 */
#include "vfs/window.h"

#include "vfs/file.h"

void window_init(struct window *w)
{
	mutex_init(&w->mu, RANK_LEAF);
}

void window_destroy(struct window *w)
{
	mutex_destroy(&w->mu);
}

void window_begin(struct window *w, struct file *f, _Atomic uint64_t *moves, int64_t from, unsigned len)
{
	mutex_lock(&w->mu);
	w->file = f;
	w->moves = moves;
	w->from = from;
	w->len = len;
	w->moved = false;
	mutex_unlock(&w->mu);
}

void window_open_slowly(struct window *w)
{
	mutex_lock(&w->mu);
	if (w->moves && w->file->pos >= w->from && w->file->pos - w->from <= w->len)
		atomic_store(w->moves, WINDOW_VALID | (uint64_t)(w->file->pos - w->from));
	mutex_unlock(&w->mu);
}

int64_t window_position(struct window *w, const struct file *f)
{
	int64_t pos;
	uint64_t v;

	mutex_lock(&w->mu); /* while it is held nobody settles */
	pos = __atomic_load_n(&f->pos, __ATOMIC_RELAXED);
	v = w->file == f && w->moves ? atomic_load(w->moves) : 0;
	if (v & WINDOW_VALID && (uint32_t)v <= w->len)
		pos = w->from + (int64_t)(uint32_t)v;
	mutex_unlock(&w->mu);
	return pos;
}

/* w->mu and w->file->pos_mu are held.  The program asks from now on.  Whether it has read there. */
static bool settle_locked(struct window *w)
{
	uint64_t v = w->moves ? atomic_exchange(w->moves, 0) : 0;
	int64_t pos = w->from + (int64_t)(uint32_t)v;

	if (!(v & WINDOW_VALID) || (uint32_t)v > w->len || pos == w->file->pos)
		return false;
	w->file->pos = pos;
	return true;
}

void window_settle_slowly(struct window *w)
{
	mutex_lock(&w->file->pos_mu);
	mutex_lock(&w->mu);
	w->moved |= settle_locked(w);
	mutex_unlock(&w->mu);
	mutex_unlock(&w->file->pos_mu);
}

void window_end(struct window *w)
{
	if (!w->file)
		return;
	window_settle_slowly(w);
	mutex_lock(&w->mu);
	w->file = NULL;
	w->moves = NULL;
	mutex_unlock(&w->mu);
}

void window_settle_other(struct window *w, struct file *f)
{
	mutex_lock(&f->pos_mu);
	mutex_lock(&w->mu);
	if (w->file == f) {
		(void)settle_locked(w);
		w->moves = NULL;
	}
	mutex_unlock(&w->mu);
	mutex_unlock(&f->pos_mu);
}
