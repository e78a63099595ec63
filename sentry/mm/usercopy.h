/*
 * usercopy.h - the only way kernel code reaches program memory.  Program
 * memory changes under the reader: copy once, then check.
 */
#ifndef SENTRY_MM_USERCOPY_H
#define SENTRY_MM_USERCOPY_H

#include "lib/uaddr.h"

#include <sys/types.h>
#include <sys/uio.h>

struct mm;

/* 0 or -EFAULT.  Faults are resolved as the program's own would be. */
int copy_from_user(struct mm *mm, void *dst, uaddr src, size_t n);
int copy_to_user(struct mm *mm, uaddr dst, const void *src, size_t n);
/* Bytes copied before the first bad page (0..n). */
size_t copy_from_user_partial(struct mm *mm, void *dst, uaddr src, size_t n);
size_t copy_to_user_partial(struct mm *mm, uaddr dst, const void *src, size_t n);
size_t clear_user(struct mm *mm, uaddr dst, size_t n); /* bytes cleared */
/* A NUL-terminated string into dst[max]: its length without NUL, -ENAMETOOLONG
 * if there is no NUL within max bytes, -EFAULT. */
ssize_t copy_str_from_user(struct mm *mm, char *dst, uaddr src, size_t max);
/* A structure of which the program knows size bytes, into ours of n: what it does not have is zero.  What it has beyond
 * ours must be zero, else -E2BIG; so is more than a page. -EFAULT. */
int copy_struct_from_user(struct mm *mm, void *dst, size_t n, uaddr src, uint64_t size);
/* ptrace, /proc/PID/mem: ignores protections (copy-on-write still holds). */
ssize_t copy_remote(struct mm *mm, uint64_t addr, void *buf, size_t n, bool write);

/* Atomic access to a user word (aligned, else -EINVAL); resident or faulted in. 0 or -EFAULT. */
int user_load32(struct mm *mm, uaddr a, uint32_t *value);
int user_cmpxchg32(struct mm *mm, uaddr a, uint32_t *expected, uint32_t desired, bool *done);
/* Identity of a shared futex word: the same for every mapping of the same
 * memory.  For private memory (or `private_futex`): (mm, address). */
struct futex_key {
	uint64_t a, b;
};
int user_futex_key(struct mm *mm, uaddr a, bool private_futex, struct futex_key *key);

/* --- scattered I/O ----------------------------------------------------------- */
struct iovec_user { /* checked: lengths sum to at most MAX_RW_COUNT */
	uint64_t base, len;
};
#define MAX_IOVECS 1024 /* Linux's UIO_MAXIOV */
#define MAX_RW_COUNT 0x7ffff000ul

/* A transfer's memory: the program's, or the kernel's own.  Consumed as it is used. */
struct uio {
	struct mm *mm; /* NULL: kernel memory */
	const struct iovec_user *iov; /* borrowed; kernel memory: base is a pointer's value */
	size_t n_iov, i; /* current element */
	uint64_t skip; /* bytes of it used up */
	uint64_t resid; /* bytes left */
	struct iovec_user one; /* for single buffers */
	int64_t pos; /* file_read, file_write: the file's own position afterwards; 0: it has none */
	bool append; /* a write to the end, whatever the file's flags say (RWF_APPEND) */
};
void uio_user(struct uio *u, struct mm *mm, uaddr buf, uint64_t len);
void uio_user_iov(struct uio *u, struct mm *mm, const struct iovec_user *iov, size_t n);
void uio_kernel(struct uio *u, void *buf, uint64_t len);
/* Copies at most n bytes and advances; returns bytes moved, -EFAULT if none could be. */
ssize_t uio_copy_out(struct uio *u, const void *src, size_t n); /* kernel -> uio */
/* The same of a text, from *pos on, which is advanced; 0 at its end. */
ssize_t uio_copy_text(const char *text, size_t len, struct uio *u, int64_t *pos);
ssize_t uio_copy_in(struct uio *u, void *dst, size_t n); /* uio -> kernel */
void uio_advance(struct uio *u, uint64_t n);
/* Reads a user array of struct iovec; checks as Linux does. -EINVAL, -EFAULT; *out is malloc'ed or on_stack. */
ssize_t uio_import(struct mm *mm, uaddr iov, uint64_t n, struct iovec_user on_stack[8], struct iovec_user **out);

/* Host I/O straight into or out of the transfer's memory: fills iov[max] with
 * sentry addresses of at most len bytes, pages pinned until uio_unpin.  writable: the
 * host will store into it. Returns elements (0: nothing could be pinned, use a bounce buffer), -EFAULT. */
struct uio_pin {
	struct { uint64_t off, len; } range[16];
	unsigned n;
	struct memfile *mf;
};
int uio_pin(struct uio *u, uint64_t len, bool writable, struct iovec *iov, int max, struct uio_pin *pin);
void uio_unpin(struct uio_pin *pin);

/* memcpy that survives a host SIGBUS/SIGSEGV: bytes copied. For memfile and mapped host pages. */
size_t safe_copy(void *dst, const void *src, size_t n);
struct err *safe_copy_init(void); /* installs the handlers */

#endif
