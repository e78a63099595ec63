/*
 * patch.c - the sentry's side of patched call sites (guest-code/patch.S): a
 * thread that waits there has its general registers in its slot and its
 * floating-point state in the processor.
 *
 * Runs on the context's own host thread.  Of the registers only those that have
 * changed are written: the rest of the slot stays in the other processor's cache.
 * Program code may write the slot at any time: it is read once, then checked.
 */
#include "platform/systrap/systrap.h"

#include <stddef.h>
#include <string.h>

_Static_assert(ST_ANSWERS + ST_N_ANSWERS * 8 <= ST_FIRST_FRAME, "the answers fit");
_Static_assert((int)ST_N_ANSWERS == (int)PLATFORM_N_ANSWERS, "an answer each");

/* Where registers are in the slot; rax apart, which comes and goes in two places. */
static const struct {
	uint16_t slot, reg;
} places[] = {
	{ ST_RDI, offsetof(struct regs, rdi) },
	{ ST_RSI, offsetof(struct regs, rsi) },
	{ ST_RDX, offsetof(struct regs, rdx) },
	{ ST_R10, offsetof(struct regs, r10) },
	{ ST_R8, offsetof(struct regs, r8) },
	{ ST_R9, offsetof(struct regs, r9) },
	{ ST_RBX, offsetof(struct regs, rbx) },
	{ ST_RBP, offsetof(struct regs, rbp) },
	{ ST_R12, offsetof(struct regs, r12) },
	{ ST_R13, offsetof(struct regs, r13) },
	{ ST_R14, offsetof(struct regs, r14) },
	{ ST_R15, offsetof(struct regs, r15) },
	{ ST_RCX, offsetof(struct regs, rcx) },
	{ ST_R11, offsetof(struct regs, r11) },
	{ ST_RIP, offsetof(struct regs, rip) },
	{ ST_EFLAGS, offsetof(struct regs, eflags) },
	{ ST_RSP, offsetof(struct regs, rsp) },
};
#define N_PLACES (sizeof(places) / sizeof(places[0]))
#define N_ARGUMENTS 6u /* the first ones, which are in a line with the event */

static void put64(uint8_t *at, uint64_t v)
{
	__atomic_store_n((uint64_t *)(void *)at, v, __ATOMIC_RELAXED);
}

static void put32(uint8_t *at, uint32_t v)
{
	__atomic_store_n((uint32_t *)(void *)at, v, __ATOMIC_RELAXED);
}

static uint64_t get64(const uint8_t *at)
{
	return __atomic_load_n((const uint64_t *)(const void *)at, __ATOMIC_RELAXED);
}

static uint32_t get32(const uint8_t *at)
{
	return __atomic_load_n((const uint32_t *)(const void *)at, __ATOMIC_RELAXED);
}

static uint64_t *reg(struct regs *r, unsigned i)
{
	return (uint64_t *)(void *)((char *)r + places[i].reg);
}

void st_patch_prepare(struct st_ctx *c)
{
	uint64_t self = ST_SLOTS + (uint64_t)c->th->slot * ST_SLOT_SIZE;

	c->in_patch = c->th->in_patch;
	c->call_end = 0;
	set_partial(c, false);
	c->loading = true; /* perhaps */
	memset(&c->block, 0xff, sizeof(c->block));
	put64(c->slot + ST_SELF, self);
	put64(c->slot + ST_PUSH, self + ST_EFLAGS + sizeof(uint64_t));
	put64(c->slot + ST_FP_MASK, fpstate_features());
	put32(c->slot + ST_FLAGS, c->p->stub_flags);
	for (unsigned i = 0; i < ST_N_ANSWERS; i++)
		put64(c->slot + ST_ANSWERS + 8 * (size_t)i, c->answers[i]);
	put64(c->slot + ST_MAGIC, ST_MAGIC_VALUE);
	put64(c->slot + ST_TRAPPED + ST_SITE_CMP, 0);
	if (c->in_patch && !c->fp_pending) { /* what another context has left there is not for this one */
		fpstate_init(c->fp);
		c->fp_pending = true;
	}
}

void st_ctx_answer(struct platform_ctx *base, enum platform_answer which, uint64_t value)
{
	struct st_ctx *c = (struct st_ctx *)base;

	c->answers[which] = value;
	if (c->slot)
		put64(c->slot + ST_ANSWERS + 8 * (size_t)which, value);
}

/* --- from the stub ------------------------------------------------------------------- */

static void read_places(struct st_ctx *c, struct regs *r, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		*reg(r, i) = *reg(&c->block, i) = get64(c->slot + places[i].slot);
}

/* All but rax and the arguments. */
static void read_others(struct st_ctx *c, struct regs *r)
{
	read_places(c, r, N_ARGUMENTS, N_PLACES);
	if (c->p->fsgsbase)
		r->fs_base = c->block.fs_base = get64(c->slot + ST_FS);
	/* It has found its slot by the GS base: the program's own is 0. */
	r->gs_base = 0;
	regs_sanitize(r);
	c->call_end = r->rip;
	set_partial(c, false);
}

void st_patch_complete(struct platform_ctx *base, struct regs *r)
{
	struct st_ctx *c = (struct st_ctx *)base;

	if (c->partial)
		read_others(c, r);
}

void st_patch_look(struct platform_ctx *base, struct regs *r)
{
	const struct st_ctx *c = (const struct st_ctx *)base;

	/* c may go on meanwhile, and leave its thread (execve): its slot is asked for once.  All slots stay mapped, but
	 * it may be another's then: of that nothing is told. */
	const uint8_t *slot = __atomic_load_n(&c->slot, __ATOMIC_RELAXED);

	if (!slot || !__atomic_load_n(&c->partial, __ATOMIC_RELAXED))
		return;
	for (unsigned i = N_ARGUMENTS; i < N_PLACES; i++)
		*reg(r, i) = get64(slot + places[i].slot);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&c->slot, __ATOMIC_RELAXED) != slot)
		for (unsigned i = N_ARGUMENTS; i < N_PLACES; i++)
			*reg(r, i) = 0;
}

static void read_all(struct st_ctx *c, struct regs *r)
{
	read_places(c, r, 0, N_ARGUMENTS);
	r->rax = get64(c->slot + ST_RESULT);
	r->orig_rax = UINT64_MAX;
	read_others(c, r);
}

bool st_patch_read(struct st_ctx *c, struct regs *r, uint32_t *by)
{
	*by = get32(c->slot + ST_KIND);
	if (*by != ST_BY_CALL && *by != ST_BY_CLONE && *by != ST_BY_KICK)
		return false;
	c->in_patch = true;
	c->fp_at = *by == ST_BY_CLONE ? ST_FP : 0;
	c->loading = false;
	if (*by != ST_BY_KICK) {
		read_places(c, r, 0, N_ARGUMENTS);
		r->rax = get64(c->slot + ST_RAX);
		set_partial(c, true);
		return true;
	}
	read_all(c, r);
	c->loading = true; /* what was to be loaded has not been */
	c->block.fs_base = UINT64_MAX;
	if (get32(c->slot + ST_LOAD) & ST_LOAD_FP)
		c->fp_pending = true;
	return true;
}

void st_patch_leaving(struct st_ctx *c, struct regs *r)
{
	uint64_t stopped_with = r->fs_base, wanted = c->block.fs_base;
	uint32_t load = get32(c->slot + ST_LOAD);

	read_all(c, r);
	r->fs_base = load & ST_LOAD_FS ? wanted : stopped_with;
	regs_sanitize(r);
	if (load & ST_LOAD_FP)
		c->fp_pending = true;
}

/* --- to the stub ------------------------------------------------------------------------ */

/* A trap flag that was not there when it stopped (the end of a handler) traps behind an instruction of the program's;
 * loaded in the stub, it would before. */
static bool begins_to_step(const struct st_ctx *c, const struct regs *r)
{
	return r->eflags & EFLAGS_TF && !(c->call_end && c->block.eflags & EFLAGS_TF);
}

/* The return from there loads all but a trap flag and other bases of segments. */
static bool can_return(const struct st_ctx *c, const struct regs *r)
{
	return c->partial || (!c->singlestep && !begins_to_step(c, r) && !r->gs_base && (c->p->fsgsbase || (c->fs_base == r->fs_base && !c->gs_base)));
}

static bool wait_for(struct st_ctx *c, uint32_t op)
{
	put32(c->slot + ST_OP, op);
	return st_handover(c);
}

bool st_patch_save_fp(struct st_ctx *c)
{
	if (!wait_for(c, ST_OP_SAVE_FP))
		return false;
	c->fp_at = ST_FP;
	return true;
}

bool st_patch_convert(struct st_ctx *c, struct regs *r)
{
	struct regs none;
	siginfo_t si;
	uint64_t error, trapno;

	if (c->partial && c->singlestep)
		read_others(c, r);
	if (can_return(c, r))
		return true;
	none = *r;
	if (!wait_for(c, ST_OP_CONVERT) || !st_frame_read(c, &none, &si, &error, &trapno))
		return false;
	c->in_patch = false;
	return true;
}

/* Registers that are not the same as they were; what else is to be loaded. */
static uint32_t write_others(struct st_ctx *c, struct regs r)
{
	uint32_t load = 0;

	regs_sanitize(&r);
	for (unsigned i = 0; i < N_PLACES; i++)
		if (*reg(&r, i) != *reg(&c->block, i))
			put64(c->slot + places[i].slot, *reg(&c->block, i) = *reg(&r, i));
	if (c->block.fs_base != r.fs_base && c->p->fsgsbase) {
		c->block.fs_base = r.fs_base;
		put64(c->slot + ST_FS, r.fs_base);
		load |= ST_LOAD_FS;
	}
	if (c->call_end != r.rip)
		put64(c->slot + ST_CMP, 0);
	return load;
}

void st_patch_write(struct st_ctx *c, const struct regs *r)
{
	uint32_t load = c->partial ? 0 : write_others(c, *r);

	put64(c->slot + ST_RESULT, r->rax);
	if (c->fp_pending) {
		st_fp_write(c);
		load |= ST_LOAD_FP;
	}
	if (load || c->loading)
		put32(c->slot + ST_LOAD, load);
	put32(c->slot + ST_OP, c->near ? ST_OP_NEAR : ST_OP_RETURN);
	c->fp_at = 0;
}
