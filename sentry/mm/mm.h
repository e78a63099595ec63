/*
 * mm.h - program address spaces: virtual memory areas, page records with
 * copy-on-write, faults.
 */
#ifndef SENTRY_MM_MM_H
#define SENTRY_MM_MM_H

#include "lib/uaddr.h"
#include "mm/memobj.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mm;
struct memfile;
struct platform;
struct platform_as;
struct platform_ctx;
struct file; /* vfs/file.h, and vfs/user_ns.h: mm only holds references through these hooks */
struct user_ns;

struct mm_file_hooks {
	void (*get)(struct file *f);
	void (*put)(struct file *f);
	void (*ns_get)(struct user_ns *ns);
	void (*ns_put)(struct user_ns *ns);
};

/* A clock page and the vDSO's image behind it, as programs map them. */
struct mm_vdso {
	struct memobj *obj;
	void *vvar; /* the sentry's view of the page: for vvar_update */
};

/* What all address spaces share. One per kernel. */
struct mm_env {
	struct memfile *mf;
	struct platform *platform;
	struct mm_file_hooks hooks;
	struct mm_vdso vdso; /* made by mm_env_init */
	struct texts *texts; /* patched program text, or NULL: mm/text.h */
};
int mm_env_init(struct mm_env *e);
/* One more, with a page of its own: 0 or -errno; obj is the caller's reference. */
int mm_vdso_new(struct mm_env *e, struct mm_vdso *out);
#define MM_CLOCK_PAGE "[vvar]"
/* Another clock page where mm has one. 0 or -errno. */
int mm_set_clock_page(struct mm *mm, const struct mm_vdso *v);

struct mm *mm_new(struct mm_env *e); /* NULL: no memory */
struct mm *mm_fork(struct mm *parent); /* copy-on-write copy; NULL: no memory */
void mm_get(struct mm *mm);
bool mm_is_shared(const struct mm *mm); /* others than the caller use it: tasks, or those who look at a task's memory */
void mm_put(struct mm *mm); /* the last put (users gone) unmaps everything and frees the stub process */
/* The same, but true: only we know of it any more, it holds no file, and mm_bury is to do the rest. */
bool mm_put_begin(struct mm *mm);
void mm_bury(struct mm *mm); /* any thread */
struct platform_as *mm_as_new(struct mm *mm); /* to make contexts in; not fit to run yet. NULL: no memory */
struct platform_as *mm_as(struct mm *mm); /* fit to run: what was ordered of it is done. NULL: no memory */
/* For exec: mm, which has not run yet, gets the stub of old, where c ran, if
 * nobody else uses that; nothing of old's can be reached there any more. */
void mm_inherit_stub(struct mm *mm, struct mm *old, struct platform_ctx *c);
struct mm_env *mm_env(struct mm *mm);
/* What an upper layer keeps of an address space: set once; the last mm_put calls gone, which frees it. */
struct mm_companion {
	void (*gone)(struct mm_companion *c);
};
struct mm_companion *mm_companion(struct mm *mm); /* NULL: none yet */
struct mm_companion *mm_companion_set(struct mm *mm, struct mm_companion *c); /* the one that is there now */

struct mm_mmap {
	uint64_t addr, len; /* hint or fixed address */
	int prot; /* PROT_READ WRITE EXEC (Linux values) */
	int flags; /* LINUX_MAP_* */
	struct memobj *obj; /* NULL: anonymous */
	struct file *file; /* for /proc/PID/maps; a reference is taken; may be NULL */
	uint64_t off;
	int max_prot; /* what mprotect may widen to (a file opened read-only cannot be shared-writable) */
	const char *name; /* constant string for special areas: "[stack]" "[vdso]"; else NULL */
	bool special; /* the kernel's own: not to be changed by the program, nor dumped */
};
/* Address or -errno.  Limits (RLIMIT_AS, DATA) are set by mm_set_limits. */
int64_t mm_mmap(struct mm *mm, const struct mm_mmap *m);
int mm_munmap(struct mm *mm, uint64_t addr, uint64_t len);
/* remap_file_pages(2): [addr, addr + len), part of shared mappings of one file, shows the file from page pgoff on. Both
 * are rounded down to pages. flags: LINUX_MAP_NONBLOCK counts. 0, -EINVAL: not such a range; or as mm_mmap. */
int mm_remap_pages(struct mm *mm, uint64_t addr, uint64_t len, uint64_t pgoff, int flags);
int mm_mprotect(struct mm *mm, uint64_t addr, uint64_t len, int prot);
int64_t mm_mremap(struct mm *mm, uint64_t addr, uint64_t old_len, uint64_t new_len, int flags, uint64_t new_addr);
int64_t mm_brk(struct mm *mm, uint64_t addr); /* the new (or unchanged) break */
void mm_set_brk(struct mm *mm, uint64_t start); /* at exec */
int mm_madvise(struct mm *mm, uint64_t addr, uint64_t len, int advice);
int mm_msync(struct mm *mm, uint64_t addr, uint64_t len, int flags);
int mm_mincore(struct mm *mm, uint64_t addr, uint64_t len, uint8_t *vec);
/* n pages from the page at addr on, for /proc/PID/pagemap: a byte each, 0 where nothing is mapped or present. */
#define MM_PAGE_PRESENT 1u
#define MM_PAGE_OWN 2u /* nobody else's */
void mm_pages(struct mm *mm, uint64_t addr, uint64_t n, uint8_t *vec);
#define MM_LOCK_ON 1u /* else unlock */
#define MM_LOCK_ONFAULT 2u /* do not make the pages present */
#define MM_LOCK_PRIVILEGED 4u /* RLIMIT_MEMLOCK does not count */
int mm_mlock(struct mm *mm, uint64_t addr, uint64_t len, unsigned how);
int mm_mlockall(struct mm *mm, int mcl_flags, bool privileged); /* 0: munlockall */
void mm_set_limits(struct mm *mm, uint64_t as, uint64_t data, uint64_t stack, uint64_t memlock);

/* A program's access at addr faulted.  0: mapped, go on.  Else a signal:
 * -EFAULT with *code SEGV_MAPERR/SEGV_ACCERR (SIGSEGV), -EIO: SIGBUS BUS_ADRERR, -ENOMEM: SIGBUS/OOM. access 0: unknown. */
int mm_fault(struct mm *mm, uint64_t addr, unsigned access, int *code);

/* mm/dump.c: finds what there is of mapped objects in [from, to) that mm has not touched itself, as far as that can be
 * read; touches nothing. Then the next part of [from, to) that is more than zeros never touched; false: none. */
void mm_ask_objects(struct mm *mm, uint64_t from, uint64_t to);
bool mm_next_data(struct mm *mm, uint64_t from, uint64_t to, uint64_t *start, uint64_t *end);

/* What exec leaves for /proc and prctl; [mm->mu] via these only. */
struct mm_layout {
	uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t auxv[64];
	unsigned n_auxv; /* uint64s */
	uint64_t vdso; /* address */
	struct file *exe; /* owned reference, or NULL */
};
void mm_get_layout(struct mm *mm, struct mm_layout *out); /* exe: a reference is added */
void mm_set_layout(struct mm *mm, const struct mm_layout *in); /* takes over exe's reference */
bool mm_dumpable(struct mm *mm);
void mm_set_dumpable(struct mm *mm, bool d);
/* What of it a core dump holds: the bits of /proc/PID/coredump_filter (core(5)). A fork has its parent's. */
#define MM_CORE_ANON_PRIVATE 1u
#define MM_CORE_ANON_SHARED 2u
#define MM_CORE_FILE_PRIVATE 4u
#define MM_CORE_FILE_SHARED 8u
#define MM_CORE_ELF_HEADERS 16u
#define MM_CORE_DEFAULT 0x33u /* and huge pages, of which there are none */
#define MM_CORE_ALL 0x1ffu
uint32_t mm_core_filter(struct mm *mm);
void mm_set_core_filter(struct mm *mm, uint32_t bits);
/* Whose capabilities open it though it is not dumpable: where its program was started. Borrowed; NULL: the container's own. */
struct user_ns *mm_user_ns(struct mm *mm);
void mm_set_user_ns(struct mm *mm, struct user_ns *ns); /* once, before anybody uses mm; takes over a reference */
bool mm_barriers(struct mm *mm); /* its programs use membarrier(2)'s private barriers: a fork's do, those of exec ask anew */
void mm_set_barriers(struct mm *mm);

struct mm_usage {
	uint64_t vm_size, rss, rss_anon, rss_file, rss_shmem, locked, data, stack, text; /* bytes */
	uint64_t peak_size, peak_rss;
	uint64_t minor_faults, major_faults;
};
void mm_usage(struct mm *mm, struct mm_usage *out);
/* Bytes.  Counting a large address space takes a while: who asks again and again gets the last answer for some time. */
uint64_t mm_peak_rss(struct mm *mm);

/* One line of /proc/PID/maps. */
struct mm_area {
	uint64_t start, end, off;
	int prot;
	bool shared;
	struct file *file; /* borrowed during the callback */
	const char *name;
	uint64_t rss, anon; /* bytes */
	uint32_t flags; /* VMA flags for smaps: locked etc. */
	bool no_dump; /* MADV_DONTDUMP */
};
/* Areas in order, until fn returns non-zero, which is returned. Called with mm->mu held: fn must not touch the mm. */
int mm_for_each_area(struct mm *mm, int (*fn)(const struct mm_area *a, void *arg), void *arg);

/* Shared anonymous memory as an object (MAP_SHARED|MAP_ANONYMOUS, SysV shm, /dev/zero). */
struct memobj *memobj_anon_new(struct mm_env *e, uint64_t size);

/* --- mm/detach.c: for SysV shared memory --- */
uint64_t memobj_mappings(struct memobj *o); /* areas that map it now; takes its maps_mu */
/* Unmaps what is left of a mapping called `name` (the pointer given as mm_mmap.name) that began, with offset 0, at
 * addr. *obj: the object, a new reference. -EINVAL: there is none. */
int mm_unmap_named(struct mm *mm, uint64_t addr, const char *name, struct memobj **obj);

#endif
