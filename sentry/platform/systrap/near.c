/*
 * near.c - orders that the mapper carries out on the way of the program thread which
 * waits for them.
 *
 * An order is a wake-up of the mapper and one of us.  Where a program thread spins on
 * one processor while its task runs on another, the mapper runs where the task does, two
 * switches to and from another address space; and what it unmaps, the other processor,
 * which runs that thread, must be interrupted for: half of what an order costs.  So
 * the orders are put in the mapper's page, and the thread, let go, wakes the
 * mapper, which is held on its processor, and sleeps until it is done: two switches
 * within one address space, and nobody is interrupted.
 *
 * The program thread is not believed: if it goes on without that, it does so with its old
 * mappings, and we know.  When the mapper is done it sends a number to a pipe that no
 * program thread may write to, out of the page that none can write.  If an order
 * fails it reports as ever.  Nobody else gives orders before these are settled.
 *
 * A mapper waits that way only for whom this has seemed to pay several times, one after
 * the other.  Any other order has it report, and wait for the answer, again.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WISHES_LEAST 16u /* orders that might have been given so, one after the other, before any are; */
#define WISHES_MOST 4096u /* twice as many each time that fewer of them followed then */
#define SLEPT_MOST 4u /* they end if the thread has slept so often before them, one time after the other */
#define ORDERS_MOST 8
#define BYTES_MOST (UINT64_C(256) << 10) /* the thread spins no longer; and what is freed waits until the program calls again */
#define LOOK_MS 1 /* somebody else may have received the number that we wait for */
#define RECEIVED_MOST 64
#define TOKEN_SLOT_BITS 16
_Static_assert(ST_MAX_SLOTS <= 1 << TOKEN_SLOT_BITS, "a number tells the slot");
_Static_assert(ST_MAX_ORDERS * ST_ORDER_SIZE <= ST_NEAR_SEQ && ST_NEAR_TOKEN + 8 <= ST_PAGE, "they share a page");
_Static_assert(ST_NEAR + 4 <= ST_WORDS_END, "a thread may sleep there");

struct err *st_near_init(struct st_platform *p)
{
	int fds[2];

	p->near_done = calloc(ST_MAX_SLOTS, sizeof(*p->near_done));
	if (!p->near_done || pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return err_new(errno, "cannot make the stubs' pipe");
	p->done = fds[0];
	p->done_stubs = fds[1];
	return NULL;
}

static uint8_t *page_of(const struct st_as *as)
{
	return as->p->slots + (size_t)as->orders_slot * ST_SLOT_SIZE;
}

static _Atomic uint32_t *seq_of(const struct st_as *as)
{
	return (_Atomic uint32_t *)(void *)(page_of(as) + ST_NEAR_SEQ);
}

void st_near_start(struct st_as *as)
{
	as->near_on = -1;
	as->near_wishes = WISHES_LEAST;
}

/* -1: where it likes. Threads that it makes are held as it is. */
static void hold(struct st_as *as, int cpu)
{
	cpu_set_t one;

	if (as->near_on == cpu)
		return;
	as->near_on = cpu;
	CPU_ZERO(&one);
	if (cpu >= 0)
		CPU_SET((unsigned)cpu, &one);
	sched_setaffinity(as->pid, sizeof(one), cpu < 0 ? &as->p->cpu_set : &one);
}

/* Its mapper awaits an answer, or is about to. */
static void ends(struct st_as *as)
{
	as->near = false;
	if (as->near_given >= as->near_wishes)
		as->near_wishes = WISHES_LEAST;
	else if (as->near_wishes < WISHES_MOST)
		as->near_wishes *= 2;
	as->near_wish = 0;
	hold(as, -1);
}

/* --- done ---------------------------------------------------------------------------- */

/* Numbers grow. Who receives one of a slot's last user may be late. */
static void note_done(struct st_platform *p, uint64_t token)
{
	_Atomic uint64_t *done = &p->near_done[token % ST_MAX_SLOTS];
	uint64_t was = atomic_load(done);

	while (was < token && !atomic_compare_exchange_weak(done, &was, token))
		;
}

/* What mappers have sent: the number of a slot's last orders, each with the slot's in it. */
static void receive(struct st_platform *p)
{
	uint64_t tokens[RECEIVED_MOST];
	ssize_t n;

	do {
		n = read(p->done, tokens, sizeof(tokens));
		for (ssize_t i = 0; i < n / (ssize_t)sizeof(tokens[0]); i++)
			note_done(p, tokens[i]);
	} while (n == sizeof(tokens));
}

static bool is_done(const struct st_as *as)
{
	return atomic_load(&as->p->near_done[as->orders_slot]) == as->near_token;
}

static void wake_mapper(const struct st_as *as)
{
	syscall(SYS_futex, seq_of(as), FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Whether it has reported: an order has failed, or its process has ended. */
static bool has_reported(struct st_as *as)
{
	struct pollfd pfd[2] = { { .fd = as->notify_fd, .events = POLLIN }, { .fd = as->p->done, .events = POLLIN } };

	lock_wake_owed();
	return poll(pfd, 2, LOOK_MS) > 0 && pfd[0].revents;
}

void st_near_settle_locked(struct st_as *as)
{
	uint64_t done;
	int64_t result = 0;

	if (!as->near_out)
		return;
	as->near_out = false;
	for (;;) {
		receive(as->p);
		if (is_done(as))
			return;
		if (atomic_load(&as->dead))
			break;
		wake_mapper(as); /* its thread may not have */
		if (has_reported(as)) {
			receive(as->p);
			if (is_done(as))
				return;
			break;
		}
	}
	ends(as);
	*(volatile uint64_t *)(void *)(page_of(as) + ST_NEAR_WHO) = 0; /* for what it is given as an answer */
	as->near_failed = st_orders_report(as, &done, &result) ? -ESRCH : result < 0 ? (int)result : -EIO;
}

int st_as_settle(struct platform_as *base)
{
	struct st_as *as = (struct st_as *)base;
	int r;

	mutex_lock(&as->mu);
	st_near_settle_locked(as);
	r = as->near_failed;
	as->near_failed = 0;
	mutex_unlock(&as->mu);
	return r;
}

bool st_near_leave(struct st_ctx *c)
{
	struct st_as *as = c->as;
	bool ok;

	c->near = false;
	mutex_lock(&as->mu);
	st_near_settle_locked(as);
	ok = !as->near_failed;
	mutex_unlock(&as->mu);
	return ok;
}

/* --- given --------------------------------------------------------------------------- */

/* n orders are in the page. who: as ST_NEAR_WHO. */
static void give(struct st_as *as, unsigned n, uint64_t who)
{
	uint8_t *page = page_of(as);

	*(volatile uint32_t *)(void *)(page + ST_NEAR_N) = n;
	*(volatile uint64_t *)(void *)(page + ST_NEAR_WHO) = who;
	*(volatile uint64_t *)(void *)(page + ST_NEAR_TOKEN) = as->near_token;
	atomic_store(seq_of(as), as->near_seq);
}

/* The next number. Not 0: that has been done. */
static void count(struct st_as *as)
{
	as->near_seq += ST_NEAR_STEP;
	if (!as->near_seq)
		as->near_seq = ST_NEAR_STEP;
}

void st_near_orders_locked(struct st_as *as, unsigned n)
{
	ends(as);
	count(as);
	give(as, n, 0);
	wake_mapper(as);
}

/* Orders might be given so, but its mapper awaits an answer. */
static void wish_locked(struct st_as *as)
{
	as->near_wished = true;
	if (++as->near_wish < as->near_wishes || st_orders_answer(as, ST_ENTER_NEAR))
		return;
	as->near = true;
	as->near_given = as->near_slept = 0;
}

/* Whether the thread of c, the caller's, can see to them. */
static bool thread_can(const struct st_ctx *c)
{
	return c->p->places && c->in_patch && c->partial && !c->singlestep;
}

/* And spins, so that it is let go without a wake-up. */
static bool thread_spins(const struct st_ctx *c)
{
	return c->spins && !st_place_contended(c->p) && !st_handover_stub_sleeps(c);
}

static bool orders_can(const struct st_platform *p, const struct platform_order *o, unsigned n)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		bytes += o[i].len;
		if (o[i].kind == PLATFORM_MAP && o[i].fd != p->mem_fd)
			return false;
	}
	return n <= ORDERS_MOST && bytes <= BYTES_MOST;
}

/* To wake the thread first, for it to wake the mapper, pays only where others want the processors. */
static bool pays_locked(struct st_as *as, const struct st_ctx *c)
{
	bool slept = (!c->spins || st_handover_stub_sleeps(c)) && !st_place_contended(as->p);

	as->near_slept = slept ? as->near_slept + 1 : 0;
	return as->near_slept <= SLEPT_MOST;
}

/* A waiting number that is not known yet, of this address space's. */
static uint64_t new_token(struct st_as *as)
{
	return (atomic_fetch_add(&as->p->near_tokens, 1) + 1) << TOKEN_SLOT_BITS | as->orders_slot;
}

static void give_near(struct st_as *as, struct st_ctx *c, const struct platform_order *o, unsigned n)
{
	struct st_order *to = (struct st_order *)(void *)page_of(as);
	int cpu = st_place_stub(c);

	for (unsigned i = 0; i < n; i++)
		st_orders_add(&to[i], &o[i], ST_FD_MEMORY);
	if (cpu < CPU_SETSIZE && CPU_ISSET(cpu, &as->p->cpu_set))
		hold(as, cpu);
	as->near_token = new_token(as);
	as->near_out = true;
	as->near_given++;
	c->near = true;
	count(as);
	*(volatile uint32_t *)(void *)(c->slot + ST_NEAR) = as->near_seq;
	give(as, n, ST_SLOTS + (uint64_t)c->th->slot * ST_SLOT_SIZE + ST_NEAR);
}

bool st_as_orders_near(struct platform_as *base, const struct platform_order *o, unsigned n)
{
	struct st_as *as = (struct st_as *)base;
	struct st_ctx *c = st_ctx_own();
	bool given = false;

	if (!c || c->as != as || !orders_can(as->p, o, n) || !thread_can(c))
		return false;
	mutex_lock(&as->mu);
	if (!as->empty && !atomic_load(&as->dead) && as->pid) {
		if (!as->near && thread_spins(c))
			wish_locked(as);
		given = as->near && !as->near_out && !as->near_failed && pays_locked(as, c);
		if (given)
			give_near(as, c, o, n);
	}
	mutex_unlock(&as->mu);
	return given;
}
