/*
 * reading.c - see reading.h.
 *
 * Two habits are looked for.  A program that reads the files it opens is shown the next one
 * when it opens it: whole, if it is small.  One that reads a file on and on is shown what comes
 * next, when it asks.  Either is shown less when it does not look.
 *
 * To be shown a part is no access to the file that others could see: where a read would change
 * the time of access, or somebody is to be told of it, the program has to ask.
 */
#include "syscalls/reading.h"

#include "kernel/task_table.h"
#include "platform/platform.h"
#include "vfs/notify.h"

_Static_assert(WINDOW_VALID == PLATFORM_RING_VALID, "a window's word is a ring's");

#define SURE 3u /* files read one after the other */
#define SURE_MOST 8u
#define UNREAD_COSTS 2u
#define ON_END 2u /* reads of one file */
#define LONG (PLATFORM_WINDOW_SIZE / 2) /* a read of more is made without */
#define FIRST_READS 4u /* so many reads like the last are shown first */
#define SKIP_MOST 64u

/* Did the program look at what it was shown last? */
static void judge(struct task *t)
{
	struct reading *r = &t->reading;
	bool looked = t->told.window.moved;

	if (r->shown == READING_BEGUN) {
		if (looked)
			r->sure += r->sure < SURE_MOST;
		else
			r->sure -= r->sure < UNREAD_COSTS ? r->sure : UNREAD_COSTS;
	} else if (r->shown == READING_NEXT) {
		if (looked)
			r->skips = 0;
		else
			r->skip = r->skips = r->skips < SKIP_MOST / 2 ? 2 * r->skips + 1 : SKIP_MOST;
	}
	r->shown = READING_NONE;
}

/* How many bytes it could read there now, up to len. */
static unsigned bring(struct task *t, struct file *f, int64_t from, unsigned len)
{
	uint8_t *to = platform_window(t->ctx);
	ssize_t n;

	if (!to) { /* that takes time, too */
		t->reading.sure = 0;
		t->reading.skip = SKIP_MOST;
		return 0;
	}
	if (file_access_is_due(f) || notify_is_wanted(f->path.dentry))
		return 0;
	n = file_read_kernel(f, to, len, from);
	if (n <= 0)
		return 0;
	t->lent = true; /* its reads are to be counted */
	return (unsigned)n;
}

/* How many it is shown. */
static unsigned show(struct task *t, struct file *f, int64_t from, unsigned len, _Atomic uint64_t **moves)
{
	struct platform_window w = { .from = from, .len = bring(t, f, from, len) };

	if (!w.len)
		return 0;
	w.ends = t->told.size && (uint64_t)from + w.len >= t->told.size;
	*moves = platform_window_show(t->ctx, &w);
	return w.len;
}

static void show_next(struct task *t, struct file *f, uint64_t len, enum reading_shown what)
{
	int64_t from = f->pos;
	_Atomic uint64_t *moves;

	window_end(&t->told.window);
	len = show(t, f, from, len < PLATFORM_WINDOW_SIZE ? (unsigned)len : PLATFORM_WINDOW_SIZE, &moves);
	if (!len)
		return;
	window_begin(&t->told.window, f, moves, from, (unsigned)len);
	t->reading.shown = what;
}

void reading_opened(struct task *t, struct file *f)
{
	struct reading *r = &t->reading;
	uint64_t size = t->told.size;

	judge(t);
	if (r->opened && r->sure)
		r->sure--; /* that was not read */
	r->opened = NULL;
	if (!size || !(f->mode & FILE_READ) || (size > PLATFORM_WINDOW_SIZE && r->n > LONG))
		return;
	if (r->sure >= SURE)
		show_next(t, f, size, READING_BEGUN);
	else
		r->opened = f;
}

bool reading_goes_on(struct task *t, struct file *f, uint64_t n, int64_t got, int64_t pos)
{
	struct reading *r = &t->reading;
	int64_t from;

	if (got <= 0 || pos < got) /* below 0: positions of memory, which have no sign */
		return false;
	from = pos - got;
	if (r->shown == READING_BEGUN && t->told.window.file == f && t->told.window.moved) { /* and so on */
		r->file = f;
		r->next = from;
		r->on_end = ON_END;
	}
	judge(t);
	if (r->opened == f) {
		r->opened = NULL;
		r->sure += r->sure < SURE_MOST;
	}
	if (r->file != f || from < r->next || from - r->next > (int64_t)PLATFORM_WINDOW_SIZE)
		r->on_end = 0;
	r->on_end++;
	r->file = f;
	r->next = pos;
	r->n = n;
	if (r->on_end < ON_END || n > LONG || (uint64_t)got < n)
		return false;
	if (!r->skip)
		return true;
	r->skip--;
	return false;
}

void reading_show(struct task *t, struct file *f)
{
	const struct reading *r = &t->reading;
	uint64_t len = r->on_end == ON_END ? r->n * FIRST_READS : PLATFORM_WINDOW_SIZE;

	if ((uint64_t)f->pos < t->told.size)
		show_next(t, f, len, READING_NEXT);
}

void reading_show_at(struct task *t, struct file *f, int64_t from, unsigned len)
{
	_Atomic uint64_t *moves;

	(void)show(t, f, from, len, &moves);
}
