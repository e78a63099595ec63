/*
 * usercopy.c - copying between kernel and program memory.
 *
 * Any thread.  A copy holds mm->mu for one record's bytes (at most COPY_MAX) at
 * a time: look the record up, copy, let go.  Memory of the memory file is
 * reached through the sentry's own mapping of it; a host file's pages through
 * pread (or a kept mapping: peek.c), or, for stores and atomic words, through a mapping made for the moment
 * (a store by pwrite could lengthen the file).
 */
#include "mm/usercopy.h"

#include "mm/mm_internal.h"
#include "mm/safe_copy.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COPY_MAX (UINT64_C(128) << 10)

/* The record that permits the access at addr. force: protections do not count,
 * but a shared mapping that may not be written stays so. */
static int access_page(struct mm *mm, uint64_t addr, bool write, bool force, struct pma **out)
{
	struct pma *p = pma_at(mm, addr);
	struct vma *v;
	int e;

	if (p && (write ? (p->prot & LINUX_PROT_WRITE) && !p->cow && !p->ro : p->prot != LINUX_PROT_NONE)) {
		*out = p;
		return 0;
	}
	v = vma_for_access(mm, addr);
	if (!v)
		return -EFAULT;
	if (force ? write && (v->flags & VMA_SHARED) && !(v->prot & LINUX_PROT_WRITE) :
		    (write ? !(v->prot & LINUX_PROT_WRITE) : v->prot == LINUX_PROT_NONE))
		return -EFAULT;
	e = page_get(mm, v, addr, write, out);
	return e ? -EFAULT : 0;
}

/* Maps the pages of host file record p around addr here. NULL: no memory. The
 * bytes at addr are at the result. */
static uint8_t *window(const struct pma *p, uint64_t addr, uint64_t n, void **map, size_t *map_len)
{
	uint64_t page = PAGE_DOWN(addr);
	int prot = PROT_READ | (p->prot & LINUX_PROT_WRITE ? PROT_WRITE : 0);

	*map_len = PAGE_UP(addr + n) - page;
	*map = mmap(NULL, *map_len, prot, MAP_SHARED, p->fd, (off_t)(p->off + (page - p->start)));
	return *map == MAP_FAILED ? NULL : (uint8_t *)*map + (addr - page);
}

static size_t host_copy(const struct pma *p, uint64_t addr, void *buf, size_t n, bool write)
{
	void *map;
	size_t len, done = 0;
	uint8_t *at;
	ssize_t r;

	if (!write) {
		r = pread(p->fd, buf, n, (off_t)(p->off + (addr - p->start)));
		if (r < 0)
			return 0;
		/* The rest of the page that the file ends in reads as zero. */
		done = (size_t)r;
		if (done && done < n && ((addr + done) & (PAGE_SIZE - 1))) {
			size_t z = PAGE_SIZE - ((addr + done) & (PAGE_SIZE - 1));

			z = z < n - done ? z : n - done;
			memset((char *)buf + done, 0, z);
			done += z;
		}
		return done;
	}
	at = window(p, addr, n, &map, &len);
	if (!at)
		return 0;
	done = safe_copy(at, buf, n);
	munmap(map, len);
	return done;
}

/* One step: at most n bytes, within one record. */
static size_t copy_step(struct mm *mm, uint64_t addr, void *buf, size_t n, bool write, bool force)
{
	struct memobj *gone = NULL;
	struct pma *p;
	size_t done = 0;
	uint8_t *at;

	mm_lock(mm);
	if (!access_page(mm, addr, write, force, &p)) {
		if (n > p->end - addr)
			n = p->end - addr;
		if (p->fd >= 0 && !write && peek_copy(mm, p, addr, buf, n, &gone)) {
			done = n;
		} else if (p->fd >= 0) {
			done = host_copy(p, addr, buf, n, write);
		} else {
			at = (uint8_t *)memfile_ptr(mm->env->mf, p->off) + (addr - p->start);
			done = write ? safe_copy(at, buf, n) : safe_copy(buf, at, n);
		}
	}
	mm_unlock(mm);
	if (gone)
		memobj_put(gone);
	return done;
}

static size_t copy(struct mm *mm, uint64_t addr, void *buf, size_t n, bool write, bool force)
{
	size_t done = 0;

	if (addr >= TASK_SIZE)
		return 0;
	if (n > TASK_SIZE - addr)
		n = TASK_SIZE - addr;
	while (done < n) {
		size_t step = n - done < COPY_MAX ? n - done : COPY_MAX;

		step = copy_step(mm, addr + done, (char *)buf + done, step, write, force);
		if (!step)
			break;
		done += step;
	}
	return done;
}

size_t copy_from_user_partial(struct mm *mm, void *dst, uaddr src, size_t n)
{
	return copy(mm, src.v, dst, n, false, false);
}

size_t copy_to_user_partial(struct mm *mm, uaddr dst, const void *src, size_t n)
{
	union {
		const void *c;
		void *v;
	} u = { .c = src }; /* only read: write is true */

	return copy(mm, dst.v, u.v, n, true, false);
}

int copy_from_user(struct mm *mm, void *dst, uaddr src, size_t n)
{
	return copy_from_user_partial(mm, dst, src, n) == n ? 0 : -EFAULT;
}

int copy_to_user(struct mm *mm, uaddr dst, const void *src, size_t n)
{
	return copy_to_user_partial(mm, dst, src, n) == n ? 0 : -EFAULT;
}

ssize_t copy_remote(struct mm *mm, uint64_t addr, void *buf, size_t n, bool write)
{
	size_t done = copy(mm, addr, buf, n, write, true);

	return done || !n ? (ssize_t)done : -EFAULT;
}

size_t clear_user(struct mm *mm, uaddr dst, size_t n)
{
	static const uint8_t zero[4096];
	size_t done = 0, step, r;

	for (; done < n; done += r) {
		step = n - done < sizeof(zero) ? n - done : sizeof(zero);
		r = copy_to_user_partial(mm, uaddr_add(dst, done), zero, step);
		if (r < step)
			return done + r;
	}
	return done;
}

int copy_struct_from_user(struct mm *mm, void *dst, size_t n, uaddr src, uint64_t size)
{
	uint8_t extra[64];

	if (size > PAGE_SIZE)
		return -E2BIG;
	memset(dst, 0, n);
	if (copy_from_user(mm, dst, src, size < n ? size : n))
		return -EFAULT;
	for (uint64_t off = n; off < size; off += sizeof(extra)) {
		uint64_t part = size - off < sizeof(extra) ? size - off : sizeof(extra);

		if (copy_from_user(mm, extra, uaddr_add(src, off), part))
			return -EFAULT;
		for (uint64_t i = 0; i < part; i++)
			if (extra[i])
				return -E2BIG;
	}
	return 0;
}

ssize_t copy_str_from_user(struct mm *mm, char *dst, uaddr src, size_t max)
{
	size_t done = 0;

	while (done < max) {
		/* not over the end of a page: the string may end before the next, which may be missing */
		size_t step = PAGE_SIZE - ((src.v + done) & (PAGE_SIZE - 1)), r;
		const char *nul;

		if (step > max - done)
			step = max - done;
		if (step > 256)
			step = 256;
		r = copy_from_user_partial(mm, dst + done, uaddr_add(src, done), step);
		nul = memchr(dst + done, 0, r);
		if (nul)
			return nul - dst;
		if (r < step)
			return -EFAULT;
		done += r;
	}
	return -ENAMETOOLONG;
}

/* --- single words ------------------------------------------------------------ */

/* Calls fn on the sentry's view of the word. [mm->mu] */
static int with_word(struct mm *mm, uint64_t addr, bool write, size_t (*fn)(uint32_t *p, void *arg), void *arg, size_t *result)
{
	struct pma *p;
	void *map = NULL;
	size_t len = 0;
	uint8_t *at;

	if (addr & 3)
		return -EINVAL;
	if (addr >= TASK_SIZE || access_page(mm, addr, write, false, &p))
		return -EFAULT;
	if (p->fd >= 0)
		at = window(p, addr, 4, &map, &len);
	else
		at = (uint8_t *)memfile_ptr(mm->env->mf, p->off) + (addr - p->start);
	if (!at)
		return -EFAULT;
	*result = fn((uint32_t *)(void *)at, arg);
	if (map)
		munmap(map, len);
	return *result == (size_t)-1 ? -EFAULT : 0;
}

static size_t load_fn(uint32_t *p, void *arg)
{
	return safe_load32(arg, p);
}

int user_load32(struct mm *mm, uaddr a, uint32_t *value)
{
	size_t r;
	int e;

	mm_lock(mm);
	e = with_word(mm, a.v, false, load_fn, value, &r);
	mm_unlock(mm);
	return e;
}

struct cmpxchg {
	uint32_t *expected, desired;
};

static size_t cmpxchg_fn(uint32_t *p, void *arg)
{
	struct cmpxchg *c = arg;

	return safe_cmpxchg32(p, c->expected, c->desired);
}

int user_cmpxchg32(struct mm *mm, uaddr a, uint32_t *expected, uint32_t desired, bool *done)
{
	struct cmpxchg c = { expected, desired };
	size_t r = 0;
	int e;

	mm_lock(mm);
	e = with_word(mm, a.v, true, cmpxchg_fn, &c, &r);
	mm_unlock(mm);
	if (!e)
		*done = r == 0;
	return e;
}

int user_futex_key(struct mm *mm, uaddr a, bool private_futex, struct futex_key *key)
{
	struct vma *v;
	int e = 0;

	if (a.v & 3)
		return -EINVAL;
	if (a.v >= TASK_SIZE)
		return -EFAULT;
	*key = (struct futex_key){ .a = (uint64_t)(uintptr_t)mm | 1, .b = a.v };
	if (private_futex)
		return 0;
	mm_lock(mm);
	v = vma_for_access(mm, a.v);
	if (!v || v->prot == LINUX_PROT_NONE)
		e = -EFAULT;
	else if (v->flags & VMA_SHARED)
		*key = (struct futex_key){ .a = (uint64_t)(uintptr_t)v->obj, .b = v->off + (a.v - v->start) };
	mm_unlock(mm);
	return e;
}
