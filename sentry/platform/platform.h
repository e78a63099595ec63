/*
 * platform.h - the one interface to how program code runs.
 *
 * struct platform      the mechanism, made once at boot (zygote stub and all)
 * struct platform_as   one program address space = one stub process
 * struct platform_ctx  one task's execution context = one stub thread at a time
 *
 * A task's host thread alone calls platform_switch and the fpstate functions on
 * its ctx (for ptrace it is the tracer).  Address space orders may come from
 * any thread: the platform carries them out in a thread of the stub's that runs
 * no program code, or in the caller's own when the caller runs in that address
 * space, else it stops the threads that run there, and the orders are done
 * before any of them runs program code again; they are complete when the call
 * returns.  A call costs wake-ups, an order in it little: give many at a time.
 */
#ifndef SENTRY_PLATFORM_PLATFORM_H
#define SENTRY_PLATFORM_PLATFORM_H

#include "arch/x86_64/arch.h"
#include "lib/wait.h"
#include "libipc/err.h"

#include <stdbool.h>
#include <stdint.h>

struct platform;
struct platform_as;
struct platform_ctx;

enum platform_event {
	PLATFORM_SYSCALL, /* orig_rax = number, rax = -ENOSYS, rip after the instruction */
	PLATFORM_FAULT, /* SIGSEGV/SIGBUS by the program's access: see trap */
	PLATFORM_TRAP, /* another synchronous exception: SIGFPE SIGILL SIGTRAP SIGSEGV (general protection) */
	PLATFORM_INTERRUPTED, /* platform_interrupt was called, or nothing in particular */
	PLATFORM_DEAD, /* the stub was killed from outside: the task must die */
};

struct platform_trap {
	int signo; /* Linux signal number */
	int code; /* si_code: SEGV_MAPERR, FPE_INTDIV, TRAP_BRKPT ... */
	uint64_t addr; /* si_addr */
	uint32_t error; /* page fault error code: bit 1 write, bit 4 instruction fetch; 0 if unknown */
	uint64_t trapno;
	bool partial; /* PLATFORM_SYSCALL: of the registers only the number, the arguments and rax are there: platform_complete */
	bool call_site; /* PLATFORM_SYSCALL: the call has trapped at its instruction, where it may be patched */
	bool error_known; /* the two above are real (else only addr is); bit 1 may be clear for a write to what was not mapped */
};

/* name: "ptrace".  Called at boot before the process is sealed and before any
 * thread is made.  mem_fd: the memory file, which stubs map. */
struct err *platform_new(const char *name, int mem_fd, struct platform **out) ERR_MUST_USE;

struct platform_as *platform_as_new(struct platform *p); /* NULL: out of memory or processes */
void platform_as_free(struct platform_as *as); /* kills the stub process; no ctx may be running in it */

/* For exec: whether c, which has run in it, may go on there with another program
 * of the same rights.  False if another thread of the program may have anything
 * left there, or if it is no gain. */
bool platform_as_reusable(struct platform_as *as, struct platform_ctx *c);

enum platform_order_kind { PLATFORM_MAP, PLATFORM_UNMAP, PLATFORM_PROTECT };
struct platform_order {
	enum platform_order_kind kind;
	int prot; /* PROT_* of <sys/mman.h>; not for UNMAP */
	bool present; /* MAP: all of it is in memory, and is wanted: no fault need find that out. Only a wish */
	int fd; /* MAP: a descriptor of the sentry; the mapping is MAP_SHARED|MAP_FIXED at addr */
	uint64_t addr, len; /* page aligned and below TASK_SIZE */
	uint64_t off;
};
/* Carries them out in turn, up to the first that fails: 0, or its -errno
 * (-ENOMEM: map count). -EINVAL: nothing was done. */
int platform_as_orders(struct platform_as *as, const struct platform_order *o, unsigned n);
/* One order. */
int platform_as_map(struct platform_as *as, uint64_t addr, uint64_t len, int prot, int fd, uint64_t off);
int platform_as_unmap(struct platform_as *as, uint64_t addr, uint64_t len);
int platform_as_protect(struct platform_as *as, uint64_t addr, uint64_t len, int prot);

/* A context for a task that will run in `as`.  The first one makes the stub
 * process, from any thread; another is made in the caller's own stub thread, so
 * that the caller must run in `as` (clone).  NULL: out of processes or threads. */
struct platform_ctx *platform_ctx_new(struct platform *p, struct platform_as *as);
/* Called on the context's own task thread at its end (or, if it never ran, by its maker). */
void platform_ctx_free(struct platform_ctx *c);
/* Makes c this host thread's context.  First call on a new task's thread. */
void platform_ctx_bind(struct platform_ctx *c);

/* Runs program code until something happens.  `as` may differ from the last
 * call's (exec).  r is loaded before and stored after. */
enum platform_event platform_switch(struct platform_ctx *c, struct platform_as *as, struct regs *r, struct platform_trap *trap);

/* The next platform_switch of c will not be soon: what waits for it need not do so
 * awake. Own thread. */
void platform_rest(struct platform_ctx *c);
/* c's program will run no more, though its thread may wake others yet. Own thread. */
void platform_ends(struct platform_ctx *c);

/* The calling thread is about to wake the one that sleeps there: where they had better
 * run is the platform's to say, and when it is to be woken. Any thread. */
enum wake_when platform_wakes(struct platform *p, struct sleeper *s);

/* After an event whose trap said that registers are partial, before any others
 * are looked at or changed: fills them in.  Own thread. */
void platform_complete(struct platform_ctx *c, struct regs *r);

/* Makes c's current or next platform_switch return soon. Any thread. */
void platform_interrupt(struct platform_ctx *c);

/* Floating-point state of the context while it is stopped, own thread only.
 * set takes effect at the next switch, also if that is in another address space
 * (exec); before the first switch the context's maker may call it. A new context
 * that was never set has the state that fpstate_init gives, or that of the
 * thread which made it: set it. */
void platform_fpstate_get(struct platform_ctx *c, struct fpstate *fp);
void platform_fpstate_set(struct platform_ctx *c, const struct fpstate *fp);

/* Single-stepping (ptrace of guests): the next switch executes one instruction
 * and returns PLATFORM_TRAP SIGTRAP TRAP_TRACE. */
void platform_set_singlestep(struct platform_ctx *c, bool on);

/* What the program may be told without asking: the values of calls of those names.
 * PLATFORM_NO_ANSWER: it must ask.  Own thread, or the context's maker. */
enum platform_answer {
	PLATFORM_GETPID = 1,
	PLATFORM_GETTID,
	PLATFORM_GETUID,
	PLATFORM_GETEUID,
	PLATFORM_GETGID,
	PLATFORM_GETEGID,
	PLATFORM_N_ANSWERS,
};
#define PLATFORM_NO_ANSWER UINT64_MAX
void platform_answer(struct platform_ctx *c, enum platform_answer which, uint64_t value);

/* Lends the signal mask of the context's task to its program, which may then look
 * at it and change it without asking.  Own thread, between two switches.  False:
 * that cannot be had.  Taken back, by any thread: what it is now; from then on
 * the program asks. */
bool platform_mask_lend(struct platform_ctx *c, uint64_t mask);
uint64_t platform_mask_take(struct platform_ctx *c); /* after it was lent */

/* The head of the program's list of robust futexes, which it may set without asking:
 * false: the platform keeps none.  get by any thread. */
bool platform_robust_get(struct platform_ctx *c, uint64_t *head);
bool platform_robust_set(struct platform_ctx *c, uint64_t head);

/* Records that the programs of an address space may read: one a descriptor, of what
 * is known not to be there.  The caller fills them in; 0: nothing is known. */
#define PLATFORM_EMPTY_SET 0x8000u /* an event set in which nothing is ready; the other bits are poll's */
struct platform_records {
	struct platform_as *as; /* what it belongs to, kept whole until put */
	_Atomic uint16_t *at;
	unsigned n;
};
/* Those of the address space that c, the caller's own, is in: all 0.  False: there are none, or
 * somebody has them. */
bool platform_records_get(struct platform_ctx *c, struct platform_records *r);
void platform_records_put(struct platform_records *r);
/* c's program looks at r from now on; NULL: at none.  Own thread.  False: r is another address
 * space's, and it looks at none. A new context, and one in another address space, looks at none. */
bool platform_records_use(struct platform_ctx *c, const struct platform_records *r);

/* A regular file or directory of the context's task that its program may look at without asking: fstat,
 * its flags, where it stands, that it is no terminal, and what finds nothing left; and close it. */
enum platform_end { PLATFORM_MORE, PLATFORM_READ_ENDS, PLATFORM_LIST_ENDS }; /* a read, or a getdents64, answers 0 */
#define PLATFORM_STAT_SIZE 144
#define PLATFORM_DATA_SIZE 1024
struct platform_file {
	int fd;
	enum platform_end end;
	bool closes; /* the program may close it */
	bool cloexec; /* its descriptor's flag, */
	uint32_t flags; /* and its own, as F_GETFL answers them */
	int64_t pos;
	int64_t ns; /* for how long; INT64_MAX: no end is known */
	uint8_t stat[PLATFORM_STAT_SIZE];
	int64_t data_pos; /* and of its bytes: those from there, */
	unsigned data_len; /* so many, PLATFORM_DATA_SIZE at most; 0: of none */
	const void *data;
};
/* Own thread.  The program looks at it once *until is stored in the word; whoever stores 0
 * there, on any thread, ends that.  NULL: this cannot be had.  A new context, and
 * one in another address space, looks at none. */
_Atomic uint64_t *platform_tell_file(struct platform_ctx *c, const struct platform_file *f, uint64_t *until);
void platform_file_moved(struct platform_ctx *c, int64_t pos, enum platform_end end); /* own thread */
/* Own thread, once: the program has closed it, so it says.  The context has stopped within seconds then. */
bool platform_file_closed(struct platform_ctx *c);

/* Patching of system calls in program text, so that they need not trap.  A site
 * is the instructions in a page that are replaced: where they are overwritten in
 * a copy of the page, the program comes to the site's entry in an array at
 * [table, table_end) of its own address space, which says where this process has
 * the site.  Pure functions. */
struct platform_site {
	uint16_t at; /* in the page */
	uint8_t len;
	bool sets_number;
	uint8_t lea[2]; /* it computes an address: the instruction's first byte, and its third; 0: it does not */
	int32_t value; /* the number that it sets, what it compares the result with, or the displacement */
};
struct platform_patching {
	uint64_t table, table_end;
	unsigned entry_size;
	/* A call has trapped with these registers, and the address behind the
	 * instruction is `end` in this page: what to patch; false: nothing. */
	bool (*find)(const uint8_t *page, unsigned end, const struct regs *r, struct platform_site *s);
	bool (*matches)(const uint8_t *page, const struct platform_site *s); /* the site is as it was found */
	void (*patch)(uint8_t *page, const struct platform_site *s, unsigned index);
	/* Writes entry `index` at e, for a site that lies at addr. */
	void (*entry)(uint8_t *e, const struct platform_site *s, unsigned index, uint64_t addr);
	/* What a thread's state was at the site, if it is in that entry. */
	void (*rewind)(const uint8_t *e, struct regs *r);
};
const struct platform_patching *platform_patching(const struct platform *p); /* NULL: calls always trap */

/* Processor time used by program code of an address space, ns. */
int64_t platform_as_cpu_ns(struct platform_as *as);

#endif
