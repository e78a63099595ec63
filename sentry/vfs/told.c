/*
 * told.c - files that programs may look at without asking: told.h.
 *
 * An inode knows the one task that was told of it last.  Any thread; the inode's a_mu
 * guards who that is, and whether what it was told still holds.  A change is made
 * before i->told is looked at, and i->told is set before attributes are: one of the two
 * sees the other.
 */
#include "vfs/told.h"

#include "vfs/named.h"

#include <x86intrin.h>

#define PATIENCE_FIRST 2u
#define PATIENCE_MOST 64u

/* i->a_mu is held. */
static void end_locked(struct inode *i)
{
	struct told *t = atomic_load(&i->told);

	if (!t)
		return;
	t->broken = true;
	if (t->word)
		atomic_store(t->word, 0);
	atomic_store(&i->told, NULL);
}

void inode_changed_slowly(struct inode *i)
{
	if (atomic_exchange(&i->named, false))
		names_changed(i->sb->vfs);
	mutex_lock(&i->a_mu);
	end_locked(i);
	mutex_unlock(&i->a_mu);
}

void told_begin(struct told *t, struct file *f, int fd)
{
	struct inode *i = f->inode;

	told_drop(t);
	t->file = f;
	t->fd = fd;
	t->size = 0;
	t->broken = false;
	mutex_lock(&i->a_mu);
	end_locked(i);
	atomic_store(&i->told, t);
	mutex_unlock(&i->a_mu);
}

void told_end(struct told *t, _Atomic uint64_t *word, uint64_t until)
{
	struct inode *i = t->file->inode;

	mutex_lock(&i->a_mu);
	if (!t->broken) {
		t->word = word;
		atomic_store(word, until);
	}
	mutex_unlock(&i->a_mu);
}

bool told_holds(const struct told *t)
{
	return t->word && atomic_load(t->word) > __rdtsc();
}

void told_drop_slowly(struct told *t)
{
	struct inode *i = t->file->inode;

	window_end(&t->window);
	mutex_lock(&i->a_mu);
	if (atomic_load(&i->told) == t)
		end_locked(i);
	mutex_unlock(&i->a_mu);
	t->file = NULL;
	t->word = NULL;
}

bool told_is_wanted(struct told *t, const struct file *f, int64_t at)
{
	if (t->asked != f || t->asked_at != at) {
		t->asked = f;
		t->asked_at = at;
		t->asked_n = 0;
		t->patience = PATIENCE_FIRST;
	}
	if (++t->asked_n < t->patience)
		return false;
	t->asked_n = 0;
	t->patience = t->patience < PATIENCE_MOST ? 2 * t->patience : PATIENCE_MOST;
	return true;
}
