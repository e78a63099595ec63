/*
 * memfile.h - the memory file: one memfd that holds all program memory that is
 * not a host file's page cache.  The sentry maps it whole, once, so that an
 * offset is an address.  Pages have reference counts (copy-on-write after fork,
 * pins for I/O).
 */
#ifndef SENTRY_MM_MEMFILE_H
#define SENTRY_MM_MEMFILE_H

#include "lib/uaddr.h"
#include "libipc/err.h"

struct charges;
struct memfile;

/* fd: an empty file in memory, or -1: one is made; size: address space reserved, bytes (sparse); limit: see memfile_set_limit, of
 * which nobody is told.  Before threads exist. */
struct err *memfile_new(int fd, uint64_t size, uint64_t limit, struct memfile **out) ERR_MUST_USE;
/* limit, hard: bytes of host memory.  It is the host that commits them, later than they
 * are handed out: allocations that might come to more than limit are told of, and
 * those that might come to more than hard fail.  told may be NULL; it is called with the
 * allocator's lock held, on any thread, and may take RANK_LEAF locks and wake sleepers;
 * beyond: what is committed now and what is handed out are more than limit. */
typedef void memfile_told_fn(void *arg, bool beyond);
void memfile_set_limit(struct memfile *m, uint64_t limit, uint64_t hard, memfile_told_fn *told, void *arg);
int memfile_fd(const struct memfile *m); /* borrowed */

/* Allocates len bytes (page multiple), zero filled, contiguous, reference
 * count 1 a page. align: power of two >= PAGE_SIZE.  hint: preferred offset,
 * or 0.  0 or -ENOMEM. */
int memfile_alloc(struct memfile *m, uint64_t len, uint64_t align, uint64_t hint, uint64_t *off);
/* Pages that hold anything: the caller must overwrite all of them before anybody
 * sees them.  They cost the host nothing. -ENOMEM: there are none. */
int memfile_alloc_used(struct memfile *m, uint64_t len, uint64_t *off);
/* The same, zero filled: for what is touched soon. */
int memfile_alloc_again(struct memfile *m, uint64_t len, uint64_t *off);
/* Before used pages are overwritten here: makes that cost few faults.  Commits what they lack. */
void memfile_look_at(const struct memfile *m, uint64_t off, uint64_t len);
/* Whose its pages are, from now on known of each allocation; made with the first call. NULL: no memory. */
struct charges *memfile_charges(struct memfile *m);
void memfile_get(struct memfile *m, uint64_t off, uint64_t len); /* one more reference to each page */
void memfile_put(struct memfile *m, uint64_t off, uint64_t len); /* pages whose count falls to 0 are freed and their host memory given back */
bool memfile_exclusive(struct memfile *m, uint64_t off, uint64_t len); /* every page's count is 1 */
/* The sentry's view.  May fault (host out of memory gives SIGBUS): access only by safe_copy (mm/usercopy.h) or for kernel-owned pages. */
void *memfile_ptr(const struct memfile *m, uint64_t off);
uint64_t memfile_allocated(const struct memfile *m); /* bytes of offsets handed out */
uint64_t memfile_reach(struct memfile *m); /* bytes that may come to be committed without another allocation */
void memfile_trim(struct memfile *m); /* gives back what freed pages hold still */
/* From now on more of what is freed is held back for whoever needs some, and memfile_rest is
 * to be called every now and then until it returns false: it gives back what nobody has needed
 * since the last call. */
void memfile_hold_more(struct memfile *m);
bool memfile_rest(struct memfile *m);
uint64_t memfile_committed(const struct memfile *m); /* bytes of host memory (fstat) */
uint64_t memfile_room(struct memfile *m); /* bytes of host memory up to the hard limit, as it seems now */
/* The host holds memory for the range from now on, whose contents stay; -ENOSPC: it has none. */
int memfile_reserve(struct memfile *m, uint64_t off, uint64_t len);
/* The next part of [off, end) that the host holds memory for, page aligned; the rest
 * reads as zero.  False: none. */
bool memfile_next_data(const struct memfile *m, uint64_t off, uint64_t end, uint64_t *start, uint64_t *stop);
/* Asks the host to commit memory for the range now; only a wish. */
void memfile_commit(struct memfile *m, uint64_t off, uint64_t len);
/* The same for a range that nobody has touched yet: it costs half as much.  The
 * caller holds it alone. */
void memfile_commit_new(struct memfile *m, uint64_t off, uint64_t len);
/* Whether the host may give huge pages, and such a one for the block of its size (HUGE_SIZE, huge.h) at
 * off, aligned, that nobody has touched yet; false: not, and at most a page of it is there. */
bool memfile_has_huge(const struct memfile *m);
bool memfile_commit_huge(struct memfile *m, uint64_t off);
/* Gives the host memory of the range back; it reads as zero afterwards. */
void memfile_decommit(struct memfile *m, uint64_t off, uint64_t len);

#endif
