/*
 * peek.c - strings and small structs of programs often lie in their files' pages
 * (constants: the names they open, stat and execute).  A page that is read again and again is
 * mapped, so that the next copies cost no system call.
 *
 * One window an address space.  It is made when the same WINDOW of a file was read
 * WANTED times in a row, so that a program which reads all over the place pays for
 * no mappings.  The mapping is the file's own pages (not a copy): a file that shrinks
 * meanwhile faults, which safe_copy tells, and the caller reads in the other way.
 */
#include "mm/peek.h"

#include "mm/mm_internal.h"
#include "mm/usercopy.h"

#include <sys/mman.h>

#define WINDOW (UINT64_C(64) << 10)
#define WANTED 12u /* so many reads cost what making a window, and ending it, do */

static struct memobj *forget(struct peek *k)
{
	struct memobj *obj = k->obj;

	if (k->map)
		munmap(k->map, WINDOW);
	k->map = NULL;
	k->obj = NULL;
	return obj;
}

/* Worth mapping by now? */
static bool wanted(struct peek *k, int fd, uint64_t off)
{
	if (k->want_fd != fd || k->want_off != off)
		k->wanted = 0;
	k->want_fd = fd;
	k->want_off = off;
	return ++k->wanted >= WANTED;
}

static bool open_window(struct mm *mm, const struct pma *p, uint64_t addr, uint64_t off, struct memobj **gone)
{
	struct peek *k = &mm->peek;
	struct vma *v = vma_at(mm, addr);
	void *map;

	/* an object that is not counted by itself could not be kept */
	if (!v || !v->obj || !v->obj->ops->release)
		return false;
	map = mmap(NULL, WINDOW, PROT_READ, MAP_SHARED, p->fd, (off_t)off);
	if (map == MAP_FAILED)
		return false;
	*gone = forget(k);
	memobj_get(v->obj);
	k->obj = v->obj;
	k->map = map;
	k->off = off;
	k->fd = p->fd;
	k->wanted = 0;
	return true;
}

bool peek_copy(struct mm *mm, const struct pma *p, uint64_t addr, void *buf, size_t n, struct memobj **gone)
{
	struct peek *k = &mm->peek;
	uint64_t at = p->off + (addr - p->start), off = at & ~(WINDOW - 1);

	if (at - off + n > WINDOW)
		return false;
	if (!k->map || k->fd != p->fd || k->off != off)
		if (!wanted(k, p->fd, off) || !open_window(mm, p, addr, off, gone))
			return false;
	return safe_copy(buf, k->map + (at - off), n) == n;
}

struct memobj *peek_end(struct mm *mm) { return forget(&mm->peek); }
