/*
 * uio.c - scattered transfers between kernel and program memory, and pinning
 * for direct host I/O.  Any thread; locks as usercopy.c.
 */
#include "mm/mm_internal.h"
#include "mm/usercopy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void uio_single(struct uio *u, struct mm *mm, uint64_t base, uint64_t len)
{
	*u = (struct uio){ .mm = mm, .n_iov = 1, .resid = len > MAX_RW_COUNT && mm ? MAX_RW_COUNT : len, .one = { base, len } };
	u->iov = NULL; /* `one`: the struct may be copied about */
}

void uio_user(struct uio *u, struct mm *mm, uaddr buf, uint64_t len)
{
	uio_single(u, mm, buf.v, len);
}

void uio_kernel(struct uio *u, void *buf, uint64_t len)
{
	uio_single(u, NULL, (uint64_t)(uintptr_t)buf, len);
}

void uio_user_iov(struct uio *u, struct mm *mm, const struct iovec_user *iov, size_t n)
{
	*u = (struct uio){ .mm = mm, .iov = iov, .n_iov = n };
	for (size_t i = 0; i < n; i++)
		u->resid += iov[i].len;
	if (u->resid > MAX_RW_COUNT)
		u->resid = MAX_RW_COUNT;
}

static const struct iovec_user *element(const struct uio *u)
{
	return u->iov ? &u->iov[u->i] : &u->one;
}

/* The next contiguous piece, at most n bytes; 0 at the end. */
static uint64_t piece(struct uio *u, uint64_t n, uint64_t *addr)
{
	if (n > u->resid)
		n = u->resid;
	while (n && u->i < u->n_iov && element(u)->len == u->skip) {
		u->i++;
		u->skip = 0;
	}
	if (!n || u->i >= u->n_iov)
		return 0;
	*addr = element(u)->base + u->skip;
	return n < element(u)->len - u->skip ? n : element(u)->len - u->skip;
}

void uio_advance(struct uio *u, uint64_t n)
{
	uint64_t addr, k;

	while (n && (k = piece(u, n, &addr))) {
		u->skip += k;
		u->resid -= k;
		n -= k;
	}
}

static ssize_t uio_copy(struct uio *u, char *buf, size_t n, bool out)
{
	size_t done = 0;
	uint64_t addr, k, r;

	while (done < n && (k = piece(u, n - done, &addr))) {
		if (!u->mm) {
			void *p = (void *)(uintptr_t)addr;

			if (out)
				memcpy(p, buf + done, k);
			else
				memcpy(buf + done, p, k);
			r = k;
		} else if (out) {
			r = copy_to_user_partial(u->mm, UADDR(addr), buf + done, k);
		} else {
			r = copy_from_user_partial(u->mm, buf + done, UADDR(addr), k);
		}
		u->skip += r;
		u->resid -= r;
		done += r;
		if (r < k)
			return done ? (ssize_t)done : -EFAULT;
	}
	return (ssize_t)done;
}

ssize_t uio_copy_out(struct uio *u, const void *src, size_t n)
{
	union {
		const void *c;
		char *v;
	} p = { .c = src }; /* only read */

	return uio_copy(u, p.v, n, true);
}

ssize_t uio_copy_text(const char *text, size_t len, struct uio *u, int64_t *pos)
{
	ssize_t n;

	if (*pos < 0 || (size_t)*pos >= len)
		return 0;
	n = uio_copy_out(u, text + *pos, len - (size_t)*pos);
	if (n > 0)
		*pos += n;
	return n;
}

ssize_t uio_copy_in(struct uio *u, void *dst, size_t n)
{
	return uio_copy(u, dst, n, false);
}

ssize_t uio_import(struct mm *mm, uaddr iov, uint64_t n, struct iovec_user on_stack[8], struct iovec_user **out)
{
	struct iovec_user *v = on_stack;
	uint64_t sum = 0;
	int e = 0;

	_Static_assert(sizeof(*v) == 16, "the layout of the program's struct iovec");
	if (n > MAX_IOVECS)
		return -EINVAL;
	if (n > 8 && !(v = malloc(n * sizeof(*v))))
		return -ENOMEM;
	if (copy_from_user(mm, v, iov, n * sizeof(*v)))
		e = -EFAULT;
	for (uint64_t i = 0; !e && i < n; i++) {
		if (v[i].len > INT64_MAX)
			e = -EINVAL;
		else if (v[i].base > TASK_SIZE || v[i].len > TASK_SIZE - v[i].base)
			e = v[i].len ? -EFAULT : 0;
		if (v[i].len > MAX_RW_COUNT - sum)
			v[i].len = MAX_RW_COUNT - sum;
		sum += v[i].len;
	}
	if (e) {
		if (v != on_stack)
			free(v);
		return e;
	}
	*out = v;
	return (ssize_t)sum;
}

/* Pins up to n bytes at addr: bytes, 0 if they cannot be, -EFAULT. */
static int64_t pin_piece(struct mm *mm, uint64_t addr, uint64_t n, bool writable, struct iovec *iov, struct uio_pin *pin)
{
	struct vma *v;
	struct pma *p;
	uint64_t off, len;
	int64_t r = -EFAULT;

	if (addr >= TASK_SIZE)
		return -EFAULT;
	mm_lock(mm);
	v = vma_for_access(mm, addr);
	if (v && (writable ? v->prot & LINUX_PROT_WRITE : v->prot != LINUX_PROT_NONE) && !page_get(mm, v, addr, writable, &p)) {
		r = 0;
		if (p->fd < 0) {
			r = (int64_t)(n < p->end - addr ? n : p->end - addr);
			off = p->off + (PAGE_DOWN(addr) - p->start);
			len = PAGE_UP(addr + (uint64_t)r) - PAGE_DOWN(addr);
			memfile_get(mm->env->mf, off, len);
			pin->range[pin->n].off = off;
			pin->range[pin->n++].len = len;
			iov->iov_base = (uint8_t *)memfile_ptr(mm->env->mf, off) + (addr & (PAGE_SIZE - 1));
			iov->iov_len = (size_t)r;
		}
	}
	mm_unlock(mm);
	return r;
}

int uio_pin(struct uio *u, uint64_t len, bool writable, struct iovec *iov, int max, struct uio_pin *pin)
{
	struct uio at = *u; /* the transfer itself is advanced by the caller */
	uint64_t addr, k;
	int64_t r = 0;
	int n = 0;

	pin->n = 0;
	pin->mf = NULL;
	while (n < max && pin->n < sizeof(pin->range) / sizeof(pin->range[0]) && len && (k = piece(&at, len, &addr))) {
		if (!at.mm) {
			iov[n] = (struct iovec){ (void *)(uintptr_t)addr, k };
			r = (int64_t)k;
		} else {
			pin->mf = at.mm->env->mf;
			r = pin_piece(at.mm, addr, k, writable, &iov[n], pin);
		}
		if (r <= 0)
			break;
		n++;
		len -= (uint64_t)r;
		uio_advance(&at, (uint64_t)r);
	}
	return n ? n : (int)r;
}

void uio_unpin(struct uio_pin *pin)
{
	for (unsigned i = 0; i < pin->n; i++)
		memfile_put(pin->mf, pin->range[i].off, pin->range[i].len);
	pin->n = 0;
}
