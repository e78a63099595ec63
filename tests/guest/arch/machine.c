/*
 * machine.c - segment bases, registers across system calls and threads, the
 * vDSO's clocks, the vsyscall page.
 */
#include "../test.h"

#include <asm/prctl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static int64_t ns(const struct timespec *ts)
{
	return ts->tv_sec * INT64_C(1000000000) + ts->tv_nsec;
}

static int64_t vdso_clock(clockid_t id)
{
	struct timespec ts;

	CHECK(!clock_gettime(id, &ts));
	return ns(&ts);
}

static int64_t real_clock(clockid_t id)
{
	struct timespec ts;

	CHECK(!syscall(SYS_clock_gettime, id, &ts));
	return ns(&ts);
}

CASE(vdso_is_there)
{
	const unsigned char *p = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);

	CHECK(p && !memcmp(p, "\177ELF", 4));
}

CASE(monotonic_never_goes_back)
{
	int64_t start = vdso_clock(CLOCK_MONOTONIC), last = start, v;

	for (unsigned i = 0; last - start < 1500000000; i++) {
		v = i % 1000 ? vdso_clock(CLOCK_MONOTONIC) : real_clock(CLOCK_MONOTONIC);
		CHECK(v >= last);
		last = v;
	}
}

CASE(clocks_agree)
{
	static const clockid_t ids[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };

	for (int k = 0; k < 3; k++) {
		for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
			int64_t a = real_clock(ids[i]), b = vdso_clock(ids[i]), c = real_clock(ids[i]);

			CHECK(b >= a - 100000 && b <= c + 100000);
		}
		usleep(200000);
	}
}

CASE(sleeping_is_seen)
{
	int64_t a = vdso_clock(CLOCK_MONOTONIC), b;

	usleep(1200000); /* longer than the clock page is good for */
	b = vdso_clock(CLOCK_MONOTONIC);
	CHECK(b - a >= 1200000000 && b - a < 20000000000);
}

CASE(time_of_day)
{
	struct timeval tv;
	time_t t = time(NULL), u;

	CHECK(!gettimeofday(&tv, NULL));
	CHECK(tv.tv_sec - t >= 0 && tv.tv_sec - t < 20);
	u = (time_t)syscall(SYS_time, NULL);
	CHECK(u - t >= 0 && u - t < 20);
	CHECK_ERR(clock_gettime(12345, &(struct timespec){ 0 }), EINVAL);
}

CASE(vsyscall_time)
{
	long (*vtime)(long *) = (long (*)(long *))0xffffffffff600400;
	long t = time(NULL), v = vtime(NULL);

	CHECK(v - t >= 0 && v - t < 20);
}

CASE(gs_base)
{
	static uint64_t area[4] = { 11, 22, 33, 44 };
	uint64_t v, base;

	CHECK(!syscall(SYS_arch_prctl, ARCH_SET_GS, area));
	__asm__ volatile("mov %%gs:8, %0" : "=r"(v));
	CHECK(v == 22);
	getppid();
	__asm__ volatile("mov %%gs:16, %0" : "=r"(v));
	CHECK(v == 33);
	CHECK(!syscall(SYS_arch_prctl, ARCH_GET_GS, &base) && base == (uint64_t)area);
	CHECK(!syscall(SYS_arch_prctl, ARCH_GET_FS, &base) && base == (uint64_t)pthread_self());
	CHECK_ERR(syscall(SYS_arch_prctl, ARCH_SET_FS, ~0ul), EPERM);
	CHECK_ERR(syscall(SYS_arch_prctl, 0x7777, 0), EINVAL);
}

CASE(registers_across_calls)
{
	uint64_t bx = 1, bp, r12, r13, r14, r15, di, si, dx, r8, r9;
	long r;

	__asm__ volatile("push %%rbp\n\tmov $0x101, %%rbp\n\tmov $0x112, %%r12\n\tmov $0x113, %%r13\n\tmov $0x114, %%r14\n\tmov $0x115, %%r15\n\t"
			 "mov $0x201, %%rdi\n\tmov $0x202, %%rsi\n\tmov $0x203, %%rdx\n\tmov $0x208, %%r8\n\tmov $0x209, %%r9\n\tmov $0x20a, %%r10\n\t"
			 "syscall\n\t"
			 "mov %%rbp, %%rcx\n\tpop %%rbp"
			 : "=a"(r), "=c"(bp), "=D"(di), "=S"(si), "=d"(dx), "+b"(bx)
			 : "0"((long)SYS_getppid)
			 : "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory");
	CHECK(r == getppid() && bp == 0x101 && di == 0x201 && si == 0x202 && dx == 0x203 && bx == 1);
	__asm__ volatile("mov $0x112, %%r12\n\tmov $0x113, %%r13\n\tmov $0x114, %%r14\n\tmov $0x115, %%r15\n\tmov $0x208, %%r8\n\tmov $0x209, %%r9\n\t"
			 "mov $0x20a, %%r10\n\tsyscall\n\tmov %%r12, %0\n\tmov %%r13, %1\n\tmov %%r14, %2\n\tmov %%r15, %3\n\tmov %%r8, %4\n\tmov %%r9, %5"
			 : "=m"(r12), "=m"(r13), "=m"(r14), "=m"(r15), "=m"(r8), "=m"(r9), "=a"(r)
			 : "6"((long)SYS_getppid)
			 : "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory");
	CHECK(r12 == 0x112 && r13 == 0x113 && r14 == 0x114 && r15 == 0x115 && r8 == 0x208 && r9 == 0x209);
}

CASE(unknown_call)
{
	CHECK_ERR(syscall(9999), ENOSYS);
	CHECK_ERR(syscall(-1), ENOSYS);
	CHECK_ERR(syscall(0x40000000 + 39), ENOSYS); /* x32 */
}

static void *fp_thread(void *arg)
{
	uint64_t seed = (uint64_t)arg * 0x9e3779b97f4a7c15, out;

	for (int i = 0; i < 300; i++) {
		long r;

		__asm__ volatile("movq %[in], %%xmm9\n\tsyscall\n\tmovq %%xmm9, %[out]"
				 : [out] "=&r"(out), "=a"(r)
				 : [in] "r"(seed + (uint64_t)i), "1"((long)SYS_sched_yield)
				 : "rcx", "r11", "memory", "xmm9");
		if (out != seed + (uint64_t)i)
			return (void *)1;
	}
	return NULL;
}

CASE(fp_of_threads)
{
	pthread_t t[4];

	for (unsigned long i = 0; i < 4; i++)
		CHECK(!pthread_create(&t[i], NULL, fp_thread, (void *)(i + 1)));
	for (int i = 0; i < 4; i++) {
		void *bad;

		CHECK(!pthread_join(t[i], &bad) && !bad);
	}
}

CASE(fp_across_fork)
{
	uint64_t in = 0x0123456789abcdef, out;
	long r;
	int st;

	__asm__ volatile("movq %[in], %%xmm9\n\tsyscall\n\tmovq %%xmm9, %[out]"
			 : [out] "=&r"(out), "=a"(r)
			 : [in] "r"(in), "1"((long)SYS_fork)
			 : "rcx", "r11", "memory", "xmm9");
	if (!r)
		_exit(out == in ? 0 : 1);
	CHECK(r > 0 && out == in);
	CHECK(waitpid((pid_t)r, &st, 0) == r && st == 0);
}

CASE(cpuid_and_xgetbv)
{
	unsigned a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	CHECK(d & (1u << 26)); /* SSE2 */
}

int main(void)
{
	return run_cases();
}
