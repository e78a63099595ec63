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

#define N_REGS (sizeof(struct regs) / sizeof(uint64_t))
#define REG(name) (offsetof(struct regs, name) / sizeof(uint64_t))
_Static_assert(ST_REGS + sizeof(struct regs) <= ST_CMP, "the registers fit");
_Static_assert(ST_ANSWERS + ST_N_ANSWERS * 8 <= ST_FIRST_FRAME, "the answers fit");
_Static_assert((int)ST_N_ANSWERS == (int)PLATFORM_N_ANSWERS, "an answer each");

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

void st_patch_prepare(struct st_ctx *c)
{
	uint64_t self = ST_SLOTS + (uint64_t)c->th->slot * ST_SLOT_SIZE;

	c->in_patch = c->th->in_patch;
	c->call_end = 0;
	memset(&c->block, 0xff, sizeof(c->block));
	put64(c->slot + ST_SELF, self);
	put64(c->slot + ST_PUSH, self + ST_REGS + offsetof(struct regs, eflags) + sizeof(uint64_t));
	put64(c->slot + ST_FP_MASK, fpstate_features());
	for (unsigned i = 0; i < ST_N_ANSWERS; i++)
		put64(c->slot + ST_ANSWERS + 8 * (size_t)i, c->answers[i]);
	put64(c->slot + ST_MAGIC, ST_MAGIC_VALUE);
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

static void read_block(struct st_ctx *c, struct regs *r)
{
	uint64_t *to = (uint64_t *)r, *seen = (uint64_t *)&c->block;
	const uint8_t *from = c->slot + ST_REGS;

	for (size_t i = 0; i <= REG(rsp); i++)
		if (i != REG(orig_rax) && i != REG(cs))
			to[i] = seen[i] = get64(from + 8 * i);
	if (c->p->fsgsbase)
		r->fs_base = c->block.fs_base = get64(from + offsetof(struct regs, fs_base));
	/* It has found its slot by the GS base: the program's own is 0. */
	r->gs_base = 0;
	r->orig_rax = UINT64_MAX;
	regs_sanitize(r);
}

/* What was to be loaded, and has not been. */
static void not_loaded(struct st_ctx *c)
{
	if (get32(c->slot + ST_LOAD_FP))
		c->fp_pending = true;
}

bool st_patch_read(struct st_ctx *c, struct regs *r, uint64_t *by)
{
	*by = get64(c->slot + ST_FRAME);
	if (*by != ST_BY_CALL && *by != ST_BY_KICK)
		return false;
	read_block(c, r);
	c->in_patch = true;
	c->fp_at = 0;
	c->call_end = r->rip;
	if (*by == ST_BY_KICK)
		not_loaded(c);
	return true;
}

void st_patch_leaving(struct st_ctx *c, struct regs *r)
{
	uint64_t fs_base = r->fs_base;

	read_block(c, r);
	if (!get32(c->slot + ST_LOAD_FS))
		r->fs_base = fs_base;
	not_loaded(c);
}

/* --- to the stub ------------------------------------------------------------------------ */

/* The return from there loads all but a trap flag and other bases of segments. */
static bool can_return(const struct st_ctx *c, const struct regs *r)
{
	return !c->singlestep && !r->gs_base && (c->p->fsgsbase || (c->fs_base == r->fs_base && !c->gs_base));
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

bool st_patch_convert(struct st_ctx *c, const struct regs *r)
{
	struct regs none = *r;
	siginfo_t si;
	uint64_t error, trapno;

	if (can_return(c, r))
		return true;
	if (!wait_for(c, ST_OP_CONVERT) || !st_frame_read(c, &none, &si, &error, &trapno))
		return false;
	c->in_patch = false;
	return true;
}

void st_patch_write(struct st_ctx *c, const struct regs *in)
{
	const uint64_t *v;
	uint64_t *seen = (uint64_t *)&c->block;
	struct regs r = *in;

	regs_sanitize(&r);
	v = (const uint64_t *)&r;
	for (size_t i = 0; i <= REG(rsp); i++) {
		if (v[i] == seen[i] || i == REG(orig_rax) || i == REG(cs))
			continue;
		seen[i] = v[i];
		put64(c->slot + ST_REGS + 8 * i, v[i]);
	}
	if (c->block.fs_base != r.fs_base && c->p->fsgsbase) {
		c->block.fs_base = r.fs_base;
		put64(c->slot + ST_REGS + offsetof(struct regs, fs_base), r.fs_base);
		put32(c->slot + ST_LOAD_FS, 1);
	}
	if (c->call_end != r.rip)
		put64(c->slot + ST_CMP, 0);
	if (c->fp_pending) {
		st_fp_write(c);
		put32(c->slot + ST_LOAD_FP, 1);
	}
	put32(c->slot + ST_OP, ST_OP_RETURN);
	c->fp_at = 0;
}
