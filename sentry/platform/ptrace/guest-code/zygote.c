/*
 * zygote.c - the zygote stub: makes itself small and confined, then forks a
 * stub process whenever the sentry asks for one.
 *
 * Runs once per sandbox as a process of its own, on a stack of one page, with
 * no libc.  It unmaps everything but the stub's pages, drops all capabilities,
 * dies with the sentry, and installs the seccomp filter that all stubs inherit:
 * a system call is allowed only from the one instruction that is meant to make
 * it.  Program code never runs under this filter's permissions anyway
 * (PTRACE_SYSEMU catches its calls first): it is the second wall.
 *
 * Speaks on STUB_FD_ZYGOTE (8 bytes ask for a stub) and STUB_FD_CHANNEL
 * (int64 answers: 0 when ready, then a process id, or -errno).
 */
#include "stub.h"

#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_END 0x7fff00000000ul /* TASK_SIZE of lib/uaddr.h */
#define USER_END 0x7ffffffff000ul
#define SIGCHLD_NR 17
#define SIGKILL_NR 9
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_UNTRACED)

int64_t zygote_syscall(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e);
void zygote_main(void);
_Noreturn void stub_park(void);
extern const char stub_syscall_end[], stub_clone_end[], stub_park_end[], stub_recv_end[], stub_mmap_end[], stub_close_end[],
	zygote_syscall_end[];

#define call0(nr) zygote_syscall(nr, 0, 0, 0, 0, 0)
#define call1(nr, a) zygote_syscall(nr, (uint64_t)(a), 0, 0, 0, 0)
#define call2(nr, a, b) zygote_syscall(nr, (uint64_t)(a), (uint64_t)(b), 0, 0, 0)
#define call3(nr, a, b, c) zygote_syscall(nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0)

static void answer(int64_t value)
{
	call3(__NR_write, STUB_FD_CHANNEL, &value, sizeof(value));
}

static _Noreturn void fail(int64_t error)
{
	answer(error);
	for (;;)
		call1(__NR_exit_group, 1);
}

static void check(int64_t r)
{
	if (r < 0)
		fail(r);
}

/* --- the filter -------------------------------------------------------------- */

struct filter {
	unsigned n;
	struct sock_filter f[128];
};

static void emit(struct filter *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	p->f[p->n].code = code;
	p->f[p->n].jt = jt;
	p->f[p->n].jf = jf;
	p->f[p->n].k = k;
	p->n++;
}

#define LOAD(p, field) emit(p, BPF_LD | BPF_W | BPF_ABS, field, 0, 0)
#define JEQ(p, k, jt, jf) emit(p, BPF_JMP | BPF_JEQ | BPF_K, k, jt, jf)
#define RET(p, k) emit(p, BPF_RET | BPF_K, k, 0, 0)
#define ARG(i) (offsetof(struct seccomp_data, args) + 8 * (i))

/* Permits nr at that instruction; arg < 0: any arguments, else argument arg's
 * low half must be value. */
static void allow(struct filter *p, const char *site, uint32_t nr, int arg, uint32_t value)
{
	uint8_t more = arg < 0 ? 0 : 2;

	LOAD(p, offsetof(struct seccomp_data, instruction_pointer));
	JEQ(p, (uint32_t)(uintptr_t)site, 0, 3 + more);
	LOAD(p, offsetof(struct seccomp_data, nr));
	JEQ(p, nr, 0, 1 + more);
	if (arg >= 0) {
		LOAD(p, ARG((unsigned)arg));
		JEQ(p, value, 0, 1);
	}
	RET(p, SECCOMP_RET_ALLOW);
}

static void build_filter(struct filter *p)
{
	p->n = 0;
	LOAD(p, offsetof(struct seccomp_data, arch));
	JEQ(p, AUDIT_ARCH_X86_64, 1, 0);
	RET(p, SECCOMP_RET_KILL_PROCESS);
	LOAD(p, offsetof(struct seccomp_data, instruction_pointer) + 4);
	JEQ(p, STUB_BASE >> 32, 3, 0);
	/* The host emulates the vsyscall page without a stop at system call
	 * entry; as a SIGSYS the sentry sees it. */
	JEQ(p, 0xffffffff, 0, 1);
	RET(p, SECCOMP_RET_TRAP);
	RET(p, SECCOMP_RET_KILL_PROCESS);

	allow(p, stub_syscall_end, __NR_mmap, 3, MAP_SHARED | MAP_FIXED);
	allow(p, stub_syscall_end, __NR_munmap, -1, 0);
	allow(p, stub_syscall_end, __NR_mprotect, -1, 0);
	allow(p, stub_syscall_end, __NR_exit, -1, 0);
	allow(p, stub_recv_end, __NR_recvmsg, 0, STUB_FD_CHANNEL);
	allow(p, stub_mmap_end, __NR_mmap, 3, MAP_SHARED | MAP_FIXED);
	allow(p, stub_close_end, __NR_close, 0, STUB_FD_FILE);
	allow(p, stub_clone_end, __NR_clone, 0, THREAD_FLAGS);
	allow(p, stub_park_end, __NR_pause, -1, 0);
	allow(p, zygote_syscall_end, __NR_clone, 0, CLONE_PARENT | CLONE_CHILD_SETTID | SIGCHLD_NR);
	allow(p, zygote_syscall_end, __NR_close, 0, STUB_FD_ZYGOTE);
	allow(p, zygote_syscall_end, __NR_prctl, 0, PR_SET_PDEATHSIG);
	allow(p, zygote_syscall_end, __NR_getppid, -1, 0);
	allow(p, zygote_syscall_end, __NR_read, 0, STUB_FD_ZYGOTE);
	allow(p, zygote_syscall_end, __NR_write, 0, STUB_FD_CHANNEL);
	allow(p, zygote_syscall_end, __NR_exit_group, -1, 0);
	RET(p, SECCOMP_RET_KILL_PROCESS);
}

static void confine(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2];
	struct sock_fprog prog;
	struct filter filter;

	for (unsigned i = 0; i < 2; i++)
		none[i].effective = none[i].permitted = none[i].inheritable = 0;
	check(call2(__NR_capset, &header, none));
	check(zygote_syscall(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	build_filter(&filter);
	prog.len = (unsigned short)filter.n;
	prog.filter = filter.f;
	check(call3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog));
}

/* --- forking ------------------------------------------------------------------- */

static _Noreturn void be_stub(int64_t ppid, int64_t pid)
{
	call1(__NR_close, STUB_FD_ZYGOTE);
	call2(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL_NR);
	if (call0(__NR_getppid) != ppid) /* the sentry died before that */
		call1(__NR_exit_group, 0);
	answer(pid); /* the sentry may take this thread over from here on */
	stub_park();
}

static void fork_stub(int64_t ppid)
{
	volatile int32_t pid = 0;
	/* A child of the sentry, not of the zygote. */
	int64_t r = zygote_syscall(__NR_clone, CLONE_PARENT | CLONE_CHILD_SETTID | SIGCHLD_NR, 0, 0, (uint64_t)&pid, 0);

	if (!r)
		be_stub(ppid, pid);
	if (r < 0)
		answer(r);
}

void zygote_main(void)
{
	int64_t ppid = call0(__NR_getppid);
	uint64_t order;

	call2(__NR_prctl, PR_SET_NAME, "redoubt-stub"); /* for ps: the arguments go with the stack */
	check(call2(__NR_munmap, 0, GUEST_END));
	/* What the host kernel mapped beside us (stack, vdso): harmless where it
	 * is, so that a host that seals its vdso may refuse. */
	call2(__NR_munmap, GUEST_END, STUB_BASE - GUEST_END);
	call2(__NR_munmap, STUB_END, USER_END - STUB_END);
	check(call2(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL_NR));
	confine();
	answer(0);
	while (call3(__NR_read, STUB_FD_ZYGOTE, &order, sizeof(order)) == sizeof(order))
		fork_stub(ppid);
	for (;;)
		call1(__NR_exit_group, 0);
}
