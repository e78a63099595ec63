/*
 * fpstate.c - floating-point state: the XSAVE area in the standard format.
 * Pure functions but for what CPUID says of the machine: that is read once,
 * before main, as in a virtual machine each CPUID costs more than a system call.
 */
#include "arch/x86_64/arch.h"

#include <cpuid.h>
#include <string.h>

#define XSTATE_BV 512 /* offsets in the area: the XSAVE header */
#define XCOMP_BV 520
#define XHEADER_END 576
#define MXCSR 24
#define MXCSR_MASK 28
#define LEGACY_SIZE 512
#define MXCSR_DEFAULT 0x1f80u
#define FCW_DEFAULT 0x37fu
#define XFEATURE_LEGACY 3u /* x87 and SSE */

/* Features that a program must ask for (arch_prctl ARCH_REQ_XCOMP_PERM), which
 * it cannot: AMX tile data. */
#define XFEATURE_DYNAMIC (UINT64_C(1) << 18)

static bool xsave_leaf(unsigned sub, unsigned reg[4])
{
	return __get_cpuid_count(0xd, sub, &reg[0], &reg[1], &reg[2], &reg[3]);
}

/* The features whose state the host lets programs have: XCR0. */
static uint64_t host_features(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return XFEATURE_LEGACY;
	__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return (uint64_t)d << 32 | a;
}

static size_t read_host_size(void)
{
	unsigned reg[4];

	if (!xsave_leaf(0, reg) || reg[1] < XHEADER_END || reg[1] > FPSTATE_MAX)
		return XHEADER_END;
	return reg[1];
}

static size_t read_size(uint64_t f)
{
	size_t end = XHEADER_END;
	unsigned reg[4];

	for (unsigned i = 2; i < 63; i++)
		if (f & (UINT64_C(1) << i) && xsave_leaf(i, reg) && reg[1] + reg[0] > end && reg[1] + reg[0] <= FPSTATE_MAX)
			end = reg[1] + reg[0];
	return end;
}

/* The machine's, set before main and never changed. */
static uint64_t features;
static size_t size, host_size;

__attribute__((constructor)) static void read_machine(void)
{
	features = host_features() & ~XFEATURE_DYNAMIC;
	size = read_size(features);
	host_size = read_host_size();
}

uint64_t fpstate_features(void)
{
	return features;
}

size_t fpstate_size(void)
{
	return size;
}

size_t fpstate_host_size(void)
{
	return host_size;
}

void fpstate_init(struct fpstate *fp)
{
	const uint16_t fcw = FCW_DEFAULT;
	const uint32_t mxcsr = MXCSR_DEFAULT;
	const uint64_t bv = XFEATURE_LEGACY;

	memset(fp->area, 0, fpstate_host_size());
	memcpy(fp->area, &fcw, sizeof(fcw));
	memcpy(fp->area + MXCSR, &mxcsr, sizeof(mxcsr));
	memcpy(fp->area + XSTATE_BV, &bv, sizeof(bv));
}

/* The bits of MXCSR that this machine knows; the others fault when loaded. */
static uint32_t mxcsr_mask(void)
{
	struct {
		_Alignas(16) uint8_t area[LEGACY_SIZE];
	} fx;
	uint32_t mask;

	memset(&fx, 0, sizeof(fx));
	__asm__ volatile("fxsave64 %0" : "=m"(fx));
	memcpy(&mask, fx.area + MXCSR_MASK, sizeof(mask));
	return mask ? mask : 0xffbf;
}

bool fpstate_sanitize(struct fpstate *fp, size_t len)
{
	uint32_t mxcsr;
	uint64_t bv;

	if (len < LEGACY_SIZE)
		return false;
	memcpy(&mxcsr, fp->area + MXCSR, sizeof(mxcsr));
	mxcsr &= mxcsr_mask();
	memcpy(fp->area + MXCSR, &mxcsr, sizeof(mxcsr));
	if (len < XHEADER_END) {
		memset(fp->area + LEGACY_SIZE, 0, fpstate_host_size() - LEGACY_SIZE);
		bv = XFEATURE_LEGACY;
	} else {
		if (len < fpstate_host_size())
			memset(fp->area + len, 0, fpstate_host_size() - len);
		memcpy(&bv, fp->area + XSTATE_BV, sizeof(bv));
		bv &= fpstate_features();
	}
	memset(fp->area + LEGACY_SIZE, 0, XHEADER_END - LEGACY_SIZE);
	memcpy(fp->area + XSTATE_BV, &bv, sizeof(bv));
	return true;
}
