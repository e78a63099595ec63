/* Stops at system calls: what is seen there, and what may be changed. */
#include "trace.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>

#define GOOD (SIGTRAP | 0x80)

static int pipe_fd[2];

static int two_calls(void)
{
	syscall(SYS_getppid);
	return syscall(SYS_write, 1 << 20, "x", 1) == -1 && errno == EBADF ? 7 : 1;
}

/* On to the call with that number: its entry. */
static struct user_regs_struct to_call(pid_t p, long nr)
{
	struct user_regs_struct r;

	for (int i = 0; i < 100; i++) {
		CHECK(stopped_by(after(PTRACE_SYSCALL, p, 0), GOOD));
		r = regs_of(p);
		if ((long)r.orig_rax == nr && (long)r.rax == -ENOSYS)
			return r;
	}
	CHECK(0);
	return r;
}

CASE(entry_and_exit)
{
	pid_t p = tracee(two_calls, PTRACE_O_TRACESYSGOOD);
	struct user_regs_struct r = to_call(p, SYS_getppid), e;

	CHECK(stopped_by(after(PTRACE_SYSCALL, p, 0), GOOD));
	e = regs_of(p);
	CHECK(e.orig_rax == SYS_getppid && (pid_t)e.rax == getpid() && e.rip == r.rip && e.rsp == r.rsp);
	CHECK(word_at(p, r.rip - 2) << 48 == 0x050fl << 48); /* behind its instruction, whatever runs it */
	r = to_call(p, SYS_write);
	CHECK(r.rdi == 1 << 20 && r.rdx == 1);
	CHECK((word_at(p, r.rsi) & 0xff) == 'x');
	CHECK(stopped_by(after(PTRACE_SYSCALL, p, 0), GOOD));
	CHECK((long)regs_of(p).rax == -EBADF);
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

CASE(call_info)
{
	pid_t p = tracee(two_calls, PTRACE_O_TRACESYSGOOD);
	struct __ptrace_syscall_info i;

	CHECK(ask(PTRACE_GET_SYSCALL_INFO, p, sizeof(i), (uintptr_t)&i) == 24 && i.op == PTRACE_SYSCALL_INFO_NONE);
	to_call(p, SYS_write);
	CHECK(ask(PTRACE_GET_SYSCALL_INFO, p, sizeof(i), (uintptr_t)&i) == 80);
	CHECK(i.op == PTRACE_SYSCALL_INFO_ENTRY && i.arch == 0xc000003e && i.entry.nr == SYS_write && i.entry.args[0] == 1 << 20);
	after(PTRACE_SYSCALL, p, 0);
	CHECK(ask(PTRACE_GET_SYSCALL_INFO, p, sizeof(i), (uintptr_t)&i) == 33);
	CHECK(i.op == PTRACE_SYSCALL_INFO_EXIT && i.exit.rval == -EBADF && i.exit.is_error);
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

/* Another call is made; none is made. */
static int see_changes(void)
{
	if (syscall(SYS_getppid) != getpid())
		return 1;
	if (syscall(SYS_getppid) != 4711)
		return 2;
	return syscall(SYS_getppid) == 42 ? 7 : 3;
}

CASE(changed_calls)
{
	pid_t p = tracee(see_changes, PTRACE_O_TRACESYSGOOD);
	struct user_regs_struct r = to_call(p, SYS_getppid);

	r.orig_rax = SYS_getpid;
	CHECK(ask(PTRACE_SETREGS, p, 0, (uintptr_t)&r) == 0);
	CHECK(stopped_by(after(PTRACE_SYSCALL, p, 0), GOOD) && (pid_t)regs_of(p).rax == p);
	r = to_call(p, SYS_getppid);
	r.orig_rax = (unsigned long)-1;
	r.rax = 4711;
	CHECK(ask(PTRACE_SETREGS, p, 0, (uintptr_t)&r) == 0);
	CHECK(stopped_by(after(PTRACE_SYSCALL, p, 0), GOOD));
	to_call(p, SYS_getppid);
	CHECK(stopped_by(after(PTRACE_SYSCALL, p, 0), GOOD));
	CHECK(ask(PTRACE_POKEUSER, p, offsetof(struct user, regs.rax), 42) == 0);
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

/* Calls that are answered without asking are seen, too. */
static int quiet_calls(void)
{
	sigset_t s;

	for (int i = 0; i < 50; i++) {
		syscall(SYS_getpid);
		syscall(SYS_gettid);
		syscall(SYS_geteuid);
		sigemptyset(&s);
		sigaddset(&s, SIGUSR1 + (i & 1));
		sigprocmask(SIG_SETMASK, &s, NULL);
	}
	return 7;
}

CASE(all_calls_are_seen)
{
	pid_t p = tracee(quiet_calls, PTRACE_O_TRACESYSGOOD);
	int seen[512] = { 0 }, st;

	while (stopped_by(st = after(PTRACE_SYSCALL, p, 0), GOOD)) {
		struct user_regs_struct r = regs_of(p);

		if ((long)r.rax == -ENOSYS && r.orig_rax < 512)
			seen[r.orig_rax]++;
	}
	CHECK(exited(st, 7));
	CHECK(seen[SYS_getpid] == 50 && seen[SYS_gettid] >= 50 && seen[SYS_geteuid] == 50 && seen[SYS_rt_sigprocmask] >= 50);
}

/* One that has run untraced for long, its sites patched. */
static int chatter(void)
{
	char c;

	for (;;) {
		syscall(SYS_getppid);
		syscall(SYS_getpid);
		if (read(pipe_fd[0], &c, 1) == 1)
			return 7;
		sched_yield();
	}
}

CASE(seized_at_full_speed)
{
	struct user_regs_struct r;
	int seen = 0, st;
	pid_t p;

	CHECK(pipe2(pipe_fd, O_NONBLOCK) == 0);
	p = fork();
	if (!p)
		_exit(chatter());
	usleep(50000);
	for (int round = 0; round < 5; round++) {
		CHECK(ask(PTRACE_SEIZE, p, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
		CHECK(ask(PTRACE_INTERRUPT, p, 0, 0) == 0 && event(told(p), PTRACE_EVENT_STOP));
		for (int i = 0; i < 40; i++) {
			CHECK(stopped_by(after(PTRACE_SYSCALL, p, 0), GOOD));
			r = regs_of(p);
			seen += r.orig_rax == SYS_getppid || r.orig_rax == SYS_getpid;
			CHECK(word_at(p, r.rip - 2) << 48 == 0x050fl << 48);
		}
		CHECK(ask(PTRACE_DETACH, p, 0, 0) == 0);
		usleep(5000);
	}
	CHECK(seen >= 60 && write(pipe_fd[1], "x", 1) == 1);
	CHECK(waitpid(p, &st, 0) == p && exited(st, 7));
}

/* --- an interrupted call ------------------------------------------------------------------- */

static void handler(int s) { (void)s; }

static int sleeper(void)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
	char c;

	sigaction(SIGUSR1, &sa, NULL);
	return read(pipe_fd[0], &c, 1) == 1 && c == 'x' ? 7 : 1;
}

CASE(restarted_call)
{
	pid_t p;
	int st;

	CHECK(pipe(pipe_fd) == 0);
	p = tracee(sleeper, PTRACE_O_TRACESYSGOOD);
	to_call(p, SYS_read);
	CHECK(ask(PTRACE_SYSCALL, p, 0, 0) == 0);
	until_asleep(p);
	CHECK(kill(p, SIGUSR1) == 0);
	CHECK(stopped_by(told(p), GOOD) && (long)regs_of(p).rax == -512 && regs_of(p).orig_rax == SYS_read);
	CHECK(stopped_by(after(PTRACE_SYSCALL, p, 0), SIGUSR1));
	CHECK(stopped_by(after(PTRACE_SYSCALL, p, SIGUSR1), GOOD)); /* rt_sigreturn */
	CHECK(regs_of(p).orig_rax == SYS_rt_sigreturn);
	CHECK(stopped_by(after(PTRACE_SYSCALL, p, 0), GOOD));
	CHECK(stopped_by(after(PTRACE_SYSCALL, p, 0), GOOD) && regs_of(p).orig_rax == SYS_read && (long)regs_of(p).rax == -ENOSYS);
	CHECK(write(pipe_fd[1], "x", 1) == 1);
	CHECK(stopped_by(after(PTRACE_SYSCALL, p, 0), GOOD) && regs_of(p).rax == 1);
	st = after(PTRACE_CONT, p, 0);
	CHECK(exited(st, 7));
}

/* --- emulation, filters -------------------------------------------------------------------- */

static int emulated(void)
{
	return (int)syscall(SYS_getppid);
}

CASE(sysemu)
{
	pid_t p = tracee(emulated, 0);
	struct user_regs_struct r;
	int st;

	for (int i = 0; i < 100; i++) {
		CHECK(stopped_by(st = after(31 /* PTRACE_SYSEMU */, p, 0), SIGTRAP));
		r = regs_of(p);
		CHECK((long)r.rax == -ENOSYS);
		if (r.orig_rax == SYS_getppid)
			break;
		CHECK(ask(PTRACE_POKEUSER, p, offsetof(struct user, regs.rax), 0) == 0);
	}
	CHECK(r.orig_rax == SYS_getppid && ask(PTRACE_POKEUSER, p, offsetof(struct user, regs.rax), 13) == 0);
	CHECK(exited(after(PTRACE_CONT, p, 0), 13));
}

static int filtered(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, f };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		return 1;
	if (syscall(SYS_getppid) != getppid()) /* both are told; the first is made as it is */
		return 2;
	return syscall(SYS_getppid) == getpid() ? 7 : 3;
}

CASE(seccomp_event)
{
	pid_t p = tracee(filtered, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD);
	unsigned long msg;
	struct __ptrace_syscall_info i;

	CHECK(event(after(PTRACE_CONT, p, 0), PTRACE_EVENT_SECCOMP));
	CHECK(ask(PTRACE_GETEVENTMSG, p, 0, (uintptr_t)&msg) == 0 && msg == 77);
	CHECK(ask(PTRACE_GET_SYSCALL_INFO, p, sizeof(i), (uintptr_t)&i) == 84);
	CHECK(i.op == PTRACE_SYSCALL_INFO_SECCOMP && i.seccomp.nr == SYS_getppid && i.seccomp.ret_data == 77);
	CHECK(event(after(PTRACE_CONT, p, 0), PTRACE_EVENT_SECCOMP));
	CHECK(event(after(PTRACE_CONT, p, 0), PTRACE_EVENT_SECCOMP));
	CHECK(ask(PTRACE_POKEUSER, p, offsetof(struct user, regs.orig_rax), SYS_getpid) == 0);
	CHECK(stopped_by(after(PTRACE_SYSCALL, p, 0), GOOD)); /* its end */
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

CASE(seccomp_without_tracer)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, f };

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
	CHECK_ERR(syscall(SYS_getppid), ENOSYS);
}

int main(void) { return run_cases(); }
