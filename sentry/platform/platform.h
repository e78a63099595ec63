/*
 * platform.h - the interface to the mechanism that runs program code.
 *
 * struct platform      the mechanism, made once at boot (zygote stub and all)
 * struct platform_as   one program address space = one stub process
 * struct platform_ctx  one task's execution context = one stub thread at a time
 *
 * Only a task's own host thread calls platform_switch and the fpstate functions on
 * its ctx (with ptrace, that thread is the tracer).  Changes of an address space's
 * mappings ("orders") may come from any thread and are complete when the call
 * returns.  They are carried out by a stub thread that runs no program code, or by
 * the caller's own stub thread if it belongs to that address space; otherwise the
 * threads running there are stopped and run program code only after the orders.
 * The cost is a few wake-ups for each call and little for each order: batch them.
 */
#ifndef SENTRY_PLATFORM_PLATFORM_H
#define SENTRY_PLATFORM_PLATFORM_H

#include "arch/x86_64/arch.h"
#include "lib/wait.h"
#include "libipc/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct platform;
struct platform_as;
struct platform_ctx;

enum platform_event {
	PLATFORM_SYSCALL, /* orig_rax = number, rax = -ENOSYS, rip after the instruction */
	PLATFORM_FAULT, /* SIGSEGV/SIGBUS by the program's access: see trap */
	PLATFORM_TRAP, /* another synchronous exception: SIGFPE SIGILL SIGTRAP SIGSEGV (general protection) */
	PLATFORM_INTERRUPTED, /* platform_interrupt was called; may also be spurious */
	PLATFORM_DEAD, /* the stub was killed from outside: the task must die */
};

struct platform_trap {
	int signo; /* Linux signal number */
	int code; /* si_code: SEGV_MAPERR, FPE_INTDIV, TRAP_BRKPT ... */
	uint64_t addr; /* si_addr */
	uint32_t error; /* page fault error code: bit 1 write, bit 4 instruction fetch; 0 if unknown */
	uint64_t trapno;
	bool partial; /* PLATFORM_SYSCALL: only call number, arguments and rax are valid until platform_complete */
	bool call_site; /* PLATFORM_SYSCALL: the call has trapped at its instruction, where it may be patched */
	uint64_t awake; /* ticks of the switch at most in which the calling thread was awake, for the program to stop */
	bool error_known; /* error and trapno are valid (addr always is); bit 1 may be clear for a write to an unmapped page */
};

/* name: "ptrace".  Called at boot before the process is sealed and before any
 * thread is made.  mem_fd: the memory file, which stubs map. */
struct err *platform_new(const char *name, int mem_fd, struct platform **out) ERR_MUST_USE;

struct platform_as *platform_as_new(struct platform *p); /* NULL: out of memory or processes */
void platform_as_free(struct platform_as *as); /* kills the stub process; no ctx may be running in it */

/* For exec: whether c, which has run in `as`, may run the next program in the same stub
 * process.  False if another thread of the old program may have left anything there, or
 * if reuse would save nothing. */
bool platform_as_reusable(struct platform_as *as, struct platform_ctx *c);

/* Programs that run there may be told without asking that MADV_DONTNEED has nothing to do in
 * [start, start + len); as done before that changes.  len 0: nowhere any more. */
void platform_as_nothing(struct platform_as *as, uint64_t start, uint64_t len);

/* The call whose instruction ends at `at` traps, and will go on to: programs that run there may come with it
 * as they do from a patched site.  Only a hint, at whatever may be there later.  0: no call any more. */
void platform_as_traps(struct platform_as *as, uint64_t at);

enum platform_order_kind { PLATFORM_MAP, PLATFORM_UNMAP, PLATFORM_PROTECT };
struct platform_order {
	enum platform_order_kind kind;
	int prot; /* PROT_* of <sys/mman.h>; not for UNMAP */
	bool present; /* MAP: a hint: all pages are in memory and will be used, so populate the mapping */
	int fd; /* MAP: a descriptor of the sentry; the mapping is MAP_SHARED|MAP_FIXED at addr */
	uint64_t addr, len; /* page aligned and below TASK_SIZE */
	uint64_t off;
};
/* Carries out orders in sequence and stops at the first that fails: 0, or its -errno
 * (-ENOMEM: too many mappings).  -EINVAL: an order is invalid, and none was carried out. */
int platform_as_orders(struct platform_as *as, const struct platform_order *o, unsigned n);
/* The same, but they are complete when the program of the caller's own context goes on, which is next:
 * false: they cannot be given so, now, and nothing was done.  Until platform_as_settle, which waits for
 * them and gives their result, what they take away may still be reached. */
bool platform_as_orders_near(struct platform_as *as, const struct platform_order *o, unsigned n);
int platform_as_settle(struct platform_as *as); /* 0, also if there were none; or -errno */
/* One order. */
int platform_as_map(struct platform_as *as, uint64_t addr, uint64_t len, int prot, int fd, uint64_t off);
int platform_as_unmap(struct platform_as *as, uint64_t addr, uint64_t len);
int platform_as_protect(struct platform_as *as, uint64_t addr, uint64_t len, int prot);

/* A context for a task that will run in `as`.  The first one of an address space
 * creates the stub process, on any thread; each later one is created by the caller's
 * stub thread, so the caller must be a task of `as` (clone).  NULL: out of processes
 * or threads. */
struct platform_ctx *platform_ctx_new(struct platform *p, struct platform_as *as);
/* Called on the context's own task thread at its end (or, if it never ran, by its maker). */
void platform_ctx_free(struct platform_ctx *c);
/* Makes c this host thread's context.  First call on a new task's thread. */
void platform_ctx_bind(struct platform_ctx *c);

/* Runs program code until something happens.  `as` may differ from the last
 * call's (exec).  r is loaded before and stored after. */
enum platform_event platform_switch(struct platform_ctx *c, struct platform_as *as, struct regs *r, struct platform_trap *trap);

/* The next platform_switch of c will take a while (the task blocks): its stub thread
 * should sleep rather than spin.  Own thread. */
void platform_rest(struct platform_ctx *c);
/* The task sleeps soon after it has woken another: it is exiting, or waits for whom it wakes
 * next.  Own thread. */
void platform_rests_soon(struct platform_ctx *c);

/* c, which has not run yet, runs its program on its maker's thread, which is bound to it meanwhile and wants
 * to be back soon: a switch takes PLATFORM_BRIEF_NS at most, as if interrupted then, or about that.  False:
 * not on this platform.  `on` false: that is over, it goes on on its own thread. */
#define PLATFORM_BRIEF_NS 5000000
bool platform_brief(struct platform_ctx *c, bool on);
/* The next platform_switch of c takes next to no time, it is guessed.  Own thread; platform_brief implies it. */
void platform_soon(struct platform_ctx *c);

/* c's task sleeps soon whenever it has woken another: who waits for it loses nothing if he is woken only
 * then.  Own thread. */
bool platform_takes_turns(const struct platform_ctx *c);

/* Called before a thread is woken: the platform decides on which CPU it should run, and
 * when it is to be woken.  Any thread. */
enum wake_when platform_wakes(struct platform *p, struct sleeper *s);

/* Fills in the remaining registers after an event whose trap was partial; to be called
 * before they are read or changed.  Own thread. */
void platform_complete(struct platform_ctx *c, struct regs *r);
/* The same for somebody else who looks at a context that waits in a call: nothing is noted. */
void platform_look(struct platform_ctx *c, struct regs *r);

/* Makes c's current or next platform_switch return soon. Any thread. */
void platform_interrupt(struct platform_ctx *c);

/* The processor time of the process that c's program code runs in, all its threads: false if there is none, or
 * the host does not tell.  Any thread that knows c to stay. */
struct platform_cpu_time {
	pid_t process; /* which: another one's is another clock */
	int64_t ns;
	bool exact; /* c is the caller's own, and its stub's thread sleeps; else what it says may be old by a tick of the host */
};
bool platform_cpu_time(struct platform_ctx *c, struct platform_cpu_time *out);

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

/* Calls that the stub answers by itself, without a switch to the sentry, and the values it
 * answers with.  PLATFORM_NO_ANSWER: the call goes to the sentry.  Own thread, or the
 * context's creator. */
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

/* Lends the task's signal mask to its stub, which then answers rt_sigprocmask by itself, unless a signal of
 * `held` would no longer be blocked: the sentry is asked then.
 * Own thread, between two switches.  False: not supported here.  platform_mask_take, on
 * any thread, takes it back and returns its present value; the call then goes to the
 * sentry again. */
bool platform_mask_lend(struct platform_ctx *c, uint64_t mask, uint64_t held);
uint64_t platform_mask_take(struct platform_ctx *c); /* after it was lent */

/* The head of the task's robust futex list, which the stub lets the program set by itself.
 * False: the platform does not keep it.  platform_robust_get: any thread. */
bool platform_robust_get(struct platform_ctx *c, uint64_t *head);
bool platform_robust_set(struct platform_ctx *c, uint64_t head);

/* Records that the stub reads, one for each file descriptor: which events are known not to
 * be ready.  Written by the caller; 0: nothing is known. */
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
struct platform_file {
	int fd;
	enum platform_end end;
	bool closes; /* the program may close it */
	bool cloexec; /* its descriptor's flag, */
	uint32_t flags; /* and its own, as F_GETFL answers them */
	int64_t pos;
	int64_t ns; /* for how long; INT64_MAX: no end is known */
	uint8_t stat[PLATFORM_STAT_SIZE];
};
/* Own thread.  The program looks at it once *until is stored in the word; whoever stores 0
 * there, on any thread, ends that.  NULL: this cannot be had.  A new context, and
 * one in another address space, looks at none. */
_Atomic uint64_t *platform_tell_file(struct platform_ctx *c, const struct platform_file *f, uint64_t *until);
void platform_file_moved(struct platform_ctx *c, int64_t pos, enum platform_end end); /* own thread */
/* Own thread, once: the program has closed it, so it says.  The context has stopped within seconds then. */
bool platform_file_closed(struct platform_ctx *c);
/* A part of that file, which its program reads from by itself, where its position is and anywhere else. */
#define PLATFORM_WINDOW_SIZE 65536u
struct platform_window {
	int64_t from; /* where it begins in the file, */
	unsigned len; /* how many bytes it has: PLATFORM_WINDOW_SIZE at most */
	bool ends; /* the file ends with them */
};
/* Own thread: where the bytes are put, PLATFORM_WINDOW_SIZE at most; the program can read and write them
 * at any time, from now on until platform_window_end.  NULL: there is no room to be had. */
uint8_t *platform_window(struct platform_ctx *c);
/* Own thread, after platform_tell_file: they are there.  The word has the position behind the first byte in
 * its lower half; reads move it while it is valid, as that of a ring.  It is not, as yet. */
_Atomic uint64_t *platform_window_show(struct platform_ctx *c, const struct platform_window *w);
void platform_window_end(struct platform_ctx *c); /* own thread: the program can look at none any more */

/* What paths lead to, which programs may know without asking: the attributes, or that they lead nowhere.
 * It is kept on boards; programs of different rights (`key`) see different ones.  All of it ends when
 * words->changes is counted up, or when platform_name.ns is over; and a context that looks at a board
 * does so only as long as words->roots is what it was told. */
#define PLATFORM_NAME_MAX 88 /* longer ones are not told */
#define PLATFORM_KEY_SIZE 64
struct platform_names_words {
	_Atomic uint64_t *changes, *roots;
};
struct platform_name {
	const char *path; /* absolute, */
	unsigned len; /* below PLATFORM_NAME_MAX; */
	bool nofollow; /* a last symbolic link is what it leads to */
	bool missing; /* ENOENT; else: */
	uint8_t stat[PLATFORM_STAT_SIZE];
	uint64_t changes; /* words->changes before anybody looked */
	int64_t ns; /* all that is on the boards holds for that long */
};
/* The words, which stubs can read.  False: there are no boards. */
bool platform_names_words(struct platform *p, struct platform_names_words *w);
/* Own thread.  c's program looks at the board of that key while words->roots is `roots`.  False: it cannot, nor
 * can any context of its address space, if that was seen to have another key before. */
bool platform_names_use(struct platform_ctx *c, const uint8_t key[PLATFORM_KEY_SIZE], uint64_t roots);
uint64_t platform_names_used(const struct platform_ctx *c); /* `roots`, as above; 0: it looks at none.  Own thread */
/* Own thread: its rights have changed.  No context of its address space looks at a board any more, nor can. */
void platform_names_leave(struct platform_ctx *c);
/* Own thread: c looks at a board, where n is put. */
void platform_tell_name(struct platform_ctx *c, const struct platform_name *n);

/* A ring of bytes between a reader and a writer, which programs may be lent to use without
 * asking: each side moves a word of its own, whose lower half counts its bytes on and on, and only
 * while the word is valid.  Those two programs can write anything there, at any time. */
#define PLATFORM_RING_SIZE 65536u
#define PLATFORM_RING_VALID (UINT64_C(1) << 63)
enum platform_side { PLATFORM_READS, PLATFORM_WRITES };
struct platform_ring {
	const struct platform_ops *ops; /* [I] */
	_Atomic uint64_t *word[2]; /* [I] of each side */
	_Atomic uint32_t *limit; /* [I] the writer asks if there would be more bytes than that */
	uint8_t *data; /* [I] PLATFORM_RING_SIZE of them */
};
/* A new one, empty and with no valid word, for c's program or another.  NULL: there is none to be had. */
struct platform_ring *platform_ring_new(struct platform_ctx *c);
void platform_ring_get(struct platform_ring *r);
void platform_ring_put(struct platform_ring *r);
/* Own thread: from its next switch on c's program uses that side by itself when it reads or writes the
 * descriptor.  Once only for each side of a ring; false: it cannot. */
bool platform_ring_lend(struct platform_ctx *c, struct platform_ring *r, enum platform_side side, int fd);
/* The side is, or was, lent, but not to the program of the calling thread's context. */
bool platform_ring_is_others(struct platform_ring *r, enum platform_side side);
/* The calling task, which reads there, takes turns (platform_takes_turns). */
bool platform_ring_turns(struct platform_ring *r);
/* The reader's program, or the writer's in another ring, waits for a moment by itself if it finds nothing to
 * read, on a processor that it need not share: whoever sleeps had better be woken at once. */
bool platform_ring_spins(struct platform_ring *r);
/* s is woken before the thread of the writer's context sleeps; NULL: nobody.  Whether that has happened. */
bool platform_ring_await(struct platform_ring *r, struct sleeper *s);
/* Whether much comes through it at a time: then its reader's program may rest by itself, for a moment, until... */
void platform_ring_streams(struct platform_ring *r, bool streams);
/* ... it is woken: there is much, or its word is not valid any more. */
void platform_ring_wake(struct platform_ring *r);
void platform_rings_end(struct platform_ctx *c); /* own thread: its program uses none any more */
struct platform_moved {
	uint64_t bytes, calls;
};
/* Own thread: what its program has moved by itself, by side, since this was asked last; so it says. */
void platform_rings_moved(struct platform_ctx *c, struct platform_moved moved[2]);
/* Own thread: whether its program failed to use one as its own memory was not mapped, since this was asked last. */
bool platform_ring_faulted(struct platform_ctx *c);

/* Patching of system calls in program text, so that they need not trap.  A site is the
 * sequence of instructions that is replaced, in a copy of its page, by a jump to the
 * site's entry in an array at [table, table_end) of the program's address space; the
 * entry holds the address at which this process has the site.  Pure functions. */
struct platform_site {
	uint16_t at; /* in the page */
	uint8_t len;
	bool sets_number; /* and then, before the call, there are: */
	uint8_t n_moves, moves[6]; /* so many bytes of what sets registers */
	bool stores; /* a register, in a word of the stack */
	bool asks; /* no call: it asks the processor what it is */
	uint8_t lea[2]; /* it computes an address: the instruction's first byte, and its third; 0: it does not */
	int32_t value; /* the number that it sets, what it compares the result with, the displacement, or what it asks */
};
struct platform_patching {
	uint64_t table, table_end;
	unsigned entry_size;
	/* A call has trapped with these registers, and the address behind the
	 * instruction is `end` in this page: what to patch; false: nothing. */
	bool (*find)(const uint8_t *page, unsigned end, const struct regs *r, struct platform_site *s);
	/* The first site of those that need not trap to be found, at or behind `from`; false: there is none.  pays: whether to
	 * look for them, on this machine. */
	bool (*next)(const uint8_t *page, unsigned from, struct platform_site *s);
	bool (*pays)(void);
	bool (*matches)(const uint8_t *page, const struct platform_site *s); /* the site is as it was found */
	void (*patch)(uint8_t *page, const struct platform_site *s, unsigned index);
	/* Writes entry `index` at e, for a site that lies at addr. */
	void (*entry)(uint8_t *e, const struct platform_site *s, unsigned index, uint64_t addr);
	/* What a thread's state was at the site, if it is in that entry. */
	void (*rewind)(const uint8_t *e, struct regs *r);
};
const struct platform_patching *platform_patching(const struct platform *p); /* NULL: calls always trap */

#endif
