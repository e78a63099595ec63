/* Attaching, signals, groups that stop, events, and the ends of both sides. */
#include "trace.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

static int fds[2];

static int wait_for_byte(void)
{
	char c;

	return read(fds[0], &c, 1) == 1 ? 7 : 1;
}

static pid_t waiting_child(void)
{
	pid_t p;

	CHECK(pipe(fds) == 0);
	p = fork();
	if (!p)
		_exit(wait_for_byte());
	until_asleep(p);
	return p;
}

static void end(pid_t p)
{
	int st;

	CHECK(write(fds[1], "x", 1) == 1);
	CHECK(waitpid(p, &st, 0) == p && exited(st, 7));
}

static char state_of(pid_t p)
{
	char path[40], line[200], *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", p);
	f = fopen(path, "r");
	CHECK(f && fgets(line, sizeof(line), f));
	fclose(f);
	at = strrchr(line, ')');
	CHECK(at);
	return at[2];
}

static int tracer_of(pid_t p)
{
	char path[40], line[200];
	int v = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", p);
	f = fopen(path, "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "TracerPid: %d", &v);
	fclose(f);
	return v;
}

CASE(attach_and_detach)
{
	pid_t p = waiting_child();
	siginfo_t si;

	CHECK(tracer_of(p) == 0);
	CHECK(ask(PTRACE_ATTACH, p, 0, 0) == 0 && stopped_by(told(p), SIGSTOP));
	CHECK(state_of(p) == 't' && tracer_of(p) == getpid());
	CHECK(ask(PTRACE_GETSIGINFO, p, 0, (uintptr_t)&si) == 0 && si.si_signo == SIGSTOP);
	CHECK_ERR(ask(PTRACE_ATTACH, p, 0, 0), EPERM);
	CHECK(ask(PTRACE_DETACH, p, 0, 0) == 0);
	CHECK_ERR(ask(PTRACE_CONT, p, 0, 0), ESRCH);
	CHECK(tracer_of(p) == 0);
	end(p);
}

CASE(errors)
{
	pid_t p = waiting_child(), q;
	struct iovec none = { NULL, 7 };
	int st;

	CHECK_ERR(ask(PTRACE_CONT, p, 0, 0), ESRCH);
	CHECK_ERR(ask(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
	CHECK_ERR(ask(PTRACE_ATTACH, NO_PID, 0, 0), ESRCH);
	CHECK_ERR(ask(PTRACE_SEIZE, p, 1, 0), EIO);
	CHECK_ERR(ask(PTRACE_SEIZE, p, 0, 1u << 30), EIO);
	CHECK(ask(PTRACE_SEIZE, p, 0, 0) == 0);
	CHECK_ERR(ask(PTRACE_CONT, p, 0, 0), ESRCH); /* it does not stand in a stop */
	CHECK(ask(PTRACE_INTERRUPT, p, 0, 0) == 0 && event(told(p), PTRACE_EVENT_STOP));
	CHECK_ERR(ask(0x7777, p, 0, 0), EIO);
	CHECK_ERR(ask(PTRACE_CONT, p, 0, 65), EIO);
	CHECK_ERR(ask(PTRACE_SETOPTIONS, p, 0, 1u << 30), EINVAL);
	CHECK_ERR(ask(PTRACE_PEEKDATA, p, 8, (uintptr_t)&st), EIO);
	CHECK_ERR(ask(PTRACE_POKEDATA, p, 8, 0), EIO);
	CHECK_ERR(ask(PTRACE_PEEKUSER, p, 3, (uintptr_t)&st), EIO);
	CHECK_ERR(ask(PTRACE_PEEKUSER, p, 4096, (uintptr_t)&st), EIO);
	CHECK_ERR(ask(PTRACE_GETREGSET, p, 0x12345, (uintptr_t)&none), EINVAL);
	CHECK_ERR(ask(PTRACE_GETREGSET, p, 1, (uintptr_t)&none), EINVAL);
	CHECK_ERR(ask(PTRACE_GETSIGMASK, p, 4, (uintptr_t)&none), EINVAL);
	q = fork();
	if (!q) { /* another may not */
		CHECK_ERR(ask(PTRACE_CONT, p, 0, 0), ESRCH);
		CHECK_ERR(ask(PTRACE_ATTACH, p, 0, 0), EPERM);
		_exit(0);
	}
	CHECK(waitpid(q, &st, 0) == q && st == 0);
	CHECK(ask(PTRACE_DETACH, p, 0, 0) == 0);
	end(p);
}

CASE(strangers)
{
	pid_t p = waiting_child(), q = fork();
	int st;

	if (!q) {
		CHECK(setgid(1) == 0 && setuid(1) == 0);
		CHECK_ERR(ask(PTRACE_ATTACH, p, 0, 0), EPERM);
		CHECK_ERR(ask(PTRACE_SEIZE, p, 0, 0), EPERM);
		_exit(0);
	}
	CHECK(waitpid(q, &st, 0) == q && st == 0);
	end(p);
}

/* --- signals ------------------------------------------------------------------------------ */

static volatile sig_atomic_t got, got_value;

static void handler(int s, siginfo_t *si, void *c)
{
	(void)c;
	got = s;
	got_value = si->si_value.sival_int;
}

static int take_signals(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	raise(SIGUSR1);
	if (got != SIGUSR1)
		return 1;
	got = 0;
	raise(SIGUSR1); /* suppressed */
	if (got)
		return 2;
	raise(SIGUSR1); /* another comes */
	if (got != SIGUSR2)
		return 3;
	raise(SIGUSR1); /* with another value */
	if (got != SIGUSR1 || got_value != 99)
		return 4;
	raise(SIGCHLD); /* seen though it is ignored */
	return 7;
}

CASE(signal_stops)
{
	pid_t p = tracee(take_signals, 0);
	siginfo_t si;

	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGUSR1));
	CHECK(ask(PTRACE_GETSIGINFO, p, 0, (uintptr_t)&si) == 0 && si.si_signo == SIGUSR1 && si.si_code == SI_TKILL && si.si_pid == p);
	CHECK(stopped_by(after(PTRACE_CONT, p, SIGUSR1), SIGUSR1));
	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGUSR1));
	CHECK(stopped_by(after(PTRACE_CONT, p, SIGUSR2), SIGUSR1));
	CHECK(ask(PTRACE_GETSIGINFO, p, 0, (uintptr_t)&si) == 0);
	si.si_value.sival_int = 99;
	CHECK(ask(PTRACE_SETSIGINFO, p, 0, (uintptr_t)&si) == 0);
	CHECK(stopped_by(after(PTRACE_CONT, p, SIGUSR1), SIGCHLD));
	CHECK(exited(after(PTRACE_CONT, p, SIGCHLD), 7));
}

CASE(masks_and_queues)
{
	uint64_t mask = 1ull << (SIGUSR1 - 1), back = 0;
	struct { uint64_t off; uint32_t flags; int32_t nr; } q = { 0, 1, 4 };
	siginfo_t si[4];
	pid_t p = waiting_child();

	CHECK(ask(PTRACE_SEIZE, p, 0, 0) == 0 && ask(PTRACE_INTERRUPT, p, 0, 0) == 0 && event(told(p), PTRACE_EVENT_STOP));
	CHECK(ask(PTRACE_SETSIGMASK, p, 8, (uintptr_t)&mask) == 0);
	CHECK(ask(PTRACE_GETSIGMASK, p, 8, (uintptr_t)&back) == 0 && back == mask);
	CHECK(kill(p, SIGUSR1) == 0 && ask(PTRACE_PEEKSIGINFO, p, (uintptr_t)&q, (uintptr_t)si) == 1);
	CHECK(si[0].si_signo == SIGUSR1 && si[0].si_pid == getpid());
	CHECK(ask(PTRACE_CONT, p, 0, 0) == 0);
	CHECK(ask(PTRACE_INTERRUPT, p, 0, 0) == 0 && event(told(p), PTRACE_EVENT_STOP));
	mask = 0;
	CHECK(ask(PTRACE_SETSIGMASK, p, 8, (uintptr_t)&mask) == 0);
	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGUSR1));
	CHECK(ask(PTRACE_DETACH, p, 0, 0) == 0); /* the signal is gone */
	end(p);
}

/* The queue goes into the buffer entry by entry: what comes before a page that cannot be written counts. */
CASE(queue_into_half_a_buffer)
{
	struct { uint64_t off; uint32_t flags; int32_t nr; } q = { 0, 0, 4 };
	char *buf = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t p = tracee(wait_for_byte, 0);

	CHECK(buf != MAP_FAILED && mprotect(buf + 4096, 4096, PROT_READ) == 0);
	for (int i = 0; i < 4; i++) {
		siginfo_t info = { .si_signo = SIGRTMIN, .si_code = -100, .si_int = i };

		CHECK(syscall(SYS_rt_tgsigqueueinfo, p, p, SIGRTMIN, &info) == 0);
	}
	CHECK(ask(PTRACE_PEEKSIGINFO, p, (uintptr_t)&q, (uintptr_t)(buf + 4096 - 2 * sizeof(siginfo_t))) == 2);
	CHECK(ask(PTRACE_PEEKSIGINFO, p, (uintptr_t)&q, (uintptr_t)buf) == 4);
	CHECK_ERR(ask(PTRACE_PEEKSIGINFO, p, (uintptr_t)&q, (uintptr_t)(buf + 4096)), EFAULT);
	kill(p, SIGKILL);
}

CASE(killed_by_signal)
{
	pid_t p = waiting_child();
	int st;

	CHECK(ask(PTRACE_ATTACH, p, 0, 0) == 0 && stopped_by(told(p), SIGSTOP));
	st = after(PTRACE_CONT, p, SIGTERM);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGTERM);
	p = waiting_child();
	CHECK(ask(PTRACE_ATTACH, p, 0, 0) == 0 && stopped_by(told(p), SIGSTOP));
	CHECK(ask(PTRACE_KILL, p, 0, 0) == 0);
	st = told(p);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
}

/* --- groups that stop ------------------------------------------------------------------------- */

CASE(group_stop)
{
	siginfo_t si;
	pid_t p = waiting_child();

	CHECK(ask(PTRACE_ATTACH, p, 0, 0) == 0 && stopped_by(told(p), SIGSTOP));
	CHECK(stopped_by(after(PTRACE_CONT, p, SIGSTOP), SIGSTOP)); /* delivered: the group stops */
	CHECK_ERR(ask(PTRACE_GETSIGINFO, p, 0, (uintptr_t)&si), EINVAL);
	CHECK(kill(p, SIGCONT) == 0);
	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGCONT));
	CHECK(ask(PTRACE_DETACH, p, 0, SIGCONT) == 0);
	end(p);
}

CASE(attach_to_stopped)
{
	pid_t p = waiting_child();
	int st;

	CHECK(kill(p, SIGSTOP) == 0 && waitpid(p, &st, WUNTRACED) == p && stopped_by(st, SIGSTOP));
	CHECK(ask(PTRACE_SEIZE, p, 0, 0) == 0);
	st = told(p);
	CHECK(WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP && st >> 16 == PTRACE_EVENT_STOP);
	CHECK(ask(PTRACE_LISTEN, p, 0, 0) == 0);
	CHECK_ERR(ask(PTRACE_CONT, p, 0, 0), ESRCH);
	CHECK(waitpid(p, &st, WNOHANG | __WALL) == 0);
	CHECK(kill(p, SIGCONT) == 0);
	CHECK(event(told(p), PTRACE_EVENT_STOP)); /* it goes on */
	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGCONT));
	CHECK(ask(PTRACE_DETACH, p, 0, 0) == 0);
	end(p);
}

CASE(detached_into_a_stop)
{
	pid_t p = waiting_child();

	CHECK(ask(PTRACE_ATTACH, p, 0, 0) == 0 && stopped_by(told(p), SIGSTOP));
	CHECK(ask(PTRACE_DETACH, p, 0, SIGSTOP) == 0);
	for (int i = 0; i < 20000 && state_of(p) != 'T'; i++)
		usleep(1000);
	CHECK(state_of(p) == 'T' && kill(p, SIGCONT) == 0);
	end(p);
}

/* --- families -------------------------------------------------------------------------------------- */

static int forks(void)
{
	int st;
	pid_t p = fork();

	if (!p)
		_exit(3);
	if (waitpid(p, &st, 0) != p || !exited(st, 3))
		return 1;
	p = vfork();
	if (!p)
		_exit(4);
	return waitpid(p, &st, 0) == p && exited(st, 4) ? 7 : 2;
}

static unsigned long message(pid_t p)
{
	unsigned long m = 0;

	CHECK(ask(PTRACE_GETEVENTMSG, p, 0, (uintptr_t)&m) == 0);
	return m;
}

CASE(fork_events)
{
	pid_t p = tracee(forks, PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE), c;

	CHECK(event(after(PTRACE_CONT, p, 0), PTRACE_EVENT_FORK));
	c = (pid_t)message(p);
	CHECK(stopped_by(told(c), SIGSTOP) && tracer_of(c) == getpid());
	CHECK(exited(after(PTRACE_CONT, c, 0), 3)); /* its parent learns it after us */
	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGCHLD));
	CHECK(event(after(PTRACE_CONT, p, SIGCHLD), PTRACE_EVENT_VFORK));
	c = (pid_t)message(p);
	CHECK(stopped_by(told(c), SIGSTOP));
	CHECK(ask(PTRACE_CONT, p, 0, 0) == 0);
	CHECK(exited(after(PTRACE_CONT, c, 0), 4));
	CHECK(event(told(p), PTRACE_EVENT_VFORK_DONE) && (pid_t)message(p) == c);
	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGCHLD));
	CHECK(exited(after(PTRACE_CONT, p, SIGCHLD), 7));
}

static void *thread(void *arg)
{
	syscall(SYS_getppid);
	return arg;
}

static int threads(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread, NULL) || pthread_join(t, NULL))
		return 1;
	return 7;
}

CASE(thread_events)
{
	pid_t p = tracee(threads, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT), c;
	int st;

	CHECK(event(after(PTRACE_CONT, p, 0), PTRACE_EVENT_CLONE));
	c = (pid_t)message(p);
	CHECK(stopped_by(told(c), SIGSTOP));
	CHECK(ask(PTRACE_CONT, p, 0, 0) == 0);
	CHECK(event(after(PTRACE_CONT, c, 0), PTRACE_EVENT_EXIT) && message(c) == 0);
	st = after(PTRACE_CONT, c, 0);
	CHECK(exited(st, 0) || exited(st, 7)); /* a thread's end is told, too; its process may be ending already */
	CHECK(event(told(p), PTRACE_EVENT_EXIT) && message(p) == 7 << 8);
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

CASE(seized_child)
{
	pid_t p, c;

	CHECK(pipe(fds) == 0);
	p = fork();
	if (!p)
		_exit(wait_for_byte() == 7 ? forks() : 1);
	CHECK(ask(PTRACE_SEIZE, p, 0, PTRACE_O_TRACEFORK) == 0 && write(fds[1], "x", 1) == 1);
	CHECK(event(told(p), PTRACE_EVENT_FORK));
	c = (pid_t)message(p);
	CHECK(event(told(c), PTRACE_EVENT_STOP));
	CHECK(exited(after(PTRACE_CONT, c, 0), 3));
	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGCHLD));
	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGCHLD)); /* of vfork's child */
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

static int execs(void)
{
	execl("/proc/self/exe", "stops", "--exit-7", NULL);
	return 1;
}

CASE(exec_event)
{
	pid_t p = tracee(execs, PTRACE_O_TRACEEXEC);

	CHECK(event(after(PTRACE_CONT, p, 0), PTRACE_EVENT_EXEC) && (pid_t)message(p) == p);
	CHECK(regs_of(p).orig_rax == SYS_execve && (long)regs_of(p).rax == -ENOSYS);
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
	p = tracee(execs, 0); /* the old way */
	CHECK(stopped_by(after(PTRACE_CONT, p, 0), SIGTRAP));
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

static void *exec_here(void *arg)
{
	execl("/proc/self/exe", "stops", "--exit-7", NULL);
	return arg;
}

static int exec_in_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, exec_here, NULL))
		return 1;
	for (;;)
		pause();
}

CASE(exec_of_a_thread)
{
	pid_t p = tracee(exec_in_thread, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC), c;

	CHECK(event(after(PTRACE_CONT, p, 0), PTRACE_EVENT_CLONE));
	c = (pid_t)message(p);
	CHECK(stopped_by(told(c), SIGSTOP) && ask(PTRACE_CONT, p, 0, 0) == 0);
	CHECK(ask(PTRACE_CONT, c, 0, 0) == 0);
	CHECK(event(told(p), PTRACE_EVENT_EXEC) && (pid_t)message(p) == c); /* it has the leader's number now */
	CHECK(exited(after(PTRACE_CONT, p, 0), 7));
}

/* --- the tracer's end --------------------------------------------------------------------------------- */

CASE(tracer_dies)
{
	pid_t p = waiting_child(), q = fork();
	int st;

	if (!q) {
		CHECK(ask(PTRACE_ATTACH, p, 0, 0) == 0 && stopped_by(told(p), SIGSTOP));
		_exit(0);
	}
	CHECK(waitpid(q, &st, 0) == q && st == 0);
	CHECK(tracer_of(p) == 0);
	end(p); /* it goes on */
	p = waiting_child();
	q = fork();
	if (!q) {
		CHECK(ask(PTRACE_SEIZE, p, 0, PTRACE_O_EXITKILL) == 0);
		_exit(0);
	}
	CHECK(waitpid(q, &st, 0) == q && st == 0);
	CHECK(waitpid(p, &st, 0) == p && WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
}

/* The end of another's child: the tracer first, then the parent. */
CASE(parent_learns_later)
{
	pid_t p = waiting_child(), q;
	int st, go[2];
	char c;

	CHECK(pipe(go) == 0);
	q = fork();
	if (!q) {
		CHECK(ask(PTRACE_SEIZE, p, 0, 0) == 0 && write(go[1], "x", 1) == 1);
		CHECK(exited(told(p), 7));
		_exit(0);
	}
	CHECK(read(go[0], &c, 1) == 1 && write(fds[1], "x", 1) == 1);
	CHECK(waitpid(p, &st, 0) == p && exited(st, 7));
	CHECK(waitpid(q, &st, 0) == q && st == 0);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--exit-7"))
		return 7;
	return run_cases();
}
