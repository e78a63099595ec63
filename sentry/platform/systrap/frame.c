/*
 * frame.c - a stub thread's state in its slot: the signal frame with which the
 * host stopped it, and with which it goes on.
 *
 * Runs on the context's own host thread.  Program code may write the slot at any
 * time: each value is read once, into private memory, and then checked; what is
 * written there is only what that program's own thread may have anyway.
 */
#include "platform/systrap/systrap.h"

#include <string.h>

#define UC_FLAGS 7 /* extended FP state, ss saved, ss strictly restored: as the host sets them */
#define AUTODISARM (1u << 31) /* the signal stack is always entered at its top */
#define FP_ALIGN 64
#define FP_SOFTWARE 464 /* where in the legacy area Linux describes the rest */
#define FP_SOFTWARE_END 512
#define FP_MAGIC1 0x46505853u
#define FP_MAGIC2 0x46505845u

/* Linux's rt_sigframe. */
struct frame {
	uint64_t restorer;
	uint64_t flags, link;
	struct {
		uint64_t sp;
		uint32_t flags, pad;
		uint64_t size;
	} stack;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
	uint64_t sigmask;
	siginfo_t info;
};
_Static_assert(sizeof(struct frame) == 8 + 304 + 128, "as the host has it");
_Static_assert(ST_FIRST_FRAME + sizeof(struct frame) <= ST_FP, "the first frame fits");

struct fp_software {
	uint32_t magic1, extended_size;
	uint64_t features;
	uint32_t size, pad[7];
};
_Static_assert(sizeof(struct fp_software) == FP_SOFTWARE_END - FP_SOFTWARE, "as the host has it");

static uint64_t stub_address(const struct st_ctx *c, unsigned offset)
{
	return ST_SLOTS + (uint64_t)c->th->slot * ST_SLOT_SIZE + offset;
}

static uint64_t read64(const uint8_t *at)
{
	return __atomic_load_n((const uint64_t *)(const void *)at, __ATOMIC_RELAXED);
}

static void write64(uint8_t *at, uint64_t v)
{
	__atomic_store_n((uint64_t *)(void *)at, v, __ATOMIC_RELAXED);
}

static void write32(uint8_t *at, uint32_t v)
{
	__atomic_store_n((uint32_t *)(void *)at, v, __ATOMIC_RELAXED);
}

bool st_frame_fits(void)
{
	return fpstate_host_size() + sizeof(uint32_t) <= ST_FP_SIZE && fpstate_host_size() + sizeof(struct frame) + 1024 <= ST_STACK_SIZE;
}

/* --- to the stub --------------------------------------------------------------------- */

/* The state that is to be loaded, as the host expects it in a frame. */
void st_fp_write(struct st_ctx *c)
{
	const uint32_t size = (uint32_t)fpstate_size(), magic2 = FP_MAGIC2;
	const struct fp_software sw = { .magic1 = FP_MAGIC1, .extended_size = size + 4, .features = fpstate_features(), .size = size };
	uint8_t *area = c->slot + ST_FP;

	memcpy(area, c->fp->area, size);
	memcpy(area + FP_SOFTWARE, &sw, sizeof(sw));
	memcpy(area + size, &magic2, sizeof(magic2));
	c->fp_at = ST_FP;
	c->fp_pending = false;
}

static void copy_out(struct frame *f, const struct regs *r)
{
	f->r8 = r->r8;
	f->r9 = r->r9;
	f->r10 = r->r10;
	f->r11 = r->r11;
	f->r12 = r->r12;
	f->r13 = r->r13;
	f->r14 = r->r14;
	f->r15 = r->r15;
	f->rdi = r->rdi;
	f->rsi = r->rsi;
	f->rbp = r->rbp;
	f->rbx = r->rbx;
	f->rdx = r->rdx;
	f->rax = r->rax;
	f->rcx = r->rcx;
	f->rsp = r->rsp;
	f->rip = r->rip;
	f->eflags = r->eflags;
	f->cs = (uint16_t)r->cs;
	f->ss = (uint16_t)r->ss;
}

uint64_t st_host_gs(const struct st_ctx *c, uint64_t gs_base)
{
	return gs_base ? gs_base : stub_address(c, 0);
}

/* Without the instructions, the stub makes two system calls to set the bases. */
static void write_bases(struct st_ctx *c, const struct regs *r)
{
	uint32_t flags = c->p->stub_flags;

	if (!c->p->fsgsbase && (c->fs_base != r->fs_base || c->gs_base != r->gs_base))
		flags |= ST_SET_BASES;
	c->fs_base = r->fs_base;
	c->gs_base = r->gs_base;
	write64(c->slot + ST_FS, r->fs_base);
	write64(c->slot + ST_GS, st_host_gs(c, r->gs_base));
	write32(c->slot + ST_FLAGS, flags);
}

void st_frame_write(struct st_ctx *c, const struct regs *in)
{
	struct regs r = *in;
	struct frame f = {
		.flags = UC_FLAGS,
		.stack = { .sp = stub_address(c, ST_STACK), .flags = AUTODISARM, .size = ST_STACK_SIZE },
	};

	regs_sanitize(&r);
	if (c->singlestep)
		r.eflags |= EFLAGS_TF;
	if (c->fp_pending)
		st_fp_write(c);
	copy_out(&f, &r);
	f.fpstate = c->fp_at ? stub_address(c, c->fp_at) : 0; /* none: the initial state */
	memcpy(c->slot + c->frame, &f, offsetof(struct frame, info));
	write_bases(c, &r);
	write64(c->slot + ST_RESUME, stub_address(c, c->frame) + sizeof(f.restorer));
}

/* --- from the stub -------------------------------------------------------------------- */

/* The offset of a stub address in the slot's signal stack, of which len bytes are
 * to lie there; 0: no such place. */
static unsigned stack_offset(const struct st_ctx *c, uint64_t addr, size_t len, unsigned align)
{
	uint64_t at = addr - stub_address(c, 0);

	if (at < ST_STACK || at > ST_STACK + ST_STACK_SIZE - len || at % align)
		return 0;
	return (unsigned)at;
}

static void copy_in(struct st_ctx *c, const struct frame *f, struct regs *r)
{
	r->r8 = f->r8;
	r->r9 = f->r9;
	r->r10 = f->r10;
	r->r11 = f->r11;
	r->r12 = f->r12;
	r->r13 = f->r13;
	r->r14 = f->r14;
	r->r15 = f->r15;
	r->rdi = f->rdi;
	r->rsi = f->rsi;
	r->rbp = f->rbp;
	r->rbx = f->rbx;
	r->rdx = f->rdx;
	r->rax = f->rax;
	r->rcx = f->rcx;
	r->rsp = f->rsp;
	r->rip = f->rip;
	r->eflags = f->eflags;
	r->cs = f->cs;
	r->ss = f->ss;
	if (c->p->fsgsbase) {
		r->fs_base = read64(c->slot + ST_FS);
		r->gs_base = read64(c->slot + ST_GS);
		if (r->gs_base == st_host_gs(c, 0))
			r->gs_base = 0;
	}
	r->orig_rax = UINT64_MAX;
	regs_sanitize(r);
}

bool st_frame_read(struct st_ctx *c, struct regs *r, siginfo_t *si, uint64_t *error, uint64_t *trapno)
{
	bool own_step = r->eflags & EFLAGS_TF; /* the program steps itself */
	unsigned at = stack_offset(c, read64(c->slot + ST_FRAME), sizeof(struct frame), 8);
	struct frame f;

	if (!at)
		return false;
	memcpy(&f, c->slot + at, sizeof(f));
	__asm__ volatile("" : "+m"(f)); /* the copy, not the slot, is looked at from here on */
	c->frame = at;
	c->in_patch = false;
	set_partial(c, false);
	c->fp_at = stack_offset(c, f.fpstate, fpstate_size() + sizeof(uint32_t), FP_ALIGN);
	if (!c->fp_at)
		return false;
	copy_in(c, &f, r);
	if (f.rip - (ST_PATCH + ST_PATCH_EXIT) < ST_PATCH_SIZE - ST_PATCH_EXIT)
		st_patch_leaving(c, r);
	if (c->singlestep && !own_step)
		r->eflags &= ~EFLAGS_TF;
	*si = f.info;
	*error = f.err;
	*trapno = f.trapno;
	return true;
}

void st_fp_read(struct st_ctx *c, struct fpstate *fp)
{
	size_t size = fpstate_size();

	memcpy(fp->area, c->slot + c->fp_at, size);
	memset(fp->area + FP_SOFTWARE, 0, FP_SOFTWARE_END - FP_SOFTWARE);
	if (!fpstate_sanitize(fp, size))
		fpstate_init(fp);
}
