/*
 * mm_internal.h - what the files of mm/ share: address spaces, areas, page
 * records.
 *
 * struct vma  what the program asked for: a range, its protection, its object
 * struct pma  what is there: a range of pages and where their bytes lie (the
 *             memory file or a host file), and what the stub maps of it
 *
 * A page without a record has never been touched (or was given back): the next
 * access makes the record.  A record never spans areas of different
 * protection or kind, but areas may be cut or joined without touching records.
 *
 * The stub maps exactly what the records say (pma.stub): a whole record with
 * that protection, or nothing of it.  It never permits more than the record
 * does.  All of it is under mm->mu; freeing areas (which lets go of files and
 * objects) happens after mm_unlock.
 */
#ifndef SENTRY_MM_INTERNAL_H
#define SENTRY_MM_INTERNAL_H

#include "abi/mman.h"
#include "lib/lock.h"
#include "lib/ref.h"
#include "mm/memfile.h"
#include "mm/memobj.h"
#include "mm/mm.h"
#include "mm/peek.h"
#include "platform/platform.h"

#include <sys/queue.h>
#include <sys/tree.h>

#define MAX_MAP_COUNT 65530u /* Linux's default vm.max_map_count */
#define STACK_GUARD (256 * PAGE_SIZE) /* Linux's stack_guard_gap */
#define ANON_STEP (UINT64_C(2) << 20) /* anonymous memory gets offsets in such blocks */
#define FILE_STEP (UINT64_C(64) << 10) /* asked of an object at a time; it may answer more */
#define COW_STEP (UINT64_C(32) << 10) /* copied at a time, at first */
#define COW_MAX (UINT64_C(256) << 10)
#define MMAP_MIN_ADDR 0x80000ul /* below: the entries of patched call sites */

#define VMA_SHARED 1u
#define VMA_GROWSDOWN 2u
#define VMA_LOCKED 4u
#define VMA_DONTFORK 8u
#define VMA_WIPEONFORK 16u
#define VMA_NORESERVE 32u
#define VMA_DONTDUMP 64u
#define VMA_SPECIAL 128u /* vDSO: fixed as it is */
#define VMA_ANON_OBJ 256u /* shared anonymous: the object is not a file */
#define VMA_HUGEPAGE 512u
#define VMA_NOHUGEPAGE 1024u

struct vma {
	RB_ENTRY(vma) link; /* [mm->mu] by start */
	LIST_ENTRY(vma) obj_link; /* [obj->maps_mu] */
	struct vma *dead_next; /* [mm->mu] mm->dead */
	struct mm *mm; /* [I] */
	uint64_t start, end; /* [mm->mu] */
	uint64_t off; /* offset of start in obj */
	int prot, max_prot;
	uint32_t flags; /* VMA_* */
	struct memobj *obj; /* owned reference, or NULL: anonymous */
	struct file *file; /* owned reference, or NULL */
	const char *name; /* constant, or NULL */
};

struct pma {
	RB_ENTRY(pma) link; /* [mm->mu] by start */
	uint64_t start, end;
	uint64_t off; /* in the memory file, or in fd */
	int fd; /* -1: the memory file; else a host file, borrowed from the area's object */
	uint8_t prot; /* the area's */
	uint8_t stub; /* what the stub maps: PROT_*, 0 nothing */
	bool owned; /* private pages: one reference each is ours */
	bool cow; /* not to be written in place */
	bool ro; /* shared, but the object must be asked before writing */
	bool present; /* the host holds all of it already: for the first mapping */
};

RB_HEAD(vma_tree, vma);
RB_HEAD(pma_tree, pma);
RB_PROTOTYPE(vma_tree, vma, link, vma_cmp)
RB_PROTOTYPE(pma_tree, pma, link, pma_cmp)

#define N_HOT 8
#define N_ARENAS 4u

/* Orders to the stub that wait to be given together: stub.c. */
#define STUB_QUEUE 32u
struct stub_queue {
	unsigned n, n_freed;
	unsigned n_out; /* so many of those freed can be given back when what is out is settled */
	bool due; /* to be given before the program runs; else all may wait for a fault, or for others */
	bool out; /* what was in it was given, and is not settled: platform_as_settle */
	uint32_t fresh; /* a bit each: it maps where nothing was mapped, nor is by another of them */
	struct platform_order o[STUB_QUEUE];
	struct {
		uint64_t off, len;
	} freed[STUB_QUEUE]; /* pages that the stub may reach until then */
};

struct text; /* text.c */
struct mm {
	struct ref users; /* tasks and the like: the last one unmaps all */
	struct ref count; /* users as a whole count for one; the struct itself */
	struct mm_env *env; /* [I] */
	struct user_ns *user_ns; /* [I] referenced */
	struct mm_companion *companion; /* [a] set once, or NULL */
	struct mutex mu; /* RANK_MM; the rest is under it */
	struct platform_as *as; /* made when first needed */
	struct stub_queue queue;
	_Atomic bool text_held; /* its calls are not to be patched: mm_text_hold */
	struct text *text; /* NULL until a call has trapped; read without the lock, set once */
	struct vma_tree vmas;
	struct pma_tree pmas;
	struct pma *hot[N_HOT]; /* records found lately, by address */
	struct vma *dead; /* unlinked areas, freed by mm_unlock */
	struct peek peek;
	unsigned n_vmas;
	uint64_t total, data, locked; /* bytes of areas: all, private writable, locked */
	uint64_t peak_total, peak_rss;
	int64_t rss_at, rss_took; /* ns: when peak_rss was looked at last, and how long that took */
	uint64_t mmap_base, mmap_hint; /* top-down placement starts at hint; no hole of hint_len lies above it */
	uint64_t hint_len;
	uint64_t brk_start, brk;
	uint64_t nothing_start, nothing_end; /* what the stub knows to be empty: nothing.c; 0: nowhere */
	uint64_t given_start, given_end; /* what was to be given back last, by MADV_DONTNEED, */
	unsigned given; /* and how often since anything was there */
	bool gave_back; /* something was: set by madvise.c */
	struct {
		uint64_t start, len;
	} arenas[N_ARENAS]; /* the large anonymous areas that were mapped last, of each length one */
	unsigned next_arena; /* the one to be replaced */
	bool eager; /* premap() is at work on what will be touched, most likely */
	bool lock_future, dumpable, barriers;
	_Atomic uint32_t core_filter; /* [a] MM_CORE_* */
	uint64_t lim_as, lim_data, lim_stack, lim_memlock;
	uint64_t spurious_addr;
	unsigned spurious;
	uint64_t minor_faults, major_faults;
	struct mm_layout layout;
};

static inline void mm_lock(struct mm *mm) { mutex_lock(&mm->mu); }
void mm_unlock(struct mm *mm); /* frees what was unlinked */

/* --- mm.c --- */
void mm_grab(struct mm *mm); /* keeps the struct, not its contents */
void mm_drop(struct mm *mm);

/* --- nothing.c: [mm->mu] --- */
void nothing_found(struct mm *mm, uint64_t start, uint64_t end); /* MADV_DONTNEED has been done there */
void nothing_ends(struct mm *mm);

/* --- vma.c: [mm->mu] --- */
struct vma *vma_first(struct mm *mm, uint64_t addr); /* the lowest area that ends above addr */
struct vma *vma_at(struct mm *mm, uint64_t addr); /* the one that contains addr */
struct vma *vma_new(struct mm *mm, const struct vma *like); /* a copy with references of its own, not linked */
bool vma_link(struct mm *mm, struct vma *v); /* false: an invalidation that does not know of it is under way */
void vma_unlink(struct mm *mm, struct vma *v); /* onto mm->dead */
int vma_cut(struct mm *mm, uint64_t addr); /* makes a boundary there. -ENOMEM */
struct vma *vma_join(struct mm *mm, struct vma *v); /* with its neighbours where they are alike */
void vma_account(struct mm *mm, const struct vma *v, int sign); /* around changes of size, prot, flags */
void vma_free_list(struct vma *v); /* no locks held */
bool vma_range_mapped(struct mm *mm, uint64_t start, uint64_t end); /* without holes */

/* --- pma.c: [mm->mu] --- */
struct pma *pma_first(struct mm *mm, uint64_t addr);
struct pma *pma_at(struct mm *mm, uint64_t addr);
struct pma *pma_insert(struct mm *mm, const struct pma *like); /* NULL: no memory */
int pma_cut(struct mm *mm, uint64_t addr); /* -ENOMEM */
struct pma *pma_join(struct mm *mm, struct pma *p);
int pmas_drop(struct mm *mm, uint64_t start, uint64_t end); /* -ENOMEM: nothing changed */
int pmas_drop_shared(struct mm *mm, uint64_t start, uint64_t end); /* all but private pages */
int pmas_move(struct mm *mm, uint64_t from, uint64_t len, uint64_t to);
uint64_t pmas_resident(struct mm *mm, uint64_t start, uint64_t end, uint64_t *anon); /* bytes */
static inline uint64_t pma_len(const struct pma *p) { return p->end - p->start; }

/* --- stub.c: [mm->mu] --- */
struct platform_as *stub_as(struct mm *mm); /* NULL: could not be made */
void stub_map(struct mm *mm, struct pma *p); /* as the record permits now */
void stub_map_later(struct mm *mm, struct pma *p); /* no later than the program touches it. Nothing is mapped there */
void stub_unmap(struct mm *mm, uint64_t start, uint64_t end); /* the records' stub fields too */
void stub_restrict(struct mm *mm, uint64_t start, uint64_t end); /* after records changed: the stub must not do more */
int stub_flush(struct mm *mm); /* what was queued is done; on an error (the first order's that failed) nothing is mapped any more */
void stub_flush_near(struct mm *mm); /* what is due is done when the program of the caller's task goes on, which is next */
void stub_forget(struct mm *mm); /* there is no stub any more */
void stub_order_later(struct mm *mm, struct platform_order o); /* one that no record asks for, no later than the next one that is due */
bool stub_hurry(struct mm *mm); /* what may wait, if anything, is due now */
void stub_put_pages(struct mm *mm, uint64_t off, uint64_t len); /* memfile_put, when the stub cannot reach them any more */

/* --- stub_queue.c: [mm->mu] --- */
bool stub_queue_merge(struct platform_order *last, const struct platform_order *o); /* o, which comes right after last, made part of it or put in its place */
bool stub_queue_is_fresh(const struct stub_queue *q, unsigned i);
bool stub_queue_take_back(struct stub_queue *q, uint64_t lo, uint64_t hi); /* out of one of the orders that are fresh, if that maps it all */

/* --- text.c: [mm->mu] --- */
void text_drop(struct mm *mm, uint64_t start, uint64_t end); /* after something else was ordered for [start, end) */
void text_unpatch(struct mm *mm, uint64_t start, uint64_t end); /* the file itself is mapped there when it is needed */
void text_lost(struct mm *mm); /* nothing is mapped any more */
void text_free(struct mm *mm);

/* --- fault.c: [mm->mu] --- */
/* The record for addr in v, readable or (write) writable.  -EFAULT: beyond the
 * object; -ENOMEM, -EIO. */
int page_get(struct mm *mm, struct vma *v, uint64_t addr, bool write, struct pma **out);
/* Where memory for [lo, hi) would continue its neighbours' (0: nowhere), so that
 * the host's mappings of it join. */
uint64_t contiguous_hint(struct mm *mm, uint64_t lo, uint64_t hi);
struct vma *vma_for_access(struct mm *mm, uint64_t addr); /* grows a stack if need be */
/* Has the stub map [start, end) before the program faults there, as far as that
 * is likely to pay and costs little. loading: a program is being loaded there. */
void premap(struct mm *mm, uint64_t start, uint64_t end, bool loading);
int mm_populate(struct mm *mm, uint64_t start, uint64_t end, bool write); /* as far as possible: the first error */

/* --- cow.c: [mm->mu] --- */
/* New memory that holds what the record's pages do, at *off, near hint if it can
 * be.  Holes stay holes; *whole: there are none. -EIO, -ENOMEM. */
int copy_pages(struct mm *mm, const struct pma *old, uint64_t hint, uint64_t *off, bool *whole);
/* *p becomes a record of pages around addr that only we hold. -ENOMEM, -EIO. */
int break_cow(struct mm *mm, struct pma **p, uint64_t addr);

/* --- mmap.c: [mm->mu] --- */
int unmap_locked(struct mm *mm, uint64_t start, uint64_t end);
/* A hole for len bytes: address or -ENOMEM. */
int64_t find_hole(struct mm *mm, uint64_t hint, uint64_t len, int flags);
bool may_expand(struct mm *mm, uint64_t len, bool data);
static inline bool vma_is_data(int prot, uint32_t flags) { return (prot & LINUX_PROT_WRITE) && !(flags & (VMA_SHARED | VMA_GROWSDOWN)); }

#endif
