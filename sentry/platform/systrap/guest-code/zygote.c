/*
 * zygote.c - the zygote stub: makes itself small and confined, then forks a
 * stub process whenever the sentry asks for one.
 *
 * Runs once per sandbox as a process of its own, on a stack of two pages, with
 * no libc.  It unmaps everything but the stub's pages, drops all capabilities
 * and dies with the sentry.  All signals are blocked in it and in the mappers.
 *
 * Three seccomp filters come one upon the other.  The first and the last allow a
 * system call only from the one instruction that is meant to make it, and trap
 * all else (in a thread that blocks SIGSYS, a trap kills):
 *   the zygote's      installed here
 *   the mapper's      installed by each stub process at its start, for the
 *                     notification descriptor that the sentry gets of it: small,
 *                     as each is compiled by the host
 *   the program's     installed by each program thread at its start, from a
 *                     page that nobody can write any more; a trap here comes
 *                     before what the others say
 *
 * Speaks on ST_FD_ZYGOTE: 8 bytes ask for a stub (the file offset of its orders);
 * int64 answers: 0 when ready, then a process id with the notification
 * descriptor, or -errno.
 */
#include "stub.h"

#include <asm/prctl.h>
#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_END 0x7fff00000000ul /* TASK_SIZE of lib/uaddr.h */
#define USER_END 0x7ffffffff000ul
#define PAGE 4096ul
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_UNTRACED)
enum { SIG_ILL = 4, SIG_TRAP = 5, SIG_BUS = 7, SIG_FPE = 8, SIG_KILL = 9, SIG_SEGV = 11, SIG_CHLD = 17, SIG_STOP = 19, SIG_SYS = 31 };

int64_t zygote_syscall(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
void zygote_main(void);
_Noreturn void stub_mapper(void);
__attribute__((visibility("hidden"))) void stub_handler(void); /* its address is taken: no table of addresses */
extern const char stub_notify_end[], stub_order_end[], stub_done_end[], stub_confine_end[], stub_futex_end[], stub_yield_end[], stub_bases_end[],
	stub_return_end[], zygote_syscall_end[];

#define call0(nr) zygote_syscall(nr, 0, 0, 0, 0, 0, 0)
#define call1(nr, a) zygote_syscall(nr, (uint64_t)(a), 0, 0, 0, 0, 0)
#define call2(nr, a, b) zygote_syscall(nr, (uint64_t)(a), (uint64_t)(b), 0, 0, 0, 0)
#define call3(nr, a, b, c) zygote_syscall(nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0, 0)

static void answer(int64_t value)
{
	call3(__NR_write, ST_FD_ZYGOTE, &value, sizeof(value));
}

static _Noreturn void fail(int64_t error)
{
	answer(error);
	for (;;)
		call1(__NR_exit_group, 1);
}

static int64_t check(int64_t r)
{
	if (r < 0)
		fail(r);
	return r;
}

/* --- filters ----------------------------------------------------------------------- */

struct filter {
	struct sock_fprog prog; /* first: stub_filter is passed to seccomp */
	struct sock_filter f[192];
};

static void emit(struct filter *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	struct sock_filter *f;

	if (p->prog.len == sizeof(p->f) / sizeof(p->f[0]))
		fail(-7 /* E2BIG */);
	f = &p->f[p->prog.len++];
	f->code = code;
	f->jt = jt;
	f->jf = jf;
	f->k = k;
}

#define LOAD(p, field) emit(p, BPF_LD | BPF_W | BPF_ABS, field, 0, 0)
#define AND(p, k) emit(p, BPF_ALU | BPF_AND | BPF_K, k, 0, 0)
#define JEQ(p, k, jt, jf) emit(p, BPF_JMP | BPF_JEQ | BPF_K, k, jt, jf)
#define JGT(p, k, jt, jf) emit(p, BPF_JMP | BPF_JGT | BPF_K, k, jt, jf)
#define RET(p, k) emit(p, BPF_RET | BPF_K, k, 0, 0)
#define ARG(i) (offsetof(struct seccomp_data, args) + 8 * (i))
#define ARG_HIGH(i) (ARG(i) + 4)
#define LOW(site) ((uint32_t)(uintptr_t)(site))

/* Permits nr at that instruction; arg < 0: any arguments, else argument arg's
 * low half must be value. */
static void allow(struct filter *p, const char *site, uint32_t nr, int arg, uint32_t value)
{
	uint8_t more = arg < 0 ? 0 : 2;

	LOAD(p, offsetof(struct seccomp_data, instruction_pointer));
	JEQ(p, LOW(site), 0, 3 + more);
	LOAD(p, offsetof(struct seccomp_data, nr));
	JEQ(p, nr, 0, 1 + more);
	if (arg >= 0) {
		LOAD(p, ARG((unsigned)arg));
		JEQ(p, value, 0, 1);
	}
	RET(p, SECCOMP_RET_ALLOW);
}

/* Waiting and waking on the words of slots and the mapper's, by no other operations. */
static void allow_futex(struct filter *p)
{
	LOAD(p, offsetof(struct seccomp_data, instruction_pointer));
	JEQ(p, LOW(stub_futex_end), 0, 11);
	LOAD(p, offsetof(struct seccomp_data, nr));
	JEQ(p, __NR_futex, 0, 9);
	LOAD(p, ARG(1));
	JGT(p, FUTEX_WAKE, 7, 0); /* FUTEX_WAIT is 0 */
	LOAD(p, ARG_HIGH(0));
	JEQ(p, ST_HIGH, 0, 5);
	LOAD(p, ARG(0));
	JEQ(p, LOW(ST_ORDERS + ST_NEAR_SEQ), 2, 0);
	AND(p, ~(uint32_t)(ST_MAX_SLOTS * (ST_SLOT_SIZE / PAGE) * PAGE - 1) | ((ST_SLOT_SIZE - 1) & ~(ST_WORDS_END - 1)));
	JEQ(p, LOW(ST_SLOTS), 0, 1);
	RET(p, SECCOMP_RET_ALLOW);
}

static void begin(struct filter *p)
{
	p->prog.len = 0;
	p->prog.filter = p->f;
	LOAD(p, offsetof(struct seccomp_data, instruction_pointer) + 4);
	JEQ(p, ST_HIGH, 1, 0);
	RET(p, SECCOMP_RET_TRAP); /* the program's own */
	LOAD(p, offsetof(struct seccomp_data, arch));
	JEQ(p, AUDIT_ARCH_X86_64, 1, 0);
	RET(p, SECCOMP_RET_TRAP);
}

/* What program threads may do: nothing that reaches beyond the thread. */
static void allow_thread(struct filter *p)
{
	allow(p, stub_return_end, __NR_rt_sigreturn, -1, 0);
	allow_futex(p);
	allow(p, stub_yield_end, __NR_sched_yield, -1, 0);
	allow(p, stub_bases_end, __NR_arch_prctl, 0, ARCH_SET_FS);
	allow(p, stub_bases_end, __NR_arch_prctl, 0, ARCH_SET_GS);
}

/* What the mapper may do besides, and a thread at its start. */
static void allow_mapper(struct filter *p)
{
	allow(p, stub_notify_end, ST_NOTIFY_NR, -1, 0);
	allow(p, stub_order_end, __NR_mmap, 3, MAP_SHARED | MAP_FIXED);
	allow(p, stub_order_end, __NR_mmap, 3, MAP_SHARED | MAP_FIXED | MAP_POPULATE);
	allow(p, stub_order_end, __NR_munmap, -1, 0);
	allow(p, stub_order_end, __NR_mprotect, -1, 0);
	allow(p, stub_order_end, __NR_recvmsg, 0, ST_FD_CHANNEL);
	allow(p, stub_order_end, __NR_close, 0, ST_FD_FILE);
	allow(p, stub_order_end, __NR_clone, 0, THREAD_FLAGS);
	allow(p, stub_order_end, __NR_exit_group, -1, 0);
	allow(p, stub_done_end, __NR_write, 0, ST_FD_DONE);
	allow(p, stub_confine_end, __NR_seccomp, 2, LOW(ST_FILTER));
}

static void allow_zygote(struct filter *p)
{
	allow(p, zygote_syscall_end, __NR_clone, 0, CLONE_PARENT | CLONE_CHILD_SETTID | SIG_CHLD);
	allow(p, zygote_syscall_end, __NR_close, -1, 0);
	allow(p, zygote_syscall_end, __NR_prctl, 0, PR_SET_PDEATHSIG);
	allow(p, zygote_syscall_end, __NR_getppid, -1, 0);
	allow(p, zygote_syscall_end, __NR_read, 0, ST_FD_ZYGOTE);
	allow(p, zygote_syscall_end, __NR_write, 0, ST_FD_ZYGOTE);
	allow(p, zygote_syscall_end, __NR_sendmsg, 0, ST_FD_ZYGOTE);
	allow(p, zygote_syscall_end, __NR_mmap, 4, ST_FD_SLOTS);
	allow(p, zygote_syscall_end, __NR_seccomp, 1, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	allow(p, zygote_syscall_end, __NR_exit_group, -1, 0);
}

/* The mapper's reports go to whoever has the returned descriptor. */
static int64_t install_notifier(void)
{
	struct filter filter, *p = &filter;

	p->prog.len = 0;
	p->prog.filter = p->f;
	LOAD(p, offsetof(struct seccomp_data, instruction_pointer));
	JEQ(p, LOW(stub_notify_end), 0, 1);
	RET(p, SECCOMP_RET_USER_NOTIF);
	RET(p, SECCOMP_RET_ALLOW);
	return call3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &p->prog);
}

/* The program threads' filter, in a page that is read-only from then on. */
static void prepare_thread_filter(void)
{
	struct filter *p = (struct filter *)ST_FILTER;

	_Static_assert(sizeof(*p) <= PAGE, "fits its page");
	begin(p);
	allow_thread(p);
	RET(p, SECCOMP_RET_TRAP);
	check(call3(__NR_mprotect, ST_FILTER, PAGE, PROT_READ));
}

static void confine(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2];
	struct filter filter;

	for (unsigned i = 0; i < 2; i++)
		none[i].effective = none[i].permitted = none[i].inheritable = 0;
	check(call2(__NR_capset, &header, none));
	check(call2(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1));
	begin(&filter);
	allow_thread(&filter);
	allow_mapper(&filter);
	allow_zygote(&filter);
	RET(&filter, SECCOMP_RET_TRAP);
	check(call3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter.prog));
}

/* --- signals ----------------------------------------------------------------------- */

struct action {
	void (*handler)(void);
	uint64_t flags;
	void (*restorer)(void);
	uint64_t mask;
};

static void handle_signals(void)
{
	enum { SIGINFO = 4, RESTORER = 0x04000000, ONSTACK = 0x08000000, IGNORE = 1 };
	const uint64_t all = ~0ull;
	const uint64_t mine = 1ull << (SIG_ILL - 1) | 1ull << (SIG_TRAP - 1) | 1ull << (SIG_BUS - 1) | 1ull << (SIG_FPE - 1) |
		1ull << (SIG_SEGV - 1) | 1ull << (SIG_CHLD - 1) | 1ull << (SIG_SYS - 1);
	struct action a;

	check(zygote_syscall(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, (uint64_t)&all, 0, 8, 0, 0));
	for (int s = 1; s <= 64; s++) {
		if (s == SIG_KILL || s == SIG_STOP)
			continue;
		a.handler = mine & (1ull << (s - 1)) ? stub_handler : (void (*)(void))IGNORE;
		a.flags = SIGINFO | RESTORER | ONSTACK;
		a.restorer = stub_handler; /* never used: the handler does not return */
		a.mask = all;
		check(zygote_syscall(__NR_rt_sigaction, (uint64_t)s, (uint64_t)&a, 0, 8, 0, 0));
	}
}

/* --- forking ----------------------------------------------------------------------- */

struct message {
	uint64_t name, name_len, iov, n_iov, control, control_len, flags;
};

/* Tells the sentry the process id, and gives it the notification descriptor. */
static void answer_with(int64_t value, int fd)
{
	uint64_t iov[2] = { (uint64_t)&value, sizeof(value) };
	struct {
		uint64_t len;
		int32_t level, type, fd, pad;
	} control = { 20, 1 /* SOL_SOCKET */, 1 /* SCM_RIGHTS */, fd, 0 };
	struct message m = { 0, 0, (uint64_t)iov, 1, (uint64_t)&control, sizeof(control), 0 };

	check(call3(__NR_sendmsg, ST_FD_ZYGOTE, &m, 0));
}

static _Noreturn void be_stub(int64_t ppid, int64_t pid, uint64_t orders)
{
	int64_t fd;

	call2(__NR_prctl, PR_SET_PDEATHSIG, SIG_KILL);
	if (call0(__NR_getppid) != ppid) /* the sentry died before that */
		call1(__NR_exit_group, 0);
	check(zygote_syscall(__NR_mmap, ST_ORDERS, ST_ORDERS_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, ST_FD_SLOTS, orders));
	fd = check(install_notifier());
	answer_with(pid, (int)fd);
	call1(__NR_close, fd);
	call1(__NR_close, ST_FD_ZYGOTE);
	stub_mapper();
}

static void fork_stub(int64_t ppid, uint64_t orders)
{
	volatile int32_t pid = 0;
	/* A child of the sentry, not of the zygote. */
	int64_t r = zygote_syscall(__NR_clone, CLONE_PARENT | CLONE_CHILD_SETTID | SIG_CHLD, 0, 0, (uint64_t)&pid, 0, 0);

	if (!r)
		be_stub(ppid, pid, orders);
	if (r < 0)
		answer(r);
}

void zygote_main(void)
{
	int64_t ppid = call0(__NR_getppid);
	uint64_t orders;

	call2(__NR_prctl, PR_SET_NAME, "redoubt-stub"); /* for ps: the arguments go with the stack */
	check(call2(__NR_munmap, 0, GUEST_END));
	/* What the host kernel mapped beside us (stack, vdso): harmless where it
	 * is, so that a host that seals its vdso may refuse. */
	call2(__NR_munmap, GUEST_END, ST_TEXT - GUEST_END);
	call2(__NR_munmap, ST_END, USER_END - ST_END);
	check(call2(__NR_prctl, PR_SET_PDEATHSIG, SIG_KILL));
	handle_signals();
	prepare_thread_filter();
	confine();
	answer(0);
	while (call3(__NR_read, ST_FD_ZYGOTE, &orders, sizeof(orders)) == sizeof(orders))
		fork_stub(ppid, orders);
	for (;;)
		call1(__NR_exit_group, 0);
}
