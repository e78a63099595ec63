/*
 * vdso.c - the vDSO that every program gets: clocks without a system call.
 *
 * Runs in the program, on its threads; freestanding, position independent, no
 * data of its own.  Reads the clock page (vvar.h) that lies one page below the
 * image; where that is stale or unusable it makes the real system call, whose
 * handler refreshes the page.
 */
#include "../vvar.h"

#include <stddef.h>

#define NR_GETTIMEOFDAY 96
#define NR_TIME 201
#define NR_CLOCK_GETTIME 228
#define NR_CLOCK_GETRES 229
#define NR_GETCPU 309

enum { REALTIME, MONOTONIC, REALTIME_COARSE = 5, MONOTONIC_COARSE, BOOTTIME };
#define NSEC 1000000000

struct vdso_timespec {
	int64_t sec, nsec;
};
struct vdso_timeval {
	int64_t sec, usec;
};
struct vdso_timezone;

/* Set by the linker script. */
extern const struct vvar vvar_page __attribute__((visibility("hidden")));

int __vdso_clock_gettime(int clock, struct vdso_timespec *ts);
int __vdso_clock_getres(int clock, struct vdso_timespec *ts);
int __vdso_gettimeofday(struct vdso_timeval *tv, struct vdso_timezone *tz);
int64_t __vdso_time(int64_t *t);
int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

/* The number is set right before the call: such a site is patched (platform/systrap/site.c). */
static inline __attribute__((always_inline)) int64_t syscall2(const int nr, int64_t a, int64_t b)
{
	int64_t r;

	__asm__ volatile("movl %1, %%eax\n\tsyscall" : "=&a"(r) : "i"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return r;
}

static uint64_t read_tsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

static uint32_t read_cpu(void)
{
	uint32_t cpu;

	__asm__ volatile("rdtscp" : "=c"(cpu) : : "rax", "rdx");
	return cpu & VVAR_CPU_MASK;
}

/* Nanoseconds of the clock, or -1: ask the kernel. */
static int64_t read_clock(int clock)
{
	const volatile struct vvar *v = &vvar_page;
	uint32_t seq;
	int64_t ns;

	do {
		uint64_t age;

		seq = __atomic_load_n(&v->seq, __ATOMIC_ACQUIRE);
		if ((seq & 1) || !v->usable)
			return -1;
		age = read_tsc() - v->tsc_base;
		if (age > v->max_age)
			return -1;
		ns = v->monotonic + (int64_t)(((unsigned __int128)age * v->mult) >> VVAR_SHIFT);
		if (clock == REALTIME || clock == REALTIME_COARSE)
			ns += v->realtime_offset;
		else if (clock == BOOTTIME)
			ns += v->boottime_offset;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (v->seq != seq);
	return ns;
}

static _Bool is_ours(int clock)
{
	return clock == REALTIME || clock == MONOTONIC || clock == BOOTTIME || clock == REALTIME_COARSE || clock == MONOTONIC_COARSE;
}

int __vdso_clock_gettime(int clock, struct vdso_timespec *ts)
{
	int64_t ns = is_ours(clock) ? read_clock(clock) : -1;

	if (ns < 0)
		return (int)syscall2(NR_CLOCK_GETTIME, clock, (int64_t)ts);
	ts->sec = ns / NSEC;
	ts->nsec = ns % NSEC;
	return 0;
}

int __vdso_clock_getres(int clock, struct vdso_timespec *ts)
{
	return (int)syscall2(NR_CLOCK_GETRES, clock, (int64_t)ts);
}

int __vdso_gettimeofday(struct vdso_timeval *tv, struct vdso_timezone *tz)
{
	int64_t ns = tz || !tv ? -1 : read_clock(REALTIME);

	if (ns < 0)
		return (int)syscall2(NR_GETTIMEOFDAY, (int64_t)tv, (int64_t)tz);
	tv->sec = ns / NSEC;
	tv->usec = ns % NSEC / 1000;
	return 0;
}

int64_t __vdso_time(int64_t *t)
{
	int64_t ns = read_clock(REALTIME);

	if (ns < 0)
		return syscall2(NR_TIME, (int64_t)t, 0);
	if (t)
		*t = ns / NSEC;
	return ns / NSEC;
}

int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
	uint32_t cpus = __atomic_load_n(&vvar_page.cpus, __ATOMIC_RELAXED);

	if (!cpus)
		return (int)syscall2(NR_GETCPU, (int64_t)cpu, (int64_t)node);
	if (cpu)
		*cpu = read_cpu() % cpus;
	if (node)
		*node = 0;
	return 0;
}

/* The names without the prefix, as Linux has them too. */
#define WEAK_ALIAS(name) extern __typeof__(__vdso_##name) name __attribute__((weak, alias("__vdso_" #name)))
WEAK_ALIAS(clock_gettime);
WEAK_ALIAS(clock_getres);
WEAK_ALIAS(gettimeofday);
WEAK_ALIAS(time);
WEAK_ALIAS(getcpu);
