/*
 * systrap.h - the systrap platform's own types.
 *
 * A stub process is an address space.  Its first thread, the mapper, carries
 * out orders; each further thread runs one context's program code natively,
 * under a seccomp filter that turns every system call into a signal, whose
 * handler hands the thread's state over in its slot: a piece of memory shared
 * with the sentry.  Program code can write its process's slots: whatever is
 * read there is copied once, then checked, and concerns that process only.
 *
 * Files: as.c (address spaces, and their end), pool.c (processes made in advance), slots.c, orders.c (what
 * the mapper is told), near.c (the same, on the way of a program thread), ctx.c (contexts and the threads they use), frame.c (a thread's
 * state in its slot), patch.c (the same at a patched call site), mask.c (a signal mask
 * there), robust.c (a list of futexes), records.c (of descriptors), told.c (of a file), rings.c (bytes of pipes), look.c (waiting for them), site.c (such sites), asks.c (others, which are no calls), switch.c (running program
 * code), handover.c (waiting for it), line.c (whose turn it is to spin), spin.h (whether spinning pays), soon.h and yield.h (or letting it run), place.c (on which
 * processors), cpus.c (how many there are), seat.c (tasks that take turns there), init.c (the platform).  guest-code/ is what runs in stubs.
 *
 * Locks, all RANK_PLATFORM: an address space's mu, then zygote_mu, then the
 * platform's mu; pool_mu alone.  Then slots_mu, living_mu or a context's mu
 * (RANK_LEAF).
 */
#ifndef SENTRY_PLATFORM_SYSTRAP_SYSTRAP_H
#define SENTRY_PLATFORM_SYSTRAP_SYSTRAP_H

#include "lib/lock.h"
#include "lib/ref.h"
#include "platform/ops.h"
#include "platform/stub_zygote.h"
#include "platform/systrap/guest-code/stub.h"
#include "platform/systrap/soon.h"
#include "platform/systrap/spin.h"
#include "platform/systrap/yield.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/queue.h>
#include <sys/types.h>

/* Interrupts a thread that runs program code; never reaches the program. */
#define ST_INTERRUPT_SIGNAL SIGCHLD

#define ST_SPIN_NS 20000 /* a side spins that long before it sleeps: about what sleeping costs on two processors */
#define ST_GAP_NS (25 * ST_SPIN_NS) /* a spinning thread that does not run for so long was preempted */
#define ST_GAPS_NS (1000 * ST_SPIN_NS) /* if that happens twice in this time, others want the processors: */
#define ST_CONTENDED_NS (50000 * ST_SPIN_NS) /* for so long again */
#define ST_HOLD_NS (500 * ST_SPIN_NS) /* two threads are held on one processor no longer at a time */

/* What programs of the same rights are told of names: names.c. */
struct st_board {
	unsigned users; /* address spaces that map it */
	bool keyed; /* it has a key, even if nobody does */
	uint8_t key[PLATFORM_KEY_SIZE];
};

#define ST_LIVING_LISTS 256
#define ST_WARM_SLOTS 8 /* a slot's memory is 32 KiB at most */
#define ST_OLD_SLOTS 16

struct sleeper;
struct st_as;
struct st_platform {
	struct platform base;
	int mem_fd; /* [I] borrowed */
	int slots_fd; /* [I] */
	uint8_t *slots; /* [I] all of slots_fd, mapped */
	_Atomic unsigned cpus; /* how many of these the host lets it use now: cpus.c */
	_Atomic uint64_t cpus_looked; /* ticks: when that was found out */
	cpu_set_t cpu_set; /* [I] where threads may run that are not held anywhere */
	bool places; /* [I] there may be more than one processor, and it is known which one a thread is on */
	int done, done_stubs; /* [I] a pipe's ends: mappers write what they were given when they are done: near.c */
	_Atomic uint64_t near_tokens; /* the last one given */
	_Atomic uint64_t *near_done; /* [I] the last one received, by the slot of orders */
	uint64_t spin_max; /* [I] ticks that a side may spin before it sleeps */
	bool receive_ends; /* [I] receiving a report ends when the process does: need not be polled for */
	bool fsgsbase; /* [I] the instructions may be used */
	uint32_t stub_flags; /* [I] ST_HAS_*: what of them stubs may use */
	_Atomic unsigned rest_new; /* hand-overs for which a new context does not spin: spin.h */
	_Atomic int held_on[CPU_SETSIZE]; /* programs that run and are held there */
	_Atomic unsigned looking; /* contexts that look on: look.c */
	_Atomic int begun_on; /* the processor where a program began or ended last: the platform's own threads keep off it */
	struct st_soon soon;
	struct st_yield yield;
	_Atomic unsigned waiting; /* [line_mu to write] in line */
	struct mutex line_mu; /* RANK_LEAF */
	TAILQ_HEAD(st_line, st_ctx) line, line_woken; /* [line_mu] */
	_Atomic unsigned waiting_woken; /* [line_mu to write] in line_woken */
	unsigned woken_run; /* [line_mu] turns of such, one after the other */
	unsigned turns; /* [line_mu] contexts that have one */
	_Atomic uint64_t gap; /* ticks: when a thread was preempted last: place.c */
	_Atomic uint64_t contended; /* ticks: others want the processors until then; 0: they never did */
	struct mutex zygote_mu;
	struct stub_zygote zygote; /* [zygote_mu] but its channel: [mu] */
	bool reaping; /* [zygote_mu] the reaper runs */
	struct mutex mu; /* one user at a time of the zygote's channel */
	struct mutex living_mu; /* RANK_LEAF */
	LIST_HEAD(, st_as) living[ST_LIVING_LISTS]; /* [living_mu] those whose process was not reaped yet, by its number; holds a reference */
	struct mutex slots_mu; /* RANK_LEAF */
	uint64_t slots_used[ST_MAX_SLOTS / 64]; /* [slots_mu] */
	uint16_t warm[ST_WARM_SLOTS]; /* [slots_mu] used as those say, but free: all zero, with memory */
	uint16_t old[ST_OLD_SLOTS]; /* [slots_mu] the same, but with what was there */
	unsigned n_warm, n_warming, n_old; /* [slots_mu] how many of each; and how many are being made zero */
	struct mutex names_mu; /* RANK_LEAF */
	struct st_board boards[ST_MAX_BOARDS]; /* [names_mu] */
	struct mutex rings_mu; /* RANK_LEAF */
	uint64_t rings_used[ST_MAX_RINGS / 64]; /* [rings_mu] */
	TAILQ_HEAD(, st_ring) rings_old; /* [rings_mu] that nobody uses, but stubs may map */
	struct mutex pool_mu;
	pthread_cond_t pool_wanted; /* [pool_mu] ready has become shorter than want */
	SLIST_HEAD(, st_as) ready; /* [pool_mu] address spaces with a process and an idle thread */
	unsigned n_ready, want; /* [pool_mu] */
	_Atomic int zygote_off; /* the processor that the zygote keeps off; -1: none */
	bool asked, making; /* [pool_mu] there was a first address space; the maker runs */
	_Alignas(64) _Atomic unsigned awake; /* contexts whose program runs or is being answered: line.c.  Written often: nothing read often beside */
};

/* A program thread of a stub. */
struct st_thread {
	SLIST_ENTRY(st_thread) link; /* [as->mu] in idle */
	unsigned slot;
	pid_t tid;
	int on; /* the only processor where it may run; -1: anywhere */
#define ST_ON_UNKNOWN (-2)
	bool in_patch; /* how it waits: as st_ctx.in_patch */
};

struct st_order {
	uint64_t nr, arg[6], slot;
};
_Static_assert(sizeof(struct st_order) == ST_ORDER_SIZE, "as the stub has it");

struct st_ctx;
struct st_as {
	struct platform_as base;
	struct st_platform *p; /* [I] */
	struct ref ref; /* the user's, one a context in ctxs, one in living */
	LIST_ENTRY(st_as) link; /* [p->living_mu] in living */
	SLIST_ENTRY(st_as) ready_link; /* [p->pool_mu] */
	struct mutex mu;
	pthread_cond_t ended; /* [mu] reaped is set */
	pid_t pid; /* [mu] the stub process; 0: not made yet */
	int notify_fd; /* [mu] the mapper's reports; -1 */
	uint64_t notify_id; /* [mu] of the report that waits for our answer */
	unsigned orders_slot; /* [mu] whose first page holds the orders */
	_Atomic bool records_taken; /* somebody has its records */
	int board; /* [mu] which is mapped there, and counted as used; -1: none */
	bool no_board; /* [mu] nor will be */
	_Atomic bool dead; /* it has been killed, or has died */
	bool reaped; /* [mu] */
	bool near; /* [mu] its mapper waits for near_seq to change, or is about to: near.c */
	bool near_out; /* [mu] orders were given that way, and are not known to be done; else */
	int near_failed; /* [mu] -errno of such that were not; 0 */
	uint32_t near_seq; /* [mu] */
	uint64_t near_token; /* [mu] what its mapper sends when they are done */
	unsigned near_wish; /* [mu] how often orders might have been given so, one time after the other, */
	unsigned near_wishes; /* [mu] and how often until they are; */
	bool near_wished; /* [mu] the next ones might have been; */
	unsigned near_given, near_slept; /* [mu] how many were since then; and of the last ones, while the thread slept */
	int near_on; /* [mu] the only processor where its mapper may run; -1: anywhere */
	bool empty; /* [mu] nothing of the program's is mapped any more, nor will be */
	LIST_HEAD(, st_ctx) ctxs; /* [mu] contexts that have a thread here */
	SLIST_HEAD(, st_thread) idle; /* [mu] threads that wait for another context */
};

struct st_ctx {
	struct platform_ctx base;
	struct st_platform *p; /* [I] */
	struct st_as *as; /* [t] whose thread we have; NULL: none */
	LIST_ENTRY(st_ctx) link; /* [as->mu] */
	struct st_thread *th; /* [t] ours while as is set */
	uint8_t *slot; /* [t; others look: st_patch_look] th's; NULL: has left its thread */
	struct mutex mu; /* RANK_LEAF */
	pid_t tgid, tid; /* [mu] whom to interrupt; 0: none */
	_Atomic uint64_t *lent; /* [mu] in the slot: the signal mask that the program may change; NULL: none, */
	uint64_t mask; /* [mu] and that is what it was */
	_Atomic uint64_t *robust_at; /* [mu] in the slot: the head of the list of robust futexes; NULL: no slot, */
	uint64_t robust; /* [mu] and that is what it was */
	bool singlestep; /* [t] */
	bool fp_pending; /* [t] fp is to be loaded at the next switch */
	struct fpstate *fp; /* [t] owned, or NULL */
	unsigned frame; /* [t] offset in the slot of the signal frame to return from */
	unsigned fp_at; /* [t] offset in the slot of the state that the host saved; 0: none */
	uint64_t fs_base, gs_base; /* [t] what the stub's thread has, where programs cannot change it */
	bool near; /* [t] before it goes on, its thread has the mapper carry orders out */
	bool in_patch; /* [t] the thread waits at a patched call site, not in a signal's handler: */
	struct regs block; /* [t] then: what was last seen in, or written to, its slot */
	bool partial; /* [t; others look: st_patch_look] only the call's registers were read */
	bool loading; /* [t] ST_LOAD is perhaps not 0 */
	uint64_t call_end; /* [t] where it would go on if the sentry changed nothing; 0: that is not known */
	uint64_t answers[ST_N_ANSWERS]; /* [t] what it may tell the program itself */
	uint64_t names_roots; /* [t] of the board that it looks at; 0: at none */
	struct st_ring *rings[2]; /* [t] lent to its program, by side; references */
	struct platform_ring *window; /* [t] where parts of files are; a reference */
	struct st_spin spin; /* [t] */
	struct st_spin look; /* [t] the same for its reads of a ring: whether they look on in the stub, */
	bool looks; /* [t] and do now */
	bool rests; /* [t] else: they may rest there */
	unsigned handovers; /* [t] */
	uint64_t spins; /* [t] ticks that each side spins before it sleeps, until the stub is let go the next time */
	bool yields; /* [t] instead, each side gives the other the only processor before it sleeps */
	uint64_t went, stopped; /* [t] ticks, if neither side spins or yields: when the stub was let go last, and when it has stopped; 0 */
	bool awake; /* [t] it is counted as such */
	TAILQ_ENTRY(st_ctx) line_link; /* [p->line_mu] */
	unsigned line; /* [p->line_mu to write; t or line_mu to read, but while in_line: line_mu] */
	_Atomic bool in_line; /* it may sleep there */
	_Atomic uint32_t line_looks; /* counted up: to look around */
	bool woken; /* [t or line_mu; both to write while in_line] it has slept in a call since it had its last slice */
	unsigned at_once; /* [t] hand-overs that it does not wait for in line */
	uint64_t turn_since; /* [t] ticks */
	unsigned turn_answers; /* [t] to spinning, since then */
	bool turn_in_vain; /* [t] there were few until spinning failed, the last time */
	bool soon; /* [t] its program stops soon: platform_soon */
	bool brief; /* [t] its maker's thread waits for it: platform_brief */
	bool held; /* [t] both threads on one processor: place.c */
	unsigned held_on; /* [t] */
	uint64_t held_since; /* [t] ticks */
	uint64_t woke; /* [t] ticks: when it has woken another task; 0: not since it slept last */
	const struct sleeper *whom; /* [t] that one; may be gone */
	unsigned turns; /* [t] how sure it is that it sleeps soon when it has woken another */
	unsigned alone; /* [t] calls since it has woken another or slept */
	unsigned rested; /* [t] handovers when it slept last */
	bool late; /* [t] its thread has owed that wake-up for a call already */
	uint32_t events, goes; /* [t] what ST_EVENT and ST_GO have been last */
	_Atomic bool running; /* program code may run */
	_Atomic bool interrupt; /* platform_interrupt was called */
};


static inline void set_partial(struct st_ctx *c, bool partial) { __atomic_store_n(&c->partial, partial, __ATOMIC_RELAXED); }

/* --- as.c --- */
struct platform_as *st_as_new(struct platform *p);
bool st_as_reusable(struct platform_as *as, struct platform_ctx *c);
struct st_as *st_as_alloc(struct st_platform *p); /* without a process; NULL: no memory */
void st_as_free(struct platform_as *as);
int st_as_start_locked(struct st_as *as); /* its process is made if there is none; 0 or -errno */
void st_refused(const char *what, int64_t result); /* the first time that the host makes no process or thread (-errno): a line in the log */
void st_as_kill_locked(struct st_as *as); /* kills the process; it may be reaped later */
void st_as_put(struct st_as *as);

/* --- pool.c --- */
struct st_as *st_pool_take(struct st_platform *p); /* NULL: none is ready */

/* --- slots.c --- */
int st_slot_new(struct st_platform *p); /* zeroed; or -errno */
void st_slot_free(struct st_platform *p, unsigned slot, size_t used); /* no process maps it any more; what is behind `used` is still zero */

/* --- orders.c: as->mu held --- */
int st_orders_report(struct st_as *as, uint64_t *done, int64_t *result); /* the mapper's next report: 0 or -ESRCH */
int st_orders_answer(struct st_as *as, unsigned n); /* to the last one: 0 or -ESRCH */
void st_orders_add(struct st_order *to, const struct platform_order *o, int fd); /* what the mapper does for it; fd: a stub's descriptor */
int st_orders_first(struct st_as *as); /* waits until a new process's mapper is ready */
/* Has the mapper carry out n orders up to the first that fails: 0 and the last
 * one's result, or -ESRCH: the process is dead. */
int st_orders_run(struct st_as *as, const struct st_order *o, unsigned n, int64_t *result);
int st_orders_empty(struct st_as *as); /* unmaps all of the program's memory; 0 or -ESRCH */
void st_orders_exit(struct st_as *as); /* the mapper ends the process, after we sleep or return */
int st_as_orders(struct platform_as *as, const struct platform_order *o, unsigned n);

/* --- near.c --- */
struct err *st_near_init(struct st_platform *p) ERR_MUST_USE;
void st_near_start(struct st_as *as); /* its process has just been made. as->mu held */
bool st_as_orders_near(struct platform_as *as, const struct platform_order *o, unsigned n);
int st_as_settle(struct platform_as *as);
void st_near_settle_locked(struct st_as *as); /* such orders are done, or have failed */
void st_near_orders_locked(struct st_as *as, unsigned n); /* its mapper, which waits that way, does these n and reports. After a settle */
bool st_near_leave(struct st_ctx *c); /* c's thread goes on without having done that: false: what was ordered has failed */

/* --- ctx.c --- */
struct platform_ctx *st_ctx_new(struct platform *p, struct platform_as *as);
void st_ctx_free(struct platform_ctx *c);
void st_ctx_bind(struct platform_ctx *c);
bool st_ctx_brief(struct platform_ctx *c, bool on);
void st_ctx_soon(struct platform_ctx *c);
struct st_ctx *st_ctx_own(void); /* the calling host thread's, or NULL */
int st_thread_prepare_locked(struct st_as *as); /* one idle thread more. as->mu held */
int st_ctx_enter(struct st_ctx *c, struct st_as *as); /* c has a thread in as; 0 or -errno */
void st_ctx_interrupt(struct platform_ctx *c);
void st_ctx_kick(struct st_ctx *c); /* interrupts c's thread */
void st_ctx_answer(struct platform_ctx *c, enum platform_answer which, uint64_t value);
bool st_ctx_cpu_time(struct platform_ctx *c, struct platform_cpu_time *out);
void st_set_singlestep(struct platform_ctx *c, bool on);
void st_fpstate_get(struct platform_ctx *c, struct fpstate *fp);
void st_fpstate_set(struct platform_ctx *c, const struct fpstate *fp);

/* --- frame.c --- */
void st_frame_write(struct st_ctx *c, const struct regs *r); /* what the thread goes on with */
bool st_frame_fits(void); /* this machine's floating-point state fits in a slot */
/* What it has stopped with; false: not what the host or we have put there. */
bool st_frame_read(struct st_ctx *c, struct regs *r, siginfo_t *si, uint64_t *error, uint64_t *trapno);
void st_fp_read(struct st_ctx *c, struct fpstate *fp);

uint64_t st_host_gs(const struct st_ctx *c, uint64_t gs_base); /* the GS base of a thread whose program has this one */
void st_fp_write(struct st_ctx *c); /* puts what is pending in the slot */

/* --- patch.c --- */
void st_patch_prepare(struct st_ctx *c); /* c has a new thread */
/* The thread waits at a patched site: has it stop by a signal if that cannot do
 * what is wanted.  False: it is dead. */
bool st_patch_convert(struct st_ctx *c, struct regs *r);
void st_patch_write(struct st_ctx *c, const struct regs *r); /* what it goes on with */
/* It has stopped at a patched site: true. by: ST_BY_*. */
void st_patch_complete(struct platform_ctx *c, struct regs *r);
void st_patch_look(struct platform_ctx *c, struct regs *r); /* any thread */
bool st_patch_read(struct st_ctx *c, struct regs *r, uint32_t *by);
/* A signal stopped it on its way out of there: its registers are those in the slot. */
void st_patch_leaving(struct st_ctx *c, struct regs *r);
bool st_patch_save_fp(struct st_ctx *c); /* into the slot; false: the thread is dead */

/* --- mask.c --- */
void st_mask_prepare(struct st_ctx *c); /* c has a new thread */
bool st_mask_lend(struct platform_ctx *c, uint64_t mask, uint64_t held);
uint64_t st_mask_take(struct platform_ctx *c);

/* --- robust.c --- */
void st_robust_prepare(struct st_ctx *c); /* c has a new thread */
void st_robust_leave(struct st_ctx *c); /* and gives it back */
uint64_t st_robust_get(struct platform_ctx *c);
void st_robust_set(struct platform_ctx *c, uint64_t head);

/* --- records.c --- */
void st_records_prepare(struct st_ctx *c); /* c has a new thread */
bool st_records_get(struct platform_ctx *c, struct platform_records *r);
void st_records_put(struct platform_records *r);
bool st_records_use(struct platform_ctx *c, const struct platform_records *r);
void st_as_nothing(struct platform_as *as, uint64_t start, uint64_t len);
void st_as_traps(struct platform_as *as, uint64_t at);

/* --- told.c --- */
void st_told_prepare(struct st_ctx *c); /* c has a new thread */
_Atomic uint64_t *st_tell_file(struct platform_ctx *c, const struct platform_file *f, uint64_t *until);
void st_file_moved(struct platform_ctx *c, int64_t pos, enum platform_end end);
bool st_file_closed(struct platform_ctx *c);
bool st_told_is_closed(const struct st_ctx *c); /* and nobody has asked */

/* --- window.c --- */
void st_window_prepare(struct st_ctx *c); /* c has a new thread */
void st_window_hide(const struct st_ctx *c); /* there is nothing in it that it was told of */
uint8_t *st_window(struct platform_ctx *c);
_Atomic uint64_t *st_window_show(struct platform_ctx *c, const struct platform_window *w);
void st_window_end(struct platform_ctx *c);
/* --- names.c --- */
void st_names_prepare(struct st_ctx *c); /* c has a new thread */
void st_names_end(struct st_as *as); /* its process has ended */
bool st_names_words(struct platform *p, struct platform_names_words *w);
bool st_names_use(struct platform_ctx *c, const uint8_t key[PLATFORM_KEY_SIZE], uint64_t roots);
uint64_t st_names_used(const struct platform_ctx *c);
void st_names_leave(struct platform_ctx *c);
void st_tell_name(struct platform_ctx *c, const struct platform_name *n);

/* --- rings.c --- */
struct platform_ring *st_ring_own(struct st_ctx *c, uint64_t *at); /* one that c's stub alone has, its data at that address; or NULL */
void st_rings_prepare(struct st_ctx *c); /* c has a new thread */
void st_rings_rest(struct st_ctx *c); /* its thread will sleep */
struct platform_ring *st_ring_new(struct platform_ctx *c);
void st_ring_get(struct platform_ring *r);
void st_ring_put(struct platform_ring *r);
bool st_ring_lend(struct platform_ctx *c, struct platform_ring *r, enum platform_side side, int fd);
bool st_ring_is_others(struct platform_ring *r, enum platform_side side);
bool st_ring_await(struct platform_ring *r, struct sleeper *s);
void st_ring_streams(struct platform_ring *r, bool streams);
void st_ring_wake(struct platform_ring *r);
void st_rings_end(struct platform_ctx *c);
void st_rings_moved(struct platform_ctx *c, struct platform_moved moved[2]);
bool st_ring_faulted(struct platform_ctx *c);

/* --- look.c --- */
void st_look_prepare(struct st_ctx *c); /* c has a new thread */
void st_look_end(struct st_ctx *c); /* it is lent nothing to read any more */
void st_look_went(struct st_ctx *c); /* its stub thread is let go */
void st_look_stopped(struct st_ctx *c); /* its stub thread has stopped */
void st_look_ends(struct st_ctx *c); /* its program has had its time to rest */
bool st_ring_spins(struct platform_ring *r); /* any thread */

/* --- site.c --- */
extern const struct platform_patching st_patching;

/* --- asks.c --- */
bool st_asks_pays(void);
bool st_asks_next(const uint8_t *page, unsigned from, struct platform_site *s);
bool st_asks_matches(const uint8_t *page, const struct platform_site *s);
uint8_t *st_asks_answer(uint8_t *p, const struct platform_site *s); /* what sets the registers, 22 bytes at most; its end */

/* --- handover.c --- */
void st_handover_prepare(struct st_ctx *c); /* c has a new thread, which waits */
/* Lets c's thread go on and waits until it has stopped; false: it never will. */
bool st_handover(struct st_ctx *c);
/* c's thread, if it spins, does so for longer: what it waits for takes longer than
 * most calls, but not much. */
void st_handover_soon(struct st_ctx *c);
void st_handover_rest(struct platform_ctx *c); /* it spins no longer */
void st_handover_wake(uint8_t *slot); /* the waiter looks again. Any thread */
void st_handover_wake_word(_Atomic uint32_t *sleeps); /* whoever sleeps until that is 0. Any thread */
bool st_handover_stub_sleeps(const struct st_ctx *c); /* so it says; own thread */
void st_handover_wake_stub(struct st_ctx *c);

/* --- line.c --- */
void st_line_awake(struct st_ctx *c, bool awake); /* its program runs, or has called; or sleeps, or has ended */
bool st_line_has_turn(const struct st_ctx *c); /* it may spin this time */
/* It waits until it may, its stub's thread asleep; false: it shall not, this time. */
bool st_line_wait(struct st_ctx *c);
bool st_line_in_turn(const struct st_ctx *c); /* it has a turn */
bool st_line_waits(const struct st_platform *p); /* somebody */
bool st_line_pays(const struct st_ctx *c); /* for it to wait, even if spinning has failed lately */
void st_line_learn(struct st_ctx *c, bool answered); /* it has spun */
void st_line_leave(struct st_ctx *c); /* it spins no longer */
void st_line_rests(struct st_ctx *c); /* its call will sleep */
bool st_line_goes_at_once(struct st_ctx *c); /* it has been woken, and shall sleep for its program this time. Asked once a hand-over */
void st_line_look(struct st_ctx *c); /* if it waits there it looks around. Any thread */

/* --- cpus.c: c's stub thread sleeps --- */
unsigned st_cpus(struct st_ctx *c); /* as found out lately */
bool st_cpus_due(const struct st_platform *p); /* that was a while ago. Any thread */
/* As it is.  The stub's thread may run somewhere then: it is to be told where. */
unsigned st_cpus_count(struct st_ctx *c);
void st_cpus_fewer(struct st_ctx *c); /* it seems so: they are counted again soon */

/* --- place.c --- */
void st_place_init(struct st_platform *p);
/* Wakes c's stub thread where it should run; true: not where it was. */
bool st_place_wake(struct st_ctx *c);
void st_place_preempted(struct st_platform *p, uint64_t now); /* a thread that spins was, until now */
bool st_place_contended(const struct st_platform *p); /* other processes want the processors */
void st_place_runs(struct st_ctx *c, bool runs); /* the program, on both sides of our sleep */
void st_place_free(struct st_ctx *c); /* neither of its threads is held anywhere any more */
void st_place_mark(struct st_platform *p); /* a program begins or ends, on the calling thread */
void st_place_keep_off(const struct st_platform *p); /* the calling thread does what nobody waits for */
void st_place_zygote(struct st_platform *p); /* it will work for the calling thread, which keeps off: so does it */
void st_place_made(const struct st_platform *p, pid_t stub); /* by the zygote: it, and its threads to come, may run anywhere */
void st_place_end(const struct st_platform *p, struct st_thread *th); /* it is idle, and will be killed: here */
void st_place_leave(struct st_ctx *c); /* it gives its stub's thread back */
bool st_place_taken(const struct st_platform *p, unsigned cpu); /* a program that is held there runs */
int st_place_stub(const struct st_ctx *c); /* the one where its stub's thread was, so it says */
unsigned st_place_own(void); /* the processor that the calling thread runs on */
uint64_t st_place_ticks(const struct st_platform *p, uint64_t ns);

/* --- seat.c --- */
enum wake_when st_seat_wakes(struct platform *p, struct sleeper *s);
void st_seat_rests(struct st_ctx *c); /* its call will sleep */
void st_seat_rested(struct st_ctx *c); /* and has woken whom it has written to by itself */
void st_seat_rests_soon(struct platform_ctx *c);
bool st_seat_turns(struct st_ctx *c); /* it does little before it sleeps; asked once a hand-over */
bool st_takes_turns(const struct platform_ctx *c); /* the same, asked at any time */
bool st_ring_turns(void); /* the caller's */
/* The caller's own: the processor that somebody, or it itself, has given it; below 0: none. */
int st_seat_own(void);
bool st_seat_sent(void); /* somebody has sent it to another processor */
void st_seat_set(int cpu); /* -1: none */
uint64_t st_seat_since(void); /* ticks */

/* --- switch.c --- */
enum platform_event st_run(struct platform_ctx *c, struct platform_as *as, struct regs *r, struct platform_trap *trap);

#endif
