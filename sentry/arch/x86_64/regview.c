/*
 * regview.c - a program's registers as a debugger reads and changes them: the
 * general ones with Linux's checks (arch/x86/kernel/ptrace.c putreg), and the
 * XSAVE area as a register set.  Pure functions.
 */
#include "arch/x86_64/arch.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define XSTATE_BV 512
#define SOFTWARE 464 /* where Linux tells which features there are */
#define XHEADER_END 576
#define LEGACY_SIZE 512
#define XFEATURE_LEGACY 3u

static bool bad_selector(uint64_t v)
{
	v &= 0xffff;
	return v && (v & 3) != 3;
}

int regs_put(struct regs *r, size_t offset, uint64_t v)
{
	switch (offset) {
	case offsetof(struct regs, cs):
	case offsetof(struct regs, ss):
		if (!(v & 0xffff))
			return -EIO;
		__attribute__((fallthrough));
	case offsetof(struct regs, ds):
	case offsetof(struct regs, es):
	case offsetof(struct regs, fs):
	case offsetof(struct regs, gs):
		if (bad_selector(v))
			return -EIO;
		v &= 0xffff;
		break;
	case offsetof(struct regs, fs_base):
	case offsetof(struct regs, gs_base):
		if (v >= TASK_SIZE)
			return -EIO;
		break;
	case offsetof(struct regs, eflags):
		regs_put_flags(r, v);
		return 0;
	default:
		break;
	}
	memcpy((char *)r + offset, &v, sizeof(v));
	return 0;
}

uint64_t regs_get(const struct regs *r, size_t offset)
{
	uint64_t v;

	memcpy(&v, (const char *)r + offset, sizeof(v));
	return v;
}

void fpstate_show(struct fpstate *fp)
{
	const uint64_t features = fpstate_features();

	memset(fp->area + SOFTWARE, 0, LEGACY_SIZE - SOFTWARE);
	memcpy(fp->area + SOFTWARE, &features, sizeof(features));
}

int fpstate_put(struct fpstate *fp, const uint8_t *area, size_t len)
{
	uint64_t bv;

	if (len != fpstate_size())
		return -EFAULT;
	memcpy(&bv, area + XSTATE_BV, sizeof(bv));
	if (bv & ~fpstate_features())
		return -EINVAL;
	memcpy(fp->area, area, len);
	return fpstate_sanitize(fp, len) ? 0 : -EINVAL;
}

int fpstate_put_legacy(struct fpstate *fp, const uint8_t area[512])
{
	uint64_t bv;

	memcpy(fp->area, area, LEGACY_SIZE);
	memcpy(&bv, fp->area + XSTATE_BV, sizeof(bv));
	bv |= XFEATURE_LEGACY;
	memcpy(fp->area + XSTATE_BV, &bv, sizeof(bv));
	return fpstate_sanitize(fp, fpstate_size()) ? 0 : -EINVAL;
}
